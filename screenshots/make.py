"""Makes the pictures of the screen from a real library: indexes a folder, types a query, saves what is seen.

    python screenshots/make.py FOLDER [QUERY]

The folder is copied into a temporary home, indexed there, and all of it is thrown away. Pictures are SVG.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from app.tui.app import CarrelApp  # noqa: E402
from app.tui.indexer_state import IndexerState  # noqa: E402
from app.tui.ports import Opened, Pace, Ports  # noqa: E402
from engine.library import Cancellation, Library  # noqa: E402

SIZE = (120, 34)
QUERY = "how do I undo a commit"
# what is pressed after the query, and how the picture is called
SCENES: tuple[tuple[str, tuple[str, ...]], ...] = (("search", ()), ("explain", ("ctrl+t",)))


class NoIndexer:
    """Stands where the indexer would: the library is complete already."""

    def start(self, report: Any) -> None:
        """Say that all is up to date."""
        report(IndexerState("watching"))

    def leave(self) -> None:
        """Have nothing to stop."""


def main() -> None:
    """Index the folder that is named and take every picture."""
    folder = Path(sys.argv[1]).expanduser()
    query = sys.argv[2] if len(sys.argv) > 2 else QUERY
    with tempfile.TemporaryDirectory(prefix="carrel-pictures-") as home:
        os.environ["CARREL_HOME"] = os.path.join(home, "carrel")
        os.environ["HOME"] = home  # the pictures show ~/notes, wherever the folder lies
        notes = Path(shutil.copytree(folder, Path(home) / "notes", symlinks=True))
        with Library.open(create=True) as library:
            library.add(notes)
            began = time.perf_counter()
            report = library.sync()
            print(f"indexed {report.added} files, {report.embedded} passages in {time.perf_counter() - began:.1f} s")
            library.warm()
            asyncio.run(take_pictures(library, query))


async def take_pictures(library: Library, query: str) -> None:
    """Drive the real browser without a terminal and save what it shows."""
    ports = Ports(
        open_library=lambda: Opened(library, Cancellation),
        indexer=NoIndexer,
        pace=Pace(quiet=0.0, settle=0.0, poll=3600.0, blink=False),
    )
    app = CarrelApp(ports)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        app.screen.query_one("#query").value = query  # type: ignore[attr-defined]
        await settle(pilot)
        for name, keys in SCENES:
            await pilot.press(*keys)
            await settle(pilot)
            save(name, app.export_screenshot(title="Carrel"))


async def settle(pilot: Any) -> None:
    """Wait until no worker is left and what they posted is shown."""
    await pilot.pause()
    while not all(worker.is_finished for worker in pilot.app.workers):
        await pilot.pause(0.02)
    await pilot.pause()


def save(name: str, svg: str) -> None:
    """Write one picture."""
    path = HERE / f"{name}.svg"
    path.write_text(svg, encoding="utf-8")
    print(f"saved {path}")


if __name__ == "__main__":
    main()
