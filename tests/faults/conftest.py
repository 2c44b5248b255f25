"""Lets the fault tests use the small world of the unit tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "unit"))
