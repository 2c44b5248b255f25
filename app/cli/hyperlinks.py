"""Links in what is printed (OSC 8): a click opens the file, where a terminal knows them; others show the text alone."""

from __future__ import annotations

import os
import sys
from urllib.parse import quote_from_bytes

import click

UNFIT_TERMINALS = ("dumb", "linux")  # the second is the console of Linux, which may print what it does not know


def links_shown() -> bool:
    """Return whether links are for the reader of stdout: on a terminal that draws, unless plain text was asked for."""
    context = click.get_current_context(silent=True)
    plain = context is not None and context.color is False
    return sys.stdout.isatty() and not plain and os.environ.get("TERM", "dumb") not in UNFIT_TERMINALS


def linked(text: str, path: bytes) -> str:
    """Return a text as a link to the file at an absolute path, on this machine."""
    address = f"file://{quote_from_bytes(os.fsencode(os.uname().nodename))}{quote_from_bytes(path)}"
    return f"\x1b]8;;{address}\x1b\\{text}\x1b]8;;\x1b\\"
