"""The streams that a command writes to: what reaches a terminal is clean, and what cannot be written is said plainly.

Everything goes through them, whoever wrote it: results, errors, warnings, questions, click's own messages.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from app.wording.safe_text import cleaned

# what Carrel itself writes to a terminal: styles and colours, a line drawn anew, an empty screen, links to files
_OWN = re.compile(r"(\x1b\[(?:[0-4]|3[0-7]|9[0-7])m|\r\x1b\[K|\x1b\[2J\x1b\[1;1H|\x1b\]8;;(?:file://[!-~]*)?\x1b\\)")
DONE, FAILED = 0, 1  # exit codes
_STANDARD = ("stdin", "stdout", "stderr")  # by descriptor


class OutputError(Exception):
    """The standard output takes nothing more: the disk below it is full, or it is closed."""


class SafeStream(io.TextIOBase):
    """A text stream whose characters steer nothing; on a terminal, Carrel's own styles pass.

    It has no `buffer`: what went there would not be cleaned.
    """

    def __init__(self, stream: TextIO, *, lenient: bool = False) -> None:
        """Write to `stream`; where it takes nothing more, a `lenient` one is silent from then on."""
        self._stream = stream
        self._lenient = lenient
        self._styled = stream.isatty()
        self._refused: Exception | None = None  # said once, it is meant for all that follows

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream below."""
        return self._stream.encoding or "utf-8"

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """What the stream below does about a character that it lacks."""
        return self._stream.errors

    def write(self, text: str) -> int:
        """Write the text, cleaned. Raises BrokenPipeError and OutputError."""
        self._try(lambda: self._stream.write(self._clean(text)))
        return len(text)

    def write_raw(self, text: str) -> None:
        """Write the text as it is, for another program; a terminal gets it cleaned, and no style of ours is in it.

        Raises as `write` does.
        """
        self._try(lambda: self._stream.write(cleaned(text) if self.isatty() else text))

    def write_bytes(self, written: bytes) -> None:
        """Write bytes as they are, for another program; a terminal gets cleaned text. Raises as `write` does."""
        buffer = getattr(self._stream, "buffer", None)
        if self.isatty() or buffer is None:
            self.write(written.decode("utf-8", "replace"))
            return
        self._try(self._stream.flush)
        self._try(lambda: buffer.write(written))

    def flush(self) -> None:
        """Bring out what was written. Raises BrokenPipeError and OutputError."""
        self._try(self._stream.flush)

    def isatty(self) -> bool:
        """Return whether a person reads this."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor below."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """Return that this can be written to."""
        return True

    def _clean(self, text: str) -> str:
        if not self._styled:
            return cleaned(text)
        return "".join(part if at % 2 else cleaned(part) for at, part in enumerate(_OWN.split(text)))

    def _try(self, act: Callable[[], object]) -> None:
        if self._refused is None:
            try:
                act()
            except BrokenPipeError as error:
                self._refuse(error)
            except (OSError, ValueError) as error:
                self._refuse(OutputError(getattr(error, "strerror", None) or str(error)))
        if self._refused is not None and not self._lenient:
            raise self._refused

    def _refuse(self, reason: Exception) -> None:
        self._refused = reason
        drop_output(self._stream)


class ClosedStream(io.StringIO):
    """A standard output that was closed before Carrel started."""

    def write(self, text: str) -> int:
        """Refuse the text. Raises OSError."""
        raise OSError(errno.EBADF, "it is closed")


def written(command: Callable[[], int]) -> int:
    """Run what writes to the standard streams and return its exit code; output that is refused ends it plainly."""
    with safe_output():
        try:
            code = command()
            sys.stdout.flush()
        except BrokenPipeError:  # the reader, `head` for one, has seen enough
            return DONE
        except OutputError as error:
            print(f"carrel: The output could not be written: {error}.", file=sys.stderr)
            return FAILED
    return code


def write_raw(text: str) -> None:
    """Write a text to stdout as it is where another program reads it; a terminal gets it cleaned."""
    if isinstance(sys.stdout, SafeStream):
        sys.stdout.write_raw(text)
    else:
        sys.stdout.write(cleaned(text))


def write_bytes(written: bytes) -> None:
    """Write bytes to stdout as they are where another program reads it; a terminal gets them cleaned."""
    if isinstance(sys.stdout, SafeStream):
        sys.stdout.write_bytes(written)
    else:
        sys.stdout.write(cleaned(written.decode("utf-8", "replace")))


@contextmanager
def safe_output() -> Iterator[None]:
    """Let stdout and stderr be safe streams."""
    closed = _fill_descriptors()
    before = sys.stdout, sys.stderr
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    _never_fail_on_characters()
    sys.stdout = SafeStream(ClosedStream() if 1 in closed or sys.stdout is None else sys.stdout)
    sys.stderr = SafeStream(io.StringIO() if sys.stderr is None else sys.stderr, lenient=True)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


@contextmanager
def utf8_output() -> Iterator[Callable[[str], object]]:
    """Give a way to write JSON Lines to stdout in UTF-8, whatever the encoding of the terminal is."""
    if (sys.stdout.encoding or "").lower().replace("-", "") == "utf8":
        yield sys.stdout.write
        return
    with open(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", newline="\n") as file:
        stream = SafeStream(file)
        yield stream.write
        stream.flush()


def drop_output(stream: TextIO) -> None:
    """Point a stream at nothing, so that the interpreter's last flush does not fail a second time."""
    with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def _fill_descriptors() -> set[int]:
    """Put /dev/null where a standard stream is closed, so that no file of the library takes its number."""
    closed = {number for number in range(3) if getattr(sys, f"__{_STANDARD[number]}__") is None and _is_closed(number)}
    if closed:
        while os.open(os.devnull, os.O_RDWR) < max(closed):
            pass
    return closed


def _is_closed(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return True
    return False


def _never_fail_on_characters() -> None:
    """Let a terminal that lacks a character show a replacement instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
