"""Keeps the fusion constants that were fitted to a library, and those before them; each change is one small write.

They hold for one model: its cosines are what they were fitted to. While another is active, the defaults serve.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from engine.records import DEFAULT_CONSTANTS, FittedConstants, FusionConstants
from engine.store import meta, models
from engine.store.transactions import transaction

if TYPE_CHECKING:
    import apsw

KEY = "fitted_constants"  # the name in `meta`
BOUNDS: Mapping[str, tuple[float, float]] = {
    "meaning": (0.0, 1.0),
    "around": (0.0, 1.0),
    "keep": (0.0, 1.0),
    "sharpness": (0.0, 1000.0),  # of a softmax over scores below 3: above it the first passage has all of it
    "rare": (0.0, 100.0),
    "collapse": (0.0, 1.0),
}
MOST_FORMER = 20  # promotions that can be taken back one by one
LONGEST_NAME = 200  # characters of a run's or a model's name


def kept(conn: apsw.Connection) -> FittedConstants | None:
    """Return the constants that were taken into use last, for whatever model; None where those are the defaults.

    A value that cannot be what was written counts as none: searching goes on by the defaults.
    """
    written = meta.get(conn, KEY)
    if not isinstance(written, str):
        return None
    try:
        return from_json(json.loads(written))
    except (ValueError, RecursionError):
        return None


def in_use(conn: apsw.Connection) -> FusionConstants:
    """Return the constants that searches go by now."""
    fitted = kept(conn)
    return fitted.constants if fitted is not None and holds_here(conn, fitted) else DEFAULT_CONSTANTS


def holds_here(conn: apsw.Connection, fitted: FittedConstants) -> bool:
    """Whether constants were fitted to the model that the library is searched with now."""
    active = models.active(conn)
    return active is not None and active.name == fitted.model


def take_into_use(conn: apsw.Connection, run: str, model: str, at: float, constants: FusionConstants) -> None:
    """Let searches with a model go by constants; those in use until now can come back."""
    with transaction(conn):
        former = kept(conn)
        _put(conn, FittedConstants(run, model, at, constants, former))


def go_back(conn: apsw.Connection) -> FittedConstants | None:
    """Let searches go by the constants from before the last ones, and return those; None for the defaults."""
    with transaction(conn):
        fitted = kept(conn)
        former = fitted.former if fitted is not None else None
        _put(conn, former)
    return former


def put(conn: apsw.Connection, fitted: FittedConstants) -> None:
    """Keep constants with all that were before them, as an export has them."""
    with transaction(conn):
        _put(conn, fitted)


def to_json(fitted: FittedConstants) -> dict[str, Any]:
    """Return constants as JSON takes them, with those before them from the last to the first."""
    chain = [fitted]
    while chain[-1].former is not None and len(chain) <= MOST_FORMER:
        chain.append(chain[-1].former)
    written = [
        {"run": each.run, "model": each.model, "at": each.at, "constants": asdict(each.constants)} for each in chain
    ]
    return {**written[0], "former": written[1:]}


def from_json(written: Any) -> FittedConstants:
    """Read what `to_json` gave. Raises ValueError where anything is not as it must be."""
    if not isinstance(written, dict) or not isinstance(written.get("former", []), list):
        raise ValueError("it is no record of constants")
    former: FittedConstants | None = None
    for each in reversed(written.get("former", [])[:MOST_FORMER]):
        former = _one(each, former)
    return _one(written, former)


def constants_from(written: Any) -> FusionConstants:
    """Read constants from a mapping of numbers. Raises ValueError where one is missing, none, or out of its bounds."""
    if not isinstance(written, dict):
        raise ValueError("the constants are no object")
    values = {each.name: _number(written.get(each.name), *BOUNDS[each.name]) for each in fields(FusionConstants)}
    return FusionConstants(**values)


def _one(written: Any, former: FittedConstants | None) -> FittedConstants:
    if not isinstance(written, dict):
        raise ValueError("it is no record of constants")
    at = _number(written.get("at"), 0.0, math.inf)
    constants = constants_from(written.get("constants"))
    return FittedConstants(_name(written.get("run")), _name(written.get("model")), at, constants, former)


def _number(value: Any, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise ValueError(f"{value!r:.40} is no number from {least:g} to {most:g}")
    if not math.isfinite(value):
        raise ValueError("a number is not finite")
    return float(value)


def _name(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        raise ValueError("a name is no text")
    return value


def _put(conn: apsw.Connection, fitted: FittedConstants | None) -> None:
    if fitted is None:
        conn.execute("DELETE FROM meta WHERE key = ?", (KEY,))
    else:
        conn.execute("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)", (KEY, json.dumps(to_json(fitted))))
