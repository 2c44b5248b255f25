"""Turns folders into files and files into documents: discovery, ignore rules, and one reader for each format."""
