"""Says why a file is not in the library, and counts the files that differ from what is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import apsw

from engine.indexing import removed_folders
from engine.indexing.file_identity import content_hash
from engine.indexing.removal_guard import way_out
from engine.indexing.survey import survey
from engine.indexing.work_items import Work
from engine.paths import display
from engine.sources.discovery import decide
from engine.store import folders
from engine.store.documents import passages_of
from engine.store.stored_values import text
from engine.watching.hints import below
from engine.watching.watched_roots import own_files, rules_from, watched

UNREAD_ADVICE = "Search for a word that the document shows."


def absence(conn: apsw.Connection, library: Path, path: bytes, document_id: int | None) -> tuple[str, str] | None:
    """Return why the file at an absolute path cannot be found, and what to do about it; None where it is indexed."""
    if document_id is not None:
        failure = conn.execute("SELECT CAST(failure AS BLOB) FROM document WHERE id = ?", (document_id,)).get
        if failure:
            return f"it could not be read: {text(failure)}", "Mend the file; it is read again when it changes."
        return None
    root = next((folder for folder in watched(conn) if below(path, folder.path)), None)
    forgotten = next((each for each in removed_folders.waiting(library) if below(path, each.path)), None)
    if root is None and forgotten is not None:
        folder = display(forgotten.path)
        return f"its folder {folder} was forgotten", f"`carrel remove --undo {folder}` brings it back."
    if root is None and not os.path.lexists(path):
        return "there is no such file, here or in a watched folder", "Check the spelling, or give the whole path."
    if root is None:
        parent = display(os.path.dirname(path))
        return "it lies in no watched folder", f"Add its folder with `carrel add {parent}`."
    if not os.path.lexists(path):
        return "there is no such file", "Check the spelling of the path."
    if os.path.isdir(path):
        return "it is a folder", "Name a file in it."
    relative = os.path.relpath(path, root.path)
    refused = decide(root.path, relative, rules_from(folders.rules(conn, root.id)), own_files(library))
    if refused is not None:
        place = f" ({display(refused.path)})" if refused.path != relative else ""
        return (
            f"it is left out: {refused.reason}{place}",
            "Change that rule, or put `!` and its name in a .carrelignore.",
        )
    if root.state == "paused":
        return f"the folder {display(root.path)} is paused", "Resume it, or run `carrel sync` on the file."
    return "it has not been indexed yet", "Run `carrel sync`."


def held_back(conn: apsw.Connection, path: bytes) -> tuple[str, str] | None:
    """Return why a document stays though its file is gone, and what to do about it; None where that is not so."""
    root = next((folder for folder in watched(conn) if folder.held and below(path, folder.path)), None)
    if root is None or os.path.lexists(path):
        return None
    return f"its file is gone, and it is kept: {root.held:,} went at once", way_out(root.path)


def unread(conn: apsw.Connection, path: bytes, document_id: int, words: Sequence[str]) -> tuple[str, ...]:
    """Return remarks on words that stand in the bytes of a document's file and in no passage: where, and why."""
    from engine.indexing import unread_parts_process  # only when somebody asks

    root = next((folder.path for folder in watched(conn) if below(path, folder.path)), None)
    said = conn.execute("SELECT title, aliases, path_text, tags, metadata FROM document WHERE id = ?", (document_id,))
    indexed = [str(value) for row in said for value in row]
    indexed += [f"{row.text} {' '.join(row.headings)}" for row in passages_of(conn, document_id)]
    found = unread_parts_process.find(path, root, words, "\n".join(indexed))
    if found is None:
        return ("the parts of the file that are not read could not be looked through: it took too long, or too much",)
    return tuple(f"“{each.word}” stands in {each.part}" for each in found)


def stale_files(conn: apsw.Connection, library: Path) -> int:
    """Return how many files of the watched folders are new, changed, or gone since the last sync; what is held back is
    not counted.

    A change is told by the stat, and by the content where only the stat differs and the sizes are the same.
    """
    found = survey(conn, (), own_files(library), lambda _: False)
    return sum(max(0, len(plan.vanished) - folder.held) + sum(map(_differs, plan.work)) for folder, plan in found.plans)


def _differs(work: Work) -> bool:
    known = work.known
    if known is None or known.size != work.stat.size or known.content_hash is None:
        return True
    try:
        return content_hash(work.absolute, work.root) != known.content_hash
    except OSError:
        return True
