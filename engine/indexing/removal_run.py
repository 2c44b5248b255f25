"""Counts removals that follow each other: a folder that empties file by file is noticed like one that empties at once.

A run of removals ends when for a minute none has come. Only its length and its last moment are kept, no names.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

import apsw

from engine.store import stored_values
from engine.store.transactions import transaction

QUIET_SECONDS = 60.0  # without a removal: a slow `rm -r` deletes a file a second, a person thinks between two
_RUN = "removals:"  # before a folder's id, in the names in `meta`


def lengths(conn: apsw.Connection) -> dict[int, int]:
    """Return how many documents have left each folder in the run that is under way there, by folder."""
    now = time.time()
    found: dict[int, int] = {}
    for key, value in conn.execute("SELECT key, CAST(value AS BLOB) FROM meta WHERE key >= ? AND key < ?", _range()):
        run = stored_values.json_object(stored_values.sound_text(value)) or {}
        at, length = stored_values.moment(run.get("at")), stored_values.count(run.get("length"))
        folder = str(key).removeprefix(_RUN)
        if at is not None and length and folder.isdecimal() and 0 <= now - at < QUIET_SECONDS:
            found[int(folder)] = length
    return found


def note(conn: apsw.Connection, runs: Mapping[int, int]) -> None:
    """Write down the runs of these folders by their length; 0 ends one. Runs that are over go as well."""
    known = lengths(conn)
    if all(known.get(folder, 0) == length for folder, length in runs.items()):
        return
    now = time.time()
    with transaction(conn):
        conn.execute("DELETE FROM meta WHERE key >= ? AND key < ?", _range())
        conn.executemany(
            "INSERT INTO meta(key, value) VALUES(?, ?)",
            [
                (f"{_RUN}{folder}", json.dumps({"at": now, "length": length}))
                for folder, length in {**known, **runs}.items()
                if length
            ],
        )


def _range() -> tuple[str, str]:
    return _RUN, _RUN[:-1] + ";"
