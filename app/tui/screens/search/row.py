"""One result as three lines of a fixed width: title and place, snippet, figures.

Pure: a hit and a width go in, painted lines come out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal

from rich.cells import cell_len
from textual.content import Content

from app.explanation import decimals_of
from app.tui.screens.search.window import form, small_words
from app.tui.theme import BRIGHT, FAINT, MARK, MEANING, QUIET, WORDS
from app.wording.bars import TIER_SIGNS, bar
from app.wording.cells import cut_front
from app.wording.figures import NONE, figure
from app.wording.paths import shown_path
from app.wording.places import spot
from app.wording.safe_text import one_line
from app.wording.so_far import NOT_YET
from app.wording.times import day
from engine.lazy_dataclass import dataclass
from engine.paths import display
from engine.records import Grade, Hit, SearchResult, Tier

ROW_LINES = 3
ROOMY_CELLS = 60  # from here on the columns of figures stand further apart
WORDY_CELLS = 66  # from here on the legs are named in words, not by a letter
BAR_CELLS = 10
LEAST_BAR_CELLS = 4
FIGURES_CELLS = 52  # of the line of figures with its whole bar; where there are fewer, the bar gives way
TIER_STYLES: dict[Tier, str] = {"strong": f"bold {BRIGHT}", "likely": "", "weak": QUIET}
JUDGED: dict[Grade, str] = {2: "✔ marked right", -2: "✘ marked wrong", 1: "· opened before"}
_SNIPPET_ROOM = 400  # code points laid out: two screens wide, whatever a note's line holds


# ranked: every leg has answered; words: only the words have; nearest: nothing is relevant; listed: no words were asked
RowMode = Literal["ranked", "words", "nearest", "listed"]


@dataclass(frozen=True, slots=True)
class RowContext:
    """What a row needs to know beside its hit.

    `full` is the score that fills the bar, `decimals` how many places a score has, `roots` the watched folders.
    """

    roots: tuple[bytes, ...]
    now: float
    full: float
    decimals: int
    mode: RowMode = "ranked"
    small_words: frozenset[str] = frozenset()  # forms of words that are not worth a mark
    further: frozenset[int] = frozenset()  # passages that stand under the row of their note

    @property
    def dim(self) -> bool:
        """Whether the rows are only the nearest there is."""
        return self.mode == "nearest"


def context_of(result: SearchResult, roots: Sequence[bytes], now: float, finished: bool = True) -> RowContext:
    """Return what all rows of a result share."""
    mode: RowMode = "ranked"
    if is_listing(result):
        mode = "listed"
    elif not finished:
        mode = "words"
    elif result.verdict == "none":
        mode = "nearest"
    return RowContext(tuple(roots), now, greatest_score(result), decimals_of(result.fusion), mode, small_words(result))


def is_listing(result: SearchResult) -> bool:
    """Whether no words were asked, so that the rows are documents by date."""
    return result.weights.vector == 0 and result.weights.keyword == 0


def greatest_score(result: SearchResult) -> float:
    """Return the score that fills a bar: the greatest that this fusion and these weights could give."""
    best = max((hit.score for hit in result.hits), default=1.0)
    weights = result.weights
    if result.fusion == "convex":
        # .8 s / (1 + s_best) + .2 k is greatest at s = s_best = k = 1
        return max(best, weights.vector / 2 + weights.keyword)
    return best


def row_lines(hit: Hit, width: int, context: RowContext) -> tuple[Content, Content, Content]:
    """Return the lines of one row, each at most `width` cells wide."""
    lines = (
        _title_line(hit, width, context),
        _snippet_line(hit, width, context),
        _figures_line(hit, width, context) if context.mode != "listed" else _path_line(hit, width),
    )
    first, second, third = (line.truncate(width, ellipsis=True) for line in lines)
    return first, second, third


def title_of(hit: Hit) -> tuple[str, str]:
    """Return the title and the heading path below it, which begins with a sign where there is one."""
    headings = hit.headings[1:] if hit.headings[:1] == (hit.title,) else hit.headings
    return one_line(hit.title), "".join(f" › {one_line(heading)}" for heading in headings)


def place_of(path: bytes, roots: Sequence[bytes]) -> str:
    """Return the folder of a file, from the watched root on; the root's own name for a file that lies in it."""
    folder = os.path.dirname(path)
    for root in sorted(roots, key=len, reverse=True):
        if folder == root:
            return one_line(display(os.path.basename(root)))
        if folder.startswith(root.rstrip(b"/") + b"/"):
            return one_line(display(folder[len(root.rstrip(b"/")) + 1 :]))
    return one_line(display(folder))


def spot_of(hit: Hit) -> str:
    """Return where in its document a passage begins: its page where there are pages, else its line, if it has one."""
    return spot(hit.kind, hit.page, hit.line_start)


