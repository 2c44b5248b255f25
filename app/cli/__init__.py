"""The command line: `carrel` and its commands, each in a small module that is imported only when it is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `carrel` with `arguments` (those of the process where None) and return its exit code."""
    from app.cli.output import written

    given = list(sys.argv[1:] if arguments is None else arguments)
    return written(lambda: _run(given))


def _run(arguments: list[str]) -> int:
    """Answer `--version` before click is imported, which takes 30 ms; the command line answers all else."""
    if arguments == ["--version"]:
        from engine.version import version  # not at the head: `python -m` reads this before it finds its own engine

        print(f"carrel {version()}")
        return 0
    from app.cli.entry import run

    return run(arguments)
