"""How a query was read, in sentences: what was searched otherwise than it may have been meant, and what it left out."""

from __future__ import annotations

from collections.abc import Iterator

from app.wording.safe_text import one_line
from engine.figures import counted
from engine.records import LeftOut, Remark, RemarkKind, SearchResult, WordReading

WORDS_ALONE = "by words alone: "  # what a reason begins with that meaning was wanted and had no part
_SAID: dict[RemarkKind, str] = {
    "option": "{piece} is searched as typed: only a word behind - is left out.",
    "written so": '{piece} is searched as typed, since notes here write it so; -"{word}" leaves it out.',
    "alone": "{piece} is searched as a word: there is nothing to leave it out of.",
    "no value": "{piece} is searched as typed: a filter has its value right behind the colon.",
    "no date": "{piece} is searched as typed: it names no date, as 2024-03, today or 7d do.",
    "neither": "{piece} is searched as typed: date: takes own or file.",
    "open quote": "The quotation mark of {piece} is not closed.",
    "operator": '{piece} is a plain word here: -word leaves out, "word" must stand.',
    "signs": "{piece} is not searched: signs are where no words stand beside them.",
    "long": "The line is searched up to {piece}; {detail} behind it {are} not.",
    "capped": "The newest passages were looked through for {piece}; {detail} {were} not.",
}


def notes(result: SearchResult) -> Iterator[str]:
    """Yield what a person should know of how the query was read, in its order; what was left out comes last."""
    yield from reading_notes(result)
    yield from map(left_out_said, result.left_out)


def reading_notes(result: SearchResult) -> Iterator[str]:
    """Yield the same without what was left out; where nothing was found, also why meaning had no part in it."""
    reason = result.weights.reason
    if not result.hits and reason.startswith(WORDS_ALONE):
        yield f"Searched by words alone: {one_line(reason.removeprefix(WORDS_ALONE)).rstrip('.')}."
    yield from map(remark_said, result.query.remarks)
    yield from filter(None, map(word_said, result.words))


def remark_said(remark: Remark) -> str:
    """Return one remark as a sentence."""
    piece, detail, one = one_line(remark.piece), remark.detail, remark.detail == "1"
    if remark.kind in ("capped", "long"):
        detail = counted(int(detail), "word") if remark.kind == "long" else counted(int(detail), "older one")
    are, were = ("is", "was") if one else ("are", "were")
    return _SAID[remark.kind].format(piece=piece, word=piece.lstrip("-"), detail=detail, are=are, were=were)


def word_said(word: WordReading) -> str:
    """Return what is to be said of a word that no passage holds; "" where that is nothing."""
    if word.asked:
        others = "longer words that hold it" if word.term.startswith("*") else "words that begin so"
        return f"No passage holds “{one_line(word.asked)}”; {others} were searched."
    return f"No passage holds “{one_line(word.term)}”. Did you mean “{one_line(word.nearest)}”?" if word.nearest else ""


def left_out_said(left: LeftOut) -> str:
    """Return how many passages an exclusion took."""
    taken = counted(left.passages, "passage") if left.passages else "nothing"
    return f"-{quoted(left.term)} left out {taken}."


def quoted(term: str) -> str:
    """Return a term as a query line holds it: in quotation marks where it has blanks."""
    shown = one_line(term)
    return f'"{shown}"' if " " in shown else shown
