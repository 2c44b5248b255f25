"""What stands on the terminal, cell for cell: what is there already is not written to it again.

Textual writes each part of a line that may have changed, from end to end. Most of its cells are as they were: blanks,
the lines of a scrollbar, the figures' own signs. Whatever is not plainly text at a place makes all be forgotten, and so
does a change of size; what writes the whole screen is written whole, so that it repairs what others wrote over it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby, repeat
from operator import itemgetter
from typing import TypeAlias

Cell: TypeAlias = tuple[str, str]
"""A character, and the codes of its style."""

CLOSE = 16  # cells alike between two that differ: to pass over fewer costs more than to write them
_PIECE = re.compile(
    r"\x1b\[([0-9;]*)m"  # 1: a style
    r"|\x1b\[([0-9]+);([0-9]+)H"  # 2, 3: a move
    r"|(\x1b\[\?(?:25|2026)[hl]|\x1b\](?!8;)[^\x07\x1b]*(?:\x07|\x1b\\))"  # 4: what touches no cell, such as a title
    r"|(\n)"  # 5: behind the last cell of a line; a move follows
    r"|([^\x00-\x1f\x7f-\x9f]+)"  # 6: text
)
# Characters of which every terminal makes one cell. What else there may be, a terminal may draw wider than it is taken
# to be, and all that follows in its line stands elsewhere.
_ONE_CELL = re.compile(
    "[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e\u2190-\u22ff\u2500-\u25fc"
    "\u2713-\u2718\u276f]*"
)


class ShownCells:
    """The cells of one terminal, as far as they are known. For one thread."""

    def __init__(self) -> None:
        self._rows: dict[int, list[Cell | None]] = {}

    def forget(self) -> None:
        """Know nothing of what stands there."""
        self._rows = {}

    def changes(self, output: str) -> str:
        """Return what must be written of output, so that the terminal shows what it would; remember what that is."""
        drawn = _Drawn.of(output)
        if drawn is None:
            self.forget()
            return output
        whole = sum(len(each.cells) for each in drawn.runs) >= sum(map(len, self._rows.values()))
        parts = [part for run in drawn.runs for part in (run.before, self._differing(run, whole=whole))]
        return "".join([*parts, drawn.behind])

    def _differing(self, run: _Run, *, whole: bool) -> str:
        if not run.aligned:
            self._rows.pop(run.row, None)
            return _written(run.row, run.column, run.cells)
        row = self._rows.setdefault(run.row, [])
        start, end = run.column - 1, run.column - 1 + len(run.cells)
        row.extend([None] * (end - len(row)))
        old = row[start:end]
        row[start:end] = run.cells
        if whole or None in old:
            return _written(run.row, run.column, run.cells)
        return "".join(
            _written(run.row, run.column + first, run.cells[first:last]) for first, last in _spans(old, run.cells)
        )


class _Run:
    """Cells beside each other that are written together, and what is written before them."""

    def __init__(self, row: int, column: int, before: str) -> None:
        self.row, self.column, self.before = row, column, before
        self.cells: list[Cell] = []
        self.aligned = True  # each character is one cell

    def add(self, text: str, style: str) -> None:
        """Continue with text."""
        self.cells.extend(zip(text, repeat(style)))
        self.aligned = self.aligned and _ONE_CELL.fullmatch(text) is not None


class _Drawn:
    """Output as runs of cells, and what is written behind the last."""

    def __init__(self) -> None:
        self.runs: list[_Run] = []
        self.behind = ""
        self._run: _Run | None = None
        self._next: tuple[int, int] | None = None  # where text that begins a run would go

    @classmethod
    def of(cls, output: str) -> _Drawn | None:
        """Return what output draws; None where it does more than to write text at places."""
        drawn, style, at = cls(), "", 0
        while at < len(output):
            piece = _PIECE.match(output, at)
            if piece is None:
                return None
            at = piece.end()
            codes, row, column, untouched, _line_end, text = piece.groups()
            if codes is not None:
                style = "" if codes in ("", "0") else f"{style};{codes}" if style else codes
            elif text is None:
                drawn._run = None
                drawn._next = (int(row), int(column)) if row else None
                drawn.behind += untouched or ""
            elif not drawn._continued(text, style):
                return None
        if drawn._next is not None:
            drawn.behind += _move(*drawn._next)
        return drawn

    def _continued(self, text: str, style: str) -> bool:
        if self._run is None:
            if self._next is None:
                return False
            self._run = _Run(*self._next, self.behind)
            self.runs.append(self._run)
            self.behind, self._next = "", None
        self._run.add(text, style)
        return True


def _spans(old: list[Cell | None], new: list[Cell]) -> Iterator[tuple[int, int]]:
    """Yield from where to where cells differ; two such spans that are `CLOSE` are one."""
    start = stop = -1
    for place, (before, after) in enumerate(zip(old, new, strict=True)):
        if before == after:
            continue
        if start < 0:
            start = place
        elif place - stop > CLOSE:
            yield start, stop
            start = place
        stop = place + 1
    if start >= 0:
        yield start, stop


def _written(row: int, column: int, cells: list[Cell]) -> str:
    """Return what writes cells at a place; it begins and ends without a style."""
    parts = [_move(row, column)]
    for style, together in groupby(cells, itemgetter(1)):
        text = "".join(map(itemgetter(0), together))
        parts.append(f"\x1b[{style}m{text}\x1b[0m" if style else text)
    return "".join(parts)


def _move(row: int, column: int) -> str:
    return f"\x1b[{row};{column}H"
