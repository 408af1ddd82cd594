"""Experiments on emotional utterances (6.2)."""
