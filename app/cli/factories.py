"""The one place where the command line reaches the engine and the browser, so that a test can put others there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from engine.events import Event
    from engine.library import Library
    from engine.maintenance import Maintenance


def interactive() -> bool:
    """Return whether a person sits at both ends: stdin and stdout are terminals."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stdout and sys.stdout.isatty())


def open_library(path: Path | None, *, create: bool = False) -> Library:
    """Open the library at `path`, else `CARREL_LIBRARY`, else the default one. Raises LibraryError."""
    from engine.library import Library  # brings apsw and numpy, which `--help` does without

    return Library.open(path, create=create)


def open_care(path: Path | None) -> Maintenance:
    """Return what cares for the library at `path`, else `CARREL_LIBRARY`, else the default one; opens nothing yet."""
    from engine.maintenance import Maintenance

    return Maintenance(path)


def open_browser(library: Path | None, folders: list[Path]) -> int:
    """Run the browser until the person leaves it and return its exit code."""
    import gc
    import os

    os.environ.setdefault("TEXTUAL_FPS", "120")  # at 60 a row waits up to 17 ms for its turn to be painted
    gc.disable()  # what is imported stays: looking through it again and again takes 10 ms before the first paint
    from app.tui.terminal_session import run_browser  # brings Textual, 0.1 s

    gc.freeze()
    gc.enable()
    return run_browser(library, folders)


def run_indexer(library: Path, on_event: Callable[[Event], None], stop: threading.Event) -> None:
    """Keep the library up to date in this process until `stop` is set; where another one does, follow that."""
    from engine.indexer.worker import run_foreground

    run_foreground(library, on_event, stop)
