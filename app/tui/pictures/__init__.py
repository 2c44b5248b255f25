"""Pictures of notes in the terminal: their files, made small in a process of its own, and the cells that show them."""
