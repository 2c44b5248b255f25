"""The pooled token vectors of one late model: a table `late_<id>`, one row a passage, made when late is switched on.

A row holds the hash of the passage that it was made of: where that is not the passage's hash any more, the row is of a
text that is gone, and nobody reads it. A library that never had a late model has none of these tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, cast, get_args

import apsw
import numpy as np

from engine.embedding.token_pooling import METHODS, Codes, Method
from engine.lazy_dataclass import dataclass
from engine.store import passage_counts
from engine.store.untrusted_file import LATE_MODEL, LATE_VECTORS

LateState = Literal["on", "off"]
_MODEL = "late_model"
_OF_THIS_TEXT = "late.passage_id = passage.id AND late.hash = passage.hash"
_TYPED = "typeof(hash) = 'blob' AND typeof(scale) = 'real' AND typeof(mean) = 'blob' AND typeof(codes) = 'blob'"


@dataclass(frozen=True, slots=True)
class LateModel:
    """The late model of a library: the catalogue's name of its model, and how its token vectors are pooled."""

    id: int
    name: str
    fingerprint: str
    dimension: int
    factor: int
    method: Method
    state: LateState


def stored(conn: apsw.Connection) -> LateModel | None:
    """Return the library's late model, on or off; None where it has none, or what is written of it is damaged."""
    if conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'late_model'").get is None:
        return None
    try:
        row = conn.execute("SELECT id, name, fingerprint, dimension, factor, method, state FROM late_model").fetchone()
    except UnicodeDecodeError:
        return None
    if row is None:
        return None
    found = LateModel(*cast("tuple[int, str, str, int, int, Method, LateState]", row))
    sized = all(isinstance(each, int) and each >= 1 for each in (found.dimension, found.factor))
    told = isinstance(found.name, str) and found.method in METHODS and found.state in get_args(LateState)
    sound = sized and told
    return (
        found if sound and conn.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table(found.id),)).get else None
    )


def table(late_id: int) -> str:
    """Return the name of a late model's table."""
    return f"late_{int(late_id)}"


def create(
    conn: apsw.Connection, *, name: str, fingerprint: str, dimension: int, factor: int, method: Method
) -> LateModel:
    """Make the empty table of a late model in the place of the one before; inside a transaction."""
    before = stored(conn)
    remove(conn)
    conn.execute(LATE_MODEL)
    late = LateModel((before.id if before else 0) + 1, name, fingerprint, dimension, factor, method, "on")
    conn.execute(
        "INSERT INTO late_model VALUES(?, ?, ?, ?, ?, ?, ?)",
        (late.id, name, fingerprint, dimension, factor, method, late.state),
    )
    conn.execute(LATE_VECTORS % table(late.id))
    return late


def set_state(conn: apsw.Connection, state: LateState) -> None:
    """Switch the late model on or off; its rows stay."""
    conn.execute("UPDATE late_model SET state = ?", (state,))


def remove(conn: apsw.Connection) -> None:
    """Forget the late model with all its rows; inside a transaction."""
    for name in _tables(conn):
        conn.execute(f"DROP TABLE {name}")


def strays(conn: apsw.Connection) -> list[str]:
    """Return the tables of late interaction that belong to no late model that can be read."""
    late = stored(conn)
    owned = () if late is None else (_MODEL, table(late.id))
    return [name for name in _tables(conn) if name not in owned]


def damaged(conn: apsw.Connection, late: LateModel) -> list[int]:
    """Return the passages whose row cannot be read: `missing` takes them for made."""
    name = table(late.id)
    found = [int(str(each)) for (each,) in conn.execute(f"SELECT passage_id FROM {name} WHERE NOT ({_TYPED})")]
    rows = conn.execute(f"SELECT passage_id, scale, mean, codes FROM {name} WHERE {_TYPED}")
    return found + [
        int(str(each)) for each, scale, mean, codes in rows if _codes(scale, mean, codes, late.dimension) is None
    ]


def forget(conn: apsw.Connection, late: LateModel, passage_ids: Sequence[int]) -> None:
    """Delete the rows of these passages, which are then made again; inside a transaction."""
    conn.executemany(f"DELETE FROM {table(late.id)} WHERE passage_id = ?", [(each,) for each in passage_ids])


