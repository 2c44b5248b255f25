"""The watched folders with their rules, and the files of Carrel's own that are never indexed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apsw

from engine.paths import places
from engine.records import Folder
from engine.sources.discovery import Rules
from engine.store import folders, stored_values

_BESIDE_THE_LIBRARY = ("", "-wal", "-shm", "-journal", ".lock", ".reading", ".vectors", ".removed")


def watched(conn: apsw.Connection) -> list[Folder]:
    """Return all watched folders; their counts are left at 0, since counting costs more than a small sync.

    Raises LibraryDamaged where a path is not absolute: it would lead anywhere.
    """
    stored_values.refuse_relative(conn)
    held, walked = folders.held(conn), folders.walked(conn)
    rows = conn.execute("SELECT id, path, CAST(state AS BLOB) FROM folder ORDER BY id")
    return [
        Folder(id_, path, folders.state_of(stored_values.text(state)), held=held.get(id_, 0), walked=id_ in walked)
        for id_, path, state in rows
    ]


def rules_from(written: Mapping[str, Any]) -> Rules:
    """Read the rules that are stored with a folder; what is missing or unknown keeps its default."""
    default = Rules()
    return Rules(
        max_bytes=int(written.get("max_bytes", default.max_bytes)),
        use_gitignore=bool(written.get("use_gitignore", default.use_gitignore)),
        extra_patterns=tuple(str(line) for line in written.get("extra_patterns", default.extra_patterns)),
    )


def own_files(library: Path) -> frozenset[bytes]:
    """Return what is never indexed and never listened to: the library, what lies beside it, and Carrel's folders."""
    beside = {os.fsencode(library.with_name(library.name + suffix)) for suffix in _BESIDE_THE_LIBRARY}
    home = places()
    return frozenset(beside | {os.fsencode(folder) for folder in (home.data, home.config, home.state, home.cache)})
