"""Lists documents newest first: those that pass the filters, or those that hold signs as they stand (🍕, →, ???).

For signs there is no index, so documents are read until enough are found. The work has an end in any library: so many
passages are looked through at most, and it is told how many were not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from engine.lazy_dataclass import dataclass
from engine.retrieval.cancellation import Cancellation
from engine.retrieval.candidate_retrieval import Candidates
from engine.retrieval.filters import Allowed
from engine.retrieval.fts_query import FtsQuery

if TYPE_CHECKING:
    import apsw

MOST_PASSAGES = 200_000  # looked through for one search: a second or two
DOCUMENTS_AT_ONCE = 200  # so that a cancelled search ends soon
_PICTURE = "\ufe0f"  # asks for the coloured form of the sign before it; some write it, some do not


@dataclass(frozen=True, slots=True)
class Newest:
    """The passages (id, document, number of the entry in it or 0) that are listed, one a document or an entry.

    `left` is how many passages were not looked through.
    """

    passages: tuple[tuple[int, int, int], ...]
    left: int = 0

    def candidates(self, fts_query: FtsQuery) -> Candidates:
        """Return them as candidates that neither leg has ranked, in their order."""
        count = len(self.passages)
        zeros = np.zeros(count)
        numbers = np.fromiter((number for _, _, number in self.passages), np.int64, count)
        return Candidates(
            ids=np.fromiter((passage for passage, _, _ in self.passages), np.int64, count),
            documents=np.fromiter((document for _, document, _ in self.passages), np.int64, count),
            tie=np.arange(count, dtype=np.int64),
            cosine=np.full(count, np.nan, np.float32),
            bm25=zeros,
            vector_rank=np.zeros(count, np.int64),
            keyword_rank=np.zeros(count, np.int64),
            vectors=np.zeros((count, 1), np.float32),
            query_vector=None,
            fts_query=fts_query,
            background=0.0,
            keyword_ceiling=0.0,
            rare=zeros,
            truncated=False,
            numbers=numbers if numbers.any() else None,
        )


def newest(connection: apsw.Connection, within: Allowed, limit: int) -> Newest:
    """Return the allowed documents of latest date, newest first, each by its first allowed passage.

    An entry, as a message of a mailbox, stands at its own date, but never after that of its file.
    """
    clause = f"AND passage.id IN ({within.sql})" if within.sql else ""
    rows = connection.execute(
        _NEWEST.format(clause, clause), (*within.bindings, limit, *within.bindings, limit, limit)
    ).fetchall()
    return Newest(_places(rows))


def newest_holding(
    connection: apsw.Connection,
    signs: Sequence[str],
    within: Allowed,
    limit: int,
    cancel: Cancellation,
) -> Newest:
    """Return the first passage of each document that holds all the signs in its text, title or path, newest first.

    At most `limit` documents are given. Raises SearchCancelled.
    """
    documents = [row[0] for row in connection.execute("SELECT id FROM document ORDER BY mtime_ns DESC, path")]
    found: list[tuple[int, int, int]] = []
    looked = 0
    for first in range(0, len(documents), DOCUMENTS_AT_ONCE):
        cancel.check()
        if looked >= MOST_PASSAGES or len(found) >= limit:
            break
        chosen = json.dumps(documents[first : first + DOCUMENTS_AT_ONCE])
        looked += _passages_of(connection, chosen)
        found += _holding(connection, signs, within, chosen)
    rows = connection.execute("SELECT count(*) FROM passage").get
    left = max(0, int(rows) - looked) if looked >= MOST_PASSAGES and len(found) < limit else 0
    return Newest(tuple(found[:limit]), left)


def _passages_of(connection: apsw.Connection, documents: str) -> int:
    count = "SELECT count(*) FROM passage WHERE document_id IN (SELECT value FROM json_each(?))"
    return int(connection.execute(count, (documents,)).get)


def _holding(
    connection: apsw.Connection, signs: Sequence[str], within: Allowed, documents: str
) -> tuple[tuple[int, int, int], ...]:
    wanted = [sign.rstrip(_PICTURE) or sign for sign in signs]
    holds = " AND ".join([_HOLDS] * len(wanted))
    allowed = f" AND passage.id IN ({within.sql})" if within.sql else ""
    rows = connection.execute(
        "SELECT passage.id, document.id, ifnull(entry.number, 0), min(passage.ordinal) FROM json_each(?) AS chosen"
        " CROSS JOIN document ON document.id = chosen.value"
        " CROSS JOIN passage ON passage.document_id = document.id"
        " LEFT JOIN entry ON entry.document_id = document.id AND entry.number = passage.page"
        f" WHERE {holds}{allowed} GROUP BY document.id, entry.number ORDER BY chosen.key, entry.own_date DESC",
        (documents, *(sign for each in wanted for sign in (each, each, each)), *within.bindings),
    ).fetchall()
    return _places(rows)


def _places(rows: Sequence[object]) -> tuple[tuple[int, int, int], ...]:
    found = cast("Sequence[tuple[int, int, int, object]]", [row[:4] for row in cast("Sequence[tuple[int, ...]]", rows)])
    return tuple((passage, document, number) for passage, document, number, _ in found)


_HOLDS = "(instr(passage.text, ?) OR instr(document.title, ?) OR instr(document.path_text, ?))"
_NEWEST = """
SELECT * FROM (
    SELECT passage.id, passage.document_id, 0, min(passage.ordinal), document.mtime_ns AS at, document.path AS path
    FROM document JOIN passage ON passage.document_id = document.id
    WHERE document.id NOT IN (SELECT document_id FROM entry) {}
    GROUP BY document.id ORDER BY at DESC, path LIMIT ?
) UNION ALL SELECT * FROM (
    SELECT passage.id, passage.document_id, entry.number, min(passage.ordinal),
        min(ifnull(entry.own_date * 1e9, document.mtime_ns), document.mtime_ns) AS at, document.path AS path
    FROM (SELECT DISTINCT document_id AS id FROM entry) AS holder
    CROSS JOIN document ON document.id = holder.id
    CROSS JOIN passage ON passage.document_id = document.id
    CROSS JOIN entry ON entry.document_id = document.id AND entry.number = passage.page
    WHERE 1 {}
    GROUP BY entry.document_id, entry.number ORDER BY at DESC, path, entry.number LIMIT ?
) ORDER BY at DESC, path LIMIT ?"""
