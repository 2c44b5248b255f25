"""One call of `carrel`: its global options, the question it may ask, and the codes it ends with."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli import factories

if TYPE_CHECKING:
    from engine.library import Library
    from engine.maintenance import Maintenance

# what the exit code says to a script; CarrelError carries its own
DONE = 0  # files that could not be read do not change that
FAILED = 1  # nothing relevant found, a check failed, or something went wrong
USAGE = 2  # usage or bad input
INTERRUPTED = 130  # 128 + SIGINT, as shells report it


@dataclass
class Session:
    """The global options of one call; they count the same before and after the command's name."""

    library: Path | None = None
    team: str = ""  # the address of the team library that the call names, "" where it works on a file
    json: bool = False
    query: str = ""  # that the browser begins with

    @property
    def place(self) -> Path | str | None:
        """Return what the call names: a team library's address, a file, or None for the default file."""
        return self.team or self.library

    def open(self, *, create: bool = False) -> Library:
        """Open the library that the call names; a context manager."""
        return factories.open_library(self.place, create=create)

    def open_own(self, *, create: bool = False) -> Library:
        """Open the person's own file, also where the call names a team library; a context manager."""
        return factories.open_library(self.library, create=create)

    def care(self) -> Maintenance:
        """Return what cares for the file of the library that the call names."""
        return factories.open_care(self.library)


pass_session = click.make_pass_decorator(Session, ensure=True)


def agreed(question: str, *, does: str, default: bool = False) -> bool:
    """Ask the person on stderr and return the answer; `does` says what `--yes` does without asking: "removes".

    Raises UsageError without a terminal: there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise click.UsageError(f"There is no terminal to ask on; `--yes` {does} without asking.")
    return click.confirm(question, default=default, err=True)


def print_json(shape: Mapping[str, Any]) -> None:
    """Print one object to stdout; what stdout cannot take, or a terminal should not, is escaped."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    click.echo(json_text(shape, ascii_only=not utf8))


def json_text(shape: Mapping[str, Any], *, ascii_only: bool = False) -> str:
    """Return one object as JSON in which what steers a terminal, or hides, is escaped."""
    import json  # a command that prints none does without

    from app.json_shapes import FORMAT
    from engine.harmful_characters import escaped

    return escaped(json.dumps({"format": FORMAT, **shape}, ensure_ascii=ascii_only, indent=2))
