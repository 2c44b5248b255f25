"""The word index: how rows enter and leave it, what it counts, and when it is built anew.

`passage_fts` keeps no text of its own; it mirrors the view `passage_text`. A row must leave the index *before* what it
mirrors changes, with exactly its old values, else the index is corrupted without an error.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable
from itertools import islice
from typing import cast

import apsw

from engine.lazy_dataclass import dataclass
from engine.store.phrase import COLUMNS, Phrase

# Of title, headings, body, path, tags. They multiply a term's frequency, as FTS5 has it.
COLUMN_WEIGHTS = (1.0, 1.0, 1.0, 0.5, 1.0)
RANK = f"bm25(passage_fts, {', '.join(str(weight) for weight in COLUMN_WEIGHTS)})"

_LIST = ", ".join(COLUMNS)
_REMOVE = (
    f"INSERT INTO passage_fts(passage_fts, rowid, {_LIST}) SELECT 'delete', id, {_LIST} FROM passage_text WHERE id = ?"
)
_INSERT = f"INSERT INTO passage_fts(rowid, {_LIST}) SELECT id, {_LIST} FROM passage_text WHERE id = ?"
_MADE_BY = "words_made_by"  # in `meta`
_TOLD_EVERY = 2_000  # passages: about a second
_AVERAGES_ROW, _STRUCTURE_ROW = 1, 10  # the ids of FTS5's totals and of its list of segments in passage_fts_data


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


def document_frequencies(conn: apsw.Connection, terms: Iterable[str]) -> dict[str, int]:
    """Return for each term the number of passages that hold it in any column, 0 where none does."""
    wanted = dict.fromkeys(terms, 0)
    rows = conn.execute(
        "SELECT term, doc FROM passage_vocab WHERE term IN (SELECT value FROM json_each(?))",
        (json.dumps(list(wanted)),),
    )
    wanted.update(rows)
    return wanted


def terms_holding(conn: apsw.Connection, part: str, longer: int, most: int) -> tuple[str, ...]:
    """Return the words, longer than `part` by so many letters, that hold it, those of most passages first.

    This looks at every term: 80 ms where 50,000 passages have 49,000.
    """
    rows = conn.execute(
        "SELECT term FROM passage_vocab WHERE instr(term, ?1) > 0 AND length(term) >= length(?1) + ?2"
        " ORDER BY doc DESC, term",
        (part, longer),
    )
    found = (term for (term,) in cast("Iterable[tuple[str]]", rows) if term.isalpha())
    return tuple(islice(found, most))


def stem_frequencies(conn: apsw.Connection, stems: Iterable[str]) -> dict[str, int]:
    """Return for each stem about how many passages hold a word of it; one that holds two kinds is counted twice."""
    from engine.store.tokenizer import of_stem  # its patterns

    asked = {stem: of_stem(stem) for stem in stems}
    found = document_frequencies(conn, [term for terms in asked.values() for term in terms])
    return {stem: sum(found[term] for term in terms) for stem, terms in asked.items()}


def phrase_frequency(conn: apsw.Connection, phrase: Phrase) -> int:
    """Return the exact number of passages that match the phrase, as FTS5 counts it for its idf."""
    if not phrase.places:
        return 0
    if phrase.is_term:
        return document_frequencies(conn, phrase.places)[phrase.places[0]]
    return int(conn.execute("SELECT count(*) FROM passage_fts WHERE passage_fts MATCH ?", (phrase.match,)).get)


def rebuild(conn: apsw.Connection, told: Callable[[int, int], None] | None = None) -> None:
    """Build the word index anew from what passages and documents hold; `told` gets the passages done, and all.

    Nothing is embedded. It is made inside the caller's transaction.
    """
    conn.execute("INSERT INTO passage_fts(passage_fts) VALUES('delete-all')")
    ids = [row[0] for row in conn.execute("SELECT id FROM passage ORDER BY id")]
    for start in range(0, len(ids), _TOLD_EVERY):
        if told is not None:
            told(start, len(ids))
        insert_rows(conn, ids[start : start + _TOLD_EVERY])
    conn.execute("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)", (_MADE_BY, made_by()))


def made_by() -> str:
    """Return what an index is made by: the version of the rules, and of the tables of letters that Python brings."""
    from engine.store.tokenizer import RULES  # its patterns

    return f"{RULES} unicode {unicodedata.unidata_version}"


def outdated(conn: apsw.Connection) -> bool:
    """Whether the word index was made by other rules than those by which queries are read here."""
    return bool(conn.execute("SELECT value FROM meta WHERE key = ?", (_MADE_BY,)).get != made_by())


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
