"""One thing asked of the word index, and how FTS5 wants it written."""

from __future__ import annotations

from dataclasses import field, replace

from engine.lazy_dataclass import dataclass

COLUMNS = ("title", "headings", "body", "path", "tags")  # of passage_fts, in the order of its column weights
EITHER = "|"  # between terms of which one is enough at a place


@dataclass(frozen=True, slots=True)
class Phrase:
    """A term or several in a row, the last perhaps unfinished (`prefix`), perhaps in one column only.

    `places` are terms of the index as `engine.store.tokenizer` makes them, at one place after another; `a|b` is a place
    at which either will do. `written` is how a person would write it. `column` is one of COLUMNS; with `first` the
    phrase must be the first thing in its column. `otherwise` are other spellings of it, of which each is as good.
    """

    places: tuple[str, ...]
    prefix: bool = False
    column: str | None = None
    first: bool = False
    written: str = field(default="", compare=False)
    otherwise: tuple[Phrase, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a column that is not there; it would become SQL."""
        if self.column is not None and self.column not in COLUMNS:
            raise ValueError(f"no such column: {self.column}")

    @property
    def is_term(self) -> bool:
        """Whether it is one term in any column, which the vocabulary counts."""
        return (
            len(self.places) == 1
            and EITHER not in self.places[0]
            and not self.prefix
            and not self.first
            and self.column is None
            and not self.otherwise
        )

    @property
    def terms(self) -> frozenset[str]:
        """The terms that can stand at one of its places."""
        spelled = (term for each in self.otherwise for term in each.terms)
        return frozenset((*(term for place in self.places for term in place.split(EITHER)), *spelled))

    @property
    def spellings(self) -> tuple[Phrase, ...]:
        """The phrase as it is, and its other spellings."""
        return (replace(self, otherwise=()), *self.otherwise) if self.otherwise else (self,)

    @property
    def match(self) -> str:
        """The FTS5 expression of this phrase; joined by AND, OR and NOT it is safe with any text."""
        if self.otherwise:
            return f"({' OR '.join(each.match for each in self.spellings)})"
        column = f"{self.column} : " if self.column else ""
        quoted = " ".join(self.places).replace("\0", " ").replace('"', '""')
        return f'{column}{"^" if self.first else ""}"{quoted}"{"*" if self.prefix else ""}'
