"""Folders become files, and files become documents: discovery, ignore rules, and one reader for each format."""
