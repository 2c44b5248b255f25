"""The word index: how text becomes stems, how rows enter and leave it, and what it counts.

`passage_fts` keeps no text of its own; it mirrors the view `passage_text`. A row must leave the index *before* what it
mirrors changes, with exactly its old values, else the index is corrupted without an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import apsw

from engine.store.phrase import COLUMNS, Phrase

_LIST = ", ".join(COLUMNS)
_REMOVE = (
    f"INSERT INTO passage_fts(passage_fts, rowid, {_LIST}) SELECT 'delete', id, {_LIST} FROM passage_text WHERE id = ?"
)
_INSERT = f"INSERT INTO passage_fts(rowid, {_LIST}) SELECT id, {_LIST} FROM passage_text WHERE id = ?"
_AVERAGES_ROW, _STRUCTURE_ROW = 1, 10  # the ids of FTS5's totals and of its list of segments in passage_fts_data


@dataclass(frozen=True, slots=True)
class Token:
    """A stem as it stands in the index, and the code points of the text that it came from."""

    stem: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """What FTS5's own bm25() counts with: rows, tokens of all rows and columns, and the mean of the two."""

    rows: int
    tokens: int

    @property
    def average(self) -> float:
        """Tokens a row, over all columns; 0 in an empty index."""
        return self.tokens / self.rows if self.rows else 0.0


def overwrites(conn: apsw.Connection) -> bool:
    """Whether a row that leaves the index takes its words out of the stored segments at once."""
    return bool(conn.execute("SELECT v FROM passage_fts_config WHERE k = 'secure-delete'").get)


def overwrite(conn: apsw.Connection, on: bool) -> None:
    """Say whether rows that leave the index take their words with them; else these stay until segments are merged."""
    if overwrites(conn) != on:
        conn.execute("INSERT INTO passage_fts(passage_fts, rank) VALUES('secure-delete', ?)", (int(on),))


def tokeniser(conn: apsw.Connection) -> apsw.FTS5Tokenizer:
    """Return the index's own tokeniser."""
    return conn.fts5_tokenizer("porter", ["unicode61", "remove_diacritics", "2"])


def tokenise(conn: apsw.Connection, text: str, most: int | None = None) -> list[Token]:
    """Return the stems of a text in order, the first `most` of them, with code-point offsets."""
    utf8 = text.encode("utf-8", "replace")  # a lone surrogate becomes "?", which is one code point too
    found = cast(
        "list[tuple[int, int, str]]", tokeniser(conn)(utf8, apsw.FTS5_TOKENIZE_DOCUMENT, None, include_colocated=False)
    )[:most]
    if len(utf8) == len(text):
        return [Token(stem, start, end) for start, end, stem in found]
    tokens: list[Token] = []
    at_byte = at_point = 0
    for start, end, stem in found:
        at_point += len(utf8[at_byte:start].decode("utf-8", "replace"))
        length = len(utf8[start:end].decode("utf-8", "replace"))
        tokens.append(Token(stem, at_point, at_point + length))
        at_byte, at_point = end, at_point + length
    return tokens


def stems(conn: apsw.Connection, text: str) -> list[str]:
    """Return the stems of a text in order, without offsets."""
    utf8 = text.encode("utf-8", "replace")
    tokenise = tokeniser(conn)
    found = tokenise(utf8, apsw.FTS5_TOKENIZE_DOCUMENT, None, include_offsets=False, include_colocated=False)
    return cast("list[str]", found)


def statistics(conn: apsw.Connection) -> Statistics:
    """Return FTS5's totals, read from its own record: variable-length integers, rows first, then each column's tokens.

    In a transaction that has written words they are those of before it.
    """
    block = conn.execute("SELECT block FROM passage_fts_data WHERE id = ?", (_AVERAGES_ROW,)).get or b""
    numbers = _varints(block)
    return Statistics(numbers[0], sum(numbers[1:])) if numbers else Statistics(0, 0)


def index_version(conn: apsw.Connection) -> tuple[bytes, ...]:
    """Return what is another after every change of the index: of a text, a title, a path or a tag."""
    rows = conn.execute(
        "SELECT block FROM passage_fts_data WHERE id IN (?, ?) ORDER BY id", (_AVERAGES_ROW, _STRUCTURE_ROW)
    )
    return tuple(block for (block,) in cast("list[tuple[bytes]]", rows.fetchall()))


def document_frequencies(conn: apsw.Connection, stems: Iterable[str]) -> dict[str, int]:
    """Return for each stem the number of passages that hold it in any column, 0 where none does."""
    wanted = dict.fromkeys(stems, 0)
    rows = conn.execute(
        "SELECT term, doc FROM passage_vocab WHERE term IN (SELECT value FROM json_each(?))",
        (json.dumps(list(wanted)),),
    )
    wanted.update(rows)
    return wanted


def phrase_frequency(conn: apsw.Connection, phrase: Phrase) -> int:
    """Return the exact number of passages that match the phrase, as FTS5 counts it for its idf."""
    words = stems(conn, phrase.text)
    if not words:
        return 0
    if len(words) == 1 and not phrase.prefix and phrase.column is None:
        return document_frequencies(conn, words)[words[0]]
    return int(conn.execute("SELECT count(*) FROM passage_fts WHERE passage_fts MATCH ?", (phrase.match,)).get)


def remove_rows(conn: apsw.Connection, passage_ids: Iterable[int]) -> None:
    """Take passages out of the index; call it while passage and document still hold what was indexed."""
    conn.executemany(_REMOVE, [(each,) for each in sorted(passage_ids)])  # ascending: FTS5 flushes on every step back


def insert_rows(conn: apsw.Connection, passage_ids: Iterable[int]) -> None:
    """Put passages into the index as passage and document hold them now."""
    conn.executemany(_INSERT, [(each,) for each in sorted(passage_ids)])


def _varints(block: bytes) -> list[int]:
    """Decode SQLite's variable-length integers: seven bits a byte, highest first, the ninth byte whole."""
    numbers: list[int] = []
    value = length = 0
    for byte in block:
        length += 1
        value = (value << 8) | byte if length == 9 else (value << 7) | (byte & 0x7F)
        if byte < 0x80 or length == 9:
            numbers.append(value)
            value = length = 0
    return numbers
