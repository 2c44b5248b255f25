"""Which values each setting can have: taken as the settings file says them, or refused in words."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from engine.paths import is_team_address

MOST_WEIGHT = 1000.0  # the shares of two weights count, so a larger one says no more
MOST_CUTOFF = 1000.0  # times the least distance: every passage lies nearer
LEAST_SHARE, MOST_SHARE = 0.2, 0.8  # of the screen for the preview: narrower, neither it nor the rows can be read
DENSITIES = ("", "full", "two", "one")
_LANGUAGES = re.compile(r"(?:[A-Za-z][\w/-]*+(?:\+[A-Za-z][\w/-]*+)*+)?")  # as Tesseract takes them: eng+deu


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise TypeError("It must be a text in quotes, on one line")
    return value


def _editor(value: Any) -> str:
    wanted = 'It must be a command in quotes, such as "nano" or "code --goto {path}:{line}"'
    try:
        words = shlex.split(_text(value))
    except (TypeError, ValueError) as error:  # a quote in it that is not closed
        raise ValueError(wanted) from error
    if bool(words) != bool(value):
        raise ValueError(wanted)
    return str(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("It must be true or false")
    return value


def _key_preset(value: Any) -> str:
    if value not in ("default", "fzf", "vim"):
        raise ValueError("It must be one of default, fzf, vim")
    return str(value)


def _fusion(value: Any) -> str:
    if value not in ("convex", "rrf", "rrf-published", "vector", "keyword"):
        raise ValueError("It must be one of convex, rrf, rrf-published, vector, keyword")
    return str(value)


def _density(value: Any) -> str:
    if value not in DENSITIES:
        raise ValueError("It must be one of full, two, one, or empty")
    return str(value)


def _pane_share(value: Any) -> float | None:
    wanted = f"It must be a number from {LEAST_SHARE:g} to {MOST_SHARE:g}"
    return _number(value, LEAST_SHARE, MOST_SHARE, wanted) if value != 0 else None


def _weights(value: Any) -> tuple[float, float]:
    wanted = f"It must be two numbers from 0 to {MOST_WEIGHT:g}, not both 0, such as [0.8, 0.2]"
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(wanted)
    meaning, words = (_number(each, 0.0, MOST_WEIGHT, wanted) for each in value)
    if not meaning + words:
        raise ValueError(wanted)
    return meaning, words


def _collapse(value: Any) -> float:
    return _number(value, 0.0, 1.0, "It must be a number from 0 to 1")


def _diversity(value: Any) -> float:
    return _number(value, 0.0, 1.0, "It must be a number from 0 to 1")


def _late(value: Any) -> float:
    return _number(value, 0.0, 1.0, "It must be a number from 0 to 1")


def _cutoff(value: Any) -> float:
    return _number(value, 1.0, MOST_CUTOFF, f"It must be a number from 1 to {MOST_CUTOFF:g}")


def _number(value: Any, least: float, most: float, wanted: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise ValueError(wanted)
    return float(value)


def _languages(value: Any) -> str:
    if not isinstance(value, str) or not _LANGUAGES.fullmatch(value):
        raise ValueError('It must name languages as Tesseract does, such as "eng" or "deu+eng"')
    return value


def _team(value: Any) -> str:
    """Return an address as it was written by `carrel team join`; what is demanded of one is asked when it is used."""
    if _text(value) and not is_team_address(value):
        raise ValueError('It must be an address such as "postgresql://ada@team.example/notes"')
    return str(value)


def _texts(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise TypeError("It must be a table of names and texts in quotes")
    return dict(value)


# the function that reads the value of each setting of `Config`
READERS: dict[str, Callable[[Any], Any]] = {
    "editor": _editor,
    "theme": _text,
    "density": _density,
    "pictures": _flag,
    "pane_share": _pane_share,
    "key_preset": _key_preset,
    "fusion": _fusion,
    "weights": _weights,
    "feedback": _flag,
    "collapse": _collapse,
    "diversity": _diversity,
    "late": _late,
    "cutoff": _cutoff,
    "memory": _flag,
    "search_log": _flag,
    "shadow": _flag,
    "history": _flag,
    "ocr": _languages,
    "hold_back": _flag,
    "secure_delete": _flag,
    "team": _team,
    "machine": _text,
    "keys": _texts,
    "saved": _texts,
}
