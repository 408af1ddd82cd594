"""Readers for corpora and user data, and the synthetic corpora of the demo."""
