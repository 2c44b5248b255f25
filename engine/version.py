"""The version of the installed program."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

NOT_INSTALLED = "(source tree, not installed)"
_BEFORE, _BEHIND = "carrel-", ".dist-info"  # the version, in the name of the folder that an installation leaves


def version() -> str:
    """Return the version of the installed package."""
    for place in sys.path:
        with suppress(OSError):  # no folder
            for name in os.listdir(place or os.curdir):
                if name.startswith(_BEFORE) and name.endswith(_BEHIND):
                    return name[len(_BEFORE) : -len(_BEHIND)]
    from importlib import metadata  # 25 ms; it knows other kinds of installations too

    try:
        return metadata.version("carrel")
    except metadata.PackageNotFoundError:
        return NOT_INSTALLED
