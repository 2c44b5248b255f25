"""The version of the installed program."""

from __future__ import annotations

NOT_INSTALLED = "(source tree, not installed)"


def version() -> str:
    """Return the version in the installed package's metadata."""
    from importlib import metadata  # 25 ms, which few commands need

    try:
        return metadata.version("carrel")
    except metadata.PackageNotFoundError:
        return NOT_INSTALLED
