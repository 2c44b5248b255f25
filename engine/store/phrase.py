"""One thing asked of the word index, and how FTS5 wants it written."""

from __future__ import annotations

from dataclasses import dataclass

COLUMNS = ("title", "headings", "body", "path", "tags", "cjk")  # of passage_fts, in the order of its column weights


@dataclass(frozen=True, slots=True)
class Phrase:
    """A word or several in a row, the last perhaps unfinished (`prefix`), perhaps in one column only.

    `text` is plain text: whatever FTS5 would read as an operator is quoted. `column` is one of COLUMNS.
    """

    text: str
    prefix: bool = False
    column: str | None = None

    def __post_init__(self) -> None:
        """Refuse a column that is not there; it would become SQL."""
        if self.column is not None and self.column not in COLUMNS:
            raise ValueError(f"no such column: {self.column}")

    @property
    def match(self) -> str:
        """The FTS5 expression of this phrase; joined by AND, OR and NOT it is safe with any text."""
        column = f"{self.column} : " if self.column else ""
        quoted = self.text.replace("\0", " ").replace('"', '""')
        return f'{column}"{quoted}"{"*" if self.prefix else ""}'
