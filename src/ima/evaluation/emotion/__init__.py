"""Experiments on emotional utterances (5.3 to 6.3, annex)."""
