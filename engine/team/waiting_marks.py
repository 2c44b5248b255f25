"""Marks that were made while the server was away: kept in the person's own file, and sent once it answers again.

The file notes since when, under the team's address. What is sent are its marks from then on, on documents of folders
that this machine shares: what is not in the team library leaves this machine with no mark either.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from engine.store import judgements, stored_values
from engine.store.transactions import transaction
from engine.team.membership import own_folders

if TYPE_CHECKING:
    from engine.records import Mark
    from engine.store.library_connection import LibraryConnection
    from engine.team.team_writer import TeamWriter

_SINCE = "team_marks_since:"  # before the address, in the names in `meta` of the moment of the first such mark


def begin(conn: LibraryConnection, address: str) -> None:
    """Note that marks from now on are to be sent; what was noted before stays. Inside no transaction."""
    with transaction(conn):
        conn.execute("INSERT OR IGNORE INTO meta(key, value) VALUES(?, ?)", (_SINCE + address, time.time()))


def waiting(conn: LibraryConnection, address: str) -> tuple[Mark, ...]:
    """Return the marks that are to be sent, () where none were made while the server was away."""
    found = conn.execute("SELECT value FROM meta WHERE key = ?", (_SINCE + address,)).get
    since = stored_values.moment(found)
    return () if since is None else tuple(each for each in judgements.every(conn) if each.at >= since)


def send(writer: TeamWriter, machine: str, marks: tuple[Mark, ...]) -> int:
    """Give marks to the team library, as far as their documents are shared; return how many went."""
    shared = [os.path.join(each.path, b"") for each in own_folders(writer, machine)]
    going = [each for each in marks if any(each.path.startswith(folder) for folder in shared)]
    if going:
        writer.put_marks(going)
    return len(going)


def settled(conn: LibraryConnection, address: str) -> None:
    """Note that nothing waits any more. Inside no transaction."""
    with transaction(conn):
        conn.execute("DELETE FROM meta WHERE key = ?", (_SINCE + address,))
