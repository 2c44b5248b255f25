"""Counts the folders that may hold documents, and finds those of which nobody will tell what happens in them."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

import apsw

from engine.sources.discovery import watched_folders
from engine.store import folders
from engine.watching.coverage import Coverage, Watches, coverage
from engine.watching.hints import below
from engine.watching.mounts import Mount, remote_parts
from engine.watching.watched_roots import own_files, rules_from, watched


def count_folders(
    conn: apsw.Connection,
    library: Path,
    roots: Collection[bytes],
    refused: Collection[bytes],
    mounted: Sequence[Mount],
    watches: Watches | None,
) -> tuple[Coverage, list[bytes]]:
    """Return how many folders of `roots` are watched, and which parts of them lie on other machines.

    A root that the system `refused` to watch counts as unwatched; folders on other machines do too, watched or not.
    """
    counted, remote = Coverage(), list[bytes]()
    for folder in watched(conn):
        if folder.path not in roots or not os.path.isdir(folder.path):
            continue
        real = os.path.realpath(folder.path)
        apart = [folder.path + path[len(real) :] for path in remote_parts(real, mounted)]
        rules = rules_from(folders.rules(conn, folder.id))
        inside = watched_folders(folder.path, rules, own_files(library))
        every = [os.path.join(folder.path, path) if path else folder.path for path in inside]
        near = [path for path in every if not any(below(path, part) for part in apart)]
        found = Coverage(len(near), 0) if folder.path in refused else coverage(near, watches)
        counted += Coverage(len(every), found.watched, found.unwatched)
        remote += apart
    return counted, remote
