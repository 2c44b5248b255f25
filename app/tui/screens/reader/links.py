"""The links of a document: where they stand in its text, and where they lead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from app.tui.pages.inline_markup import leads_out
from app.tui.pages.markdown_line import LONG_LINE, prose_line
from app.tui.pages.units import Units
from app.tui.pictures.note_pictures import MOST_PICTURES
from engine.records import ResolvedLink

MOST_LINKS = 20_000
_MAY_LINK = re.compile(r"\]\(|\[\[|<http|https?://|<mailto")


@dataclass(frozen=True, slots=True)
class DocumentLink:
    """A link at a span of a document's text. `path` is the document of the library that it leads to."""

    start: int
    end: int
    target: str
    path: bytes | None

    @property
    def outward(self) -> bool:
        """Whether it leads to a web page or a mail address."""
        return leads_out(self.target)

    @property
    def anchor(self) -> str:
        """The heading that it names, "" where it names none."""
        return "" if self.outward else self.target.partition("#")[2]

    @property
    def inside(self) -> bool:
        """Whether it leads to a heading of the same document."""
        return self.target.startswith("#")


def links_in(units: Units, resolved: Iterable[ResolvedLink]) -> tuple[DocumentLink, ...]:
    """Return the links in order of their place: those that Markdown shows, or those whose words stand in the text."""
    found = _written(units, resolved) if units.kind == "markdown" else _by_words(units, resolved)
    return tuple(link for link, _ in zip(found, range(MOST_LINKS), strict=False))


def _written(units: Units, resolved: Iterable[ResolvedLink]) -> Iterator[DocumentLink]:
    paths = {(link.target, link.wiki): link.path for link in resolved}
    for match in _units_with_links(units):
        start = units.starts[match]
        for link in prose_line(units.raw(match)).links:
            path = paths.get((link.target, link.wiki))
            yield DocumentLink(start + link.start, start + link.end, link.target, path)


def _units_with_links(units: Units) -> Iterator[int]:
    """Yield the units of prose that may hold a link."""
    last = -1
    for match in _MAY_LINK.finditer(units.text):
        unit = units.at(match.start())
        if (
            unit != last
            and units.state(unit) in ("prose", "table")
            and units.ends[unit] - units.starts[unit] <= LONG_LINE
        ):
            yield unit
        last = unit


def pictures_in(units: Units) -> tuple[str, ...]:
    """Return where the first pictures lie that have a line of their own, as written."""
    if units.kind != "markdown" or "![" not in units.text:
        return ()
    shown = (prose_line(units.raw(unit)) for unit in _units_with_links(units) if "![" in units.raw(unit))
    return tuple(islice((line.picture for line in shown if line.picture), MOST_PICTURES))


def _by_words(units: Units, resolved: Iterable[ResolvedLink]) -> Iterator[DocumentLink]:
    """Yield the links of a format whose text does not show them, at the next place where their words stand."""
    at = 0
    for link in resolved:
        place = units.text.find(link.text, at) if link.text else -1
        if place >= 0:
            at = place + len(link.text)
            yield DocumentLink(place, at, link.target, link.path)


def next_link(links: Sequence[DocumentLink], chosen: DocumentLink | None, top: int, forward: bool) -> DocumentLink:
    """Return the link after the chosen one, or before it; where none is, the first one from `top` on, or before."""
    if chosen is not None:
        at = links.index(chosen) + (1 if forward else -1) if chosen in links else 0
    else:
        at = sum(link.start < top for link in links) - (0 if forward else 1)
    return links[at % len(links)]
