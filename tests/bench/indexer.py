"""The indexer in a process of its own, as the browser starts it, and waiting for what it does."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from own_home import environment_of

from app.tui.indexer_process import worker_command
from engine.records import SearchSettings

WORDS = SearchSettings(fusion="keyword")
LOOK_SECONDS = 0.02
GIVE_UP_SECONDS = 60.0


def start(base: Path, command: Callable[[Path, Path], list[str]] = worker_command) -> subprocess.Popen[bytes]:
    """Start the indexer on `library.carrel` in `base`, with `home` beside it; it ends when its standard input does."""
    return subprocess.Popen(
        command(base / "library.carrel", base / "events.jsonl"),
        cwd=base,
        env=environment_of(base / "home"),
        stdin=subprocess.PIPE,
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """End its standard input and wait until it has left."""
    process.stdin.close()  # type: ignore[union-attr]
    process.wait(30)


def syncs(base: Path) -> list[dict[str, Any]]:
    """Return what it told of each sync that has ended."""
    path = base / "events.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [told for told in map(json.loads, lines) if told["type"] == "sync_finished"]


def wait(condition: Callable[[], bool], what: str, seconds: float = GIVE_UP_SECONDS) -> None:
    """Wait until a condition holds. Raises TimeoutError with `what`."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(what)
        time.sleep(LOOK_SECONDS)
