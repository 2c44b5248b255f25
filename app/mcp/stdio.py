"""Serves one client on standard input and output, where nothing but lines of the protocol may ever stand.

What a library prints, or a C library writes to descriptor 1, lands on standard error: the protocol has a descriptor of
its own that nobody else knows.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from app.mcp.library_tools import LibraryTools
from app.mcp.protocol import LONGEST_MESSAGE, ProtocolServer
from app.mcp.tools import INSTRUCTIONS, TOOLS


def serve(tools: LibraryTools) -> None:
    """Answer the client until it closes its end."""
    with _own_output() as send:
        server = ProtocolServer(TOOLS, INSTRUCTIONS, tools.run, send)
        try:
            for line in _lines(sys.stdin.buffer):
                server.receive(line)
        except BrokenPipeError:
            pass  # the client has gone
        finally:
            server.close()
            tools.close()


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a stream that are not empty; one that is too long is cut, and so no JSON."""
    while line := stream.readline(LONGEST_MESSAGE):
        whole = line
        while not whole.endswith(b"\n") and (whole := stream.readline(LONGEST_MESSAGE)):
            pass
        if line.strip():
            yield line


@contextmanager
def _own_output() -> Iterator[Callable[[Any], None]]:
    """Give a way to send messages from any thread; meanwhile descriptor 1 and `sys.stdout` lead to standard error."""
    before, guard = sys.stdout, threading.Lock()
    sys.stdout.flush()
    channel = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    try:
        with open(channel, "wb", buffering=0) as output:

            def send(message: Any) -> None:
                line = json.dumps(message, ensure_ascii=False).encode(errors="replace") + b"\n"
                with guard:
                    rest = memoryview(line)
                    while rest:
                        rest = rest[output.write(rest) or 0 :]

            yield send
    finally:
        with suppress(OSError):
            os.dup2(2, 1)
        sys.stdout = before
