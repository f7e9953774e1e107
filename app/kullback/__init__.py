"""Kullback: exact scores for probability forecasts, over HTTP."""