def _title_line(hit: Hit, width: int, context: RowContext) -> Content:
    """Title and heading path at the left, folder and date at the right; the date always stays.

    A further passage of the note above has its heading path alone, and its line in place of folder and date.
    """
    if hit.passage_id in context.further:
        return _further_line(hit, width, context)
    title, trail = title_of(hit)
    date = day(hit.modified, context.now)
    place = place_of(hit.path, context.roots)
    room_for_place = max(8, width // 3 - cell_len(date))
    right = f"{cut_front(place, room_for_place)} · {date}"
    room = max(1, width - cell_len(right) - 2)
    ink = QUIET if context.dim else BRIGHT
    left = Content.assemble((title, f"bold {ink}"), (trail, QUIET if context.dim else ""))
    left = left.truncate(room, ellipsis=True)
    gap = " " * max(2, width - left.cell_length - cell_len(right))
    return Content.assemble(left, gap, (right, QUIET))


def _further_line(hit: Hit, width: int, context: RowContext) -> Content:
    title, trail = title_of(hit)
    right = spot_of(hit)
    ink = QUIET if context.dim else ""
    left = Content.assemble(("  └ ", QUIET), (trail.removeprefix(" › ") or title, ink))
    left = left.truncate(max(1, width - cell_len(right) - 2), ellipsis=True)
    return Content.assemble(left, " " * max(2, width - left.cell_length - cell_len(right)), (right, QUIET))


def _snippet_line(hit: Hit, width: int, context: RowContext) -> Content:
    """Lay the snippet on one line with its first marked word in sight; that of a further passage is indented."""
    indent = "    " if hit.passage_id in context.further else ""
    width -= len(indent)
    text = one_line(hit.snippet)
    marks = [
        (start, end)
        for start, end in hit.marks
        if 0 <= start < end <= len(text) and form(text[start:end]) not in context.small_words
    ]
    first = marks[0] if marks else (0, 0)
    lead = len(text) - len(text.lstrip())
    if cell_len(text[: first[1]]) <= width - 2:
        start, piece, prefix = lead, text[lead : lead + _SNIPPET_ROOM], ""
    else:
        start = max(lead, first[0] - max(4, width // 4))
        piece, prefix = text[start : start + _SNIPPET_ROOM], "… "
    line = Content(piece).stylize_before(QUIET if context.dim else "")
    for begin, end in marks:
        if begin >= start and begin < start + len(piece):
            line = line.stylize(MARK, begin - start, min(end - start, len(piece)))
    return Content.assemble(indent, (prefix, QUIET), line)


def _figures_line(hit: Hit, width: int, context: RowContext) -> Content:
    """Lay out tier, both legs, the bar and the score in columns that stand under each other in every row."""
    vector, keyword = hit.vector, hit.keyword
    distance = figure(vector.distance)[:4] if vector else NONE
    bm25 = figure(keyword.bm25, 2)[:5] if keyword and keyword.bm25 else NONE
    score = figure(hit.score, context.decimals - (hit.score >= 1))  # 1.12 is as wide as .943
    ink, strong = ("", f"bold {BRIGHT}") if not context.dim else (QUIET, QUIET)
    tier, tier_style = f"{TIER_SIGNS[hit.tier]} {hit.tier:<6}", TIER_STYLES[hit.tier] if not context.dim else QUIET
    if context.mode == "words":
        tier, tier_style = "· words ", QUIET  # a tier is read from the meaning, which has not answered yet
    cells = max(LEAST_BAR_CELLS, min(BAR_CELLS, BAR_CELLS - FIGURES_CELLS + width))
    full, hatched = bar(hit.score - hit.shares.words, hit.shares.words, context.full, cells)
    gap = " " * (3 if width >= ROOMY_CELLS else 2)
    meaning, words = ("meaning", "words") if width >= WORDY_CELLS else ("V", "K")
    return Content.assemble(
        (tier, tier_style),
        (f"{gap}{meaning} ", QUIET),
        (f"{NOT_YET:>8}", QUIET) if hit.pending else (f"{_rank(vector.rank if vector else None)} {distance:>4}", ink),
        (f"{gap}{words} ", QUIET),
        (f"{_rank(keyword.rank if keyword else None)} {bm25:>5}", ink),
        (f"{gap}▕", FAINT),
        ("█" * full, MEANING),
        ("▒" * hatched, WORDS),
        (" " * (cells - full - hatched) + "▏", FAINT),
        (f" {score:>4}", strong),
    )


def more_line(hit: Hit, unfolded: bool, width: int) -> Content:
    """Return the line below a row: what was thought of it for this search, and what is folded away; or nothing."""
    number = len(hit.more_in_document)
    folded = "− fold" if unfolded else f"+ {number} more in this note" if number else ""
    own = JUDGED[hit.judged] if hit.judged else ""
    below = f"{JUDGED[hit.judged_below[1]]}: a passage below" if hit.judged_below else ""
    said = "   ".join(part for part in (own, below, folded) if part)
    return Content.styled(said, QUIET).truncate(width, ellipsis=True)


def _path_line(hit: Hit, width: int) -> Content:
    """Return kind and path of a listed document, its name always in sight."""
    path = shown_path(hit.path)
    room = max(1, width - len(hit.kind) - 3)
    return Content.styled(f"{hit.kind} · {cut_front(path, room)}", QUIET)


def _rank(rank: int | None) -> str:
    """Return a rank in three cells; beyond them its thousands."""
    if rank is None:
        return f"{NONE:>3}"
    return f"{rank:>3}" if rank < 1000 else f"{min(rank // 1000, 99):>2}k"
