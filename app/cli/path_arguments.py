"""From what a person types for a path to what the library knows: absolute paths, `PATH:LINE`, and endings of paths."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.wording.paths import owner_words, short_path
from engine.errors import PathError
from engine.paths import expanded, is_of_another

if TYPE_CHECKING:
    from engine.library import Library
    from engine.records import Folder, StoredDocument

_PLACE = re.compile(r"(?P<path>.+?):(?P<line>[0-9]{1,9})(?::[0-9]*)?", re.DOTALL)
MOST_LEFT_OUT = 20_000  # files and folders left out of a watched folder that are looked through by name
MOST_NAMED = 5  # candidates that a message lists


def absolute(path: str | Path) -> Path:
    """Return `path` absolute, with `~` and `..` resolved; symbolic links stay as they are. Raises PathError."""
    try:
        return Path(os.path.abspath(expanded(path)))
    except FileNotFoundError:
        raise PathError(
            "The folder that this shell is in is gone.", fix="Go to another one, or give a path from / or ~ on."
        ) from None


def folder_given(path: Path) -> Path:
    """Return an existing folder's absolute path. Raises PathError where it is missing or no folder."""
    found = absolute(path)
    if os.path.isdir(found):
        return found
    if os.path.exists(found):
        raise PathError(f"{path} is a file.", cause="Carrel watches folders.", fix=f"Name its folder: {path.parent}")
    raise PathError(f"There is no folder {path}.", fix="Check the spelling; nothing was changed.")


def is_within(path: Path, folders: Sequence[Folder]) -> bool:
    """Return whether a path is one of the watched folders or lies in one."""
    wanted = os.path.join(os.fsencode(path), b"")
    return any(wanted.startswith(os.path.join(folder.path, b"")) for folder in folders)


def place(text: str) -> tuple[str, int | None]:
    """Split `PATH:LINE` (or `PATH:LINE:COLUMN`, as compilers print) into path and line.

    A file that really ends in `:12` is taken as it is.
    """
    found = _PLACE.fullmatch(text)
    if found is None or os.path.lexists(os.path.expanduser(text)):
        return text, None
    line = int(found["line"])
    if line < 1:
        raise PathError(f"{text} names line {line}.", cause="Lines count from 1.")
    return found["path"], line


def find_document(library: Library, text: str) -> StoredDocument:
    """Return the document that `text` names: its path, or an ending of it that no other document shares.

    Raises PathError where there is none, or more than one.
    """
    for path in _readings(library, text):
        document = library.document(path)
        if document is not None:
            return document
    ending = os.fsencode(text).strip(b"/")
    matches = library.paths_ending(ending) if ending else ()
    if len(matches) == 1:
        document = library.document(matches[0])
        if document is not None:
            return document
    if matches:
        raise _ambiguous(text, matches)
    raise _unknown(text)


def left_out_file(library: Library, text: str) -> Path | None:
    """Return the file that a rule leaves out and whose path ends with `text`; None where none does, or several do."""
    ending = os.fsencode(text).strip(b"/")
    found: set[bytes] = set()
    for folder in library.folders() if ending else ():
        left_out = [
            os.path.join(folder.path, path) for path, _ in library.left_out_files(folder.path, limit=MOST_LEFT_OUT)
        ]
        inside = (os.path.join(path, ending) for path in (folder.path, *left_out))
        found.update(filter(os.path.lexists, inside))
        found.update(path for path in left_out if (b"/" + path).endswith(b"/" + ending))
    return Path(os.fsdecode(found.pop())) if len(found) == 1 else None


def _readings(library: Library, text: str) -> list[bytes]:
    """Return the absolute paths that `text` may stand for, the likeliest first."""
    typed = absolute(text)
    readings = [os.fsencode(text)] if is_of_another(text) else []
    readings += [os.fsencode(typed), os.fsencode(os.path.realpath(typed))]
    readings += [os.path.join(folder.path, os.fsencode(text)) for folder in library.folders()]
    return list(dict.fromkeys(readings))


def _ambiguous(text: str, matches: Sequence[bytes]) -> PathError:
    named = ", ".join(short_path(match) for match in matches[:MOST_NAMED])
    more = f" and {len(matches) - MOST_NAMED} more" if len(matches) > MOST_NAMED else ""
    return PathError(f"{text} may be {named}{more}.", fix="Give more of the path.")


def _unknown(text: str) -> PathError:
    if is_of_another(text):
        return PathError(
            f"There is no document {text} in this library.",
            cause=f"It is one of {owner_words(os.fsencode(text))}.",
            fix="`carrel --library ADDRESS` searches the team library that has it.",
        )
    if os.path.exists(absolute(text)):
        return PathError(
            f"{text} is not in the library.",
            cause="It lies in no watched folder, was left out, or came after the last sync.",
            fix=f"`carrel why QUERY {text}` tells which.",
        )
    return PathError(f"There is no document {text} in the library.", fix="`carrel search path:NAME` finds one by name.")
