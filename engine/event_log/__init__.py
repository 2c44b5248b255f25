"""The files in which indexers tell of their work: one process writes each, any number of others follow it."""
