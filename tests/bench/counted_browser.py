"""The browser with a line in a file for each comparison with the model beside: when it began, when and how it ended.

    python -P tests/bench/counted_browser.py FILE

The clock is that of the whole machine, so that the program which presses the keys knows which of them fell on one.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

GAVE_WAY, ENDED = "gave way", "ended"


@dataclass(frozen=True)
class Comparison:
    """When one began and ended, by `time.perf_counter`, and how."""

    began: float
    ended: float
    how: str


def comparisons(file: Path) -> list[Comparison]:
    """Return what a browser wrote down."""
    if not file.exists():
        return []
    lines = (line.split("\t") for line in file.read_text(encoding="utf-8").splitlines())
    return [Comparison(float(began), float(ended), how) for began, ended, how in lines]


def counted(compare: Callable[..., Any], file: str) -> Callable[..., Any]:
    """Return a comparison that writes itself down behind its end."""

    @wraps(compare)
    def compared(*given: Any, **named: Any) -> Any:
        began, how = time.perf_counter(), GAVE_WAY
        try:
            found = compare(*given, **named)
            how = ENDED
            return found
        finally:
            with open(file, "a", encoding="utf-8") as kept:
                kept.write(f"{began}\t{time.perf_counter()}\t{how}\n")

    return compared


def main() -> None:
    """Run the browser."""
    import carrel_launcher
    from engine.library_shadow import LibraryShadow

    LibraryShadow.shadow_score = counted(LibraryShadow.shadow_score, sys.argv.pop())  # type: ignore[method-assign]
    sys.exit(carrel_launcher.main())


if __name__ == "__main__":
    main()
