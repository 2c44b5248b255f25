"""The library file at a glance: its size, model, schema, and what the last check of it found."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message

from app.tui.background import in_background
from app.tui.browser import tell
from app.tui.theme import ALARM, FAINT, GOOD, QUIET
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from app.wording.paths import shown_path
from app.wording.safe_text import one_line
from app.wording.times import clock, day
from engine.errors import CarrelError
from engine.figures import counted, size
from engine.records import Check, LastCheck, Status

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort


@dataclass(frozen=True, slots=True)
class Checked:
    """The last check: when it ended, None before the first or while one runs, and what it found."""

    at: float | None = None
    running: bool = False
    checks: tuple[Check, ...] = ()

    @property
    def faults(self) -> Sequence[Check]:
        """What is wrong."""
        return [check for check in self.checks if not check.ok]


def file_line(status: Status | None, checked: Checked, width: int) -> Content:
    """Return the line; what has no room is left out from the front, the check stays."""
    if status is None:
        return Content()
    parts = [
        Content.styled(shown_path(os.fsencode(status.library)), QUIET),
        Content.assemble(("file ", QUIET), size(status.bytes)),
        Content.assemble(("model ", QUIET), one_line(status.model) or "none yet"),
        Content.assemble(("schema ", QUIET), str(status.schema)),
        _check(checked, status.checked),
    ]
    while parts:
        line = Content.assemble(("  ·  ", FAINT)).join(parts)
        if line.cell_length <= width:
            return line
        parts.pop(0)
    return _check(checked, status.checked).truncate(width, ellipsis=True)


def _check(checked: Checked, before: LastCheck | None) -> Content:
    """Return what the last check found: one of this session, else the one that the library remembers."""
    if checked.running:
        return Content.styled("checking …", QUIET)
    if checked.at is not None:
        faults, at = len(checked.faults), clock(checked.at)
    elif before is not None:
        faults, at = before.faults, day(before.at, time.time())
    else:
        return Content.styled("never checked: c checks it", QUIET)
    if faults:
        return Content.styled(f"✗ {counted(faults, 'fault')}, checked {at}", ALARM)
    return Content.assemble(("✓ sound", GOOD), (f", checked {at}", QUIET))


class LibraryFileLine(BuiltLine):
    """The line of the library file; it checks the file when asked."""

    class CheckEnded(Message):
        """A check has ended; `checked` says what it found."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.checked = Checked()
        self._status: Status | None = None

    def show_status(self, status: Status | None) -> None:
        """Show another status of the library."""
        self._status = status
        self.show(partial(file_line, status, self.checked))

    def check(self, library: LibraryPort, clock: Callable[[], float]) -> None:
        """Check the library file, in a thread; one check at a time."""
        if not self.checked.running:
            self._show_checked(replace(self.checked, running=True))
            in_background(self, partial(self._check, library, clock), "check")

    async def _check(self, library: LibraryPort, clock: Callable[[], float]) -> None:
        try:
            checks = await in_thread(library.check)
        except CarrelError as error:
            tell(self, str(error), good=False)
            self._show_checked(replace(self.checked, running=False))
        except Exception:
            self._show_checked(replace(self.checked, running=False))  # else it could not be checked once more
            raise
        else:
            self._show_checked(Checked(clock(), checks=checks))
            if faults := self.checked.faults:
                tell(self, f"{counted(len(faults), 'fault')} found. {advice(faults)}", good=False)
        self.post_message(self.CheckEnded())

    def _show_checked(self, checked: Checked) -> None:
        self.checked = checked
        self.show_status(self._status)


def advice(faults: Sequence[Check]) -> str:
    """Return what can be done about faults."""
    if any(check.repairable for check in faults):
        return "Leave Carrel and mend it with: carrel doctor --repair"
    return next((check.remedy for check in faults if check.remedy), "`carrel doctor` says more.")
