"""Feature extraction for each modality: from raw items to vectors."""
