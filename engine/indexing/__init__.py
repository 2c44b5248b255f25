"""Keeps the library in step with the watched folders: the sync with its parts, and vectors for another model."""
