"""Which passages got or lost a vector since a reader last looked, so that it need not read all of them again."""

from __future__ import annotations

from collections.abc import Iterable

import apsw

EMBEDDED = "vector"  # the operation of a passage whose text is what it was
FITTED_AT = "fitted_at_change"  # calibration of a model: the number of the change up to which its tiers were fitted
KEPT = 10_000  # picking out so many vectors took 85 ms, reading all of 50,000 in a row 37 to 88 ms


def latest(conn: apsw.Connection) -> int:
    """Return the number of the newest change, 0 before the first."""
    return int(conn.execute("SELECT seq FROM sqlite_sequence WHERE name = 'change'").get or 0)


def reaches(conn: apsw.Connection, sequence: int) -> bool:
    """Tell whether all that followed change number `sequence` is still known; else all must be read anew."""
    newest = latest(conn)
    oldest = conn.execute("SELECT min(sequence) FROM change").get
    return sequence == newest or (sequence < newest and oldest is not None and sequence >= oldest - 1)


def entries(conn: apsw.Connection, sequence: int, most: int = KEPT) -> list[tuple[int, int]]:
    """Return the newest changes after change number `sequence`, as (sequence, passage id), oldest first."""
    rows = conn.execute(
        "SELECT sequence, passage_id FROM change WHERE sequence > ? ORDER BY sequence DESC LIMIT ?", (sequence, most)
    )
    return [(int(str(number)), int(str(passage))) for number, passage in rows][::-1]


def replaced(conn: apsw.Connection, sequence: int) -> set[int]:
    """Return the passages after change number `sequence` that went or hold other text; not those that got a vector."""
    rows = conn.execute(
        "SELECT DISTINCT passage_id FROM change WHERE sequence > ? AND operation <> ?", (sequence, EMBEDDED)
    )
    return {int(str(passage)) for (passage,) in rows}


def record(conn: apsw.Connection, operation: str, passage_ids: Iterable[int]) -> None:
    """Write down that passages were `put` or `delete`d, or that what they hold got its vector (`EMBEDDED`)."""
    conn.executemany(
        "INSERT INTO change(passage_id, operation) VALUES(?, ?)", [(each, operation) for each in passage_ids]
    )


def record_vectors(conn: apsw.Connection, model_id: int, passage_ids: Iterable[int]) -> None:
    """Write down that passages got the vectors of a model; call it inside a transaction.

    What another model than the active one got is no change of what that one is fitted to.
    """
    before = latest(conn)
    record(conn, EMBEDDED, passage_ids)
    conn.execute(
        """UPDATE calibration SET value = value + ? WHERE name = ? AND typeof(value) = 'integer' AND model_id <> ?
        AND model_id = (SELECT id FROM model WHERE state = 'active')""",
        (latest(conn) - before, FITTED_AT, model_id),
    )


def mark_moment(conn: apsw.Connection) -> None:
    """Take one change number that stands for no passage, so that states before and after can be told apart."""
    record(conn, "delete", [0])


def prune(conn: apsw.Connection) -> None:
    """Forget all but the newest changes."""
    conn.execute("DELETE FROM change WHERE sequence <= ?", (latest(conn) - KEPT,))


def forget_all(conn: apsw.Connection) -> None:
    """Make every reader read all vectors anew, as after a repair; call it inside a transaction."""
    mark_moment(conn)  # so that the numbering has begun
    conn.execute("DELETE FROM change")
    conn.execute("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'change'")
