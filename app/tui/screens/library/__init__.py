"""The library screen: what is watched, what Carrel does now, and why a file is not there."""
