"""`auction bench NAME`: benchmarks on an embedded database of their own; the last line is one JSON object."""
