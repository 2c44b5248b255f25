"""The settings of a person: one TOML file in the config folder, and nowhere else; a missing one means defaults."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from engine.errors import ConfigError
from engine.paths import places
from engine.records import SearchSettings


@dataclass(frozen=True, slots=True)
class Config:
    """All settings. The text behind each field is its documentation."""

    editor: str = ""
    """The command that opens a file, with `{path}` and `{line}` where they belong; empty: $VISUAL, then $EDITOR."""
    theme: str = "carrel-dark"
    """The colours of the browser."""
    fusion: str = "convex"
    """How meaning and words are joined: convex, rrf, vector or keyword."""
    weights: tuple[float, float] | None = None
    """The weights of meaning and words; none: the fusion's own."""
    feedback: bool = True
    """Whether the first results sharpen the search."""
    collapse: float | None = 0.95
    """The cosine from which passages of two documents count as near-duplicates; 0: never."""

    def search_settings(self) -> SearchSettings:
        """Return how searches are made unless a command says otherwise."""
        return SearchSettings(
            fusion=self.fusion,  # type: ignore[arg-type]  # checked when it was read
            weights=self.weights,
            feedback=self.feedback,
            collapse=self.collapse,
        )


def load(path: Path | None = None) -> Config:
    """Read the settings. Raises ConfigError, naming the setting, where one cannot be used."""
    path = path or places().settings
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"The settings in {path} cannot be read.", cause=f"{error}.", fix="Mend or remove the file."
        ) from error
    return from_mapping(written, str(path))


def from_mapping(written: Mapping[str, Any], source: str) -> Config:
    """Read settings out of a mapping; `source` is named in errors."""
    config = Config()
    known = {field.name for field in fields(Config)}
    for name, value in written.items():
        if name not in known:
            raise ConfigError(
                f"{source} has an unknown setting “{name}”.", fix=f"Known are: {', '.join(sorted(known))}."
            )
        try:
            config = replace(config, **{name: _READ[name](value)})
        except (TypeError, ValueError) as error:
            raise ConfigError(f"The setting “{name}” in {source} cannot be used.", cause=f"{error}.") from error
    return config


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("It must be a text in quotes")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("It must be true or false")
    return value


def _fusion(value: Any) -> str:
    if value not in ("convex", "rrf", "vector", "keyword"):
        raise ValueError("It must be one of convex, rrf, vector, keyword")
    return str(value)


def _weights(value: Any) -> tuple[float, float]:
    numbers = [float(each) for each in value] if isinstance(value, list) else []
    if len(numbers) != 2 or min(numbers) < 0 or sum(numbers) <= 0:
        raise ValueError("It must be two numbers, not below 0 and not both 0, such as [0.8, 0.2]")
    return numbers[0], numbers[1]


def _collapse(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError("It must be a number from 0 to 1")
    return float(value) or None


_READ: dict[str, Callable[[Any], Any]] = {
    "editor": _text,
    "theme": _text,
    "fusion": _fusion,
    "weights": _weights,
    "feedback": _flag,
    "collapse": _collapse,
}
