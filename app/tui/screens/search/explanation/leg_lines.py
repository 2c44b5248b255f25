"""What each leg found: rank, raw figure and weight, a table of what each word gave, and where each step put the row."""

from __future__ import annotations

from dataclasses import astuple

from rich.cells import cell_len
from textual.content import Content

from app.explanation import Ranks, Word, ranks_of
from app.tui.screens.search.explanation.subject import Explained, label, labelled
from app.tui.theme import BRIGHT, QUIET, WORDS
from app.tui.widgets.line_views import wrapped
from app.wording.bars import rarity
from app.wording.cells import cut, padded
from app.wording.fusion_constants import differing
from app.wording.safe_text import one_line
from app.wording.so_far import WAITS
from engine.figures import NONE, count, counted, figure
from engine.records import RECIPROCAL, WordReading

LONGEST_WORD = 16
ROOMY_CELLS = 52  # from here on the table shows bm25 beside the points
HEADS = ("meaning", "words", "fused", "grouped", "in the list")  # of the table of ranks
HEAD_CELLS = (8, 6, 6, 8, 12)
SHORT_WORD = 8  # cells of a word from which it can be told from others
RATING_CELLS = 10  # of the column that says how rare a word is
TABLE_CELLS = 36  # of the table without its words and without bm25


def meaning_lines(explained: Explained, width: int) -> list[Content]:
    """Return rank and distance by meaning, and what the leg counts for."""
    hit, result = explained.hit, explained.result
    if hit.vector is None:
        return labelled("meaning", Content.styled(WAITS if hit.pending else "not asked", QUIET), width)
    line = Content.assemble(
        _rank(hit.vector.rank, result.passages),
        (" · distance ", QUIET),
        figure(hit.vector.distance),
        _counts(explained, result.weights.vector, hit.vector.rank),
    )
    return labelled("meaning", line, width)


def words_lines(explained: Explained, width: int) -> list[Content]:
    """Return rank and bm25 by words, what the leg counts for, and the table of the words."""
    hit, result = explained.hit, explained.result
    keyword = hit.keyword
    if not result.words and keyword is None:
        line = Content.styled("not asked", QUIET)
    elif keyword is None or not keyword.terms:
        line = Content.styled("no word of the query stands in this passage", QUIET)
    else:
        line = Content.assemble(
            _rank(keyword.rank, 0),
            (" · bm25 ", QUIET),
            figure(keyword.bm25, 2),
            _counts(explained, result.weights.keyword, keyword.rank),
        )
    return [
        *labelled("words", line, width),
        *_table(explained, width),
        *_rare_line(explained, width),
        *_absent_line(explained, width),
    ]


def _rank(rank: int | None, passages: int) -> Content:
    """Return a rank in a leg, with the number of passages where it is known."""
    if rank is None:
        return Content.styled("beyond the candidates", QUIET)
    of = f" of {count(passages)}" if passages else ""
    return Content.assemble(("rank ", QUIET), str(rank), (of, QUIET))


def _counts(explained: Explained, weight: float, rank: int | None) -> Content:
    """Return what the leg counts for; for reciprocal ranks the whole sum, which needs no other figure."""
    if explained.result.fusion in RECIPROCAL and rank is not None:
        from engine.retrieval.fusion import RRF_K  # brings numpy, which every search has brought by now

        return Content.assemble((" · gives ", QUIET), f"{figure(weight, 2)} / ({RRF_K} + {rank})")
    return Content.assemble((" · counts ", QUIET), figure(weight, 2))


def _table(explained: Explained, width: int) -> list[Content]:
    """Return the table: how rare each word is, how often it stands here, its part of the bm25 and of the score."""
    facts, keyword = explained.facts, explained.hit.keyword
    if not facts.words or keyword is None:
        return []
    pointed = bool(facts.words[0].points)
    roomy = width >= ROOMY_CELLS or not pointed
    room = width - TABLE_CELLS - (8 if roomy and pointed else 0)
    wanted = min(LONGEST_WORD, max(cell_len(one_line(word.term)) for word in facts.words))
    rated = room >= min(wanted, SHORT_WORD)  # else the word needs the room: how rare it is stands under the query, too
    cells = max(5, min(wanted, room if rated else room + RATING_CELLS))
    empty = "" if rated else None
    ends = "bm25" if roomy else "", "points" if pointed else ""
    lines = [_row("word", cells, "passages", empty, "here", *ends, QUIET)]
    lines += [_present(word, cells, rated, word.bm25 if roomy else "") for word in facts.words]
    if len(facts.words) > 1:
        total = figure(keyword.bm25, 2) if roomy else ""
        lines.append(_row("", cells, "", empty, "sum", total, facts.shown("words") if pointed else "", QUIET))
    return [line.truncate(width) for line in lines]


