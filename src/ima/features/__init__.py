"""Features of each modality: from raw items to vectors."""
