"""The command line: `carrel` and its commands, each in a small module that is imported only when it is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence

NOT_INSTALLED = "(source tree, not installed)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `carrel` with `arguments` (those of the process where None) and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:  # answered before click is imported, which takes 30 ms
        print(f"carrel {version()}")
        return 0
    from app.cli.entry import run

    return run(given)


def version() -> str:
    """Return the version in the installed package's metadata."""
    from importlib.metadata import PackageNotFoundError  # 25 ms, which only this command needs
    from importlib.metadata import version as installed_version

    try:
        return installed_version("carrel")
    except PackageNotFoundError:
        return NOT_INSTALLED
