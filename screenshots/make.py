"""Makes the pictures of every screen from a real run of the browser on the demo vault, with the real engine.

    python screenshots/make.py                  # all pictures
    python screenshots/make.py search library   # only these
    python screenshots/make.py --svg            # without PNG

The vault is copied to `~/demo` of a home that lasts as long as the run, so no path of this machine is in a picture. A
picture is saved as SVG; where a chromium is installed, it is drawn as PNG as well.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from drawing import browser, draw, wide_signs_apart  # noqa: E402
from model_beside import let_run_beside  # noqa: E402
from recorded_run import recorded_run  # noqa: E402

from app.demo import copy_vault  # noqa: E402
from app.tui.app import CarrelApp  # noqa: E402
from app.tui.indexer_state import IndexerState  # noqa: E402
from app.tui.ports import Opened, Pace  # noqa: E402
from app.tui.query_history import History  # noqa: E402
from app.tui.terminal_session import real_ports  # noqa: E402
from engine.library import Cancellation, Library  # noqa: E402
from engine.paths import places  # noqa: E402

WIDE, SMALL, LARGE = (120, 34), (80, 24), (160, 48)
FLAT = "why is my bread flat"
ALIVE = "how do I keep a starter alive"


@dataclass(frozen=True)
class Scene:
    """A picture: what stands in the query line, which keys are pressed then, and how the terminal is.

    A key of more than one letter is a key's name; `text:…` is typed letter by letter.
    """

    name: str
    query: str = ""
    keys: tuple[str, ...] = ()
    size: tuple[int, int] = WIDE
    theme: str = "carrel-dark"
    color: bool = True
    empty: bool = False  # a library in which nothing is watched yet
    beside: bool = False  # a model runs beside the one in use
    run: int | None = 0  # events of the recorded retraining that are there; 0: no run, None: all


SCENES = (
    Scene("search", ALIVE),
    Scene("search-meaning", FLAT),
    Scene("search-small", ALIVE, size=SMALL),
    Scene("search-large", "starter", size=LARGE),
    Scene("search-light", ALIVE, theme="carrel-light"),
    Scene("search-contrast", "bass", theme="carrel-contrast"),
    Scene("search-no-color", ALIVE, color=False),
    Scene("search-filters", "howto tag:garden water"),
    Scene("search-nothing", "pension tax return"),
    Scene("beginning"),
    Scene("first-run", empty=True),
    Scene("explain", FLAT, ("ctrl+t",)),
    Scene("explain-words", "starter", ("ctrl+t",), theme="carrel-light"),
    Scene("explain-small", FLAT, ("ctrl+t",), size=SMALL),
    Scene("nearest-words", "rail travel in Japan"),
    Scene("nearest-words-no-color", "rail travel in Japan", color=False),
    Scene("what-if", FLAT, ("ctrl+t", "f12", *("right",) * 3)),
    Scene("why-not", "starter path:gear", ("ctrl+n", "text:kitchen/sour", "enter")),
    Scene("why-not-collapsed", ALIVE, ("ctrl+n", "text:for mira", "enter"), theme="carrel-light"),
    Scene("why-not-small", "starter path:gear", ("ctrl+n", "text:kitchen/sour", "enter"), size=SMALL),
    Scene("compare", "starter", ("down", "f7")),
    Scene("compare-small", "starter", ("down", "f7"), size=SMALL),
    Scene("more-like-this", "plums", ("ctrl+l",)),
    Scene("reader", ALIVE, ("ctrl+o",)),
    Scene("reader-outline", "wifi in the back bedroom", ("ctrl+o", "o"), theme="carrel-light"),
    Scene("reader-small", ALIVE, ("ctrl+o",), size=SMALL),
    Scene("reader-pdf", "hosepipe in a drought", ("ctrl+o",)),
    Scene("library", keys=("f3",)),
    Scene("library-small", keys=("f3",), size=SMALL),
    Scene("library-light", keys=("f3", "down", "right"), theme="carrel-light"),
    Scene("training-plan", keys=("f9",), theme="carrel-light"),
    Scene("training-mining", keys=("f9",), run=60),
    Scene("training", keys=("f9",), run=91),
    Scene("training-small", keys=("f9",), run=91, size=SMALL),
    Scene("training-verdict", keys=("f9", "tab", "tab", "enter"), run=None),
    Scene("training-history", keys=("f9", "tab", "tab"), run=None, size=LARGE),
    Scene("filters", "water", ("ctrl+f",)),
    Scene("palette", FLAT, ("ctrl+p",)),
    Scene("beside", keys=("f9", "shift+tab"), beside=True),
    Scene("beside-small", keys=("f9", "shift+tab"), size=SMALL, beside=True),
    Scene("beside-large", keys=("f9", "shift+tab"), size=(200, 60), beside=True),
    Scene("beside-light", keys=("f9", "shift+tab"), theme="carrel-light", beside=True),
    Scene("beside-no-color", keys=("f9", "shift+tab"), color=False, beside=True),
    Scene("review", keys=("f9", "shift+tab", "r"), beside=True),
    Scene("review-small", keys=("f9", "shift+tab", "r"), size=SMALL, beside=True),
    Scene("saved", FLAT, ("f6",)),
    Scene("settings", keys=("f5",)),
    Scene("settings-small", keys=("f5",), size=SMALL),
    Scene("help", keys=("f1",)),
    Scene("help-small", keys=("f1",), size=SMALL),
)


class NoIndexer:
    """Stands where the indexer would: the library is complete already."""

    def start(self, report: Callable[[IndexerState], None]) -> None:
        """Say that all is up to date."""
        report(IndexerState("watching"))

    def leave(self) -> None:
        """Have nothing to stop."""


def main() -> None:
    """Index the vault and take every picture that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *(scene.name for scene in SCENES)])
    parser.add_argument("--svg", action="store_true", help="draw no PNG")
    options = parser.parse_args()
    scenes = [scene for scene in SCENES if not options.names or scene.name in options.names]
    with tempfile.TemporaryDirectory(prefix="carrel-pictures-") as home, a_home(home):
        copy_vault(Path("~/demo").expanduser())
        with Library.open(create=True) as library, Library.open(Path("~/none.carrel"), create=True) as none:
            library.add(Path("~/demo"))
            print(f"indexed {library.sync().added} notes")
            library.warm()
            asyncio.run(take([scene for scene in scenes if not scene.beside], library, none))
            if any(scene.beside for scene in scenes):
                let_run_beside(library)
                asyncio.run(take([scene for scene in scenes if scene.beside], library, none))
    draw_all(scenes, svg_only=options.svg)


