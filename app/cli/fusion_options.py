"""How meaning and words are joined, as options of `carrel search` and `carrel eval` say it."""

from __future__ import annotations

from typing import get_args

import click

from engine.records import Fusion

FUSIONS: tuple[Fusion, ...] = get_args(Fusion)


def read_weights(_ctx: click.Context, _option: click.Parameter, value: str | None) -> tuple[float, float] | None:
    """Read `V,K`, two weights for meaning and words; only their proportion counts."""
    return None if value is None else two_weights(value)


def two_weights(value: str) -> tuple[float, float]:
    """Read `V,K`. Raises click.BadParameter."""
    try:
        vector, keyword = (float(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter("give two numbers, meaning and words, as in .8,.2") from None
    total = vector + keyword
    if not (vector >= 0 and keyword >= 0 and 0 < total < float("inf")):
        raise click.BadParameter("neither may be negative, and not both 0")
    return vector / total, keyword / total
