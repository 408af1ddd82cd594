"""What the items and pairs of users share, and what weighting them changes."""
