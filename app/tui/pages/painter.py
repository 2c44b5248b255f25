"""Paints the units of a document by its kind: Markdown rendered, code in colours, everything else as it is."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import replace

from textual.content import Content

from app.tui.pages.line_wrap import row_starts
from app.tui.pages.markdown_line import code_line, fence_line, highlighted_into, prose_line
from app.tui.pages.painted_line import LineMaker, ShownLine, plain_line
from app.tui.pages.source_colors import SourceColours
from app.tui.pages.tables import table_line
from app.tui.pages.units import Units
from app.tui.theme import BRIGHT, FAINT, QUIET
from app.wording.safe_text import TAB_CELLS, one_line

KEPT = 1_500  # painted units: several screens
PAGE_RULE_CELLS = 24
_MAY_HIDE = re.compile(r"[\\`*_\[<~#>=|\t+-]|\d[.)]|https?:")  # without these, nothing is rendered
_ORG_HEADING = re.compile(r"(\*+)\s+")


class Painter:
    """Paints units on demand. `headings` are the headings of documents that do not mark them in their text."""

    def __init__(self, units: Units, *, language: str = "", headings: Collection[str] = ()) -> None:
        self.units = units
        self.numbered = units.kind == "code"
        self._colours = SourceColours(units, language if units.kind == "code" else "")
        self._headings = frozenset(headings)
        self._kept: OrderedDict[int, ShownLine] = OrderedDict()
        self._pictures: Mapping[str, tuple[Content, ...]] = {}

    def show_pictures(self, cells: Mapping[str, tuple[Content, ...]]) -> None:
        """Show pictures, by where they lie as written, below the lines that show nothing else."""
        self._pictures = cells
        self._kept.clear()

    def line(self, unit: int) -> ShownLine:
        """Return a unit as it stands on the screen."""
        shown = self._kept.get(unit)
        if shown is None:
            shown = self._kept[unit] = self._painted(unit)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return shown

    def rows(self, unit: int, width: int) -> int:
        """Return how many rows of `width` cells a unit takes; cheap, for whole documents."""
        raw = self.units.raw(unit)
        rendered = self.units.kind == "markdown"
        if self._pictures and raw.lstrip().startswith("!["):
            return len(self._painted(unit, colours=False).starts(width))
        if len(raw) <= width - 2 * rendered and raw.isascii() and "\t" not in raw:
            return 1  # rendering makes a line longer by two cells at most
        if rendered and (self.units.state(unit) != "prose" or "\n" in raw or _MAY_HIDE.search(raw)):
            return len(self._painted(unit, colours=False).starts(width))
        text = one_line(raw) if "\t" not in raw else one_line(raw.expandtabs(TAB_CELLS))
        return len(row_starts(text, width, self._hang(raw)))

    def _painted(self, unit: int, colours: bool = True) -> ShownLine:
        state, raw = self.units.state(unit), self.units.raw(unit)
        if state == "table" and (table := self.units.table_of(unit)):
            return table_line(raw, unit - table.first, table)
        match state:
            case "page":
                maker = LineMaker("")
                maker.put("── ", 0, 0, FAINT)
                maker.put(f"page {self.units.page_at(unit)} ", 0, 0, QUIET)
                maker.put("─" * PAGE_RULE_CELLS, 0, 0, FAINT)
                return maker.make()
            case "opening" | "closing":
                return fence_line(raw, opens=state == "opening")
            case "code":
                return code_line(raw, self._colours.of(unit) if colours else ())
            case "front":
                return plain_line(raw, QUIET)
        return self._prose(unit, raw)

    def _prose(self, unit: int, raw: str) -> ShownLine:
        kind = self.units.kind
        if kind == "markdown":
            shown = prose_line(raw)
            cells = self._pictures.get(shown.picture) if self._pictures else None
            return replace(shown, cells=cells) if cells else shown
        if kind == "code":
            maker = LineMaker(raw)
            highlighted_into(maker, self._colours.of(unit))
            return maker.make()
        heading = raw.strip() in self._headings if self._headings and len(raw) < 400 else False
        if heading or (kind == "org" and _ORG_HEADING.match(raw)):
            return plain_line(raw, f"bold {BRIGHT}")
        return plain_line(raw, hang=self._hang(raw))

    def _hang(self, raw: str) -> int:
        """Return how far the rows after the first of a plain line are moved in: as far as the first, within reason."""
        return min(24, len(raw) - len(raw.lstrip(" "))) if self.units.kind not in ("markdown", "code") else 0
