"""The command `ima`: the model on files of one's own, for one machine, without the workflow."""
