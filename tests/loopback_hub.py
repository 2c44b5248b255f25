"""A hub of models on the loopback, laid out as huggingface.co is; it can break off, lie, refuse, wait, be a proxy."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

REVISION = "5" * 40
LARGE = 100_000  # bytes: above, a file has a SHA-256 as those kept outside git have; below, git's own SHA-1


@dataclass
class Hub:
    """What it serves, by repository and name of file, which faults it has, and what it was asked for."""

    files: dict[str, dict[str, bytes]]
    address: str = ""
    asked: list[str] = field(default_factory=list)  # method and path, and the range where one was asked for
    status: int = 0  # in the place of every answer
    error_code: str = ""
    breaks_after: int = 0  # bytes of an answer, after which the line is lost
    breaks: int = 0  # how many more times
    dies: bool = False  # after the first of them it can serve no more
    tampered: bool = False  # the first byte of every file is another
    surplus: bytes = b""  # behind every file, told in its length
    knows_ranges: bool = True
    slow: threading.Event = field(default_factory=threading.Event)  # set: nothing waits
    slow_after: int = 0  # bytes of an answer, after which it waits for `slow`
    waiting: threading.Event = field(default_factory=threading.Event)  # set by the hub while it does so

    def listing(self, repository: str) -> bytes:
        """Return what the hub says of a repository, with the lengths and digests of its files."""
        siblings = []
        for name, content in self.files[repository].items():
            git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            entry: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": git}
            if len(content) >= LARGE:
                sha256 = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 134}
            siblings.append(entry)
        return json.dumps({"id": repository, "sha": REVISION, "siblings": siblings}).encode()


@contextmanager
def loopback_hub(files: dict[str, dict[str, bytes]]) -> Iterator[Hub]:
    """Serve repositories until the block ends."""
    hub = Hub(files)

    class Handler(BaseHTTPRequestHandler):
        """Answers as the hub is told to."""

        def do_CONNECT(self) -> None:
            hub.asked.append(f"CONNECT {self.path}")
            self.send_error(403)

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            begin = self.headers.get("Range", "")
            hub.asked.append(" ".join(filter(None, (self.command, self.path, begin))))
            path = unquote(urlsplit(self.path).path).strip("/")  # of a whole address, too, as a proxy is given
            if hub.status:
                self.answer(hub.status, b"", {"X-Error-Code": hub.error_code} if hub.error_code else {})
            elif path.startswith("api/models/") and path.removeprefix("api/models/") in hub.files:
                self.answer(200, hub.listing(path.removeprefix("api/models/")), {}, whole=True)
            else:
                repository, _, name = path.partition("/resolve/main/")
                self.give(hub.files.get(repository, {}).get(name), begin if hub.knows_ranges else "")

        def give(self, content: bytes | None, begin: str) -> None:
            if content is None:
                self.answer(404, b"", {"X-Error-Code": "EntryNotFound"})
                return
            content = (b"!" + content[1:] if hub.tampered else content) + hub.surplus
            start = int(begin.removeprefix("bytes=").partition("-")[0]) if begin else 0
            span = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if begin else {}
            self.answer(206 if begin else 200, content[start:], span)

        def answer(self, status: int, content: bytes, headers: dict[str, str], *, whole: bool = False) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if hub.breaks and not whole and len(content) > hub.breaks_after:
                hub.breaks -= 1
                hub.status = 503 if hub.dies else hub.status
                content = content[: hub.breaks_after]
            try:
                if hub.slow_after and not whole and len(content) > hub.slow_after and not hub.slow.is_set():
                    self.wfile.write(content[: hub.slow_after])
                    self.wfile.flush()
                    content = content[hub.slow_after :]
                    hub.waiting.set()
                    hub.slow.wait()
                self.wfile.write(content)
            except OSError:
                pass  # who asked has left

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield hub
    finally:
        hub.slow.set()
        server.shutdown()
        server.server_close()
        thread.join()


def home_of(hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have models fetched from a hub on the loopback alone, into a home below a folder, without a wait; return it."""
    from huggingface_hub import constants

    from engine.embedding import model_download

    monkeypatch.setenv("CARREL_HOME", str(folder / "home"))
    monkeypatch.setattr(constants, "ENDPOINT", hub.address)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(model_download, "PAUSE_SECONDS", 0.0)
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)
    return folder / "home"
