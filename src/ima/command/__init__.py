"""The command `ima`: IMA on the user's files, on one machine and without the workflow.

`ima pack` and `ima verify` compare results of runs (`ima.command.results`).
"""
