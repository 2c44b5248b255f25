"""The models whose vectors the library holds: one active, perhaps one being built, and those kept to go back to.

A model's manifest is kept as the JSON that the embedding room wrote; what it means is that room's matter. Figures that
were computed for one model in this library, such as the cuts of the tiers, are its calibration.
"""

from __future__ import annotations

import time
from typing import Literal, Protocol

import apsw

from engine.lazy_dataclass import dataclass
from engine.store import change_log
from engine.store.transactions import transaction

ModelState = Literal["active", "building", "kept"]


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
    conn: apsw.Connection, *, name: str, manifest: str, fingerprint: str, dimension: int, state: ModelState = "building"
) -> int:
    """Write down a model, make its empty vector table, and return its id; call it inside a transaction."""
    from engine.store import vector_tables  # brings numpy, which a search by words alone never needs

    conn.execute(
        "INSERT INTO model(name, manifest, fingerprint, state, created_at) VALUES(?, ?, ?, ?, ?)",
        (name, manifest, fingerprint, state, time.time()),
    )
    model_id = conn.last_insert_rowid()
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


def every(conn: apsw.Connection) -> list[StoredModel]:
    """Return all models, oldest first."""
    return [StoredModel(*row) for row in conn.execute(f"SELECT {_COLUMNS} FROM model ORDER BY id")]


def activate(conn: apsw.Connection, model_id: int, *, same_passages: bool = False) -> None:
    """Make this the model that searches use and keep the one before; call it inside a transaction.

    `same_passages`: both make the same passages of a document, so that what waits for its vector goes on waiting.
    """
    from engine.store import pending_vectors  # which looks into the tables of vectors

    before = active(conn)
    if before is not None and before.id != model_id:
        pending_vectors.hand_over(conn, before.id, model_id, same_passages=same_passages)
    conn.execute("UPDATE model SET state = 'kept' WHERE state = 'active' AND id <> ?", (model_id,))
    conn.execute("UPDATE model SET state = 'active' WHERE id = ?", (model_id,))
    change_log.mark_moment(conn)  # a search begun before is told from one begun after


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
