"""The fixtures of the command line's tests."""

from cli_fakes import carrel, library, no_library

__all__ = ["carrel", "library", "no_library"]
