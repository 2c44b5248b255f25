"""How a model is told of: in a few words beside its name, in one sentence, and what taking it into use means."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from app.wording.times import estimate
from engine.figures import MEGABYTE, percent, size

if TYPE_CHECKING:
    from app.model_catalogue import Model
    from engine.records import LateStatus, ModelCoverage, Status


def short_name(model: Model) -> str:
    """Return a model's name without its maker's."""
    return model.name.rpartition("/")[2]


def follower_coverage(model: ModelCoverage) -> str:
    """Return the state of a model that follows the one in use: beside, 43 %."""
    state = "beside" if model.state == "shadow" else model.state
    return state if model.shared else f"{state}, {percent(model.share)}"


def late_coverage(late: LateStatus) -> str:
    """Return how far the token vectors of a library are: late, 43 %; one that is off says so."""
    share = percent(late.have / late.passages if late.passages else 1.0)
    return f"late, {share}" if late.state == "on" else f"late off, {share}"


def coverages(status: Status, late: LateStatus | None) -> dict[str, str]:
    """Return by name what models do in a library and how far their vectors of it are, for those that have some."""
    found = {each.name: follower_coverage(each) for each in status.followers}
    if status.model:
        there = 1 - status.pending / status.texts if status.texts else 1.0
        found[status.model] = "active" if there >= 1 else f"active, {percent(there)}"
    if late is not None:
        found[late.name] = " · ".join(filter(None, (found.get(late.name), late_coverage(late))))
    return found


def in_a_list(model: Model, coverage: str = "") -> str:
    """Return what stands at the right of a model's name: active, en, ~4 min; or 67 MB, en, ~16 min.

    `coverage` stands for a model with vectors in the library.
    """
    state = "active" if model.active else "here" if model.state != "offered" else size(model.megabytes * MEGABYTE)
    words = [coverage or state, model.language]
    if model.kind == "late":
        words += [] if coverage else ["late only"]
    elif model.seconds is not None:
        words += [f"~{estimate(model.seconds)}"]
    return " · ".join(words)


def facts(model: Model) -> str:
    """Return a model in one sentence: languages, size, window, licence, what it was made for, how long it takes."""
    words = [f"languages {model.language}", size(model.megabytes * MEGABYTE), f"{model.window} tokens at most"]
    words += [f"licence {model.license}", *([model.remark] if model.remark else [])]
    words += [f"about {estimate(model.seconds)} for this library"] if model.seconds is not None else []
    return f"{model.name}: {', '.join(words)}."


def what_fetching_means(model: Model) -> str:
    """Return what happens where a model that is not here is fetched."""
    return f"{facts(model)} It comes from the hub, once; what it is for is asked then. Or: `{fetching_command(model)}`."


def fetching_command(model: Model) -> str:
    """Return the command that fetches a model and takes it into use."""
    command = "late on" if model.kind == "late" else "models use"
    return f"carrel {command} {shlex.quote(model.name)}"


def what_use_means(model: Model) -> str:
    """Return what happens where a model is taken into use."""
    return (
        f"{facts(model)} Every passage is embedded anew; the time is an estimate, on this machine as busy as it is now."
        " Meanwhile all is found by words at least. Going back is the same, the other way."
    )
