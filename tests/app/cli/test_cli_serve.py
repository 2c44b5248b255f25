"""`carrel serve`: who has the address gets the browser, everybody else gets nothing."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from cli_fakes import Call

from engine.installation import command_for
from engine.library import Library
from engine.paths import own_process

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(find_spec("textual_serve") is None, reason="needs the extra `web`"),
]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
PATIENCE = 120.0  # seconds until a test gives up; none waits for it when all is well
DRAWS_HELLO = (
    r"printf '__GANGLION__\nD\000\000\000\005hello'; exec cat > /dev/null"  # a browser, as the server sees one
)


@asynccontextmanager
async def served(command: str = DRAWS_HELLO) -> AsyncIterator[tuple[str, Any]]:
    """Serve in this process; the address, and a client."""
    import aiohttp  # .4 s with the server, which only the process that runs these tests is to wait for

    from app.web import server

    serving = server.BrowserServer(command)
    runner = await serving.start(0)
    async with aiohttp.ClientSession() as client:
        try:
            yield serving.address, client
        finally:
            await runner.cleanup()


async def refused(client: Any, url: str, method: str = "GET", **headers: str) -> bool:
    """Whether a request gets the one answer of everything that is not there."""
    async with client.request(method, url, headers=headers, allow_redirects=False) as answer:
        return answer.status == 404 and await answer.text() == "Nothing is here.\n"


async def first_bytes(client: Any, address: str, **headers: str) -> bytes | None:
    """Open the socket to a browser, and return what it draws first; None where it does not open."""
    from aiohttp import WSServerHandshakeError

    try:
        async with client.ws_connect(f"{address}ws?width=80&height=24", headers=headers) as socket:
            return bytes(await socket.receive_bytes(timeout=PATIENCE))
    except WSServerHandshakeError:
        return None


async def test_without_the_token_there_is_nothing() -> None:
    async with served() as (address, client):
        base, token = address.rstrip("/").rsplit("/", 1)
        wrong = ("", "x/", f"{token[:-1]}/", f"{token}x/", f"{token.swapcase()}/", f"%00{token}/", "\xff/")
        for start in wrong:
            for rest in ("", "ws", "page.js", "static/js/textual.js"):
                assert await refused(client, f"{base}/{start}{rest}"), (start, rest)
            assert await first_bytes(client, f"{base}/{start}", Origin=base) is None, start
        assert await refused(client, f"{base}/?token={token}")


async def test_with_it_there_are_the_page_its_files_and_a_browser_and_nothing_else() -> None:
    async with served() as (address, client):
        base, token = address.rstrip("/").rsplit("/", 1)
        async with client.get(address) as answer:
            page = await answer.text()
            assert answer.status == 200 and "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert page.count(token) == page.count("/static/") + 3 and "//fonts." not in page
        for file in ("page.js", "static/js/textual.js", "static/css/xterm.css"):
            async with client.get(address + file) as answer:
                assert answer.status == 200 and await answer.read(), file
        assert await first_bytes(client, address, Origin=base) == b"hello"
        for rest in ("static/", "static", "page.html", "static/../page.html", "static/%2e%2e/server.py", "download/x"):
            assert await refused(client, f"{address}{rest}"), rest
        assert await refused(client, address, method="POST")


async def test_a_foreign_host_or_origin_gets_nothing_even_with_the_token() -> None:
    async with served() as (address, client):
        base = address.rstrip("/").rpartition("/")[0]
        port = base.rpartition(":")[2]
        for host in (
            "rebound.example",
            f"rebound.example:{port}",
            f"localhost:{port}",
            "127.0.0.1",
            f"127.0.0.1:1{port}",
        ):
            assert await refused(client, address, Host=host), host
            assert await first_bytes(client, address, Host=host, Origin=f"http://{host}") is None, host
        for origin in ("http://evil.example", "null", f"https://127.0.0.1:{port}", base + ".evil.example", ""):
            assert await refused(client, address, Origin=origin), origin
            assert await first_bytes(client, address, Origin=origin) is None, origin
        assert await first_bytes(client, address) is None, "no web browser leaves the origin away"


async def test_a_taken_port_is_said(carrel: Call) -> None:
    async with served() as (address, _):
        port = address.split(":")[2].partition("/")[0]
        ended = await asyncio.to_thread(carrel, "serve", "--port", port)
    assert ended.code == 1 and f"Port {port} cannot be listened on" in ended.err


def test_without_the_extra_the_very_command_is_said(carrel: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "textual_serve" else real(name))
    ended = carrel("serve")
    assert ended.code == 1
    assert f"Run: {command_for('web')}" in ended.err
    assert '"textual-serve==1.1.3"' in (Path(__file__).parents[3] / "pyproject.toml").read_text()


@asynccontextmanager
async def carrel_serving(home: Path, library: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Run `carrel serve` as a person does; its process and the address that it prints."""
    environment = {**os.environ, "CARREL_HOME": str(home), "CARREL_LIBRARY": str(library)}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *own_process("app.cli"), "serve", "--json", env=environment, stdout=pipe, stderr=pipe
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE):
            printed = await process.stdout.readuntil(b"}\n")
        yield process, json.loads(printed)["address"]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_the_command_serves_until_it_is_told_to_stop_and_logs_no_token(tmp_path: Path) -> None:
    import aiohttp

    async with carrel_serving(tmp_path / "home", tmp_path / "library") as (process, address):
        async with aiohttp.ClientSession() as client:
            async with client.get(address) as answer:
                assert answer.status == 200
            assert await refused(client, f"{address}nothing")
        process.send_signal(signal.SIGTERM)
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert (process.returncode, out) == (0, b"")
    token = address.rstrip("/").rpartition("/")[2]
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not [text for text in [err, *written] if token.encode() in text]


@pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")
async def test_a_web_browser_opens_searches_and_explains(tmp_path: Path, unfitted: None) -> None:
    import chromium

    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "bread.md").write_text("# Bread\n\nFeed the starter with flour and water twice a day.\n")
    path = tmp_path / "library"
    with Library.open(path, create=True) as made:
        made.add(tmp_path / "notes")
        made.sync(meaning=False)
    async with (
        carrel_serving(tmp_path / "home", path) as (_, address),
        chromium.opened(CHROMIUM, address, tmp_path / "chromium") as page,
    ):
        await page.until(lambda screen: "Changed last" in screen)
        for letter in "starter":
            await page.press(letter)
        await page.until(lambda screen: "1 strong" in screen)
        await page.press("Tab", "Tab")  # the key and its code
        await page.until(lambda screen: " e explain" in screen)
        await page.press("e")
        await page.until(lambda screen: "Why is this first?" in screen and "What if" in screen)
        host = address.split("/")[2]
        assert {asked.split("/")[2] for asked in page.asked if asked.startswith("http")} == {host}
