"""A folder that was added through a link is the folder that the link leads to, also when it leads elsewhere later.

Documents are kept by their path in the folder, so that those which moved with it are the same ones.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import apsw

from engine.errors import PathError
from engine.paths import refuse_nested
from engine.store import folders, stored_values
from engine.store.transactions import transaction

_LINK = "link"  # the name among a folder's rules under which its link is kept


def rules_of_link(named: Path, real: bytes) -> dict[str, str]:
    """Return what is kept of the name by which a folder was added; nothing where that is no link."""
    path = named.expanduser().absolute()
    return {_LINK: str(path)} if os.fsencode(path) != real and ".." not in path.parts else {}


def follow_links(conn: apsw.Connection) -> None:
    """Let each folder lie where its link leads now; one that leads nowhere, or into a watched folder, is left."""
    rows = conn.execute("SELECT id, path, rules FROM folder WHERE typeof(path) = 'blob'")
    watched = {cast(int, row[0]): (cast(bytes, row[1]), stored_values.rules(row[2])) for row in rows}
    for number, (path, rules) in watched.items():
        link = str((rules or {}).get(_LINK, ""))
        real = os.path.realpath(os.fsencode(link)) if os.path.isabs(link) and "\0" not in link else path
        if real != path and os.path.isdir(real) and _is_free(conn, number, real):
            with transaction(conn):
                conn.execute("UPDATE folder SET path = ? WHERE id = ?", (real, number))


def _is_free(conn: apsw.Connection, number: int, path: bytes) -> bool:
    others = [each.path for each in folders.every(conn) if each.id != number]
    try:
        refuse_nested(path, others)
    except PathError:
        return False
    return path not in others
