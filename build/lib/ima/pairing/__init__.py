"""Which items of different modalities belong together, as row numbers."""
