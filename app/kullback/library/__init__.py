"""Scores in Python, without a server: what `import kullback` offers."""
