"""Connections: what a caller may hold and for how long, and what is a request at all."""
