"""The models whose vectors the library holds: one active, one beside it, those being built or kept to go back to.

A model's manifest is kept as the JSON that the embedding room wrote; what it means is that room's matter. Figures that
were computed for one model in this library, such as the cuts of the tiers, are its calibration.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, Protocol

import apsw

from engine.errors import ModelError
from engine.lazy_dataclass import dataclass
from engine.records.shadow import ModelCoverage
from engine.store import change_log, passage_counts, shadow_log
from engine.store.transactions import transaction

if TYPE_CHECKING:
    from engine.embedding.manifest import Manifest

# A shadow runs beside the active one: a candidate, or the one that was in use until a candidate was promoted.
ModelState = Literal["active", "building", "kept", "shadow"]
MEMORY_BYTES = "memory_bytes"  # calibration: what a process that encodes with the model takes more than one without
FORMER_SINCE = "former_since"  # calibration of a shadow that was in use: until when, in seconds since 1970


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model as the library knows it. `manifest` is JSON; `id` names its vector table."""

    id: int
    name: str
    manifest: str
    fingerprint: str
    state: ModelState
    created_at: float


_COLUMNS = "id, name, manifest, fingerprint, state, created_at"


def add(
    conn: apsw.Connection,
    *,
    name: str,
    manifest: str,
    fingerprint: str,
    dimension: int,
    state: ModelState = "building",
    model_id: int | None = None,
) -> int:
    """Write down a model, under a new id unless one is given, make its empty vector table, and return its id.

    Call it inside a transaction.
    """
    from engine.store import vector_tables  # brings numpy, which a search by words alone never needs

    conn.execute(
        "INSERT INTO model(id, name, manifest, fingerprint, state, created_at) VALUES(?, ?, ?, ?, ?, ?)",
        (model_id, name, manifest, fingerprint, state, time.time()),
    )
    model_id = conn.last_insert_rowid()
    vector_tables.drop(conn, model_id)  # what is there is of a model whose row was lost
    conn.execute("DELETE FROM calibration WHERE model_id = ?", (model_id,))
    vector_tables.create(conn, model_id, dimension)
    return model_id


class Described(Protocol):
    """A manifest, as far as the store must know it."""

    @property
    def id(self) -> str:
        """The model's name."""

    @property
    def dimension(self) -> int:
        """The components of its vectors."""

    @property
    def fingerprint(self) -> str:
        """What stands for all that changes a vector."""

    def to_json(self) -> str:
        """Return the whole manifest."""


def write_down(conn: apsw.Connection, manifest: Described, *, state: ModelState, name: str = "") -> int:
    """Write down the model of a manifest as `add` does, under its own name unless another is given."""
    with transaction(conn):
        return add(
            conn,
            name=name or manifest.id,
            manifest=manifest.to_json(),
            fingerprint=manifest.fingerprint,
            dimension=manifest.dimension,
            state=state,
        )


def active(conn: apsw.Connection) -> StoredModel | None:
    """Return the model that searches use, None before the first sync."""
    return next((model for model in every(conn) if model.state == "active"), None)


def shadow(conn: apsw.Connection) -> StoredModel | None:
    """Return the model that runs beside the active one, None where none does."""
    return next((model for model in every(conn) if model.state == "shadow"), None)


def named(conn: apsw.Connection, name: str) -> StoredModel | None:
    """Return the newest model of a name, None where the library has none."""
    return next((model for model in reversed(every(conn)) if model.name == name), None)


def following(conn: apsw.Connection, model_id: int) -> list[StoredModel]:
    """Return the other models that make the same passages as this one, and have vectors of their own for them.

    They follow what changes, so that one can go back to them at once. What differs for queries only takes over this
    one's vectors instead.
    """
    known = every(conn)
    others = [each for each in known if each.id != model_id]
    if not others:  # so it is nearly always, and manifests cost a one-shot command 8 ms
        return []
    manifest = next((_manifest(each.manifest) for each in known if each.id == model_id), None)
    return [each for each in others if manifest is not None and _follows(_manifest(each.manifest), manifest)]


def vectors_of(conn: apsw.Connection, model: StoredModel) -> int:
    """Return the id of the model whose vectors are this one's: the active one's where it differs for queries only."""
    in_use = active(conn)
    if in_use is None or in_use.id == model.id:
        return model.id
    one, other = _manifest(model.manifest), _manifest(in_use.manifest)
    shared = one is not None and other is not None and one.passage_fingerprint == other.passage_fingerprint
    return in_use.id if shared else model.id


def coverage(conn: apsw.Connection, model: StoredModel) -> ModelCoverage:
    """Return how far the vectors of a model are; a few counts of indexes, and a look at each text that waits."""
    source, passages = vectors_of(conn, model), passage_counts.embeddable(conn)
    if conn.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (f"vector_{source}_rowids",)).get is None:
        return ModelCoverage(model.name, model.state, 0, passages, 0)  # it was lost, which is the doctor's matter
    rows, waiting = f"vector_{source}_rowids", passage_counts.queue(conn, source)
    there, parked, stale = conn.execute(
        f"""SELECT (SELECT count(*) FROM {rows}),
        (SELECT count(*) FROM free_slot WHERE id IN (SELECT rowid FROM {rows})),
        (SELECT count(*) FROM {waiting} AS queue CROSS JOIN passage ON passage.hash = queue.hash
         WHERE passage.id IN (SELECT rowid FROM {rows}))"""
    ).fetchall()[0]
    return ModelCoverage(
        model.name,
        model.state,
        max(0, int(str(there)) - int(str(parked)) - int(str(stale))),
        passages,
        int(conn.execute(f"SELECT count(*) FROM {waiting}").get),
        shared=source != model.id,
    )


