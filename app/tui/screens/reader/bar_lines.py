"""The lines above and below the text: what is read, and where in it one is."""

from __future__ import annotations

from textual.content import Content

from app.tui.freshness import notice
from app.tui.screens.reader.book import Book
from app.tui.screens.reader.links import DocumentLink
from app.tui.screens.reader.trail import Trail
from app.tui.theme import ALARM, BRIGHT, FAINT, KEY, QUIET
from app.wording.cells import cut_front
from app.wording.paths import shown_path
from app.wording.places import page_name
from app.wording.safe_text import one_line
from app.wording.times import day
from engine.figures import count, percent


def title_line(book: Book | None, now: float, trail: Trail, trouble: str, width: int) -> Content:
    """Return title and path at the left, and kind, date and what is wrong with the file at the right.

    Where no document shows yet, `trouble` says why; "" while one is being opened.
    """
    if book is None:
        return Content.styled(trouble or "opening …", QUIET)
    document = book.document
    said = notice(book.freshness)
    right = Content.assemble(
        (said, ALARM), ("  ·  " if said else "", FAINT), (f"{document.kind} · {day(document.modified, now)}", QUIET)
    )
    ways = Content.assemble((f"{'‹' * bool(trail.behind)}{'›' * bool(trail.ahead)} ".lstrip(), KEY))
    title = Content.styled(one_line(document.title or "Untitled"), f"bold {BRIGHT}")
    room = max(1, width - right.cell_length - ways.cell_length - 2)
    title = title.truncate(room, ellipsis=True)
    path = cut_front(shown_path(document.path), max(0, room - title.cell_length - 3))
    left = Content.assemble(ways, title, ("   " + path if len(path) > 4 else "", QUIET))
    gap = " " * max(1, width - left.cell_length - right.cell_length)
    return Content.assemble(left, gap, right).truncate(max(1, width))


def place_line(book: Book | None, top: int, bottom: int, here: int, said: Content, width: int) -> Content:
    """Return what was found or chosen at the left, and line, page and share of the document at the right."""
    if book is None:
        return Content()
    units = book.units
    parts = []
    if book.pages:
        parts.append(f"{page_name(book.document.kind, units.page_of(units.at(here)) or 1)} of {count(book.pages)}")
    if line := book.line_at(here):
        parts.append(f"line {count(line)}" + (f" of {count(max(1, units.line_count))}" if book.has_own_lines else ""))
    length = len(units.text)
    if top == 0:
        parts.append("all" if bottom > length else "top")
    else:
        parts.append("end" if bottom > length else percent(bottom / max(1, length)))
    right = Content.styled(" · ".join(parts), QUIET)
    left = said.truncate(max(1, width - right.cell_length - 2), ellipsis=True)
    return Content.assemble(left, " " * max(1, width - left.cell_length - right.cell_length), right).truncate(width)


def link_words(link: DocumentLink) -> Content:
    """Return where a chosen link leads."""
    if link.path is not None:
        return Content.assemble(("→ ", BRIGHT), shown_path(link.path))
    if link.outward:
        return Content.assemble(("↗ ", BRIGHT), one_line(link.target), (" · enter shows it in the web browser", QUIET))
    if link.inside:
        return Content.assemble(("→ ", BRIGHT), one_line(link.target))
    return Content.assemble(("→ ", BRIGHT), one_line(link.target), (" · not in the library", ALARM))


def found_words(place: int, found: int, most: int, typing: bool) -> Content:
    """Return which of the places found is looked at, and the keys for the others."""
    if not found:
        return Content.styled("∅ not found", ALARM)
    more = "+" if found >= most else ""
    keys = "↑↓ other places · enter to the text" if typing else "n next · N previous"
    return Content.assemble((f"{count(place)} of {count(found)}{more}", BRIGHT), (f" · {keys}", QUIET))
