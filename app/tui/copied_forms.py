"""The forms in which a result is copied: as a path, a place, a link of Markdown or of a wiki, a quotation. Pure.

What a file is called goes to a clipboard, and from there into a shell or a note: line ends and other control characters
in it become signs, and what would end a link is written as its kind of link asks.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import quote_from_bytes

from app.wording.places import spot
from app.wording.safe_text import one_line, pictured
from engine.lazy_dataclass import dataclass
from engine.paths import display

_BRACKETS = re.compile(r"([\\\[\]])")
_ENDS_WIKI_LINK = re.compile(r"[\[\]|#^]")


class Copied(Protocol):
    """What is copied of a row, or of the passage that is read: where it stands, and under which headings."""

    @property
    def path(self) -> bytes:
        """The absolute path."""

    @property
    def title(self) -> str:
        """The title of the document."""

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings that the passage stands under."""

    @property
    def kind(self) -> str:
        """The kind of the document."""

    @property
    def line_start(self) -> int | None:
        """The line that it begins on."""

    @property
    def page(self) -> int | None:
        """The page that it stands on."""


@dataclass(frozen=True, slots=True)
class ReadPassage:
    """The passage of a document that is read."""

    path: bytes
    title: str
    headings: tuple[str, ...]
    kind: str
    line_start: int | None
    page: int | None


@dataclass(frozen=True, slots=True)
class CopiedForm:
    """What a letter copies: `make` turns a row and the text of its passage into it; `between` parts several."""

    letter: str
    name: str
    make: Callable[[Copied, str], str]
    of_text: bool = False  # whether it is made of the passage's text
    between: str = "\n"


def path(hit: Copied, _text: str = "") -> str:
    """Return the absolute path."""
    return pictured(display(hit.path))


def place(hit: Copied, _text: str = "") -> str:
    """Return `PATH:LINE`, of a document with pages `PATH:PAGE`, else the path."""
    number = hit.line_start or hit.page
    return f"{path(hit)}:{number}" if number else path(hit)


def title(hit: Copied) -> str:
    """Return the title and the headings below it."""
    headings = hit.headings[1:] if hit.headings[:1] == (hit.title,) else hit.headings
    return " › ".join(one_line(part) for part in (hit.title, *headings))


def markdown_link(hit: Copied, _text: str = "") -> str:
    """Return a link that Markdown shows as the title; its address is the absolute path, escaped byte by byte."""
    shown = _BRACKETS.sub(r"\\\1", title(hit))
    return f"[{shown}]({quote_from_bytes(hit.path)})"


def wiki_link(hit: Copied, _text: str = "") -> str:
    """Return `[[name#heading]]`, as Obsidian and Logseq resolve it; signs that would end it are left away."""
    name = os.path.splitext(os.path.basename(path(hit)))[0]
    heading = hit.headings[-1] if hit.headings and hit.headings[-1] != hit.title else ""
    target = f"{_ENDS_WIKI_LINK.sub('', name)}#{_ENDS_WIKI_LINK.sub('', one_line(heading))}"
    return f"[[{target.rstrip('#')}]]"


def quotation(hit: Copied, text: str) -> str:
    """Return the passage as a quotation of Markdown, with where it stands below it."""
    quoted = "\n".join(f"> {line}".rstrip() for line in text.strip("\n").split("\n"))
    where = spot(hit.kind, hit.page, hit.line_start)
    return f"{quoted}\n>\n> — {markdown_link(hit)}{f', {where}' if where else ''}\n"


FORMS = (
    CopiedForm("p", "path", path),
    CopiedForm("l", "path with its line", place),
    CopiedForm("m", "Markdown link", markdown_link),
    CopiedForm("w", "wiki link", wiki_link),
    CopiedForm("q", "quotation with its source", quotation, of_text=True),
    CopiedForm("t", "text of the passage", lambda hit, text: text.strip("\n") + "\n", of_text=True),
)
BY_LETTER: Mapping[str, CopiedForm] = {form.letter: form for form in FORMS}
