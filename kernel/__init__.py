"""What at least two contexts need, and no court rule."""
