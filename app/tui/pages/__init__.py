"""A document's text made fit for the screen, line by line: what the preview and the reader are painted from."""
