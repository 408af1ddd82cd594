"""Errors, files, Arrow tables and their schemas: what every other room uses."""
