"""Where a row would stand by each leg alone, where fusion put it, and where grouping and collapsing left it."""

from __future__ import annotations

from textual.content import Content

from app.tui.figures import NONE, count
from app.tui.screens.search.explaining.subject import Explained, label
from app.tui.theme import ACCENT, BRIGHT, FAINT, QUIET
from engine.records import Hit

HEADS = ("meaning", "words", "fused", "in the list")
COLUMN_CELLS = (8, 6, 6, 12)


def places_lines(explained: Explained, width: int) -> list[Content]:
    """Return the ranks as a table: by meaning alone, by words alone, among all passages, after grouping."""
    head = "".join(f"{name:>{cells}}" for name, cells in zip(HEADS, COLUMN_CELLS, strict=True))
    lines = [Content.assemble(label("rank"), (head, QUIET)), _row("", explained.hit, f"bold {BRIGHT}")]
    if explained.tried:
        lines.append(_before(explained))
    folded = explained.hit.explanation.rank_fused - explained.hit.explanation.rank_final
    if folded > 0:
        passages = f"{count(folded)} better passage{'s are' if folded > 1 else ' is'} folded into the rows above"
        lines.append(Content.assemble(label(""), (passages, QUIET)))
    return [line.truncate(width) for line in lines]


def ranks_of(hit: Hit) -> tuple[int | None, ...]:
    """Return the ranks of a row in the order of the table."""
    facts = hit.explanation
    return (facts.rank_by_meaning, facts.rank_by_words, facts.rank_fused, facts.rank_final)


def _row(name: str, hit: Hit, style: str) -> Content:
    cells = zip(ranks_of(hit), COLUMN_CELLS, strict=True)
    figures = "".join(f"{count(rank) if rank is not None else NONE:>{room}}" for rank, room in cells)
    return Content.assemble(label(name), (figures[: -COLUMN_CELLS[-1]], ""), (figures[-COLUMN_CELLS[-1] :], style))


def _before(explained: Explained) -> Content:
    """Return the ranks by the person's own settings, and how far the row has moved."""
    if explained.before is None:
        return Content.assemble(label("before"), ("not among the rows", QUIET))
    moved = explained.before.rank - explained.hit.rank
    sign = f"  ↑ {moved}" if moved > 0 else f"  ↓ {-moved}" if moved < 0 else "  ="
    return Content.assemble(_row("before", explained.before, ""), (sign, ACCENT if moved else FAINT))
