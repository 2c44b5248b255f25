"""The command line: `carrel` and its commands, each in a small module that is imported only when it is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from engine.version import version


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `carrel` with `arguments` (those of the process where None) and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:  # answered before click is imported, which takes 30 ms
        print(f"carrel {version()}")
        return 0
    from app.cli.entry import run

    return run(given)
