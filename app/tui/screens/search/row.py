"""One result as lines of a fixed width: title and place, snippet, figures; or fewer, where more rows are wanted.

Pure: a hit and a width go in, painted lines come out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal

from rich.cells import cell_len
from textual.content import Content

from app.explanation import decimals_of
from app.tui.screens.search.row_snippet import snippet_lines
from app.tui.screens.search.window import small_words
from app.tui.theme import BRIGHT, FAINT, MEANING, QUIET, WORDS
from app.wording.bars import TIER_SIGNS, bar
from app.wording.cells import cut_front
from app.wording.paths import person_of, shown_path
from app.wording.places import spot
from app.wording.safe_text import one_line
from app.wording.so_far import NOT_YET
from app.wording.times import day
from engine.figures import NONE, counted, figure
from engine.lazy_dataclass import dataclass
from engine.paths import display
from engine.records import Grade, Hit, SearchResult, Tier

ROOMY_CELLS = 60  # from here on the columns of figures stand further apart
WORDY_CELLS = 66  # from here on the legs are named in words, not by a letter
BAR_CELLS = 10
LEAST_BAR_CELLS = 3
FIGURES_CELLS = 52  # of the line of figures with its whole bar; where there are fewer, the bar gives way
TIER_STYLES: dict[Tier, str] = {"strong": f"bold {BRIGHT}", "likely": "", "weak": QUIET}
JUDGED: dict[Grade, str] = {2: "✔ marked right", -2: "✘ marked wrong", 1: "· opened before"}
FOLDED_CELLS = 3  # for what is folded away below a row of one or two lines, so that what is before it stays in line
LEAST_SNIPPET_CELLS = 16  # of a row of one line: where there is less room, its title has it all

# ranked: every leg has answered; words: only the words have; nearest: nothing is relevant; listed: no words were asked
RowMode = Literal["ranked", "words", "nearest", "listed"]


Density = Literal["full", "two", "one"]


@dataclass(frozen=True, slots=True)
class RowShape:
    """How many lines a row has: with all its figures, in two lines, or in one; `snippets` are the text's in the first.

    Only rows with all their figures stand apart.
    """

    density: Density = "full"
    snippets: int = 1

    @property
    def lines(self) -> int:
        """How many lines are a row's own."""
        return {"full": 2 + self.snippets, "two": 2, "one": 1}[self.density]

    @property
    def step(self) -> int:
        """How many lines lie between the beginnings of two rows."""
        return self.lines + (self.density == "full")


FULL = RowShape()


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
    rule: int | None = None  # the place of the first row that is only weak, before which a rule is drawn

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


def row_lines(
    hit: Hit, width: int, context: RowContext, shape: RowShape = FULL, unfolded: bool = False
) -> tuple[Content, ...]:
    """Return the lines of one row, each at most `width` cells wide."""
    if shape.density == "full":
        lines = _full_lines(hit, width, context, shape.snippets, unfolded)
    elif shape.density == "two":
        lines = [_title_line(hit, width, context), _scored_line(hit, width, context, unfolded)]
    else:
        lines = [_only_line(hit, width, context, unfolded)]
    return tuple(line.truncate(width, ellipsis=True) for line in lines)


def _full_lines(hit: Hit, width: int, context: RowContext, snippets: int, unfolded: bool) -> list[Content]:
    """Return title, text, and all figures with what is folded away at their right."""
    if context.mode == "listed":
        last = _path_line(hit, width)
    else:
        last = _beside(_figures_line(hit, width, context), _folded(hit, unfolded), width, 1)
    return [_title_line(hit, width, context), *_text_lines(hit, width, context, snippets), last]


def _scored_line(hit: Hit, width: int, context: RowContext, unfolded: bool) -> Content:
    """Return the text between the sign of its tier and its score."""
    sign, ink = _tier(hit, context)
    listed = context.mode == "listed"
    score = f"{figure(hit.score, context.decimals):>4}  {_folded(hit, unfolded):>{FOLDED_CELLS}}"
    right = "" if listed else "  ".join(filter(None, ("", judged_line(hit).plain, score)))
    text = _text_lines(hit, max(1, width - 2 - len(right)), context, 1)[0]
    return _beside(Content.assemble(("" if listed else f"{sign} ", ink), text), right, width)


