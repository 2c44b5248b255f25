"""The models as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from app.json_shapes import follower_shape
from app.model_catalogue import Model
from app.wording.cells import table
from app.wording.model_facts import follower_coverage, late_coverage
from app.wording.times import estimate
from engine.records import LateStatus, ModelCoverage


def shape(all_models: Sequence[Model], active: str, followers: Sequence[ModelCoverage] = ()) -> dict[str, Any]:
    """Return the models as JSON, and how far those are that follow the one in use."""
    listed = [asdict(model) for model in all_models]
    return {"active": active, "models": listed, "followers": [follower_shape(each) for each in followers]}


def lines(
    all_models: Sequence[Model], followers: Sequence[ModelCoverage] = (), late: LateStatus | None = None
) -> Iterator[str]:
    """Yield the models as a table with headings; `●` and the word `active` mark the one in use.

    Of those that follow it, and of the one for late interaction, the state says how many of their vectors are there.
    How long each would take stands last where it is known.
    """
    states = {model.name: "active" if model.active else model.state for model in all_models}
    states |= {each.name: follower_coverage(each) for each in followers}
    if late is not None and late.name in states:
        states[late.name] += f", {late_coverage(late)}"
    timed = any(model.seconds is not None for model in all_models)
    rows = [("", "model", "state", "dimensions", "MB", "tokens", "languages", "licence", *(["here"] if timed else []))]
    rows += [
        (
            "●" if model.active else "",
            model.name,
            states[model.name],
            str(model.dimension),
            str(model.megabytes),
            str(model.window),
            model.language,
            model.license,
            *([estimate(model.seconds)] if model.seconds is not None else []),
        )
        for model in all_models
    ]
    yield from table(rows, right=(3, 4, 5, 8) if timed else (3, 4, 5))


def footnotes(all_models: Sequence[Model]) -> Iterator[str]:
    """Yield what is to be said below the table: what some were not made for, and what the times are."""
    remarks = dict.fromkeys(model.remark for model in all_models if model.remark)
    for remark in remarks:
        named = ", ".join(model.name for model in all_models if model.remark == remark)
        yield f"{remark[0].upper()}{remark[1:]}: {named}."
    if any(model.seconds is not None for model in all_models):
        yield "here: an estimate of how long embedding this library would take, on this machine as busy as it is now."