def _present(word: Word, cells: int, rated: bool, bm25: str) -> Content:
    documents, rarity = count(word.score.documents), word.rarity if rated else None
    row = _row(word.term, cells, documents, rarity, often(word.score.tf), bm25, word.points, "")
    end = len(_name(word.term, cells))
    return (
        row.stylize(WORDS, 0, end)
        .stylize(QUIET, end + 2, end + 11 + RATING_CELLS * rated)
        .stylize(f"bold {BRIGHT}", len(row) - 6)
    )


def _rare_line(explained: Explained, width: int) -> list[Content]:
    """Return what words that are rare or name the document gave beside their bm25: nothing, or a line or two."""
    facts = explained.facts
    told = [
        f"{cut(one_line(word.term), LONGEST_WORD)} +{figure(word.score.rare, facts.decimals)}"
        for word in facts.words
        if word.score.rare > 0
    ]
    if not told:
        return []
    said = f"rare, or a name of this: {' · '.join(told)}"
    return wrapped(Content.styled(said, QUIET), width, Content())


def _absent_line(explained: Explained, width: int) -> list[Content]:
    """Return the words of the query that are not here, each with how rare it is: nothing, or a line or two."""
    passages = explained.result.passages
    told = [_rare(word, passages) for word in explained.facts.absent]
    if not told:
        return []
    return wrapped(Content.styled(f"not here: {' · '.join(told)}", QUIET), width, Content())


def _rare(word: WordReading, passages: int) -> str:
    return f"{cut(one_line(word.term), LONGEST_WORD)} {rarity(word.documents, word.idf, passages)[0]}"


def often(tf: float) -> str:
    """Return how often a word stands here; what stands in a title or a heading counts for more, so it may be broken."""
    return f"×{tf:.0f}" if tf == round(tf) else f"×{tf:.1f}"


def _row(
    word: str, cells: int, documents: str, rare: str | None, often: str, bm25: str, points: str, style: str
) -> Content:
    """Return a line of the table; `rare` is None where that column has no room."""
    rating = "" if rare is None else f"  {rare:<8}"
    ends = "".join(f"  {value:>6}" for value in (bm25, points) if value)
    return Content.styled(f"{_name(word, cells)}  {documents:>8}{rating}  {often:>5}{ends}", style)


def _name(term: str, cells: int) -> str:
    return padded(cut(one_line(term), cells), cells)


def setting_lines(explained: Explained, width: int) -> list[Content]:
    """Return model, fusion, the reason of the weights, constants that were fitted, and what was folded in here."""
    hit, result = explained.hit, explained.result
    parts = [f"model {result.model}", f"fusion {result.fusion}", result.weights.reason]
    parts.append(differing(result.constants) if result.fusion == "convex" else "")
    if hit.more_in_document:
        parts.append(f"{counted(len(hit.more_in_document), 'more passage')} of this note among the candidates")
    if hit.duplicates:
        parts.append(f"{counted(len(hit.duplicates), 'near-duplicate')} in other notes folded in")
    return wrapped(Content.styled(one_line(" · ".join(part for part in parts if part)), QUIET), width, Content())


def places_lines(explained: Explained, width: int) -> list[Content]:
    """Return the ranks as a table: by meaning alone, by words alone, among all passages, among all documents, and
    in the list, where a near-duplicate has no row of its own."""
    ranks = explained.facts.ranks
    head = "".join(f"{name:>{cells}}" for name, cells in zip(HEADS, HEAD_CELLS, strict=True))
    lines = [Content.assemble(label("rank"), (head, QUIET)), _rank_row("", ranks, f"bold {BRIGHT}")]
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


def _rank_row(name: str, ranks: Ranks, style: str) -> Content:
    cells = zip(astuple(ranks), HEAD_CELLS, strict=True)
    figures = "".join(f"{count(rank) if rank is not None else NONE:>{room}}" for rank, room in cells)
    return Content.assemble(label(name), (figures[: -HEAD_CELLS[-1]], ""), (figures[-HEAD_CELLS[-1] :], style))


def _before(explained: Explained) -> Content:
    """Return the ranks by the person's own settings, and how far the row has moved."""
    if explained.before is None:
        return Content.assemble(label("before"), ("not among the rows", QUIET))
    moved = explained.before.rank - explained.hit.rank
    sign = f"  ↑ {moved}" if moved > 0 else f"  ↓ {-moved}" if moved < 0 else "  ="
    return Content.assemble(_rank_row("before", ranks_of(explained.before), ""), (sign, BRIGHT if moved else QUIET))
