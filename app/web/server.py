"""Serves the browser to web browsers of this machine: a page, its static files, and a socket to a process of its own.

A name of the loopback is no protection: every page of the web may speak to it. So each address begins with a token that
only this start of the server knows, the host must be the one that was told (a foreign name that leads here is one of
DNS rebinding), and an origin must be this server's own (a page from elsewhere may open sockets across sites). Whatever
fails gets one and the same answer. No request is logged, since its address holds the token.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import signal
from collections.abc import Callable
from pathlib import Path

from aiohttp import web
from textual_serve.server import Server as TextualServer

from engine.errors import CarrelError

HERE = Path(__file__).parent
HOST = "127.0.0.1"
TOKEN_BYTES = 32
CLOSING_SECONDS = 10.0  # for the browsers to end, with their indexers
OWN = {  # headers of every answer
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # a link in a note must not take the token along
    "X-Content-Type-Options": "nosniff",
}
POLICY = (  # the page loads nothing from elsewhere; xterm.js makes its styles as it goes
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:;"
    " connect-src ws://{host}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class BrowserServer:
    """Answers the requests of one start; `command` runs a browser, as a shell takes it."""

    def __init__(self, command: str) -> None:
        self._token = secrets.token_urlsafe(TOKEN_BYTES)
        self._host = ""
        self._textual = TextualServer(command)
        self._static = _static_files(Path(self._textual.statics_path))
        self._sockets: set[asyncio.Task[object]] = set()

    async def start(self, port: int) -> web.AppRunner:
        """Listen on a port of the loopback, a free one where it is 0. Raises CarrelError where it is taken."""
        application = web.Application(handler_args={"access_log": None})
        application.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=CLOSING_SECONDS)
        application.on_shutdown.append(self._end_browsers)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            await runner.cleanup()
            reason = error.strerror or str(error)
            raise CarrelError(f"Port {port} cannot be listened on: {reason}.", fix="Name another one.") from None
        self._host = f"{HOST}:{runner.addresses[0][1]}"
        return runner

    @property
    def address(self) -> str:
        """The address of the page, with its token."""
        return f"http://{self._host}/{self._token}/"

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request that bears the token and comes from the page itself, or from the address line."""
        token, _, rest = request.path[1:].partition("/")
        known = hmac.compare_digest(token.encode(errors="replace"), self._token.encode())
        origins = request.headers.getall("Origin", [])
        allowed = request.headers.getall("Host", []) == [self._host] and set(origins) <= {f"http://{self._host}"}
        if not known or not allowed or request.method != "GET":
            return _nothing()
        if rest == "ws" and origins:  # no web browser leaves the origin of a socket away
            return await self._socket(request)
        if not rest:
            return web.Response(text=self._page(), content_type="text/html", headers=self._headers())
        file = self._static.get(rest)
        return web.FileResponse(file, headers=self._headers()) if file else _nothing()

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._sockets.add(task)
        try:
            answer: web.StreamResponse = await self._textual.handle_websocket(request)
            return answer
        finally:
            self._sockets.discard(task)

    async def _end_browsers(self, _: web.Application) -> None:
        """End the browsers that pages still show, and wait for them."""
        for task in self._sockets:
            task.cancel()
        if self._sockets:
            await asyncio.wait(self._sockets, timeout=CLOSING_SECONDS)

    def _page(self) -> str:
        page = (HERE / "page.html").read_text(encoding="utf-8")
        return page.format(base=f"/{self._token}/", socket=f"ws://{self._host}/{self._token}/ws")

    def _headers(self) -> dict[str, str]:
        return {**OWN, "Content-Security-Policy": POLICY.format(host=self._host)}


def _nothing() -> web.Response:
    """Return the one answer to everything that is not allowed or not there."""
    return web.Response(status=404, text="Nothing is here.\n", headers=OWN)


def _static_files(folder: Path) -> dict[str, Path]:
    """Return the files of the page by their paths in addresses: no other file is ever served."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {"page.js": HERE / "page.js"} | {f"static/{name}": path for name, path in found.items()}


async def serve(command: str, port: int, started: Callable[[str], None]) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP; `started` is told the address. Raises CarrelError."""
    server = BrowserServer(command)
    runner = await server.start(port)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        started(server.address)
        await stop.wait()
    finally:
        await runner.cleanup()
