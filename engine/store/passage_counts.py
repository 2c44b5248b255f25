"""Counts passages, and those of them that are data and not words: by their hash, which an index holds in order.

`HELD_BACK`, `WORDS` and `PENDING` are conditions of SQL that tell which passages have a vector, or will have one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import apsw

from engine.store.fulltext import statistics
from engine.store.transactions import file_of

# A hash that begins with `HELD_BACK_HASH` is below this one.
HELD_BACK = "passage.hash < x'00000001'"
WORDS = "passage.hash >= x'00000001'"
PENDING = "EXISTS (SELECT 1 FROM pending WHERE pending.hash = passage.hash)"  # found by words, still to be embedded
RECOUNTED_SHARE = 0.01  # of the passages that came or went since: to count a million hashes takes a tenth of a second
_COUNTED: dict[tuple[int, int], tuple[int, int]] = {}  # by file: passages, and the texts that they had


def texts_can_wait(conn: apsw.Connection) -> bool:
    """Whether the library has the table `pending`; an older one that nobody could write to is searched as it is."""
    return conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'pending'").get is not None


def others_wait(conn: apsw.Connection) -> bool:
    """Whether texts can wait for other models than the active one; in a library of an older Carrel they do not."""
    return conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'embedding_queue'").get is not None


def queue(conn: apsw.Connection, model_id: int) -> str:
    """Name, for a FROM of SQL, the rows (hash, text, priority) of what waits for a vector of this model.

    In a library of an older Carrel, before schema 8, only the active model is waited for.
    """
    if others_wait(conn):
        return f"(SELECT hash, text, priority FROM embedding_queue WHERE model_id = {int(model_id)})"
    active = conn.execute("SELECT 1 FROM model WHERE id = ? AND state = 'active'", (model_id,)).get is not None
    waits = active and texts_can_wait(conn)
    return "pending" if waits else "(SELECT x'' AS hash, '' AS text, 0.0 AS priority WHERE FALSE)"


def queued(conn: apsw.Connection, model_id: int) -> str:
    """Return the condition of SQL that a passage waits for its vector of this model."""
    if not texts_can_wait(conn):
        return "FALSE"
    return f"EXISTS (SELECT 1 FROM {queue(conn, model_id)} AS waiting WHERE waiting.hash = passage.hash)"


def held_back(conn: apsw.Connection, document_id: int | None = None) -> int:
    """Return how many passages, of the library or of one document, are found by words alone since they are data."""
    of_document = "" if document_id is None else " AND document_id = ?"
    values = () if document_id is None else (document_id,)
    return int(conn.execute(f"SELECT count(*) FROM passage WHERE {HELD_BACK}{of_document}", values).get)


def embeddable(conn: apsw.Connection) -> int:
    """Return how many passages have a vector, or are to get one: all but those that are data."""
    return int(conn.execute("SELECT count(*) FROM passage").get) - held_back(conn)


def embeddable_texts(conn: apsw.Connection) -> int:
    """Return how many different texts those passages have: copies share one, and what waits is counted in texts.

    Where the passages have hardly changed in number since it was counted last, what was found then is scaled.
    """
    passages, file = statistics(conn).rows - held_back(conn), file_of(conn)  # each search asks: no row is counted
    known = _COUNTED.get(file)
    if known is None or abs(passages - known[0]) > RECOUNTED_SHARE * passages:
        found = conn.execute(f"SELECT count(DISTINCT hash) FROM passage WHERE {WORDS}").get
        known = _COUNTED[file] = (passages, int(found))
    return round(passages * known[1] / known[0]) if known[0] else 0


def held_back_among(conn: apsw.Connection, ids: Sequence[int]) -> list[int]:
    """Return which of these passages are found by words alone."""
    found = conn.execute(
        f"SELECT id FROM passage WHERE id IN (SELECT value FROM json_each(?)) AND {HELD_BACK}",
        (json.dumps(list(ids)),),
    )
    return [int(row[0]) for row in found]
