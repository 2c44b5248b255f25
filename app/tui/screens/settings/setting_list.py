"""The settings that the browser offers, as data: what each is called, what it does, which values it takes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.tui.screens.search.whatif import CUTOFFS, DIVERSITIES
from engine.config import Config, from_mapping
from engine.errors import ConfigError
from engine.figures import figure

FUSIONS: tuple[tuple[str, str, str], ...] = (
    ("convex", "meaning and words", "their scores are weighed; the best on every collection measured"),
    ("rrf", "meaning and words, by rank", "reciprocal rank fusion: only the ranks count, the weights follow the query"),
    ("rrf-published", "by rank, as published", "the same with the weights of vstash (arXiv 2604.15484)"),
    ("vector", "meaning alone", "words count only where they must stand or must not"),
    ("keyword", "words alone", "no model is loaded"),
)
WEIGHTS = tuple((round(share / 20, 2), round(1 - share / 20, 2)) for share in range(20, -1, -1))
LATE_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0)
ON_OFF = ((True, "on", ""), (False, "off", ""))
COLLAPSE = (0.0, 1.0, 0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.92, 0.9, 0.85, 0.8)


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: its name in the file, its title, what it does, and its values.

    `values` are (value, its name, a word about it), in the order that the arrow keys go; `written` makes a value of
    what a person types, where any text may be; it raises ConfigError. `named` says any value in words. `missing` is why
    the setting can do nothing here, "" where it can.
    """

    name: str
    title: str
    help: str
    values: tuple[tuple[Any, str, str], ...] = ()
    written: Callable[[str], Any] | None = None
    hint: str = ""
    named: Callable[[Any], str] = lambda value: str(value) or "not set"
    missing: str = ""

    def shown(self, config: Config) -> str:
        """Return the present value in words."""
        value = getattr(config, self.name)
        named = next((name for each, name, _ in self.values if each == value), None)
        return named if named is not None else self.named(value)

    def stepped(self, config: Config, step: int) -> Any:
        """Return the value that lies `step` further on; from either end it goes on at the other."""
        values = [value for value, _, _ in self.values]
        value = getattr(config, self.name)
        if value not in values:
            return values[0 if step > 0 else -1]
        return values[(values.index(value) + step) % len(values)]


def settings(themes: Sequence[tuple[str, bool]], *, tesseract: bool = True) -> tuple[Setting, ...]:
    """Return the settings; `themes` are the names of those that there are, each with whether it is dark.

    `tesseract` is whether that program is installed, without which pages that are pictures cannot be read.
    """
    values: tuple[tuple[Any, str, str], ...] = (("", "as the terminal is", "Carrel's own, dark or light"),)
    values += tuple((name, name, "dark" if dark else "light") for name, dark in themes)
    theme = Setting("theme", "Theme", "The colours. f4 changes between dark and light for this time only.", values)
    missing = "" if tesseract else "Tesseract is not installed, so pages that are pictures are not read."
    return (theme, *_EVERYWHERE, replace(_SCANNED, missing=missing))


def _shares(weights: tuple[float, float]) -> str:
    return f"meaning {figure(weights[0], 2)}, words {figure(weights[1], 2)}"


def _one_from(cosine: float) -> str:
    return f"one from {figure(cosine, 2)}" if cosine else "all are shown"


def _several(share: float | None) -> str:
    return "one" if share is None else f"several, by {figure(share, 2)}"


def _late_share(weight: float) -> str:
    return figure(weight, 1) if weight else "nothing"


def _times(times: float | None) -> str:
    return "any distance" if times is None else f"{figure(times, 2)} times as far as the nearest"


def _checked(name: str, value: Any) -> Any:
    """Return a value as the file's reader takes it. Raises ConfigError."""
    return getattr(from_mapping({name: value}, "these settings"), name)


def _editor(text: str) -> Any:
    return _checked("editor", text)


def _languages(text: str) -> Any:
    return _checked("ocr", text)


def _weights(text: str) -> Any:
    return _checked("weights", _numbers(text)) if text else None


def _collapse(text: str) -> Any:
    if not text:
        return None
    numbers = _numbers(text)
    return _checked("collapse", numbers[0] if len(numbers) == 1 else None)


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.replace(",", " ").split()]
    except ValueError as error:
        raise ConfigError("These are no numbers.", fix="Write them as .8 or 0.8.") from error


