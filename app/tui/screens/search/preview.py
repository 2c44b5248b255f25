"""The preview: the lines around the hit with the passage marked in the margin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style

from app.tui.freshness import notice
from app.tui.ports import Freshness
from app.tui.screens.search.row import spot_of
from app.tui.screens.search.window import Window, WindowLine
from app.tui.screens.search.word_notes import Note, with_notes
from app.tui.theme import ACCENT, ALARM, BRIGHT, FAINT, MARK_IN_TEXT, NEAREST, NEAREST_WORD, QUIET
from app.tui.widgets.line_views import LinesOnDemand
from app.word_links import PlacedWord
from app.wording.cells import cut_front
from app.wording.paths import person_of, shown_path
from engine.figures import count
from engine.lazy_dataclass import dataclass
from engine.records import Hit, StoredPassage
from engine.sources.readers.file_types import OWN_LINES

LEAD_LINES = 6  # lines of context kept in sight above the passage
LINK = "note_link"  # under which a click finds where a link leads


@dataclass(frozen=True, slots=True)
class Previewed:
    """What the preview shows: a hit, its window, and which of the hits in its document it is.

    `sentence` is the span of the document that is nearest to the query in meaning, where that is known; `text` is the
    passage's; `pages` is how many the document has, 0 where it has none; `passages` are its hits where there are
    several, in their order; `words` those that are marked; `nearest` the words that answer those of the query.
    """

    hit: Hit
    window: Window | None
    place: int = 1
    places: int = 1
    freshness: Freshness = "same"
    sentence: tuple[int, int] | None = None
    text: str = ""
    pages: int = 0
    passages: tuple[StoredPassage, ...] = ()
    words: frozenset[str] = frozenset()
    nearest: tuple[PlacedWord, ...] = ()


def preview_lines(
    window: Window, width: int, sentence: tuple[int, int] | None = None, notes: Sequence[Note] = ()
) -> Sequence[Content]:
    """Return the window's lines folded to `width`, the passage with a bar in the margin and its notes in it."""
    makers: list[Callable[[], Content]] = []
    if window.cut_before:
        makers.append(_more)
    cells = _number_cells(window)
    for each in window.lines:
        makers += _rows(each, width, cells, sentence, notes)
    if window.cut_after:
        makers.append(_more)
    return LinesOnDemand(makers)


def _more() -> Content:
    return Content.styled("  ⋯", FAINT)


def first_line_of_hit(window: Window, width: int) -> int:
    """Return which of preview_lines begins the passage."""
    room = _room(width, _number_cells(window))
    before = window.lines[: window.hit_index]
    return int(window.cut_before) + sum(len(each.shown.starts(room)) for each in before)


def top_of_preview(window: Window, height: int, width: int) -> int:
    """Return which of preview_lines stands at the top, so that the passage is in sight with some lines before it."""
    return max(0, first_line_of_hit(window, width) - min(LEAD_LINES, height // 4))


def _number_cells(window: Window) -> int:
    """Return how wide the line numbers are, with the space behind them; 0 where none are shown."""
    return len(str(window.lines[-1].number)) + 1 if window.numbered and window.lines else 0


def _room(width: int, number_cells: int) -> int:
    return max(2, width - 2 - number_cells)


def _rows(
    each: WindowLine, width: int, number_cells: int, sentence: tuple[int, int] | None, notes: Sequence[Note]
) -> Iterator[Callable[[], Content]]:
    """Yield what makes the rows of one line of the document, with margin and number before them."""
    room = _room(width, number_cells)
    each, noted = with_notes(each, notes)
    starts = each.shown.starts(room)
    text = cache(partial(_text, each, sentence, noted))

    def made(row: int) -> Content:
        margin = Content.styled("▌ ", ACCENT) if each.inside else Content("  ")
        number = f"{each.number:>{number_cells - 1}} " if number_cells and not row else " " * number_cells
        return Content.assemble(margin, (number, QUIET), each.shown.row(text(), starts, row, room))

    return (partial(made, row) for row in range(len(starts)))


def _text(each: WindowLine, sentence: tuple[int, int] | None, noted: tuple[tuple[int, int], ...]) -> Content:
    """Return one line painted: bright in the passage, quiet around it, with what is marked in it."""
    line = each.shown.content.stylize_before(BRIGHT if each.inside else QUIET)
    if sentence is not None and each.inside:
        for start, end in each.shown.words_on_screen(sentence[0] - each.start, sentence[1] - each.start):
            line = line.stylize(NEAREST, start, end)
    for link in each.shown.links:
        leads = Style.from_meta({LINK: (link.target, link.wiki)})
        for start, end in each.shown.on_screen(link.start, link.end):
            line = line.stylize(leads, start, end)
    for start, end in noted:
        line = line.stylize(NEAREST_WORD, start, end)
    for start, end in each.marks:
        line = line.stylize(MARK_IN_TEXT, start, end)
    return line


def caption(shown: Previewed, width: int) -> Content:
    """Return the line below the preview: the path, and where in the document the passage stands."""
    hit, window = shown.hit, shown.window
    own = hit.kind in OWN_LINES and window is not None and (hit.line_start or 0) <= window.lines_in_document
    of = shown.pages if hit.page else window.lines_in_document if window and own else 0
    spot = spot_of(hit) + (f" of {count(of)}" if of else "")
    place = f"hit {shown.place} of {shown.places}" if shown.places > 1 else ""
    person = person_of(hit.path)
    where = " · ".join(filter(None, (spot, place, f"from {person}" if person else "")))
    said = notice(shown.freshness)
    if said and len(where) + len(said) + 4 > width:
        said = notice(shown.freshness, short=True)
    line = beside(shown_path(hit.path), where, max(1, width - (len(said) + 3 if said else 0)))
    return Content.assemble(line, ("   " if said else ""), (said, ALARM)).truncate(max(1, width))


def beside(path: str, where: str, width: int) -> Content:
    """Return a path at the left, cut in front so that its name stays, and a place at the right."""
    kept = cut_front(path, max(0, width - len(where) - 3))
    gap = " " * max(1, width - cell_len(kept) - len(where))
    return Content.styled(kept + gap + where, QUIET).truncate(max(1, width))


def unavailable(width: int) -> Sequence[Content]:
    """Return what is shown of a document that has just left the library."""
    return [Content.styled("This note has left the library.", QUIET)]
