"""IMA, its objectives and its baselines."""
