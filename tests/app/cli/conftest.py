"""The fixtures of the command line's tests, which read what is drawn by the terminal of the benchmarks."""

import sys
from pathlib import Path

from cli_fakes import carrel, library, no_library

__all__ = ["carrel", "library", "no_library"]

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
