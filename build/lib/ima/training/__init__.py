"""The training loop and losses that all models share."""