@contextmanager
def a_home(home: str) -> Any:
    """Be at home in a folder for as long as it lasts."""
    before = dict(os.environ)
    os.environ.update(HOME=home, CARREL_HOME=f"{home}/.local/share/carrel")
    for name in ("CARREL_LIBRARY", "NO_COLOR", "TEXTUAL_THEME", "VISUAL", "EDITOR"):
        os.environ.pop(name, None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


async def take(scenes: Sequence[Scene], library: Library, none: Library) -> None:
    """Take the pictures one after another, each in a browser of its own."""
    for scene in scenes:
        svg = await picture(scene, none if scene.empty else library)
        path = HERE / f"{scene.name}.svg"
        path.write_text(svg, encoding="utf-8")
        print(f"saved {path.name}")


async def picture(scene: Scene, library: Library) -> str:
    """Drive the real browser without a terminal and return what it shows, as SVG."""
    os.environ.pop("NO_COLOR", None)
    if not scene.color:
        os.environ["NO_COLOR"] = "1"
    ports = replace(
        real_ports(library.path, (), places(), NoIndexer),
        open_library=lambda: Opened(library, Cancellation),
        history=History(None),
        pace=Pace(quiet=0.0, settle=0.0, poll=3600.0, blink=False),
    )
    app = CarrelApp(ports)
    app.theme = scene.theme
    there = recorded_run(library.path, scene.run) if scene.run != 0 else nullcontext()
    with there:
        return await shot(app, scene)


async def shot(app: CarrelApp, scene: Scene) -> str:
    """Press what a picture needs, and return what the browser shows then, as SVG."""
    async with app.run_test(size=scene.size) as pilot:
        await settle(pilot)
        if scene.query:
            app.screen.query_one("#query").value = scene.query  # type: ignore[attr-defined]
            await settle(pilot)
        for key in scene.keys:
            await pilot.press(*(key[5:] if key.startswith("text:") else (key,)))
            await settle(pilot)
        await pilot.pause(0.3)  # a run is followed in a thread
        return wide_signs_apart(app.export_screenshot(title="Carrel"))


async def settle(pilot: Any) -> None:
    """Wait until no worker is left, twice in a row, and what they posted is shown."""
    for _ in range(2):
        await pilot.pause(0.05)
        while not all(worker.is_finished for worker in pilot.app.workers):
            await pilot.pause(0.02)
    await pilot.pause()


def draw_all(scenes: Sequence[Scene], *, svg_only: bool) -> None:
    """Draw the saved pictures as PNG, where that is wanted and can be done."""
    if svg_only:
        return
    program = browser()
    if program is None:
        print("No PNG was drawn: there is no chromium here.")
        print("On Debian: apt install chromium fonts-firacode fonts-noto-cjk.")
        return
    for scene in scenes:
        draw(program, HERE / f"{scene.name}.svg")
    print(f"drawn {len(scenes)} PNG with {program}")


if __name__ == "__main__":
    main()
