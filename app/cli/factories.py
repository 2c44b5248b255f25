"""The one place where the command line reaches the engine and the browser, so that a test can put others there."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from app.mcp.library_tools import LibraryTools
    from app.tui.row_picker import Picked, PickRequest
    from engine.events import Event
    from engine.library import Library
    from engine.maintenance import Maintenance

CANNOT_DRAW = ("dumb", "unknown")  # terminals that print the sequences which others obey


def interactive() -> bool:
    """Return whether a person sits at all ends, stderr too, which the browser draws on, and the terminal can draw."""
    ends = (sys.stdin, sys.stdout, sys.stderr)
    return os.environ.get("TERM") not in CANNOT_DRAW and all(end is not None and end.isatty() for end in ends)


def open_library(place: Path | str | None, *, create: bool = False) -> Library:
    """Open the library at a path or an address, else `CARREL_LIBRARY`, else the default one. Raises LibraryError."""
    from engine.library import Library  # brings apsw and numpy, which `--help` does without

    library = Library.open(cast("Path | None", place), create=create)
    library.tells_others = True
    return library


def open_care(path: Path | None) -> Maintenance:
    """Return what cares for the library at `path`, else `CARREL_LIBRARY`, else the default one; opens nothing yet."""
    from engine.maintenance import Maintenance

    return Maintenance(path)


def open_browser(library: Path | str | None, folders: list[Path], query: str = "") -> int:
    """Run the browser, on a query where there is one, until the person leaves it and return its exit code."""
    _before_a_screen()
    from app.tui.terminal_session import run_browser  # brings Textual, 0.1 s

    gc.freeze()
    return run_browser(library, folders, query)


def open_picker(library: Path | str | None, request: PickRequest, deliver: Callable[[Picked | None], int]) -> int:
    """Let the person pick rows, hand them to `deliver`, None where the person cancelled, and return its exit code."""
    _before_a_screen()
    from app.tui.terminal_session import run_picker  # brings Textual, 0.1 s

    gc.freeze()
    return run_picker(library, request, deliver)


def _before_a_screen() -> None:
    os.environ.setdefault("TEXTUAL_FPS", "120")  # at 60 a row waits up to 17 ms for its turn to be painted
    gc.disable()  # looking through what is imported and mounted takes 30 ms; on again once the first picture stands


def run_indexer(library: Path, on_event: Callable[[Event], None], stop: threading.Event) -> None:
    """Keep the library up to date in this process until `stop` is set; where another one does, follow that."""
    from engine.indexer.worker import run_foreground

    run_foreground(library, on_event, stop)


def serve_page(library: Path | str, port: int, started: Callable[[str], None]) -> None:
    """Show the browser in web browsers of this machine until a signal ends it; `started` is told the address."""
    import asyncio

    from app.web.browser_process import browser_command
    from app.web.server import serve  # brings aiohttp, .4 s

    asyncio.run(serve(browser_command(library), port, started))


def serve_programs(tools: LibraryTools) -> None:
    """Answer the program at the other end of standard input and output until it leaves."""
    from app.mcp.stdio import serve

    serve(tools)
