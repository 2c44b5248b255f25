"""How a model is told of: in a few words beside its name, in one sentence, and what taking it into use means."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from app.wording.times import estimate

if TYPE_CHECKING:
    from app.model_catalogue import Model

LONGEST_NAME = 36  # cells that a name takes beside the words of `in_a_list` on the narrowest screen


def short_name(model: Model) -> str:
    """Return a model's name, without its maker's where it is long."""
    return model.name if len(model.name) <= LONGEST_NAME else model.name.rpartition("/")[2]


def in_a_list(model: Model) -> str:
    """Return what stands at the right of a model's name: active, en, ~4 min; or 67 MB, en, ~16 min."""
    state = "active" if model.active else "here" if model.state != "offered" else f"{model.megabytes:,} MB"
    words = [state, model.language]
    words += [f"~{estimate(model.seconds)}"] if model.seconds is not None else []
    return " · ".join(words)


def facts(model: Model) -> str:
    """Return a model in one sentence: languages, size, window, licence, what it was made for, how long it takes."""
    words = [f"languages {model.language}", f"{model.megabytes:,} MB", f"{model.window} tokens at most"]
    words += [f"licence {model.license}", *([model.remark] if model.remark else [])]
    words += [f"about {estimate(model.seconds)} for this library"] if model.seconds is not None else []
    return f"{model.name}: {', '.join(words)}."


def how_to_fetch(model: Model) -> str:
    """Return how a model that is not here comes here."""
    return f"{facts(model)} `{fetching_command(model)}` fetches it and takes it into use."


def fetching_command(model: Model) -> str:
    """Return the command that fetches a model and takes it into use."""
    return f"carrel models use {shlex.quote(model.name)}"


def what_use_means(model: Model) -> str:
    """Return what happens where a model is taken into use."""
    return (
        f"{facts(model)} Every passage is embedded anew; the time is an estimate, on this machine as busy as it is now."
        " Meanwhile all is found by words at least. Going back is the same, the other way."
    )
