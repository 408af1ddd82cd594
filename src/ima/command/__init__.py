"""The command `ima`: IMA on the user's files, on one machine and without the workflow."""
