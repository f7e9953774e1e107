"""Types of what is sent and answered."""
