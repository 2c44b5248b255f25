"""The query line as text that filters are put into and taken out of. Pure; what a text means, the engine says."""

from __future__ import annotations

from app.wording.safe_text import one_line
from engine.lazy_dataclass import dataclass
from engine.retrieval.query_pieces import Piece, pieces


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter, an exclusion or a phrase as it was understood, and where in the query line it stands."""

    start: int
    end: int
    name: str
    value: str


def chips(text: str) -> tuple[Chip, ...]:
    """Return what a query restricts beside its words; what is still being typed, and has no value, is none yet."""
    found = (_chip(piece) for piece in pieces(text) if piece.value.strip())
    return tuple(chip for chip in found if chip is not None)


def without(text: str, chip: Chip) -> str:
    """Return the query line without one of its chips."""
    before, after = text[: chip.start].rstrip(), text[chip.end :].lstrip()
    return f"{before} {after}" if before and after else before + after


def with_word(text: str, word: str, other: str) -> str:
    """Return the query line with another word in the place of one: in the piece that is it, else in one that has it."""
    holding = [piece for piece in pieces(text) if word in text[piece.start : piece.end]]
    if not holding:
        return text
    piece = min(holding, key=lambda each: each.value != word)
    return text[: piece.start] + text[piece.start : piece.end].replace(word, other, 1) + text[piece.end :]


def with_filter(text: str, field: str, value: str) -> str:
    """Return the query line with a filter at its end, ready to be typed on; one that it has already stays as it is."""
    value = value.replace('"', " ").strip()
    written = f'{field}:"{value}"' if any(map(str.isspace, value)) else f"{field}:{value}"
    if written in (text[chip.start : chip.end] for chip in chips(text)):
        return text
    return f"{text.rstrip()} {written} ".lstrip()


def _chip(piece: Piece) -> Chip | None:
    minus, value = "-" if piece.minus else "", one_line(piece.value.strip())
    if piece.field:
        return Chip(piece.start, piece.end, f"{minus}{piece.field}: ", value)
    if piece.quoted and piece.closed:
        return Chip(piece.start, piece.end, minus, f"“{value}”")
    return Chip(piece.start, piece.end, minus, value) if piece.minus else None