def _only_line(hit: Hit, width: int, context: RowContext, unfolded: bool) -> Content:
    """Return a row in one line: its tier's sign, its title, what room is left of its text, and where it lies."""
    sign, ink = _tier(hit, context)
    lead = Content.styled("" if context.mode == "listed" else f"{sign} ", ink)
    thought = JUDGED[hit.judged][0] if hit.judged else " "
    aside = "" if context.mode == "listed" else f" {thought}{_folded(hit, unfolded):>{FOLDED_CELLS}}"
    inner = width - lead.cell_length - len(aside)
    title, right = _title_and_right(hit, inner, context)
    room = inner - title.cell_length - cell_len(right) - 4
    text = _text_lines(hit, room, context, 1)[0] if room >= LEAST_SNIPPET_CELLS else Content()
    left = Content.assemble(lead, title, "  ", text.stylize_before(QUIET))
    return _beside(left, f"{right}{aside}", width)


def _beside(left: Content, right: str, width: int, gap: int = 2) -> Content:
    """Return a line with something quiet at its right end, `gap` cells away at least."""
    left = left.truncate(max(1, width - cell_len(right) - (gap if right else 0)), ellipsis=True)
    return Content.assemble(left, (" " * (width - left.cell_length - cell_len(right)) + right, QUIET))


def _tier(hit: Hit, context: RowContext) -> tuple[str, str]:
    """Return the sign of a row's tier and its style."""
    if context.mode == "words":
        return "·", QUIET  # a tier is read from the meaning, which has not answered yet
    return TIER_SIGNS[hit.tier], TIER_STYLES[hit.tier] if not context.dim else QUIET


def folded_cells(hit: Hit, context: RowContext, unfolded: bool) -> int:
    """Return how many cells at the right end of a row's last line tell what is folded away below it."""
    return 0 if context.mode == "listed" else len(_folded(hit, unfolded))


def title_of(hit: Hit) -> tuple[str, str]:
    """Return the title and the heading path below it, which begins with a sign where there is one."""
    headings = hit.headings[1:] if hit.headings[:1] == (hit.title,) else hit.headings
    return one_line(hit.title), "".join(f" › {one_line(heading)}" for heading in headings)


def place_of(path: bytes, roots: Sequence[bytes]) -> str:
    """Return the folder of a file, from the watched root on; the root's own name for a file that lies in it.

    Of another member's file their name stands behind it.
    """
    person = person_of(path)
    return f"{_folder_of(path, roots)} · {person}" if person else _folder_of(path, roots)


def _folder_of(path: bytes, roots: Sequence[bytes]) -> str:
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
    left, right = _title_and_right(hit, width, context)
    return _beside(left, right, width)


def _title_and_right(hit: Hit, width: int, context: RowContext) -> tuple[Content, str]:
    """Return the title that fits, and what stands at the right of it."""
    title, trail = title_of(hit)
    if hit.passage_id in context.further:
        right = spot_of(hit)
        ink = QUIET if context.dim else ""
        left = Content.assemble(("  └ ", QUIET), (trail.removeprefix(" › ") or title, ink))
    else:
        date = day(hit.modified, context.now)
        place = place_of(hit.path, context.roots)
        right = f"{cut_front(place, max(8, width // 3 - cell_len(date)))} · {date}"
        ink = QUIET if context.dim else BRIGHT
        left = Content.assemble((title, f"bold {ink}"), (trail, QUIET if context.dim else ""))
    return left.truncate(max(1, width - cell_len(right) - 2), ellipsis=True), right


def _text_lines(hit: Hit, width: int, context: RowContext, lines: int) -> list[Content]:
    """Lay the snippet out with its first marked word in sight; that of a further passage is moved in."""
    indent = "    " if hit.passage_id in context.further else ""
    laid_out = snippet_lines(hit, max(1, width - len(indent)), lines, context.small_words)
    return [Content.assemble(indent, line).stylize_before(QUIET if context.dim else "") for line in laid_out]


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


def judged_line(hit: Hit) -> Content:
    """Return what stands between two rows: what was thought of the one above, and how many alike it stands for."""
    own = JUDGED[hit.judged] if hit.judged else ""
    below = f"{JUDGED[hit.judged_below[1]]}: a passage below" if hit.judged_below else ""
    alike = f"+ {counted(len(hit.duplicates), 'near-duplicate')}" if hit.duplicates else ""
    return Content.styled("   ".join(filter(None, (own, below, alike))), QUIET)


def _folded(hit: Hit, unfolded: bool) -> str:
    """Return how many further passages of its note lie folded below a row, or that they can be folded away."""
    number = len(hit.more_in_document)
    return "−" if unfolded else f"+{number}" if number else ""


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
