"""The feed against real sockets, a real server and a real database."""
