"""Each benchmark beside a named rival, in one run: python -m bench [NAME...]."""
