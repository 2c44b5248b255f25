"""Everything of Carrel but the screen. Importing it loads nothing heavy; `engine.library` is the door."""
