"""The protocol's messages: JSON-RPC, the handshake, the calls of tools with their progress and cancellation.

It knows nothing of libraries: tools are declarations and a function. Requests are answered in the order in which they
are ready; tools run in threads, so that a cancellation is heard while they do.
"""

from __future__ import annotations

import json
import threading
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from app.mcp.call_arguments import ArgumentError, checked
from engine.version import version

Message = dict[str, Any]
Send = Callable[[Any], None]
RunTool = Callable[[str, Mapping[str, Any], "Call"], Message]  # gives the result of tools/call

HANDSHAKE_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")  # agreed on by `initialize`
REQUEST_VERSIONS = ("2026-07-28",)  # named by each request
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
LONGEST_MESSAGE = 2**20  # bytes of a line; a query is some hundred
TOOLS_AT_ONCE = 2  # more would only take the processor from each other
TOOLS_LAST_MS = 3_600_000  # for how long a client may keep the list of tools, which never changes

PARSE_ERROR, INVALID_REQUEST, NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
INTERNAL_ERROR, UNSUPPORTED_VERSION = -32603, -32022


class ProtocolError(Exception):
    """A request that is answered with an error of the protocol."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.body = {"code": code, "message": message} | ({"data": data} if data is not None else {})


class Call:
    """One call of a tool while it runs: tells of progress where that was asked for, and hears of cancellation."""

    def __init__(self, token: object, send: Send) -> None:
        self._token = token
        self._send = send
        self._steps = 0
        self._lock = threading.Lock()
        self._cancelled = False
        self._on_cancel: Callable[[], None] = lambda: None

    @property
    def cancelled(self) -> bool:
        """Whether the client wants no answer any more."""
        return self._cancelled

    def when_cancelled(self, give_up: Callable[[], None]) -> None:
        """Have something called once the client gives the call up, at once where it has."""
        with self._lock:
            self._on_cancel = give_up
        if self._cancelled:
            give_up()

    def cancel(self) -> None:
        """Give the call up."""
        with self._lock:
            self._cancelled, give_up = True, self._on_cancel
        give_up()

    def progress(self, message: str) -> None:
        """Tell the client which step begins."""
        if self._token is None or self._cancelled:
            return
        self._steps += 1
        told = {"progressToken": self._token, "progress": self._steps, "message": message}
        self._send({"jsonrpc": "2.0", "method": "notifications/progress", "params": told})


class Batch:
    """Collects the answers to the requests of one array, and sends them as one."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._answers: list[Message] = []
        self._open = 1  # the array is still being read

    def expect(self) -> None:
        """Count a request that will be answered or given up."""
        with self._lock:
            self._open += 1

    def add(self, answer: Message | None) -> None:
        """Take an answer, None for none; the last one sends all."""
        with self._lock:
            self._open -= 1
            self._answers += [answer] if answer else []
            complete = self._open == 0 and self._answers
        if complete:
            self._send(self._answers)


