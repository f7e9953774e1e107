"""Tests of the examples: each is run against a real service."""