def followers(conn: apsw.Connection) -> list[ModelCoverage]:
    """Return how far the models are that follow the active one, the one that runs beside it first."""
    in_use = active(conn)
    if in_use is None:
        return []
    listed = [each for each in following(conn, in_use.id) if each.state != "shadow"]
    beside = shadow(conn)
    return [coverage(conn, each) for each in ([beside] if beside is not None else []) + listed]


def _follows(other: Manifest | None, manifest: Manifest) -> bool:
    if other is None or not manifest.cuts_as(other):
        return False
    return other.passage_fingerprint != manifest.passage_fingerprint


@lru_cache(maxsize=16)
def _manifest(written: str) -> Manifest | None:
    from engine.embedding.manifest import Manifest

    try:
        return Manifest.from_json(written)
    except ModelError:
        return None


def every(conn: apsw.Connection) -> list[StoredModel]:
    """Return all models, oldest first."""
    return [StoredModel(*row) for row in conn.execute(f"SELECT {_COLUMNS} FROM model ORDER BY id")]


def activate(conn: apsw.Connection, model_id: int, *, same_passages: bool = False) -> None:
    """Make this the model that searches use and keep the one before; call it inside a transaction.

    `same_passages`: both make the same passages of a document, so that what waits for its vector goes on waiting. Where
    the model ran beside the one in use, they exchange their roles.
    """
    from engine.store import pending_vectors  # which looks into the tables of vectors

    before = active(conn)
    if before is not None and before.id != model_id:
        if same_passages:
            pending_vectors.hand_over(conn, before.id, model_id)
        _leave(conn, before, model_id, same_passages)
    conn.execute("UPDATE model SET state = 'active' WHERE id = ?", (model_id,))
    change_log.mark_moment(conn)  # a search begun before is told from one begun after


def _leave(conn: apsw.Connection, before: StoredModel, model_id: int, same_passages: bool) -> None:
    """Give the model that was in use its next role, and that of the new one up, so that it can take its place."""
    beside = shadow(conn)
    exchanged = beside is not None and beside.id == model_id
    conn.execute("UPDATE model SET state = 'kept' WHERE id = ?", (before.id,))
    if exchanged:
        back = figure(conn, model_id, FORMER_SINCE) is not None
        conn.execute("UPDATE model SET state = 'kept' WHERE id = ?", (model_id,))
        conn.execute("UPDATE model SET state = 'shadow' WHERE id = ?", (before.id,))
        conn.execute("DELETE FROM calibration WHERE model_id = ? AND name = ?", (model_id, FORMER_SINCE))
        if not back:
            calibrate(conn, before.id, {FORMER_SINCE: time.time()})
        kind: shadow_log.EventKind = "rolled_back" if back else "promoted"
        assert beside is not None
        shadow_log.note(conn, kind, beside.name, {"former": before.name})
    elif beside is not None and not same_passages:
        stop_shadow(conn)  # its vectors belong to passages that are no more


def start_shadow(conn: apsw.Connection, model_id: int) -> None:
    """Let a model run beside the active one; call it inside a transaction, where none does."""
    conn.execute("UPDATE model SET state = 'shadow' WHERE id = ?", (model_id,))


def stop_shadow(conn: apsw.Connection) -> None:
    """Let no model run beside the active one; what did is kept to go to; call it inside a transaction."""
    conn.execute(
        "DELETE FROM calibration WHERE name = ? AND model_id IN (SELECT id FROM model WHERE state = 'shadow')",
        (FORMER_SINCE,),
    )
    conn.execute("UPDATE model SET state = 'kept' WHERE state = 'shadow'")


def remove(conn: apsw.Connection, model_id: int) -> None:
    """Forget a model with its vectors and its calibration; call it inside a transaction."""
    from engine.store import vector_tables  # as above

    vector_tables.drop(conn, model_id)
    conn.execute("DELETE FROM model WHERE id = ?", (model_id,))


def figure(conn: apsw.Connection, model_id: int, name: str) -> apsw.SQLiteValue:
    """Return one figure computed for a model in this library, None where there is none."""
    return conn.execute("SELECT value FROM calibration WHERE model_id = ? AND name = ?", (model_id, name)).get


def calibrate(conn: apsw.Connection, model_id: int, figures: dict[str, apsw.SQLiteValue]) -> None:
    """Write figures of a model's calibration, replacing those of the same name; call it inside a transaction."""
    conn.executemany(
        "INSERT OR REPLACE INTO calibration(model_id, name, value) VALUES(?, ?, ?)",
        [(model_id, name, value) for name, value in figures.items()],
    )
