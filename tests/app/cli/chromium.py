"""A headless Chromium that a test steers by its DevTools protocol: opens a page, presses keys, hears its socket."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from terminal import Screen

PATIENCE = 120.0  # seconds until a test gives up; none waits for it when all is well
SWITCHES = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--window-size=1200,800")
LARGE = (240, 90)  # columns and rows that hold every screen drawn here
BINARY = 2  # the kind of frame that holds what a browser draws


class Page:
    """One page. `screen` is what came over its socket, as a terminal shows it; `asked` the addresses that it loaded."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count()
        self.screen = Screen(*LARGE)
        self._news = asyncio.Condition()
        self.asked: list[str] = []

    async def listen(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told.get("result"))
            elif told["method"] == "Network.requestWillBeSent":
                self.asked.append(told["params"]["request"]["url"])
            elif told["method"] == "Network.webSocketFrameReceived":
                frame = told["params"]["response"]
                if frame["opcode"] == BINARY:
                    self.screen.feed(base64.b64decode(frame["payloadData"]))
            async with self._news:
                self._news.notify_all()

    async def call(self, method: str, **params: object) -> Any:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        return await answer

    async def press(self, key: str, code: str = "") -> None:
        key_of = {
            "key": key,
            "code": code or f"Key{key.upper()}",
            "windowsVirtualKeyCode": 9 if code else ord(key) - 32,
        }
        await self.call("Input.dispatchKeyEvent", type="keyDown", text="" if code else key, **key_of)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **key_of)

    async def until(self, seen: Callable[[str], bool]) -> None:
        """Wait until what stands on the screen fits."""
        try:
            async with asyncio.timeout(PATIENCE), self._news:
                await self._news.wait_for(lambda: seen(self.screen.text))
        except TimeoutError:
            raise AssertionError(self.screen.text) from None


@asynccontextmanager
async def opened(program: str, address: str, profile: Path) -> AsyncIterator[Page]:
    """Open a page in a Chromium of its own, and end that."""
    process = await asyncio.create_subprocess_exec(
        program, *SWITCHES, f"--user-data-dir={profile}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        async with aiohttp.ClientSession() as session:
            async with asyncio.timeout(PATIENCE):
                while not (found := re.search(rb"DevTools listening on ws://([^/]+)", await process.stderr.readline())):
                    pass
            async with session.get(f"http://{found[1].decode()}/json") as answer:
                targets = await answer.json(content_type=None)
            target = next(each for each in targets if each["type"] == "page")
            async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket)
                listening = asyncio.create_task(page.listen())
                await page.call("Network.enable")
                await page.call("Emulation.setFocusEmulationEnabled", enabled=True)
                await page.call("Page.navigate", url=address)
                yield page
                await page.call("Browser.close")
                listening.cancel()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
