"""Shared utilities: errors, file input and output, Arrow tables and their schemas."""
