"""The headings of a document, and where they stand in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.tui.pages.markdown_line import prose_line
from app.tui.pages.units import Units
from app.wording.safe_text import one_line
from engine.records import StoredPassage

MOST_HEADINGS = 20_000
_ATX = re.compile(r"^ {0,3}(#{1,6})[ \t]+(\S.*)$", re.MULTILINE)
_SETEXT = re.compile(r"^ {0,3}(\S[^\n]*)\n {0,3}(=+|-{2,})[ \t]*$", re.MULTILINE)
_ORG = re.compile(r"^(\*+)[ \t]+(\S.*)$", re.MULTILINE)
_NOT_SETEXT = ("#", "-", "*", "+", ">", "|", "=", "`")  # what begins another kind of line
_NO_SLUG = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: its depth from 1, its words, and where in the document it begins."""

    level: int
    text: str
    start: int

    @property
    def span(self) -> tuple[int, int]:
        """What is jumped to: its first code point."""
        return self.start, self.start + 1


def headings_of(units: Units, passages: Iterable[StoredPassage]) -> tuple[Heading, ...]:
    """Return the headings of a document in order.

    Markdown and Org mark them in their text; of other formats the passages know the headings above them.
    """
    if units.kind == "markdown":
        found = sorted(_markdown(units), key=lambda heading: heading.start)
    elif units.kind == "org":
        found = [Heading(len(m[1]), one_line(m[2]), m.start()) for m in _ORG.finditer(units.text)]
    else:
        found = list(_from_passages(passages))
    return tuple(found[:MOST_HEADINGS])


def _markdown(units: Units) -> Iterator[Heading]:
    for match in _ATX.finditer(units.text):
        if units.state(units.at(match.start(1))) == "prose":
            yield Heading(len(match[1]), _words(match[2].rstrip("# \t") or match[2]), match.start())
    for match in _SETEXT.finditer(units.text):
        plain = units.state(units.at(match.start(1))) == "prose" and not match[1].startswith(_NOT_SETEXT)
        if plain and (match.start() == 0 or units.text[: match.start()].endswith("\n\n")):
            yield Heading(1 if match[2].startswith("=") else 2, _words(match[1]), match.start())


def _words(written: str) -> str:
    """Return a heading's words without their markup."""
    return prose_line(written).text.strip()


def _from_passages(passages: Iterable[StoredPassage]) -> Iterator[Heading]:
    """Yield each heading where the first passage below it begins."""
    above: tuple[str, ...] = ()
    for passage in passages:
        same = 0
        while same < min(len(above), len(passage.headings)) and above[same] == passage.headings[same]:
            same += 1
        for level in range(same, len(passage.headings)):
            yield Heading(level + 1, one_line(passage.headings[level]), passage.start)
        above = passage.headings


def slug(text: str) -> str:
    """Return a heading as links name it: small letters, hyphens, no other signs."""
    return _NO_SLUG.sub("", text.strip().casefold()).replace(" ", "-")


def heading_named(headings: Iterable[Heading], name: str) -> Heading | None:
    """Return the first heading that a link's part behind # names, by its words or its slug."""
    wanted = name.rpartition("#")[2].strip()
    for heading in headings:
        if heading.text.casefold() == wanted.casefold() or slug(heading.text) == slug(wanted):
            return heading
    return None
