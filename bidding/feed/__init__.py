"""The live feed (docs/live.md): rooms of watchers over WebSockets, and the HTTP doors to the same facts.

A socket is a window, never the truth: each lot has one gapless sequence of events in the database, and whoever misses
something asks for what follows the last `seq` they saw. `Feed` holds the rooms of one process; `Feed.protocol` is the
class that uvicorn's `ws=` hook mounts; the desk calls `Feed.publish` behind each commit.
"""