_EVERYWHERE = (
    Setting("fusion", "Rank by", "How meaning and words are joined into one order.", FUSIONS),
    Setting(
        "weights",
        "Weights",
        "How much meaning and words count. The method's own were chosen on judged collections.",
        ((None, "the method's own", ""), *((each, _shares(each), "") for each in WEIGHTS)),
        _weights,
        "two numbers: meaning, words, such as .7 .3; empty for the method's own",
        _shares,
    ),
    Setting("feedback", "Feedback", "Whether the first results sharpen the search for what they share.", ON_OFF),
    Setting("memory", "Memory", "Whether what you marked or opened counts in later searches for the like.", ON_OFF),
    Setting(
        "search_log",
        "Search log",
        "Whether finished searches are written down in the library file. Off also forgets those of before.",
        ON_OFF,
    ),
    Setting(
        "collapse",
        "Near-duplicates",
        "Notes that are alike from this cosine on show as one row. 1 is the same text.",
        ((None, "the method's own", ""), *((each, _one_from(each), "") for each in COLLAPSE)),
        _collapse,
        "a cosine from 0 to 1, such as .95; 0 shows all, empty: the method's own",
        _one_from,
    ),
    Setting(
        "diversity",
        "Rows of a note",
        "How many passages of a note may have rows: several must differ, the lower the number the more."
        " What if tries it.",
        tuple((each, _several(each), "") for each in (None, *DIVERSITIES)),
        named=_several,
    ),
    Setting(
        "cutoff",
        "Cut-off",
        "Passages without your words are left out when they are so much farther than the nearest. What if tries it.",
        tuple((each, _times(each), "") for each in (None, *CUTOFFS)),
        named=_times,
    ),
    Setting(
        "history",
        "History",
        "Whether searches are remembered for ctrl+r, on this machine only. Off also deletes those of before.",
        ON_OFF,
    ),
    Setting(
        "hold_back",
        "Files gone at once",
        "Whether documents stay where more than half of a folder, and at least 20, are gone at once.",
        ON_OFF,
    ),
    Setting(
        "secure_delete",
        "Forgetting",
        "Whether forgotten text is overwritten in the library file at once, not when its space is used again.",
        ON_OFF,
    ),
    Setting(
        "density",
        "Rows",
        "How many lines a result has; d in the results changes it.",
        (
            ("", "as the screen is high", ""),
            ("full", "all figures", ""),
            ("two", "two lines", ""),
            ("one", "one line", ""),
        ),
    ),
    Setting(
        "pictures",
        "Pictures",
        "Whether pictures of notes are shown where the terminal can and Pillow is installed, else their names.",
        ON_OFF,
    ),
    Setting(
        "key_preset",
        "Preset of keys",
        "Keys of lists for hands that know another program. What you change below one by one comes before it.",
        (
            ("default", "as Carrel comes", "↑ ↓, in lists also j k g G ctrl+d ctrl+u"),
            ("fzf", "as in fzf", "ctrl+n ctrl+p ctrl+j ctrl+k move; alt+x all commands, alt+q why not"),
            (
                "vim",
                "as in vim",
                "ctrl+f ctrl+b go by screens, i to the query; alt+x all commands, alt+f filter",
            ),
        ),
    ),
    Setting(
        "editor",
        "Editor",
        "The command that opens a note; {path} and {line} stand for where. Empty: $VISUAL, then $EDITOR.",
        (),
        _editor,
        "such as: code --goto {path}:{line}",
    ),
    Setting(
        "late",
        "Late interaction",
        "What it counts among the best hundred, in a library that has it: `carrel late on`. What if tries it.",
        tuple((each, _late_share(each), "") for each in LATE_WEIGHTS),
        named=_late_share,
    ),
    Setting(
        "shadow",
        "Model beside",
        "Whether finished searches are made again with a model beside, to compare both; the search log is on with it.",
        ON_OFF,
    ),
)
_SCANNED = Setting(
    "ocr",
    "Scanned pages",
    "Languages in which Tesseract reads pages that are pictures, from the next start of Carrel on.",
    (),
    _languages,
    "Tesseract's names of languages, such as eng or deu+eng; empty: they are not read",
)


def fault(setting: Setting, text: str) -> str:
    """Return what is wrong with what was typed for a setting, or ""."""
    try:
        if setting.written is not None:
            setting.written(text)
    except ConfigError as error:
        return error.cause or f"{error.message} {error.fix}".strip()
    return ""
