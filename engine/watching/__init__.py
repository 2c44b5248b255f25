"""Following the watched folders: what the file system tells, what it does not, and when to look again."""
