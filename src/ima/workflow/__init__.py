"""What scripts and rules of the workflow share."""
