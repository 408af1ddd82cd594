"""Corpora of the demo, written in the formats of the licensed ones."""
