"""Follows the watched folders: hears what the file system tells of them, and looks where it tells nothing."""
