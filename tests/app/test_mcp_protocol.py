"""The messages of `carrel mcp`: answered by the book, whatever a client sends; standard output holds nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.mcp.protocol import (
    HANDSHAKE_VERSIONS,
    INVALID_PARAMS,
    INVALID_REQUEST,
    LONGEST_MESSAGE,
    NOT_FOUND,
    PARSE_ERROR,
    REQUEST_VERSIONS,
    UNSUPPORTED_VERSION,
    VERSION_KEY,
    Call,
    ProtocolServer,
)
from app.mcp.tools import INSTRUCTIONS, TOOLS
from engine.paths import own_process

PATIENCE = 120.0  # seconds until a test gives up; none waits for it when all is well
ROOT = Path(__file__).parents[2]


class Peer:
    """A server whose tool waits until it is given up, where its query says so; `sent` is all that it says."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.waiting = threading.Event()
        self.server = ProtocolServer(TOOLS, INSTRUCTIONS, self._run, self.sent.append)

    def _run(self, name: str, arguments: Mapping[str, Any], call: Call) -> dict[str, Any]:
        call.progress("begun")
        if arguments.get("query") == "break":
            raise RuntimeError
        if arguments.get("query") == "wait":
            given_up = threading.Event()
            call.when_cancelled(given_up.set)
            self.waiting.set()
            assert given_up.wait(PATIENCE)
        return {"content": [], "structuredContent": dict(arguments)}

    def say(self, message: object) -> None:
        self.server.receive(message if isinstance(message, bytes) else json.dumps(message).encode())

    def ask(self, method: str, number: object = 1, **params: object) -> None:
        self.say({"jsonrpc": "2.0", "id": number, "method": method, "params": params})

    def answers(self) -> list[Any]:
        """Wait for the calls under way, and return what was said."""
        self.server.close()
        return self.sent


@pytest.fixture
def peer() -> Iterator[Peer]:
    speaking = Peer()
    yield speaking
    speaking.server.close()


def code(answer: Any) -> int:
    return int(answer["error"]["code"])


@pytest.mark.parametrize("asked", [*HANDSHAKE_VERSIONS, "2019-01-01", "2026-07-28"])
def test_the_version_is_agreed_on(peer: Peer, asked: str) -> None:
    peer.ask("initialize", protocolVersion=asked, capabilities={}, clientInfo={"name": "x", "version": "1"})
    (answer,) = peer.answers()
    assert answer["result"]["protocolVersion"] == (asked if asked in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1])
    assert answer["result"]["capabilities"] == {"tools": {}} and answer["result"]["instructions"] == INSTRUCTIONS


def test_what_cannot_be_answered_gets_the_error_of_the_book(peer: Peer) -> None:
    for line in (b"{", b"\xff\xfe", b"[" * 50_000, b'{"a": "' + b"x" * LONGEST_MESSAGE):
        peer.say(line)
    assert [(answer["id"], code(answer)) for answer in peer.sent] == [(None, PARSE_ERROR)] * 4
    wrong: tuple[object, ...] = (
        1, None, "x", {}, [], {"jsonrpc": "1.0", "id": 1, "method": "ping"}, {"jsonrpc": "2.0", "id": 1, "method": 5},
        {"jsonrpc": "2.0", "id": None, "method": "ping"}, {"jsonrpc": "2.0", "id": {}, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]},
    )  # fmt: skip
    peer.sent.clear()
    for each in wrong:
        peer.say(each)
    assert [code(answer) for answer in peer.sent] == [INVALID_REQUEST] * len(wrong)
    peer.sent.clear()
    peer.ask("resources/list")
    peer.ask("server/discover")
    peer.ask("initialize")
    peer.ask("tools/list", cursor="x")
    peer.ask("tools/call", name="forget", arguments={})
    peer.ask("tools/call", name="search", arguments=[1])
    assert [code(answer) for answer in peer.sent] == [NOT_FOUND] * 2 + [INVALID_PARAMS] * 4


def test_notifications_and_answers_get_no_answer(peer: Peer) -> None:
    for message in (
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "method": "notifications/unknown"},
        {"jsonrpc": "2.0", "id": 7, "result": {}}, {"jsonrpc": "2.0", "id": 7, "error": {"code": 1, "message": ""}},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 99}},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": []}},
    ):  # fmt: skip
        peer.say(message)
    assert peer.answers() == []


