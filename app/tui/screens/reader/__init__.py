"""The reader: a whole document, its outline, its links, and finding in it."""
