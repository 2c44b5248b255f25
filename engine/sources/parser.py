"""Reads files without trusting them: in a child process under limits, so that a bad file costs only itself.

A file that takes too long, too much memory, or ends the child costs one SourceError; the next file gets a new child.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from engine.effective_settings import effective
from engine.errors import SourceChanged, SourceError, WorkerError
from engine.log_file import private_log
from engine.paths import places, private_folder
from engine.records import Cutting, Document
from engine.sources.parser_allowance import TimedOut
from engine.sources.parser_process import ChildDied, NotStarted, ParserProcess
from engine.sources.parser_protocol import document_from_json, request_to_json


class ParserClosed(WorkerError):
    """The parser was closed while, or before, a file was read; the file itself is not at fault."""


class ReaderEnded(SourceError):
    """The file ended the process that read it, or was given up because it took too long.

    `inside` tells whether that was after a file inside it had been opened.
    """

    def __init__(self, reason: str, inside: bool) -> None:
        super().__init__(reason)
        self.inside = inside


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file, and one child, may use."""

    seconds: int = 60  # without the wait for a processor; a 1,000-page PDF takes about 20 s on a slow machine
    clock_seconds: int = 1200  # with that wait: beside twenty busy programs a file has a twentieth of a processor
    memory_bytes: int = 2 * 2**30  # address space of the child; a 32 MB PDF needs about 0.5 GB
    resident_bytes: int = 400 * 2**20  # above it the child is replaced, which bounds what libraries leak
    files: int = 5000  # files a child reads before it is replaced


def configured_parser() -> Parser:
    """Return a parser that reads as the person's settings say.

    What its process prints, such as where in a reader a fault lies, goes to the log.
    """
    ocr = effective().ocr
    try:
        home = places()
        private_folder(home.state)
        return Parser(log=private_log(home.log), ocr=ocr)
    except OSError:
        return Parser(ocr=ocr)


class Parser:
    """Reads one file at a time in a child process, which is started at the first file and replaced when it must be.

    May be used from several threads; `close` may be called at any time from any of them and interrupts a read.
    """

    def __init__(self, limits: Limits = Limits(), log: Path | None = None, ocr: str = "") -> None:
        """Keep the limits; nothing is started. What the child prints is appended to `log`, or dropped.

        `ocr` are the languages, in Tesseract's names, in which pages that are pictures are read; "": they are not.
        """
        self._limits = limits
        self._ocr = ocr
        self._log = log
        self._reading = threading.RLock()
        self._state = threading.RLock()
        self._child: ParserProcess | None = None
        self._closed = False

    def __enter__(self) -> Parser:
        """Return the parser itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def read(self, path: bytes, root: bytes | None = None, cutting: Cutting | None = None) -> Document:
        """Read the file at the absolute `path`, following no link at or below `root`, and cut it as `cutting` says.

        Raises SourceError for whatever is wrong with the file, SourceChanged where it cannot be opened, ParserClosed
        after `close`, and WorkerError where no child can be started.
        """
        with self._reading:
            try:
                return self._read(path, root, cutting)
            except ReaderEnded as ended:
                if not ended.inside:
                    raise
                return self._read(path, root, cutting, alone=True)  # a message is not lost for what hangs on it

    def close(self) -> None:
        """End the child and any read in progress; closing twice does nothing."""
        with self._state:
            self._closed = True
            if self._child is not None:
                self._child.kill()  # which ends the read that holds the other lock
        with self._reading:
            self._discard()

    def _read(self, path: bytes, root: bytes | None, cutting: Cutting | None, alone: bool = False) -> Document:
        child = self._ready_child()
        try:
            answer = child.ask(request_to_json(path, root, cutting, alone))
            document = None if "reason" in answer else document_from_json(answer["document"])
        except BaseException as error:
            self._discard()  # what it may still say would be taken for the next file's answer
            if self._closed:
                raise ParserClosed("The parser was closed.") from None
            if isinstance(error, NotStarted):
                raise WorkerError("The process that reads files did not start.", fix=self._advice()) from None
            if isinstance(error, TimedOut):
                raise ReaderEnded(f"took longer than {error.seconds:.0f} s", child.inside) from None
            if isinstance(error, ChildDied):
                raise ReaderEnded(error.reason(), child.inside) from None
            if isinstance(error, (ValueError, TypeError, KeyError, AttributeError)):
                raise SourceError("the reader gave no sound answer") from None
            raise
        if answer.get("leaving"):
            self._discard()
        if answer.get("changed"):
            raise SourceChanged(str(answer["reason"]))
        if document is None:
            raise SourceError(str(answer["reason"]))
        return document

    def _ready_child(self) -> ParserProcess:
        with self._state:
            if self._closed:
                raise ParserClosed("The parser was closed.")
            if self._child is not None and not self._child.is_idle():
                self._child.bury()
                self._child = None
            if self._child is None:
                limits = self._limits
                self._child = ParserProcess(
                    seconds=limits.seconds,
                    clock_seconds=limits.clock_seconds,
                    settings={
                        "seconds": limits.seconds,
                        "clock_seconds": limits.clock_seconds,
                        "memory": limits.memory_bytes,
                        "resident": limits.resident_bytes,
                        "files": limits.files,
                        "ocr": self._ocr,
                    },
                    log=self._log,
                )
            return self._child

    def _advice(self) -> str:
        return f"Its messages are in {self._log}." if self._log else ""

    def _discard(self) -> None:
        with self._state:
            child, self._child = self._child, None
        if child is not None:
            child.bury()
