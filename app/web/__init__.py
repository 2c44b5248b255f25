"""The browser of the terminal, shown in a web browser of this machine: a page, what guards it, and its process."""
