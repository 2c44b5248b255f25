"""Two results side by side: what each part gave to both, and their text."""
