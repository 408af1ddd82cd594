"""Functions shared by the workflow's scripts and rules."""