def missing(conn: apsw.Connection, late: LateModel, most: int) -> list[tuple[int, bytes]]:
    """Return passages of words that have no row of their text, at most so many, newest first: id and hash."""
    rows = conn.execute(
        f"""SELECT id, hash FROM passage WHERE {passage_counts.WORDS}
        AND NOT EXISTS (SELECT 1 FROM {table(late.id)} AS late WHERE {_OF_THIS_TEXT}) ORDER BY id DESC LIMIT ?""",
        (most,),
    )
    return [(each, bytes(digest)) for each, digest in rows]


def counts(conn: apsw.Connection, late: LateModel) -> tuple[int, int, int]:
    """Return how many passages have a row of their text, how many need one, and the bytes of all rows."""
    have = conn.execute(f"SELECT count(*) FROM passage JOIN {table(late.id)} AS late ON {_OF_THIS_TEXT}").get
    octets = conn.execute(f"SELECT total(length(codes) + length(mean) + length(hash) + 16) FROM {table(late.id)}").get
    return int(have or 0), passage_counts.embeddable(conn), int(octets or 0)


def put(conn: apsw.Connection, late: LateModel, rows: Mapping[int, tuple[bytes, Codes]]) -> None:
    """Write rows of passages by id, each with its hash; inside a transaction."""
    conn.executemany(
        f"INSERT OR REPLACE INTO {table(late.id)} VALUES(?, ?, ?, ?, ?)",
        [
            (each, digest, codes.scale, codes.mean.tobytes(), codes.codes.tobytes())
            for each, (digest, codes) in rows.items()
        ],
    )


def forget_gone(conn: apsw.Connection, late: LateModel) -> None:
    """Delete the rows whose passage is gone or has another text now; inside a transaction."""
    name = table(late.id)
    conn.execute(
        f"""DELETE FROM {name} WHERE NOT EXISTS
        (SELECT 1 FROM passage WHERE passage.id = {name}.passage_id AND passage.hash = {name}.hash)"""
    )


def read(conn: apsw.Connection, late: LateModel, passage_ids: Sequence[int]) -> dict[int, Codes]:
    """Return the vectors of these passages; one without a row of its text, or with a damaged one, is left out."""
    rows = conn.execute(
        f"""SELECT passage.id, late.scale, late.mean, late.codes FROM json_each(?)
        JOIN passage ON passage.id = json_each.value JOIN {table(late.id)} AS late ON {_OF_THIS_TEXT}""",
        (json.dumps([int(each) for each in passage_ids]),),
    )
    found = ((each, _codes(scale, mean, codes, late.dimension)) for each, scale, mean, codes in rows)
    return {each: codes for each, codes in found if codes is not None}


def sound_rows(conn: apsw.Connection, late: LateModel) -> Iterator[tuple[bytes, Codes]]:
    """Yield the hash and the vectors of each passage; rows that are damaged are left out."""
    for digest, scale, mean, codes in conn.execute(f"SELECT hash, scale, mean, codes FROM {table(late.id)}"):
        found = _codes(scale, mean, codes, late.dimension)
        if found is not None and isinstance(digest, bytes):
            yield digest, found


def _tables(conn: apsw.Connection) -> list[str]:
    listed = "SELECT name FROM sqlite_master WHERE type = 'table' AND (name = ? OR name GLOB 'late_[0-9]*')"
    return [str(name) for (name,) in conn.execute(listed, (_MODEL,))]


def _codes(scale: object, mean: object, codes: object, dimension: int) -> Codes | None:
    sound = isinstance(scale, float) and isinstance(mean, bytes) and isinstance(codes, bytes) and np.isfinite(scale)
    if not sound or len(mean) != 2 * dimension or not codes or len(codes) % dimension:  # type: ignore[arg-type]
        return None
    middle = np.frombuffer(cast("bytes", mean), np.float16)
    if not np.isfinite(middle).all():
        return None
    return Codes(np.frombuffer(cast("bytes", codes), np.int8).reshape(-1, dimension), cast("float", scale), middle)


def bytes_told(passages: Iterable[int], dimension: int, factor: int) -> int:
    """Return what rows would take, by the tokens of each passage."""
    return sum(max(1, -(-tokens // factor)) * dimension + 2 * dimension + 32 for tokens in passages)
