"""A parser that outlives one sync, so that a saved note need not wait for a child process to start."""

from __future__ import annotations

from collections.abc import Callable

from engine.indexing.looking import DocumentParser
from engine.records import Document


class WarmParser:
    """Lends one parser to sync after sync. `close` ends it only where it is in the midst of a file."""

    def __init__(self, make: Callable[[], DocumentParser]) -> None:
        self._make = make
        self._parser: DocumentParser | None = None
        self._reading = False

    def read(self, path: bytes) -> Document:
        """Return what the file says; see `DocumentParser`."""
        parser = self._parser
        if parser is None:
            parser = self._parser = self._make()
        self._reading = True
        try:
            return parser.read(path)
        finally:
            self._reading = False

    def close(self) -> None:
        """Interrupt a file that is being read; an idle parser stays for the next sync."""
        if self._reading:
            self.end()

    def end(self) -> None:
        """End the parser's process; the next file starts another."""
        parser, self._parser = self._parser, None
        if parser is not None:
            parser.close()
