"""What a connection may hold, and what is a request at all, against servers that run."""
