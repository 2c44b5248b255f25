"""Sends the questions of the log, and the judged ones, through the model in use and the one beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.config import load
from engine.errors import CarrelError, UsageError
from engine.events import Event, Preparing
from engine.library_shadow import ENOUGH
from engine.retrieval.cancellation import Cancellation, SearchCancelled

if TYPE_CHECKING:
    from engine.library import Library
    from engine.records import SearchSettings, ShadowStream

TOLD_EVERY = 25  # questions: a second or two


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many questions went through both now, how many had before, and how many are left since it was stopped.

    `unasked` ask for no words, or in a writing that a model does not read.
    """

    replayed: int = 0
    held_out: int = 0
    before: int = 0
    unasked: int = 0
    left: int = 0


def replay(library: Library, on_event: Callable[[Event], None], stop: threading.Event) -> Replayed:
    """Send each question once, newest first; what went through before is passed over, so that a stop costs nothing.

    Judged questions are held out: they are asked without what was marked for them. Raises UsageError where nothing runs
    beside, or its vectors are not there yet.
    """
    state = library.shadow_state()
    if state is None:
        raise UsageError("No model runs beside the one in use.", fix="`carrel shadow MODEL` lets one run.")
    settings = load().search_settings()
    done = {stream: {each.query for each in library.shadow_searches(stream=stream)} for stream in _STREAMS}
    asked: list[tuple[str, ShadowStream, SearchSettings]] = [
        *((query, "held-out", replace(settings, memory=False)) for query in library.answers()),
        *((query, "replay", settings) for query in dict.fromkeys(each.query for each in library.search_log())),
    ]
    wanted = [each for each in asked if each[0] not in done[each[1]]]
    counts = {"replay": 0, "held-out": 0}
    tried = unasked = 0
    for query, stream, how in wanted:
        if stop.is_set():
            break
        if tried % TOLD_EVERY == 0:
            on_event(Preparing(what=f"asking both models: {tried:,} of {len(wanted):,} questions"))
        scored = _scored(library, query, stream, how)
        tried += 1
        counts[stream] += scored
        unasked += not scored
    if wanted and unasked == len(wanted):
        _refuse_incomplete(library)
    return Replayed(counts["replay"], counts["held-out"], len(asked) - len(wanted), unasked, len(wanted) - tried)


_STREAMS: tuple[ShadowStream, ...] = ("replay", "held-out")


def _scored(library: Library, query: str, stream: ShadowStream, settings: SearchSettings) -> bool:
    try:
        return library.shadow_score(query, stream, settings=settings, cancel=Cancellation()) is not None
    except SearchCancelled:
        return False


def _refuse_incomplete(library: Library) -> None:
    """Raise CarrelError where nothing could be asked since vectors are missing."""
    state = library.shadow_state()
    if state is not None and state.coverage < ENOUGH:
        raise CarrelError(
            f"{state.shadow.name} has {state.covered:,} of {state.passages:,} vectors, and 99 % are needed.",
            fix="An indexer makes them: `carrel sync`, or a browser that is open. `carrel shadow` says how far it is.",
        )
