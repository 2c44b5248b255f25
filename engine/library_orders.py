"""Files orders for the process that indexes: any process may, with one small write, and ask how far they are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from engine.library_file import LibraryFile
from engine.paths import expanded
from engine.store import requests
from engine.store.requests import RequestState


class LibraryOrders:
    """The orders that wait in one library file."""

    def __init__(self, file: LibraryFile) -> None:
        self._file = file

    def file_request(self, kind: str, argument: str = "") -> int:
        """Ask the process that indexes for something and return the request's number."""
        with self._file.writing() as connection:
            return requests.file(connection, kind, argument)

    def withdraw_request(self, number: int) -> None:
        """Take a request back that nobody has answered."""
        with self._file.writing() as connection:
            requests.withdraw(connection, number)

    def request_state(self, number: int) -> RequestState:
        """Return how far a request is; one that is forgotten counts as done without an answer."""
        with self._file.reading() as connection:
            return requests.state(connection, number) or RequestState(taken=True, done=True, outcome=None)

    def embed_first(self, paths: Sequence[Path]) -> None:
        """Ask for what waits at or below these paths to be embedded before the rest. Raises PathError."""
        from engine.indexing.embedding_queue import ask_for_paths

        with self._file.writing() as connection:
            ask_for_paths(connection, [os.fsencode(expanded(path).absolute()) for path in paths])
