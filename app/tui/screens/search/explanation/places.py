"""Where a row would stand by each leg alone, where fusion put it, and where grouping and collapsing left it."""

from __future__ import annotations

from dataclasses import astuple

from textual.content import Content

from app.explanation import Ranks, ranks_of
from app.tui.screens.search.explanation.subject import Explained, label, labelled
from app.tui.theme import ACCENT, BRIGHT, FAINT, QUIET
from app.wording.figures import NONE, count, counted

HEADS = ("meaning", "words", "fused", "grouped", "in the list")
COLUMN_CELLS = (8, 6, 6, 8, 12)


def places_lines(explained: Explained, width: int) -> list[Content]:
    """Return the ranks as a table: by meaning alone, by words alone, among all passages, among all documents, and
    in the list, where a near-duplicate has no row of its own."""
    ranks = explained.facts.ranks
    head = "".join(f"{name:>{cells}}" for name, cells in zip(HEADS, COLUMN_CELLS, strict=True))
    lines = [Content.assemble(label("rank"), (head, QUIET)), _row("", ranks, f"bold {BRIGHT}")]
    if explained.tried:
        lines.append(_before(explained))
    return [line.truncate(width) for line in lines] + _folded(ranks, width)


def _folded(ranks: Ranks, width: int) -> list[Content]:
    """Return in words where better passages went that have no row: into that of their note, or of a look-alike."""
    told = []
    if ranks.in_notes_above:
        told.append(f"{counted(ranks.in_notes_above, 'better passage')} of the notes above")
    if ranks.alike_above:
        told.append(f"{counted(ranks.alike_above, 'near-duplicate')} of them")
    return labelled("", Content.styled(f"folded into rows above: {', '.join(told)}", QUIET), width) if told else []


def _row(name: str, ranks: Ranks, style: str) -> Content:
    cells = zip(astuple(ranks), COLUMN_CELLS, strict=True)
    figures = "".join(f"{count(rank) if rank is not None else NONE:>{room}}" for rank, room in cells)
    return Content.assemble(label(name), (figures[: -COLUMN_CELLS[-1]], ""), (figures[-COLUMN_CELLS[-1] :], style))


def _before(explained: Explained) -> Content:
    """Return the ranks by the person's own settings, and how far the row has moved."""
    if explained.before is None:
        return Content.assemble(label("before"), ("not among the rows", QUIET))
    moved = explained.before.rank - explained.hit.rank
    sign = f"  ↑ {moved}" if moved > 0 else f"  ↓ {-moved}" if moved < 0 else "  ="
    return Content.assemble(_row("before", ranks_of(explained.before), ""), (sign, ACCENT if moved else FAINT))
