"""The bid desk: one queue, one clock, one order for the lots of its share (docs/architecture.md, "One bid")."""
