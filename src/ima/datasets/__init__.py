"""Readers of corpora and of users' files, and the synthetic corpora of the demo."""
