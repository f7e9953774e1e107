"""Tests of the documentation as people use it: typed, built, searched."""
