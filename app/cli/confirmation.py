"""A question before something that cannot be taken back, or that takes much with it."""

from __future__ import annotations

import sys

import click


def agreed(question: str, *, does: str) -> bool:
    """Ask the person on stderr and return the answer; `does` says what `--yes` does without asking: "removes".

    Raises UsageError without a terminal: there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise click.UsageError(f"There is no terminal to ask on; `--yes` {does} without asking.")
    return click.confirm(question, err=True)
