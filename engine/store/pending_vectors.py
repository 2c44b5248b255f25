"""The texts that wait for their vector: passages are found by words first, and embedded in the order of `priority`.

One row a passage hash and model, with the text that the encoder is to see, which nothing else in the library keeps. The
active model's are `pending`; other models that follow the library have theirs, which come after. A row is gone once the
hash is embedded or no passage has it any more. While a hash waits, no passage of it has a vector of that model,
whatever stands under its id (`vector_tables`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import apsw

from engine.store import change_log, stored_values
from engine.store.passage_counts import PENDING, queue, texts_can_wait

if TYPE_CHECKING:
    from engine.store.vector_tables import Vector

ASKED = 1e12  # above every moment that a file can have: what was asked for comes before what has changed
_ASKED = f" WHERE priority >= {ASKED}"
_AMONG = "(SELECT unhex(value) FROM json_each(?))"
_ACTIVE = "model_id = (SELECT id FROM model WHERE state = 'active')"


def count(conn: apsw.Connection, *, asked: bool = False, model_id: int | None = None) -> int:
    """Return how many texts wait, or of those that were `asked` for; 1 ms with 100,000 of them.

    They are those of the active model unless another is named, as in all that reads here.
    """
    if not texts_can_wait(conn):
        return 0
    return int(conn.execute(f"SELECT count(*) FROM {_queue(conn, model_id)}{_ASKED if asked else ''}").get)


def any_wait(conn: apsw.Connection, *, asked: bool = False, model_id: int | None = None) -> bool:
    """Whether anything waits, or anything that was `asked` for, told in microseconds.

    Nothing does in a library of an older Carrel, before schema 6.
    """
    if not texts_can_wait(conn):
        return False
    only = _ASKED if asked else ""
    return conn.execute(f"SELECT 1 FROM {_queue(conn, model_id)}{only} LIMIT 1").get is not None


def passages_among(conn: apsw.Connection, passage_ids: Iterable[int]) -> set[int]:
    """Return which of these passages wait for their vector."""
    if not any_wait(conn):
        return set()
    listed = json.dumps([int(each) for each in passage_ids])
    rows = conn.execute(f"SELECT id FROM passage WHERE id IN (SELECT value FROM json_each(?)) AND {PENDING}", (listed,))
    return {int(str(each)) for (each,) in rows}


def among(conn: apsw.Connection, hashes: Iterable[bytes], model_id: int | None = None) -> set[bytes]:
    """Return which of these passage hashes wait."""
    if not any_wait(conn, model_id=model_id):
        return set()
    rows = conn.execute(f"SELECT hash FROM {_queue(conn, model_id)} WHERE hash IN {_AMONG}", (_listed(hashes),))
    return {bytes(row[0]) for row in rows}


def texts(conn: apsw.Connection, hashes: Iterable[bytes]) -> dict[bytes, str]:
    """Return by hash the texts, as the encoder is to see them, of those of these hashes that wait."""
    if not any_wait(conn):
        return {}
    return _by_hash(
        conn.execute(f"SELECT hash, CAST(text AS BLOB) FROM pending WHERE hash IN {_AMONG}", (_listed(hashes),))
    )


def next_batch(
    conn: apsw.Connection, most: int, *, asked: bool = False, model_id: int | None = None
) -> dict[bytes, str]:
    """Return by hash the texts that are to be embedded next, in order: asked for, then the newest files, then the rest.

    At most `most`, and only those that were `asked` for if so wanted.
    """
    only = _ASKED if asked else ""
    source = _queue(conn, model_id)
    return _by_hash(
        conn.execute(f"SELECT hash, CAST(text AS BLOB) FROM {source}{only} ORDER BY priority DESC LIMIT ?", (most,))
    )


def add(conn: apsw.Connection, model_id: int, waiting: Mapping[bytes, str], changed: float) -> None:
    """Let texts wait for a model, by hash, of a file that changed at this moment (seconds since 1970).

    Inside a transaction.
    """
    conn.executemany(
        """INSERT INTO embedding_queue(hash, model_id, text, priority) VALUES(?, ?, ?, ?)
        ON CONFLICT(hash, model_id) DO UPDATE SET priority = max(priority, excluded.priority)""",
        [(digest, model_id, text, min(changed, stored_values.LATEST)) for digest, text in waiting.items()],
    )


def raise_to(conn: apsw.Connection, hashes: Iterable[bytes], changed: float) -> None:
    """Let those of these hashes that wait come no later than what changed at this moment; inside a transaction."""
    if _any_queued(conn):
        conn.execute(
            f"UPDATE embedding_queue SET priority = max(priority, ?) WHERE hash IN {_AMONG}",
            (min(changed, stored_values.LATEST), _listed(hashes)),
        )


def put_last(conn: apsw.Connection, hashes: Iterable[bytes], model_id: int | None = None) -> None:
    """Have these hashes embedded after all others, in this order; inside a transaction."""
    source = _queue(conn, model_id)
    least = min(0.0, float(conn.execute(f"SELECT min(priority) FROM {source}").get or 0.0))
    conn.executemany(
        f"UPDATE embedding_queue SET priority = ? WHERE hash = ? AND {_of(model_id)}",
        [(least - 1.0 - place, digest) for place, digest in enumerate(hashes)],
    )


def ask(conn: apsw.Connection, hashes: Sequence[bytes], clock: float | None = None) -> int:
    """Have these hashes embedded before all others, the first one first; return how many of them wait.

    A small write that any process may make, inside a transaction. What is asked for later comes earlier.
    """
    moment = ASKED + (time.time() if clock is None else clock)
    conn.executemany(
        f"UPDATE embedding_queue SET priority = ? WHERE hash = ? AND {_ACTIVE}",
        [(moment - place * 1e-3, digest) for place, digest in enumerate(hashes)],
    )
    return len(among(conn, hashes))


def ask_for_documents(conn: apsw.Connection, document_ids: Iterable[int]) -> None:
    """Have what waits of these documents embedded before the rest, what changed last first; inside a transaction.

    What a search has asked for still comes before it: that was asked later than any of these files changed.
    """
    conn.execute(
        f"""UPDATE embedding_queue SET priority = {ASKED} + max(priority, 0) WHERE priority < {ASKED} AND {_ACTIVE}
        AND hash IN (SELECT hash FROM passage WHERE document_id IN (SELECT value FROM json_each(?)))""",
        (json.dumps([int(each) for each in document_ids]),),
    )


def settle(conn: apsw.Connection, model_id: int, vectors: Mapping[bytes, Vector]) -> int:
    """Give all passages of these hashes their vectors, those that still wait; return how many hashes that were.

    Inside a transaction, of the holder of the indexer lock. Raises ModelError for a vector that cannot be compared.
    """
    import numpy as np  # which those who only count do without

    from engine.store import vector_tables

    waiting = among(conn, vectors, model_id)
    rows = conn.execute(f"SELECT id, hash FROM passage WHERE hash IN {_AMONG} ORDER BY id", (_listed(waiting),))
    places: dict[int, bytes] = dict(rows)
    if places:
        vector_tables.put(conn, model_id, list(places), np.stack([vectors[each] for each in places.values()]))
    change_log.record_vectors(conn, model_id, places)
    conn.executemany(
        "DELETE FROM embedding_queue WHERE hash = ? AND model_id = ?", [(each, model_id) for each in sorted(waiting)]
    )
    return len(waiting)


def give_up(conn: apsw.Connection, model_id: int) -> None:
    """Let nothing wait for a model any more: what did has no vector of it; inside a transaction."""
    from engine.store import vector_tables

    vector_tables.forget(conn, model_id, vector_tables.waiting(conn, model_id).tolist())
    conn.execute("DELETE FROM embedding_queue WHERE model_id = ?", (model_id,))


def queued_of(conn: apsw.Connection, passage_ids: Iterable[int]) -> set[bytes]:
    """Return the hashes of those of these passages that wait for the vector of any model."""
    if not _any_queued(conn):
        return set()
    rows = conn.execute(
        """SELECT DISTINCT passage.hash FROM passage JOIN embedding_queue ON embedding_queue.hash = passage.hash
        WHERE passage.id IN (SELECT value FROM json_each(?))""",
        (json.dumps([int(each) for each in passage_ids]),),
    )
    return {bytes(row[0]) for row in rows}


def forget_unowned(conn: apsw.Connection, hashes: Iterable[bytes] | None = None) -> None:
    """Let go of the texts that no passage has any more, among these hashes or all; inside a transaction."""
    if not _any_queued(conn):
        return
    only, values = ("", ()) if hashes is None else (f"hash IN {_AMONG} AND", (_listed(hashes),))
    conn.execute(
        f"""DELETE FROM embedding_queue WHERE {only} NOT EXISTS
        (SELECT 1 FROM passage WHERE passage.hash = embedding_queue.hash)""",
        values,
    )


def hand_over(conn: apsw.Connection, old: int, new: int) -> None:
    """Let what waits for one model and has no vector of another wait for that one too; inside a transaction.

    Both make the same passages. What waits for the model before goes on waiting for it.
    """
    from engine.store import vector_tables

    bare = f"""SELECT 1 FROM passage WHERE passage.hash = embedding_queue.hash
    AND id NOT IN (SELECT rowid FROM {vector_tables.table(new)}_rowids)"""
    conn.execute(
        f"""INSERT OR IGNORE INTO embedding_queue(hash, model_id, text, priority)
        SELECT hash, ?, text, priority FROM embedding_queue WHERE model_id = ? AND EXISTS ({bare})""",
        (new, old),
    )


def _queue(conn: apsw.Connection, model_id: int | None) -> str:
    return "pending" if model_id is None else queue(conn, model_id)


def _of(model_id: int | None) -> str:
    return _ACTIVE if model_id is None else f"model_id = {int(model_id)}"


def _any_queued(conn: apsw.Connection) -> bool:
    return conn.execute("SELECT 1 FROM embedding_queue LIMIT 1").get is not None


def _by_hash(rows: Iterable[tuple[apsw.SQLiteValue, ...]]) -> dict[bytes, str]:
    return {digest: stored_values.text(text) for digest, text in rows if isinstance(digest, bytes)}


def _listed(hashes: Iterable[bytes]) -> str:
    return json.dumps([each.hex() for each in hashes])
