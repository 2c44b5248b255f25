"""The version of the installed package; a module of its own because reading package metadata takes 25 ms."""

from __future__ import annotations

NOT_INSTALLED = "(source tree, not installed)"


def version() -> str:
    """Return the version in the installed package's metadata."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed_version

    try:
        return installed_version("carrel")
    except PackageNotFoundError:
        return NOT_INSTALLED
