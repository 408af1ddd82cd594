"""Audio files, resampling and speech synthesis."""
