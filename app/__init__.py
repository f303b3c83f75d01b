"""Composition root: the ASGI application, wiring, command line, worker and demo."""