class ProtocolServer:
    """Answers the messages of one client. `tools` are the declarations of tools/list; `send` takes from any thread."""

    def __init__(self, tools: list[Message], instructions: str, run_tool: RunTool, send: Send) -> None:
        self._tools = tools
        self._schemas = {tool["name"]: tool["inputSchema"] for tool in tools}
        self._instructions = instructions
        self._run_tool = run_tool
        self._send = send
        self._calls: dict[object, Call] = {}
        self._threads = ThreadPoolExecutor(TOOLS_AT_ONCE, "tool")

    def receive(self, line: bytes) -> None:
        """Take one line of the client, a message or an array of some."""
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            return self._send(_error(None, ProtocolError(PARSE_ERROR, "This line is no JSON.")))
        if not isinstance(told, list):
            return self._take(told, self._send_one)
        if not told:
            return self._send(_error(None, ProtocolError(INVALID_REQUEST, "The array is empty.")))
        batch = Batch(self._send)
        for each in told:
            batch.expect()
            self._take(each, batch.add)
        return batch.add(None)

    def close(self) -> None:
        """Answer what is under way, and end the threads."""
        self._threads.shutdown(wait=True)

    def _send_one(self, answer: Message | None) -> None:
        if answer is not None:
            self._send(answer)

    def _take(self, told: object, reply: Callable[[Message | None], None]) -> None:
        """Take one message; `reply` is called once, with None where nothing is to be answered."""
        if not isinstance(told, dict) or told.get("jsonrpc") != "2.0" or not _is_sound(told):
            return reply(_error(_id_of(told), ProtocolError(INVALID_REQUEST, "This is no message of JSON-RPC 2.0.")))
        method, params = told.get("method"), told.get("params", {})
        if "id" not in told or method is None:  # a notification, or an answer: nothing was asked of the client
            if method == "notifications/cancelled":
                self._cancel(params.get("requestId"))
            return reply(None)
        number = told["id"]
        try:
            if method == "tools/call":
                return self._call(number, params, reply)
            return reply({"jsonrpc": "2.0", "id": number, "result": self._answer(method, params)})
        except ProtocolError as error:
            return reply(_error(number, error))

    def _answer(self, method: str, params: Mapping[str, Any]) -> Message:
        """Return the result of a request that is answered at once. Raises ProtocolError."""
        if method == "initialize":
            return self._initialize(params)
        modern = _names_version(params)
        if method == "ping" and not modern:
            return {}
        if method == "tools/list":
            if params.get("cursor") is not None:
                raise ProtocolError(INVALID_PARAMS, "There is one page of tools: no cursor leads anywhere.")
            return _of_version({"tools": self._tools}, modern, kept=True)
        if method == "server/discover" and modern:
            known = {"supportedVersions": [*HANDSHAKE_VERSIONS, *REQUEST_VERSIONS], **self._introduction()}
            return _of_version(known, modern, kept=True)
        raise ProtocolError(NOT_FOUND, f"There is no method {method}.")

    def _initialize(self, params: Mapping[str, Any]) -> Message:
        asked = params.get("protocolVersion")
        if not isinstance(asked, str):
            raise ProtocolError(INVALID_PARAMS, "initialize names a protocolVersion.")
        agreed = asked if asked in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1]
        return {"protocolVersion": agreed, **self._introduction()}

    def _introduction(self) -> Message:
        return {
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "carrel", "version": version()},
            "instructions": self._instructions,
        }

    # --- calls ------------------------------------------------------------------------------------------------------

    def _call(self, number: object, params: Mapping[str, Any], reply: Callable[[Message | None], None]) -> None:
        """Begin a call of a tool. Raises ProtocolError."""
        modern = _names_version(params)
        name, arguments, meta = params.get("name"), params.get("arguments") or {}, params.get("_meta") or {}
        if not isinstance(name, str) or name not in self._schemas:
            raise ProtocolError(INVALID_PARAMS, f"Unknown tool: {name}")
        if not isinstance(arguments, dict) or not isinstance(meta, dict):
            raise ProtocolError(INVALID_PARAMS, "arguments and _meta are objects.")
        call = Call(meta.get("progressToken"), self._send)
        self._calls[number] = call

        def run() -> None:
            """Carry out the call, and reply whatever comes of it."""
            answer: Message | None = None
            try:
                if not call.cancelled:
                    result = _of_version(self._result(name, arguments, call), modern)
                    answer = {"jsonrpc": "2.0", "id": number, "result": result}
            except Exception as error:
                traceback.print_exc()  # to standard error, which clients keep in a log
                answer = _error(number, ProtocolError(INTERNAL_ERROR, f"Unexpected: {type(error).__name__}"))
            finally:
                self._calls.pop(number, None)
                with suppress(OSError, ValueError):  # the client has gone
                    reply(None if call.cancelled else answer)

        self._threads.submit(run)

    def _result(self, name: str, arguments: Mapping[str, Any], call: Call) -> Message:
        try:
            given = checked(arguments, self._schemas[name])
        except ArgumentError as error:  # told to the model, which can set it right
            return failure(str(error))
        return self._run_tool(name, given, call)

    def _cancel(self, number: object) -> None:
        with suppress(TypeError):  # an object is no number of a request
            call = self._calls.get(number)
            if call is not None:
                call.cancel()


def failure(message: str) -> Message:
    """Return the result of a call that could not be done, told to the model."""
    return {"content": [{"type": "text", "text": message}], "isError": True}


def _names_version(params: Mapping[str, Any]) -> bool:
    """Return whether a request names its version, as those of the newer revisions do. Raises ProtocolError."""
    meta = params.get("_meta")
    named = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
    if named is not None and named not in REQUEST_VERSIONS:
        known = {"supported": [*HANDSHAKE_VERSIONS, *REQUEST_VERSIONS], "requested": str(named)}
        raise ProtocolError(UNSUPPORTED_VERSION, "Unsupported protocol version", known)
    return named is not None


def _of_version(result: Message, modern: bool, *, kept: bool = False) -> Message:
    """Return a result with what the newer revisions ask of one; `kept` where clients may keep it."""
    keeping = {"ttlMs": TOOLS_LAST_MS, "cacheScope": "private"} if kept else {}
    return {**result, "resultType": "complete", **keeping} if modern else result


def _is_sound(told: Mapping[str, Any]) -> bool:
    method, number = told.get("method"), told.get("id", 0)
    answers = "result" in told or "error" in told
    named = isinstance(method, str) or (method is None and answers)
    return named and isinstance(told.get("params", {}), dict) and isinstance(number, (str, int)) and number is not True


def _id_of(told: object) -> str | int | None:
    number = told.get("id") if isinstance(told, dict) else None
    return number if isinstance(number, (str, int)) else None


def _error(number: object, error: ProtocolError) -> Message:
    return {"jsonrpc": "2.0", "id": number, "error": error.body}
