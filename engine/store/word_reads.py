"""What a search asks of the word index, answered by the single file with FTS5."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import apsw

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.store.allowed import Allowed
    from engine.store.phrase import Phrase

_HOLDS = "SELECT rowid FROM passage_fts WHERE passage_fts MATCH ?"


def terms_beginning(conn: apsw.Connection, prefix: str, most: int) -> list[str]:
    """Return the first terms that begin so."""
    found = conn.execute(
        "SELECT term FROM passage_vocab WHERE term >= ? AND term < ? LIMIT ?",
        (prefix, prefix + chr(0x10FFFF), most),
    )
    return [term for (term,) in cast("list[tuple[str]]", found.fetchall())]


def vocabulary(conn: apsw.Connection) -> dict[str, int]:
    """Return every term with the number of passages that hold it; one that is damaged ends the reading of none."""
    from engine.store.stored_values import text

    found = conn.execute("SELECT CAST(term AS BLOB), doc FROM passage_vocab").fetchall()
    return {text(term): documents for term, documents in cast("list[tuple[bytes, int]]", found)}


def holders(conn: apsw.Connection, phrase: Phrase) -> list[tuple[int, int]]:
    """Return the passages that match a phrase, with their documents."""
    rows = conn.execute(f"SELECT id, document_id FROM passage WHERE id IN ({_HOLDS}) ORDER BY id", (phrase.match,))
    return cast("list[tuple[int, int]]", rows.fetchall())


def postings(conn: apsw.Connection, phrase: Phrase) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the passages that match a phrase, and what it gives each."""
    from itertools import chain

    import numpy as np

    from engine.store.fulltext import RANK

    found = conn.execute(
        f"SELECT rowid, -{RANK} FROM passage_fts WHERE passage_fts MATCH ? ORDER BY rowid", (phrase.match,)
    ).fetchall()
    pairs = np.fromiter(chain.from_iterable(found), np.float64, 2 * len(found)).reshape(-1, 2)  # ids below 2**53
    return pairs[:, 0].astype(np.int64), pairs[:, 1].copy()


def best_by_words(
    conn: apsw.Connection, groups: Sequence[Sequence[Phrase]], allowed: Allowed, depth: int
) -> list[tuple[int, float]]:
    """Ask FTS5 for the best passages of a MATCH expression."""
    from engine.store.filter_sql import passages_sql
    from engine.store.fulltext import RANK

    sql, bindings = passages_sql(allowed)
    # The unary plus keeps SQLite from looking up MATCH anew for every allowed id, which costs 2 ms each.
    within = f" AND +rowid IN ({sql})" if sql else ""
    found = conn.execute(
        f"SELECT rowid, -{RANK} AS score FROM passage_fts WHERE passage_fts MATCH ?{within}"
        " ORDER BY score DESC, rowid LIMIT ?",
        (_expression(groups), *bindings, depth),
    )
    return cast("list[tuple[int, float]]", found.fetchall())


def titled(conn: apsw.Connection, words: Sequence[str], most: int) -> list[tuple[int, str]]:
    """Return the first passages of what has a title or an alias that begins so, and those."""
    from engine.store.phrase import Phrase

    # What a title begins with it also holds. So the second list is made only where the first has anything.
    found = conn.execute(
        "SELECT passage.id, ifnull(nullif(entry.title, ''), document.title || char(10) || aliases), min(ordinal)"
        " FROM passage JOIN document ON document.id = passage.document_id"
        " LEFT JOIN entry ON entry.document_id = passage.document_id AND entry.number = passage.page"
        f" WHERE passage.id IN ({_HOLDS}) AND (ordinal = 0 OR entry.number)"
        f" AND (aliases != '' OR +passage.id IN ({_HOLDS}))"
        " GROUP BY passage.document_id, entry.number ORDER BY passage.id LIMIT ?",
        (*(Phrase(tuple(words), column="title", first=first).match for first in (False, True)), most),
    )
    return [(passage, names) for passage, names, _ in cast("list[tuple[int, str, int]]", found.fetchall())]


def texts_holding(conn: apsw.Connection, groups: Sequence[Sequence[Phrase]], most: int) -> list[tuple[str, str]]:
    """Return text and kind of the first passages that match a phrase of each group."""
    found = conn.execute(
        "SELECT text, kind FROM passage JOIN document ON document.id = document_id"
        f" WHERE passage.id IN ({_HOLDS} ORDER BY rowid LIMIT ?) ORDER BY passage.id",
        (_expression(groups), most),
    )
    return cast("list[tuple[str, str]]", found.fetchall())


def borders(
    conn: apsw.Connection, tails: Sequence[Phrase], head: Phrase, most: int
) -> list[tuple[int, str, int, str, str]]:
    """Return pairs of passages in a row over whose border a phrase may reach."""
    found = conn.execute(
        "SELECT before.id, before.text, passage.id, passage.text, document.kind FROM passage"
        " CROSS JOIN passage AS before"
        " ON before.document_id = passage.document_id AND before.ordinal = passage.ordinal - 1"
        " JOIN document ON document.id = passage.document_id"
        f" WHERE passage.id IN ({_HOLDS}) AND before.id IN ({_HOLDS}) LIMIT ?",
        (_expression([tails]), head.match, most),
    )
    return cast("list[tuple[int, str, int, str, str]]", found.fetchall())


def short_between(
    conn: apsw.Connection, begun: Sequence[Phrase], head: Phrase, longest: int, most: int
) -> list[tuple[int, str, int, str, int, str, str]]:
    """Return three passages in a row of which a phrase may hold the middle one whole."""
    found = conn.execute(
        "SELECT before.id, before.text, passage.id, passage.text, after.id, after.text, document.kind FROM passage"
        " CROSS JOIN passage AS before"
        " ON before.document_id = passage.document_id AND before.ordinal = passage.ordinal - 1"
        " CROSS JOIN passage AS after"
        " ON after.document_id = passage.document_id AND after.ordinal = passage.ordinal + 1"
        " JOIN document ON document.id = passage.document_id"
        f" WHERE passage.id IN ({_HOLDS}) AND length(passage.text) <= ? AND before.id IN ({_HOLDS}) LIMIT ?",
        (_expression([begun]), longest, head.match, most),
    )
    return cast("list[tuple[int, str, int, str, int, str, str]]", found.fetchall())


def texts_of_many_bytes(conn: apsw.Connection, passage_ids: Sequence[int], ratio: float) -> list[tuple[int, str]]:
    """Return the passages whose texts have more than so many bytes a code point."""
    found = conn.execute(
        "SELECT id, text FROM passage WHERE id IN (SELECT value FROM json_each(?))"
        " AND octet_length(text) > ? * length(text)",
        (json.dumps(list(passage_ids)), ratio),
    )
    return cast("list[tuple[int, str]]", found.fetchall())


def _expression(groups: Sequence[Sequence[Phrase]]) -> str:
    """Return the MATCH expression of what holds one phrase of each group; phrases are quoted, so it is safe."""
    either = [" OR ".join(phrase.match for phrase in group) for group in groups]
    return either[0] if len(either) == 1 else " AND ".join(f"({each})" for each in either)
