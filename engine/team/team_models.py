"""What a team's library says of models, of what waits for a vector, and of the reader's own marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.team import personal_marks, shared_judgements

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.records import Mark
    from engine.team.snapshot import Snapshot

_WORDS = "hash >= '\\x00000001'"  # what is below is data, which has no vector (`engine.store.passage_counts`)
_ACTIVE = "(SELECT id FROM model WHERE state = 'active')"


def figure(snapshot: Snapshot, model_id: int, name: str) -> object:
    """Return one figure that was computed for a model: the reader's own before that of all, None where none is."""
    found = snapshot.rows(
        "SELECT value FROM calibration WHERE model_id = %s AND name = %s ORDER BY person = '' LIMIT 1", (model_id, name)
    )
    return found[0][0] if found else None


def embedded_share(snapshot: Snapshot) -> float:
    """Return the share of the texts that have a vector of the active model; data, which needs none, is left out."""
    waiting = snapshot.rows(f"SELECT count(DISTINCT hash) FROM pending WHERE model_id = {_ACTIVE}")[0][0]
    if not waiting:
        return 1.0
    needed = snapshot.rows(f"SELECT count(DISTINCT hash) FROM passage WHERE {_WORDS}")[0][0]
    return max(0.0, 1.0 - waiting / needed) if needed else 1.0


def awaited_texts(snapshot: Snapshot, passage_ids: Sequence[int]) -> dict[bytes, str]:
    """Return the texts that the encoder is to see of those of these passages that wait, by hash, in their order."""
    found = snapshot.rows(
        "SELECT t.hash, t.text FROM unnest(%s::bigint[]) WITH ORDINALITY AS w(id, place)"
        " JOIN passage p ON p.folder_id = (w.id >> 32)::integer AND p.id = w.id"
        f" JOIN pending t ON t.folder_id = p.folder_id AND t.hash = p.hash AND t.model_id = {_ACTIVE} ORDER BY w.place",
        ([int(each) for each in passage_ids],),
    )
    return dict(found)


def held_back(snapshot: Snapshot, document_id: int) -> int:
    """Return how many passages of a document are data."""
    return int(
        snapshot.rows(
            "SELECT count(*) FROM passage WHERE folder_id = (%s::bigint >> 24)::integer AND document_id = %s"
            f" AND NOT {_WORDS}",
            (document_id, document_id),
        )[0][0]
    )


def marks(snapshot: Snapshot, query: str | None = None) -> tuple[Mark, ...]:
    """Return the reader's marks of a query, newest first; of all, behind theirs those that others share with them."""
    asked = "" if query is None else " WHERE query = %s"
    own = personal_marks.marks_of(
        snapshot.rows(
            f"SELECT query, passage_hash, path, grade, at, sketch FROM mark{asked}"
            " ORDER BY at DESC, query, passage_hash",
            () if query is None else (query,),
        )
    )
    return own if query is not None else (*own, *shared_judgements.of_others(snapshot))


def query_vectors(snapshot: Snapshot, model_id: int, queries: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Return the unit vectors that are kept of these queries, by their texts."""
    return personal_marks.vectors_of(
        snapshot.rows(
            "SELECT query, vector FROM query_vector WHERE model_id = %s AND query = ANY(%s)", (model_id, list(queries))
        )
    )
