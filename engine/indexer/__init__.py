"""The indexer process: one library, its lock, a watcher, orders in, events out."""
