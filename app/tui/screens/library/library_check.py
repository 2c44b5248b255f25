"""The library file at a glance: its size, model, schema, and what the last check of it found."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from app.tui.theme import ALARM, FAINT, GOOD, QUIET
from app.wording.figures import counted, size
from app.wording.paths import shown_path
from app.wording.safe_text import one_line
from app.wording.times import clock, day
from engine.records import Check, LastCheck, Status


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


def advice(faults: Sequence[Check]) -> str:
    """Return what can be done about faults."""
    if any(check.repairable for check in faults):
        return "Leave Carrel and mend it with: carrel doctor --repair"
    return next((check.remedy for check in faults if check.remedy), "`carrel doctor` says more.")
