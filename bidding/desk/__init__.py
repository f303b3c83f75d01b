"""The bid desk: one queue, one clock, one order for the lots of its share (design: the bid desk)."""
