"""Keeping the library in step with the watched folders: the sync, the watcher, and building vectors for a model."""