def test_an_array_of_requests_is_answered_by_one_array(peer: Peer) -> None:
    ping, note = {"jsonrpc": "2.0", "method": "ping"}, {"jsonrpc": "2.0", "method": "notifications/initialized"}
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "why", "arguments": {}}}
    peer.say([{**ping, "id": 1}, note, call, 3])
    peer.say([note])
    (answers,) = peer.answers()
    assert sorted(str(answer["id"]) for answer in answers) == ["1", "2", "None"]


def test_a_call_tells_its_progress_and_one_that_is_given_up_gets_no_answer(peer: Peer) -> None:
    asked = {"name": "search", "arguments": {"query": "wait"}, "_meta": {"progressToken": "mine"}}
    peer.ask("tools/call", 5, **asked)
    assert peer.waiting.wait(PATIENCE)
    peer.ask("ping", 6)  # heard while a call runs
    peer.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 5}})
    peer.ask("tools/call", 7, name="search", arguments={"query": "x"})
    progress, ping, answer = peer.answers()
    assert progress["params"] == {"progressToken": "mine", "progress": 1, "message": "begun"}
    assert (ping["id"], answer["id"]) == (6, 7)
    assert answer["result"]["structuredContent"] == {"query": "x", "limit": 8}


def test_a_tool_that_breaks_breaks_nothing_else(peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    peer.ask("tools/call", 1, name="search", arguments={"query": "break"})
    peer.ask("tools/call", 2, name="search", arguments={"query": "x"})
    first, second = sorted(peer.answers(), key=lambda answer: answer["id"])
    assert code(first) == -32603 and "result" in second
    assert "RuntimeError" in capsys.readouterr().err


def test_a_request_may_name_its_version_as_the_newest_revision_does(peer: Peer) -> None:
    named = {"_meta": {VERSION_KEY: REQUEST_VERSIONS[-1]}}
    peer.ask("server/discover", **named)
    peer.ask("tools/list", 2, **named)
    peer.ask("tools/list", 3, _meta={VERSION_KEY: "2031-01-01"})
    peer.ask("tools/call", 4, name="search", arguments={"query": "x"}, **named)
    discovered, listed, refused, called = (each for each in peer.answers())
    assert REQUEST_VERSIONS[-1] in discovered["result"]["supportedVersions"]
    assert listed["result"]["resultType"] == called["result"]["resultType"] == "complete"
    assert listed["result"]["cacheScope"] == "private" and listed["result"]["ttlMs"] > 0
    assert code(refused) == UNSUPPORTED_VERSION and refused["error"]["data"]["requested"] == "2031-01-01"


NOISY = """
import os, sys, warnings
from app.mcp.stdio import serve
class Tools:
    def run(self, name, arguments, call):
        print("printed")
        sys.stdout.write("written")
        os.write(1, b"by a C library")
        warnings.warn("warned")
        return {"content": [], "structuredContent": {"text": "a\\nb\\u2028c\\ud800"}}
    def close(self):
        pass
serve(Tools())
print("after the end")
"""


@pytest.mark.processes
def test_standard_output_holds_lines_of_json_alone_whatever_is_printed() -> None:
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "search", "arguments": {"query": "x"}},
    }
    lines = [json.dumps(call), "x" * (LONGEST_MESSAGE + 10), "", json.dumps({**call, "id": 2})]
    done = subprocess.run(
        [sys.executable, "-c", NOISY], cwd=ROOT, input="\n".join(lines).encode(), capture_output=True, timeout=PATIENCE
    )
    answers = [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]
    assert sorted(str(answer["id"]) for answer in answers) == ["1", "2", "None"]
    assert all(said in done.stderr for said in (b"printed", b"written", b"by a C library", b"warned", b"after the end"))


LOADED = (
    "import json, sys; from app.cli import main; main(['mcp']); print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
)


@pytest.mark.processes
def test_the_handshake_loads_no_engine_and_no_sdk(tmp_path: Path) -> None:
    asked = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    request = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": asked}
    environment = {**os.environ, "CARREL_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, env=environment, input=json.dumps(request).encode() + b"\n",
        capture_output=True, timeout=PATIENCE,
    )  # fmt: skip
    assert json.loads(done.stdout)["result"]["serverInfo"]["name"] == "carrel"
    loaded = set(json.loads(done.stderr.splitlines()[-1]))
    assert not loaded & {"apsw", "numpy", "onnxruntime", "engine.library", "textual", "mcp", "asyncio", "pydantic"}


@pytest.mark.processes
def test_a_client_that_leaves_ends_it(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*own_process("app.cli"), "mcp"], env={**os.environ, "CARREL_HOME": str(tmp_path)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    process.stdout.close()
    process.stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n' * 2)
    process.stdin.close()
    assert process.wait(PATIENCE) == 0
