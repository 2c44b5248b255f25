"""The model that runs beside the one in use, and how far it is: as lines, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from app.wording.cells import table
from app.wording.safe_text import one_line
from app.wording.times import day
from engine.figures import counted, percent_there, size
from engine.records import ShadowModel, ShadowState

STREAMS = {
    "live": "made in the browser",
    "replay": "replayed from the log",
    "held-out": "held out, of judged questions",
}


def lines(state: ShadowState | None, on: bool) -> Iterator[str]:
    """Yield the state of what runs beside, as aligned lines."""
    switch = "on: finished searches are made with both" if on else "off: nothing is written (`carrel shadow --on`)"
    if state is None:
        yield "No model runs beside the one in use. `carrel shadow MODEL` lets one run."
        yield from table([("live", switch)])
        return
    rows = [
        ("in use", _model(state.active)),
        ("beside", f"{_model(state.shadow)}, since {day(state.since)}"),
        ("role", _role(state)),
        ("vectors", _vectors(state)),
        ("tiers", "fitted for it" if state.tiers_fitted else "not fitted for it yet"),
        ("live", switch),
        *((("compared" if first else ""), said) for first, said in _compared(state)),
    ]
    yield from table(rows)


def shape(state: ShadowState | None, on: bool) -> dict[str, Any]:
    """Return the state as JSON; `shadow` is null where nothing runs beside."""
    if state is None:
        return {"on": on, "shadow": None}
    return {"on": on, "shadow": {**asdict(state), "searches": dict(state.searches)}}


def _model(model: ShadowModel) -> str:
    known = [
        f"{size(model.model_bytes)} of files" if model.model_bytes else "not installed any more",
        f"{size(model.vector_bytes)} of vectors",
        f"{size(model.memory_bytes)} of memory" if model.memory_bytes else "",
    ]
    return f"{one_line(model.name)} ({model.dimension} components, {', '.join(each for each in known if each)})"


def _role(state: ShadowState) -> str:
    if state.former_since is None:
        return "a candidate"
    searches = counted(state.searches_since, "live search", "live searches")
    return f"in use until {day(state.former_since)}; {searches} since"


def _vectors(state: ShadowState) -> str:
    if state.shares_vectors:
        return "those in use: it differs for questions only"
    share = percent_there(state.coverage, 1)
    waiting = f", {state.waiting:,} changed since" if state.waiting else ""
    return f"{state.covered:,} of {state.passages:,} passages ({share}{waiting})"


def _compared(state: ShadowState) -> Iterator[tuple[bool, str]]:
    found = [(name, number) for name, number in state.searches.items() if number]
    if not found:
        yield True, "no search yet (`carrel shadow --replay` sends the log through both)"
    for place, (name, number) in enumerate(found):
        yield place == 0, f"{counted(number, 'search', 'searches')} {STREAMS[name]}"
