"""What the global options of one call say; they count the same before and after the command's name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli import factories

if TYPE_CHECKING:
    from engine.library import Library
    from engine.maintenance import Maintenance


@dataclass
class Session:
    """The global options of one call, filled while the arguments are read."""

    library: Path | None = None
    json: bool = False

    def open(self, *, create: bool = False) -> Library:
        """Open the library that the call names; a context manager."""
        return factories.open_library(self.library, create=create)

    def care(self) -> Maintenance:
        """Return what cares for the file of the library that the call names."""
        return factories.open_care(self.library)


pass_session = click.make_pass_decorator(Session, ensure=True)
