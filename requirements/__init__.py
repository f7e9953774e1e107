"""Locks of what is installed, the flaws that are known of it, and its bill of materials."""
