"""The documentation: pages, what makes them a site, and what writes those that follow from code."""
