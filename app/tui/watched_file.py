"""Which saved searches are watched, and which documents each had found when it was last looked at.

One small private file of Carrel's state folder. Documents are known by a hash of their path, so that the file tells
nobody what they are called.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

from engine.atomic_files import exclusive, replace_file
from engine.paths import private_folder

_log = logging.getLogger("carrel")
HASH_BYTES = 8  # of some hundred paths a search: two that agree by chance are not met


class WatchedFile:
    """The watched searches of one person, by name; without a path they last as long as the browser.

    Nothing here raises: a file that cannot be read or kept is no reason to stop.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._unwritten: dict[str, list[str]] = {}

    def seen(self, name: str) -> frozenset[str] | None:
        """Return the documents that a search had found when it was last looked at; None where it is not watched."""
        found = self._entries().get(name)
        return None if found is None else frozenset(found)

    def keep(self, name: str, documents: Iterable[str]) -> None:
        """Watch a search, of which these documents are known from now on."""
        self._change(name, sorted(documents))

    def forget(self, name: str) -> None:
        """Watch a search no longer."""
        self._change(name, None)

    def _entries(self) -> dict[str, list[str]]:
        if self._path is None:
            return dict(self._unwritten)
        try:
            read = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(read, dict):
            return {}
        return {str(name): [str(each) for each in found] for name, found in read.items() if isinstance(found, list)}

    def _change(self, name: str, documents: list[str] | None) -> None:
        if self._path is None:
            self._unwritten = _changed(self._unwritten, name, documents)
            return
        try:
            with exclusive(private_folder(self._path.parent)):
                replace_file(self._path, json.dumps(_changed(self._entries(), name, documents)))
        except OSError:
            _log.warning("What a watched search has found could not be kept", exc_info=True)


def _changed(entries: dict[str, list[str]], name: str, documents: list[str] | None) -> dict[str, list[str]]:
    others = {each: found for each, found in entries.items() if each != name}
    return others if documents is None else {**others, name: documents}


def document_hash(path: bytes) -> str:
    """Return what a document is known by."""
    return blake2b(path, digest_size=HASH_BYTES).hexdigest()
