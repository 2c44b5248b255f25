"""What a team's library says of models, of what waits for a vector, and of the reader's own marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.team import personal_marks, shared_judgements
from engine.team.document_rows import held
from engine.team.phrase_sql import Sql

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.records import Mark
    from engine.team.snapshot import Snapshot

_WORDS = "hash >= '\\x00000001'"  # what is below is data, which has no vector (`engine.store.passage_counts`)
_ACTIVE = "(SELECT id FROM model WHERE state = 'active')"


FIGURES = Sql(f"SELECT name, value FROM calibration WHERE model_id = {_ACTIVE} ORDER BY person")
"""The figures of the active model, the reader's own behind those of all."""
WAITING = Sql(
    f"""SELECT waiting, CASE WHEN waiting > 0 THEN (SELECT count(DISTINCT hash) FROM passage WHERE {_WORDS}) END
    FROM (SELECT count(DISTINCT hash) AS waiting FROM pending WHERE model_id = {_ACTIVE}) AS w"""
)
"""How many texts have no vector of the active model, and where there are some, how many are to have one."""
MARKED_VECTORS = Sql(
    f"SELECT query, vector FROM query_vector WHERE model_id = {_ACTIVE} AND query = ANY(ARRAY(SELECT query FROM mark))"
)
"""The vectors that the active model gives the queries that the reader judged."""


def figure(snapshot: Snapshot, model_id: int, name: str) -> object:
    """Return one figure that was computed for a model: the reader's own before that of all, None where none is."""
    if model_id == snapshot.model_id:
        return dict(snapshot.answer(FIGURES)).get(name)
    found = snapshot.rows(
        "SELECT value FROM calibration WHERE model_id = %s AND name = %s ORDER BY person = '' LIMIT 1", (model_id, name)
    )
    return found[0][0] if found else None


def embedded_share(snapshot: Snapshot) -> float:
    """Return the share of the texts that have a vector of the active model; data, which needs none, is left out."""
    ((waiting, needed),) = snapshot.answer(WAITING)
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
    own = personal_marks.marks_of(snapshot.answer(asking_marks(query)))
    others = shared_judgements.of_others(snapshot) if query is None and snapshot.shares_marks else ()
    return (*own, *others)


def asking_marks(query: str | None = None) -> Sql:
    """Return what selects the reader's marks, or those of a query."""
    asked = "" if query is None else " WHERE query = %s"
    return Sql(
        f"SELECT query, passage_hash, path, grade, at, sketch FROM mark{asked} ORDER BY at DESC, query, passage_hash",
        () if query is None else (held(query),),
    )


def query_vectors(snapshot: Snapshot, model_id: int, queries: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Return the unit vectors that are kept of these queries, by their texts."""
    brought = snapshot.brought.query_vectors if model_id == snapshot.model_id else {}
    found = [(query, kept) for query in queries if (kept := brought.get(query)) is not None]
    if missing := [query for query in queries if query not in brought]:
        sql = "SELECT query, vector FROM query_vector WHERE model_id = %s AND query = ANY(%s)"
        found += snapshot.rows(sql, (model_id, missing))
    return personal_marks.vectors_of(found)


def keep_marked(snapshot: Snapshot) -> None:
    """Keep the vectors that were asked ahead, of all queries that the reader judged."""
    kept = dict(snapshot.answer(MARKED_VECTORS))
    snapshot.brought.query_vectors.update((query, kept.get(query)) for query, *_ in snapshot.answer(asking_marks()))
