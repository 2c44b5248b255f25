"""What a search asks of rows, models and vectors, answered by the single file."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, cast

import apsw

if TYPE_CHECKING:
    pass

WHOLE_TEXT = 2**28  # code points: as many as SQLite stores in one value


def passage_texts(conn: apsw.Connection, document_id: int) -> list[tuple[int, str]]:
    """Return the passages of a document in order, with their texts."""
    from engine.store.stored_values import text

    rows = conn.execute(
        "SELECT id, CAST(text AS BLOB) FROM passage WHERE document_id = ? ORDER BY ordinal", (document_id,)
    )
    return [(int(str(passage)), text(written)) for passage, written in rows]


def paths_of(conn: apsw.Connection, passage_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the absolute path of each passage's document."""
    rows = conn.execute(
        "SELECT passage.id, folder.path, document.path FROM json_each(?) AS wanted"
        " CROSS JOIN passage ON passage.id = wanted.value"
        " JOIN document ON document.id = document_id JOIN folder ON folder.id = folder_id",
        (json.dumps(list(passage_ids)),),
    )
    return {
        passage: os.path.join(folder, path)
        for passage, folder, path in cast("list[tuple[int, bytes, bytes]]", rows.fetchall())
    }


def passages_with_hashes(conn: apsw.Connection, hashes: Collection[bytes]) -> list[tuple[int, bytes]]:
    """Return the passages that have one of these hashes."""
    rows = conn.execute(
        "SELECT passage.id, passage.hash FROM json_each(?) AS wanted"
        " CROSS JOIN passage ON passage.hash = unhex(wanted.value) ORDER BY passage.id",
        (json.dumps([digest.hex() for digest in hashes]),),
    )
    return cast("list[tuple[int, bytes]]", rows.fetchall())


def folder_paths(conn: apsw.Connection) -> tuple[tuple[int, bytes], ...]:
    """Return the folders with their absolute paths."""
    return tuple(cast("list[tuple[int, bytes]]", conn.execute("SELECT id, path FROM folder").fetchall()))


def embedded_share(conn: apsw.Connection, model_id: int | None = None) -> float:
    """Return the share of the texts that have a vector of the active model, or of another that is named."""
    from engine.store import passage_counts, pending_vectors

    if not pending_vectors.any_wait(conn, model_id=model_id):
        return 1.0
    needed = passage_counts.embeddable_texts(conn)
    return max(0.0, 1.0 - pending_vectors.count(conn, model_id=model_id) / needed) if needed > 0 else 1.0


def awaited_texts(conn: apsw.Connection, passage_ids: Sequence[int]) -> dict[bytes, str]:
    """Return the texts that the encoder is to see of those of these passages that wait."""
    from engine.store import pending_vectors

    rows = conn.execute(
        "SELECT passage.hash FROM json_each(?) AS wanted CROSS JOIN passage ON passage.id = wanted.value"
        " ORDER BY wanted.key",
        (json.dumps(list(passage_ids)),),
    )
    hashes = [digest for (digest,) in rows if isinstance(digest, bytes)]
    texts = pending_vectors.texts(conn, hashes)
    return {digest: texts[digest] for digest in dict.fromkeys(hashes) if digest in texts}
