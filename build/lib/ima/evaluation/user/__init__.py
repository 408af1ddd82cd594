"""Evaluation of user data: what modalities share, and the effect of weighting by importances."""
