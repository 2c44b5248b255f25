"""The process that keeps one library in step with its folders: it holds the lock, takes orders, tells events."""
