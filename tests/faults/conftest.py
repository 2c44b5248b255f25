"""Lets the fault tests use the small world of the unit tests, and the terminal of the benchmarks."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent / "unit"), str(Path(__file__).parent.parent / "bench")]
