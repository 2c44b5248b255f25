"""Late interaction from the list of models: switched on once its bytes were told, off, and its vectors removed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.model_catalogue import Model
from app.tui.background import in_background
from app.tui.browser import CarrelScreen, tell
from app.tui.screens.chooser import Choice, ChoiceScreen
from app.tui.threads import in_thread
from engine.figures import counted, size
from engine.records import LateStatus

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

ON, OFF, REMOVE = "late", "late off", "late remove"
FACTORS = (1, 2, 4, 6)  # words that share a vector
USUAL = 4
ORDER = "late"  # to the indexer
LATE_GROUP = "late"


def ways(model: Model, late: LateStatus | None) -> list[Choice[str]]:
    """Return what late interaction can do with a model that is here."""
    own = late if late is not None and late.name.lower() == model.name.lower() else None
    on = own is not None and own.state == "on"
    found = [Choice(OFF, "Rank without it", "its vectors stay")] if on else []
    instead = "" if late is None or own is not None else f"instead of {late.name.rpartition('/')[2]}"
    found += [] if on else [Choice(ON, "Rank the best hundred again", instead or "word by word")]
    found += [] if own is None else [Choice(REMOVE, "Remove its token vectors", size(own.bytes))]
    return found


def carry_out(screen: CarrelScreen, library: LibraryPort, model: Model, way: str) -> None:
    """Do what was chosen of `ways`."""
    if way == ON:
        in_background(screen, partial(_ask, screen, library, model), group=LATE_GROUP, exclusive=True)
    else:
        off = way == OFF
        said = "Late interaction is off." if off else "Late interaction is off, and its vectors go."
        in_background(screen, partial(_send, screen, library, "off" if off else "remove", said), group=LATE_GROUP)


async def _ask(screen: CarrelScreen, library: LibraryPort, model: Model) -> None:
    """Tell what the vectors would take by how many are kept, and have them made."""
    told = await in_thread(lambda: {each: library.late_estimate(model.name, each) for each in FACTORS})
    choices = [
        Choice(each, f"one vector for {counted(each, 'word')}", f"{counted(passages, 'passage')}, some {size(octets)}")
        for each, (passages, octets) in told.items()
    ]

    def picked(factor: int | None) -> None:
        if factor is not None:
            in_background(screen, partial(_switch_on, screen, library, model, factor), group=LATE_GROUP)

    title = "What the library file holds of each word"
    screen.carrel.push_screen(ChoiceScreen(title, choices, at=FACTORS.index(USUAL)), picked)


async def _switch_on(screen: CarrelScreen, library: LibraryPort, model: Model, factor: int) -> None:
    method = await in_thread(partial(_pooling, model.name))
    said = f"{model.name} makes token vectors when nothing else is due. What they count is the setting `late`."
    await _send(screen, library, f"on {factor} {method} {model.name}", said)


async def _send(screen: CarrelScreen, library: LibraryPort, order: str, said: str) -> None:
    await in_thread(partial(library.file_request, ORDER, order))
    screen.carrel.wake_indexer()
    tell(screen, said)


def _pooling(name: str) -> str:
    """Return how a model's token vectors are pooled."""
    from engine.embedding import catalogue
    from engine.embedding.manifest import Manifest

    return Manifest.read(catalogue.folder_of(name)).late_pooling
