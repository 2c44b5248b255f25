"""The texts that wait for their vector: passages are found by words first, and embedded in the order of `priority`.

One row a passage hash, with the text that the encoder is to see, which nothing else in the library keeps. It belongs to
the active model, and is gone once the hash is embedded or no passage has it any more. While a hash waits, no passage of
it has a vector, whatever stands under its id (`vector_tables`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import apsw

from engine.store import change_log, stored_values
from engine.store.passage_counts import PENDING, texts_can_wait

if TYPE_CHECKING:
    from engine.store.vector_tables import Vector

ASKED = 1e12  # above every moment that a file can have: what was asked for comes before what has changed
_ASKED = f" WHERE priority >= {ASKED}"
_AMONG = "(SELECT unhex(value) FROM json_each(?))"


def count(conn: apsw.Connection, *, asked: bool = False) -> int:
    """Return how many texts wait, or of those that were `asked` for; 1 ms with 100,000 of them."""
    return (
        int(conn.execute(f"SELECT count(*) FROM pending{_ASKED if asked else ''}").get) if texts_can_wait(conn) else 0
    )


def any_wait(conn: apsw.Connection, *, asked: bool = False) -> bool:
    """Whether anything waits, or anything that was `asked` for, told in microseconds.

    Nothing does in a library of an older Carrel, before schema 6.
    """
    only = _ASKED if asked else ""
    return texts_can_wait(conn) and conn.execute(f"SELECT 1 FROM pending{only} LIMIT 1").get is not None


def passages_among(conn: apsw.Connection, passage_ids: Iterable[int]) -> set[int]:
    """Return which of these passages wait for their vector."""
    if not any_wait(conn):
        return set()
    listed = json.dumps([int(each) for each in passage_ids])
    rows = conn.execute(f"SELECT id FROM passage WHERE id IN (SELECT value FROM json_each(?)) AND {PENDING}", (listed,))
    return {int(str(each)) for (each,) in rows}


def among(conn: apsw.Connection, hashes: Iterable[bytes]) -> set[bytes]:
    """Return which of these passage hashes wait."""
    if not any_wait(conn):
        return set()
    rows = conn.execute(f"SELECT hash FROM pending WHERE hash IN {_AMONG}", (_listed(hashes),))
    return {bytes(row[0]) for row in rows}


def texts(conn: apsw.Connection, hashes: Iterable[bytes]) -> dict[bytes, str]:
    """Return by hash the texts, as the encoder is to see them, of those of these hashes that wait."""
    if not any_wait(conn):
        return {}
    return _by_hash(
        conn.execute(f"SELECT hash, CAST(text AS BLOB) FROM pending WHERE hash IN {_AMONG}", (_listed(hashes),))
    )


def next_batch(conn: apsw.Connection, most: int, *, asked: bool = False) -> dict[bytes, str]:
    """Return by hash the texts that are to be embedded next, in order: asked for, then the newest files, then the rest.

    At most `most`, and only those that were `asked` for if so wanted.
    """
    only = _ASKED if asked else ""
    return _by_hash(
        conn.execute(f"SELECT hash, CAST(text AS BLOB) FROM pending{only} ORDER BY priority DESC LIMIT ?", (most,))
    )


def add(conn: apsw.Connection, waiting: Mapping[bytes, str], changed: float) -> None:
    """Let texts wait, by hash, of a file that changed at this moment (seconds since 1970); inside a transaction."""
    conn.executemany(
        """INSERT INTO pending(hash, text, priority) VALUES(?, ?, ?)
        ON CONFLICT(hash) DO UPDATE SET priority = max(priority, excluded.priority)""",
        [(digest, text, min(changed, stored_values.LATEST)) for digest, text in waiting.items()],
    )


def raise_to(conn: apsw.Connection, hashes: Iterable[bytes], changed: float) -> None:
    """Let those of these hashes that wait come no later than what changed at this moment; inside a transaction."""
    if any_wait(conn):
        conn.execute(
            f"UPDATE pending SET priority = max(priority, ?) WHERE hash IN {_AMONG}",
            (min(changed, stored_values.LATEST), _listed(hashes)),
        )


def put_last(conn: apsw.Connection, hashes: Iterable[bytes]) -> None:
    """Have these hashes embedded after all others, in this order; inside a transaction."""
    least = min(0.0, float(conn.execute("SELECT min(priority) FROM pending").get or 0.0))
    conn.executemany(
        "UPDATE pending SET priority = ? WHERE hash = ?",
        [(least - 1.0 - place, digest) for place, digest in enumerate(hashes)],
    )


def ask(conn: apsw.Connection, hashes: Sequence[bytes], clock: float | None = None) -> int:
    """Have these hashes embedded before all others, the first one first; return how many of them wait.

    A small write that any process may make, inside a transaction. What is asked for later comes earlier.
    """
    moment = ASKED + (time.time() if clock is None else clock)
    conn.executemany(
        "UPDATE pending SET priority = ? WHERE hash = ?",
        [(moment - place * 1e-3, digest) for place, digest in enumerate(hashes)],
    )
    return len(among(conn, hashes))


def ask_for_documents(conn: apsw.Connection, document_ids: Iterable[int]) -> None:
    """Have what waits of these documents embedded before the rest, what changed last first; inside a transaction.

    What a search has asked for still comes before it: that was asked later than any of these files changed.
    """
    conn.execute(
        f"""UPDATE pending SET priority = {ASKED} + max(priority, 0) WHERE priority < {ASKED} AND hash IN
        (SELECT hash FROM passage WHERE document_id IN (SELECT value FROM json_each(?)))""",
        (json.dumps([int(each) for each in document_ids]),),
    )


def settle(conn: apsw.Connection, model_id: int, vectors: Mapping[bytes, Vector]) -> int:
    """Give all passages of these hashes their vectors, those that still wait; return how many hashes that were.

    Inside a transaction, of the holder of the indexer lock. Raises ModelError for a vector that cannot be compared.
    """
    import numpy as np  # which those who only count do without

    from engine.store import vector_tables

    waiting = among(conn, vectors)
    rows = conn.execute(f"SELECT id, hash FROM passage WHERE hash IN {_AMONG} ORDER BY id", (_listed(waiting),))
    places: dict[int, bytes] = dict(rows)
    if places:
        vector_tables.put(conn, model_id, list(places), np.stack([vectors[each] for each in places.values()]))
    change_log.record(conn, change_log.EMBEDDED, places)
    _forget(conn, waiting)
    return len(waiting)


def forget_unowned(conn: apsw.Connection, hashes: Iterable[bytes] | None = None) -> None:
    """Let go of the texts that no passage has any more, among these hashes or all; inside a transaction."""
    if not any_wait(conn):
        return
    only, values = ("", ()) if hashes is None else (f"hash IN {_AMONG} AND", (_listed(hashes),))
    conn.execute(
        f"DELETE FROM pending WHERE {only} NOT EXISTS (SELECT 1 FROM passage WHERE passage.hash = pending.hash)", values
    )


def hand_over(conn: apsw.Connection, old: int, new: int, *, same_passages: bool) -> None:
    """Let another model become the one that texts wait for; inside a transaction, before it is made active.

    The model before keeps no vector of other text under the id of a passage that waits. `same_passages` says that the
    new one makes the same passages: what it has no vector of goes on waiting. Else nothing waits any more, and what has
    no vector is missing: its documents are read and cut anew.
    """
    from engine.store import vector_tables

    vector_tables.forget(conn, old, vector_tables.waiting(conn, old).tolist())
    bare = f"""SELECT 1 FROM passage WHERE passage.hash = pending.hash
    AND id NOT IN (SELECT rowid FROM {vector_tables.table(new)}_rowids)"""
    conn.execute(f"DELETE FROM pending WHERE NOT EXISTS ({bare})" if same_passages else "DELETE FROM pending")


def _forget(conn: apsw.Connection, hashes: Iterable[bytes]) -> None:
    conn.executemany("DELETE FROM pending WHERE hash = ?", [(each,) for each in hashes])


def _by_hash(rows: Iterable[tuple[apsw.SQLiteValue, ...]]) -> dict[bytes, str]:
    return {digest: stored_values.text(text) for digest, text in rows if isinstance(digest, bytes)}


def _listed(hashes: Iterable[bytes]) -> str:
    return json.dumps([each.hex() for each in hashes])
