"""The library file at a glance: its size, model, schema, and what the last check of it found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from app.tui.figures import counted
from app.tui.plain import one_line
from app.tui.screens.library.contents import clock_time
from app.tui.theme import ALARM, FAINT, GOOD, QUIET
from engine.records import Check, Status

UNITS = ("bytes", "KB", "MB", "GB", "TB")


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
        Content.styled(one_line(status.library), QUIET),
        Content.assemble(("file ", QUIET), size(status.bytes)),
        Content.assemble(("model ", QUIET), one_line(status.model) or "none yet"),
        Content.assemble(("schema ", QUIET), str(status.schema)),
        _check(checked),
    ]
    while parts:
        line = Content.assemble(("  ·  ", FAINT)).join(parts)
        if line.cell_length <= width:
            return line
        parts.pop(0)
    return _check(checked).truncate(width, ellipsis=True)


def _check(checked: Checked) -> Content:
    if checked.running:
        return Content.styled("checking …", QUIET)
    if checked.at is None:
        return Content.styled("not checked since Carrel started", QUIET)
    at = clock_time(checked.at)
    if checked.faults:
        return Content.styled(f"✗ {counted(len(checked.faults), 'fault')}, checked {at}", ALARM)
    return Content.assemble(("✓ sound", GOOD), (f", checked {at}", QUIET))


def size(number: int) -> str:
    """Return a number of bytes in its largest unit: 61 MB."""
    value, unit = float(number), 0
    while value >= 1000 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    shown = f"{value:.1f}" if unit and value < 10 else f"{value:.0f}"
    return f"{shown} {UNITS[unit]}"


def advice(faults: Sequence[Check]) -> str:
    """Return what can be done about faults."""
    if any(check.repairable for check in faults):
        return "Leave Carrel and mend it with: carrel doctor --repair"
    return "This cannot be mended in place: index the folders anew into another file (--library FILE)."
