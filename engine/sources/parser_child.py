"""The process that parses files: it takes a path, parses under limits, and writes a document or a reason.

It is started by `engine.sources.parser`, handles files that may be hostile, and is killed without ceremony. Its
standard output belongs to the protocol, so whatever a library prints goes to standard error instead.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from engine.errors import SourceChanged, SourceError
from engine.sources.document_cutter import cut_passages
from engine.sources.parser_protocol import LENGTH, as_received, document_to_json, pack, request_from_json
from engine.sources.readers import read_document

if TYPE_CHECKING:
    from engine.sources.readers.ocr import Recogniser

GRACE_SECONDS = 5  # the parent ends a slow file first; this is for a child whose parent has gone


def main() -> None:
    """Serve requests until standard input ends or this process has grown too large."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # each of its threads would take of our address space
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    requests, answers = _own_streams()
    settings = _receive(requests)
    if settings is None:
        return
    _limit("RLIMIT_CORE", 0)
    _limit("RLIMIT_AS", int(settings["memory"]))
    seconds, clock, resident = (int(settings[name]) for name in ("seconds", "clock_seconds", "resident"))
    languages = str(settings.get("ocr") or "")

    def go_on() -> None:
        """Ask for as much time again: for a page that is a picture, more of a mailbox, or to cut the text."""
        _send(answers, {"working": True})
        _allow(seconds, clock)

    _send(answers, {"ready": True})
    left = int(settings["files"])
    while (request := _receive(requests)) is not None:
        left -= 1
        _allow(seconds, clock)
        answer = _answer(
            request, _recogniser(languages, go_on), go_on, _once(partial(_send, answers, {"inside": True}))
        )
        signal.alarm(0)
        leaving = left <= 0 or _resident_bytes() > resident
        _send(answers, {**answer, "leaving": leaving})
        del answer
        if leaving:
            return


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Take the two pipes for the protocol and leave harmless streams in their place."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return requests, answers


def _receive(requests: BinaryIO) -> dict[str, Any] | None:
    header = requests.read(LENGTH.size)
    if len(header) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(header)
    body = requests.read(length)
    return json.loads(body) if len(body) == length else None


def _send(answers: BinaryIO, message: dict[str, Any]) -> None:
    answers.write(pack(message))
    answers.flush()


def _recogniser(languages: str, go_on: Callable[[], None]) -> Recogniser | None:
    if not languages:
        return None
    from engine.sources.readers.ocr import Recogniser

    return Recogniser(languages, go_on)


def _once(tell: Callable[[], None]) -> Callable[[], None]:
    """Return what tells the first time only."""
    waiting = [tell]
    return lambda: waiting.pop()() if waiting else None


def _answer(
    request: dict[str, Any], recogniser: Recogniser | None, go_on: Callable[[], None], opening: Callable[[], None]
) -> dict[str, Any]:
    path, root, cutting, alone = request_from_json(request)
    try:
        document = read_document(path, recogniser, root, alone, go_on, opening)
        if cutting is not None:
            go_on()
            document = as_received(document)
            document = replace(document, passages=tuple(cut_passages(document, cutting)))
        return {"document": document_to_json(document)}
    except SourceChanged as error:
        return {"reason": error.reason, "changed": True}
    except SourceError as error:
        reason = error.reason
    except MemoryError:
        reason = "needs too much memory"
    except RecursionError:
        reason = "nested too deeply"
    except Exception as error:  # a reader's own fault must cost one file, not the run
        print(f"Reading {path!r} failed: {type(error).__name__}", file=sys.stderr)
        traceback.print_tb(error.__traceback__, limit=-20)  # without the message, in which the file's text may stand
        sys.stderr.flush()
        reason = f"the reader failed ({type(error).__name__})"
    return {"reason": reason}


def _allow(seconds: int, clock: int) -> None:
    """Let the next file have so many seconds, of the processor and of the clock, before the system ends us."""
    signal.alarm(clock + GRACE_SECONDS)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit("RLIMIT_CPU", int(used.ru_utime + used.ru_stime) + seconds + GRACE_SECONDS)


def _limit(name: str, value: int) -> None:
    with suppress(OSError, ValueError, AttributeError):  # macOS refuses some of them
        _, hard = resource.getrlimit(getattr(resource, name))
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(getattr(resource, name), (ceiling, hard))


def _resident_bytes() -> int:
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):  # no /proc, as on macOS, where ru_maxrss counts bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
