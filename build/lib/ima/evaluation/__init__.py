"""Metrics, experiments and controls."""
