"""The texts of a team's library that wait for a vector, and how any member helps: each text is one session's at a time.

Who takes texts holds their rows in an open transaction (`FOR UPDATE SKIP LOCKED`) until the vectors are written; a
session that ends, however it does, gives them back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from engine.store.pending_vectors import ASKED
from engine.team.document_rows import held
from engine.team.server_session import ServerSession
from engine.team.vector_bytes import unit

if TYPE_CHECKING:
    import numpy as np
    import psycopg
    from numpy.typing import NDArray

_TAKE = """SELECT hash, text FROM pending WHERE (folder_id, model_id, hash) IN (
    SELECT folder_id, model_id, hash FROM pending WHERE model_id = %s
    AND folder_id = ANY(ARRAY(SELECT id FROM folder WHERE helped OR owner = current_user))
    ORDER BY priority DESC, hash LIMIT %s FOR UPDATE SKIP LOCKED)"""
_GIVE = """INSERT INTO {table}(folder_id, passage_id, embedding)
SELECT p.folder_id, p.id, w.embedding FROM unnest(%s::bytea[], %b) AS w(hash, embedding) JOIN passage p
    ON p.hash = w.hash AND p.folder_id = ANY(ARRAY(SELECT id FROM folder WHERE helped OR owner = current_user))
ON CONFLICT DO NOTHING"""
_DONE = """DELETE FROM pending WHERE model_id = %s AND hash = ANY(%s)
    AND folder_id = ANY(ARRAY(SELECT id FROM folder WHERE helped OR owner = current_user)) RETURNING folder_id"""


class Claims:
    """The texts that one session works on. It has a connection of its own, since it holds a transaction open."""

    def __init__(self, url: str, schema: str) -> None:
        self._session = ServerSession(url, schema)
        self._open = False

    def close(self) -> None:
        """Give back what is claimed."""
        self._session.close()
        self._open = False

    def take(self, model_id: int, most: int) -> dict[bytes, str]:
        """Claim texts that wait for a model's vector and return them by hash, the most urgent first."""
        if self._open:
            self.close()  # what was taken before and never settled

        def claimed() -> dict[bytes, str]:
            conn = self._session.connection
            conn.execute("BEGIN")
            return dict(conn.execute(_TAKE, (model_id, most)).fetchall())

        found = self._session.retried(claimed)
        self._open = True
        if not found:
            self.close()
        return found

    def settle(self, other: ServerSession, model_id: int, vectors: Mapping[bytes, NDArray[np.float32]]) -> int:
        """Write vectors by hash, in the transaction that claimed them or, without one, in `other`'s; count passages."""
        if not self._open:
            return other.transaction(lambda conn: give(conn, model_id, vectors))
        self._open = False

        def done() -> int:
            conn = self._session.connection
            count = give(conn, model_id, vectors)
            conn.execute("COMMIT")
            return count

        try:
            return done()
        except BaseException:
            self._session.close()
            raise


def give(conn: psycopg.Connection, model_id: int, vectors: Mapping[bytes, NDArray[np.float32]]) -> int:
    """Write vectors of all passages that have these hashes and none yet; return how many passages; in a transaction."""
    if not vectors:
        return 0
    table = f"vector_{int(model_id)}"
    count = conn.execute(_GIVE.format(table=table), ([*vectors], unit(vectors.values()))).rowcount
    waited = conn.execute(_DONE, (model_id, [*vectors])).fetchall()
    folders = sorted({folder for (folder,) in waited})
    for folder in folders:  # in order, so that two who help never wait for each other in a circle
        conn.execute("UPDATE folder_fill SET version = version + 1 WHERE folder_id = %s", (folder,))
    conn.execute("SELECT pg_notify(current_schema() || '_change', '')")
    return count


def add(conn: psycopg.Connection, model_id: int, folder: int, texts: Mapping[bytes, str]) -> None:
    """Let texts of a folder wait for a model's vector; inside a transaction."""
    conn.execute(
        """INSERT INTO pending(folder_id, model_id, hash, text, priority)
        SELECT %s, %s, hash, text, extract(epoch FROM now()) FROM unnest(%s::bytea[], %s::text[]) AS w(hash, text)
        ON CONFLICT DO NOTHING""",
        (folder, model_id, [*texts], [held(text) for text in texts.values()]),
    )


def ask(conn: psycopg.Connection, hashes: Collection[bytes]) -> None:
    """Have texts that wait embedded before all others; inside a transaction."""
    conn.execute(
        "UPDATE pending SET priority = %s + extract(epoch FROM clock_timestamp()) WHERE hash = ANY(%s)",
        (ASKED, list(hashes)),
    )
