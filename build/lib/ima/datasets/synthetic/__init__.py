"""Synthetic corpora of the demo, in the formats of the licensed corpora."""
