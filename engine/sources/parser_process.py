"""Starts the parsing child, asks it for one file under a deadline, and ends it for good."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.errors import WorkerError
from engine.log_file import private_log
from engine.paths import own_process
from engine.sources.parser_allowance import Allowance, TimedOut
from engine.sources.parser_protocol import LENGTH, MAX_MESSAGE_BYTES, pack

START_SECONDS = 30  # until the greeting: a cold interpreter on a busy disk
MAX_PROLONGED = 250  # a few more than the pages that are recognised in one document
READ_BYTES = 1024 * 1024
LEAST_WAIT_SECONDS = 0.02  # between two looks at how long the child has waited for a processor
_DEATHS = {int(signal.SIGXCPU): "took too much processor time", int(signal.SIGALRM): "took too long"}


class NotStarted(Exception):
    """The child never said that it is ready; no file is to blame."""


class ChildDied(Exception):
    """The child ended without an answer; `status` is its exit status, negative for a signal."""

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status

    def reason(self) -> str:
        """Say in a few words how the child ended."""
        if self.status is None or self.status >= 0:
            return f"the reader stopped (status {self.status})"
        number = -self.status
        return _DEATHS.get(number, f"the reader crashed (signal {number})")


class ParserProcess:
    """One running child. Only `kill` may be called while another thread is in `ask`."""

    def __init__(
        self, *, seconds: float, clock_seconds: float, settings: dict[str, int | str], log: Path | None
    ) -> None:
        """Start the process; `settings` reach it with the first request.

        A file has so many `seconds`, in which waiting for a processor does not count, and `clock_seconds` in all.
        """
        self._seconds = seconds
        self._clock_seconds = clock_seconds
        self._preface = pack(settings)
        self._process = _start(log)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._requests = self._process.stdin
        self._answers = self._process.stdout
        os.set_blocking(self._answers.fileno(), False)
        self._poll = select.poll()
        self._poll.register(self._answers.fileno(), select.POLLIN)
        self.inside = False
        """Whether a file inside the one that was asked for last has been opened."""

    def is_idle(self) -> bool:
        """Whether it waits for a request: one that is readable now has died, for it never speaks unasked."""
        return not self._poll.poll(0)

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Hand over one request and wait for its answer; raises TimedOut, ChildDied, or ValueError for nonsense.

        A child that reads page after page asks for as much time again before each of them, MAX_PROLONGED times at
        most; before it opens the first file inside another one, it says so (`inside`). The first request waits for the
        child's greeting and raises NotStarted where none comes.
        """
        if self._preface:
            try:
                self._exchange(self._preface, self._allowance(START_SECONDS))
            except (TimedOut, ChildDied, ValueError):
                raise NotStarted from None
            self._preface = b""
        self.inside, prolonged = False, 0
        allowance = self._allowance(self._seconds)
        answer = self._exchange(pack(request), allowance)
        while answer.get("inside") or (answer.get("working") and prolonged < MAX_PROLONGED):
            if answer.get("inside"):
                self.inside = True
            else:
                prolonged += 1
                allowance = self._allowance(self._seconds)
            answer = self._exchange(b"", allowance)
        return answer

    def _allowance(self, seconds: float) -> Allowance:
        return Allowance(self._process.pid, seconds, max(seconds, self._clock_seconds))

    def kill(self) -> None:
        """End the process, whatever it does, and what it has started, for it leads a group of its own."""
        with suppress(OSError):
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)

    def bury(self) -> None:
        """End the process, wait for it, and close its pipes."""
        self.kill()
        self._process.wait()
        self._requests.close()
        self._answers.close()

    def _exchange(self, message: bytes, allowance: Allowance) -> dict[str, Any]:
        try:
            _write(self._requests.fileno(), message)
        except (OSError, ValueError):
            raise ChildDied(self._status()) from None
        (length,) = LENGTH.unpack(self._receive(LENGTH.size, allowance))
        if length > MAX_MESSAGE_BYTES:
            raise ValueError("answer too long")
        answer = json.loads(self._receive(length, allowance))
        if not isinstance(answer, dict):
            raise ValueError("not an answer")
        return answer

    def _receive(self, wanted: int, allowance: Allowance) -> bytearray:
        received = bytearray()
        while len(received) < wanted:
            if not self._poll.poll(max(allowance.left(), LEAST_WAIT_SECONDS) * 1000):
                continue
            try:
                piece = os.read(self._answers.fileno(), min(READ_BYTES, wanted - len(received)))
            except BlockingIOError:
                continue
            except (OSError, ValueError):
                piece = b""
            if not piece:
                raise ChildDied(self._status())
            received += piece
        return received

    def _status(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(timeout=5)
        return None


def _start(log: Path | None) -> subprocess.Popen[bytes]:
    errors: int
    if log is None:
        errors = os.open(os.devnull, os.O_WRONLY)
    else:
        errors = os.open(private_log(log), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        return subprocess.Popen(
            own_process("engine.sources.parser_child"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd="/",
            bufsize=0,
            start_new_session=True,  # Ctrl-C in the terminal is for the parent
        )
    except OSError as error:
        raise WorkerError("The process that reads files could not be started.", cause=f"{error}.") from error
    finally:
        os.close(errors)


def _write(descriptor: int, message: bytes) -> None:
    view = memoryview(message)
    while view:
        view = view[os.write(descriptor, view) :]
