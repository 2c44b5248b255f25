"""The settings of a person: one TOML file in the config folder, and nowhere else; a missing one means defaults.

The file is the person's: `save` changes the lines of the settings that changed and leaves comments where they are.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from dataclasses import field, fields, replace
from pathlib import Path
from typing import Any

from engine.atomic_files import exclusive, replace_file
from engine.errors import ConfigError
from engine.figures import MEGABYTE, size
from engine.lazy_dataclass import dataclass
from engine.paths import places, private_folder
from engine.records import SearchSettings

MOST_BYTES = MEGABYTE  # of the settings file: ten thousand saved searches; a device or a log is taken for none
_NAME_SHOWN = 60  # characters of an unknown setting's name that an error repeats


@dataclass(frozen=True, slots=True)
class Config:
    """All settings. The text behind each field is its documentation."""

    editor: str = ""
    """The command that opens a file, with `{path}` and `{line}` where they belong; empty: $VISUAL, then $EDITOR."""
    theme: str = ""
    """The colours of the browser; empty: Carrel's own, dark or light as the terminal is. $TEXTUAL_THEME wins."""
    density: str = ""
    """How dense the rows of the browser are: full (all figures), two or one (lines); empty: as the screen is high."""
    pictures: bool = True
    """Whether pictures of notes are shown where the terminal can and Pillow is installed; off: their names."""
    pane_share: float | None = None
    """How much of the screen the preview has beside or below the rows, 0.2 to 0.8; none: as Carrel does it."""
    fusion: str = "convex"
    """How meaning and words are joined: convex, rrf, rrf-published, vector or keyword."""
    weights: tuple[float, float] | None = None
    """The weights of meaning and words; none: the fusion's own."""
    feedback: bool = True
    """Whether the first results sharpen the search."""
    collapse: float | None = None
    """The cosine from which passages of two documents count as near-duplicates; 0: never; unset: .95, or as fitted."""
    diversity: float | None = None
    """How much the score counts where several passages of a document have rows (MMR), 0 to 1; none: one row each."""
    cutoff: float | None = None
    """How many times the least distance in meaning a passage without a word of the query may lie off; none: any."""
    late: float = 0.3
    """What late interaction counts among the best hundred passages, 0 to 1, in a library that has it; `carrel late`."""
    memory: bool = True
    """Whether results that were marked or opened count in later searches for the like; all on this machine."""
    search_log: bool = False
    """Whether finished searches are written down in the library, with what was shown and opened; see `carrel log`."""
    shadow: bool = False
    """Whether finished searches are also made with the model that runs beside, and both kept; it brings the log.

    See `carrel shadow`.
    """
    history: bool = True
    """Whether searches are remembered, on this machine only, to be found again with ctrl+r."""
    ocr: str = ""
    """Languages in which an installed Tesseract reads scanned pages, such as "eng" or "deu+eng"; empty: none."""
    hold_back: bool = True
    """Whether documents stay where more than half of a folder, and at least 20, are gone at once; see `carrel sync`."""
    secure_delete: bool = True
    """Whether forgotten text is overwritten in the library file at once; off: when its space is used again."""
    key_preset: str = "default"
    """The keys of lists: default, fzf (ctrl+n, ctrl+p, ctrl+j, ctrl+k move) or vim."""
    team: str = ""
    """The address of the team library that shared folders are brought to, without a password; see `carrel team`."""
    machine: str = ""
    """What this computer is called in the team library; empty: its own name."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Keys of one's own: an action's name and its keys, such as "search.explain" = "ctrl+t,e"."""
    saved: Mapping[str, str] = field(default_factory=dict)
    """Searches kept under a name."""

    def search_settings(self) -> SearchSettings:
        """Return how searches are made unless a command says otherwise."""
        return SearchSettings(
            fusion=self.fusion,  # type: ignore[arg-type]  # checked when it was read
            weights=self.weights,
            feedback=self.feedback,
            collapse=self.collapse,
            diversity=self.diversity,
            cutoff=self.cutoff,
            memory=self.memory,
            late=self.late,
        )


def load(path: Path | None = None) -> Config:
    """Read the settings. Raises ConfigError, naming the setting, where one cannot be used."""
    path = path or places().settings
    text = _written(path)
    return from_mapping(_parsed(text, path), str(path)) if text else Config()


def change(changes: Mapping[str, Any], path: Path | None = None, *, known: Config | None = None) -> Config:
    """Change some settings, beside those that another process changes meanwhile, and return all of them.

    `known` is what the caller believed to stand there: of a table, only what differs from that is changed. Raises
    ConfigError as `load` and `save` do.
    """
    path = path or places().settings
    with suppress(OSError):
        private_folder(path.parent)
    with exclusive(path.parent):
        now = load(path)
        config = changed(now, {name: _joined(name, value, now, known) for name, value in changes.items()})
        save(config, path)
    return config


def changed(config: Config, changes: Mapping[str, Any]) -> Config:
    """Return settings with some changed: no model is compared without the log of searches, so both go together."""
    implied: dict[str, Any] = {}
    if changes.get("shadow"):
        implied["search_log"] = True
    if changes.get("search_log") is False:
        implied["shadow"] = False
    return replace(config, **{**implied, **changes})


def _joined(name: str, wanted: Any, now: Config, known: Config | None) -> Any:
    """Return a setting as it is wanted; a table with what others have put into it, or dropped, since it was `known`."""
    if known is None or not isinstance(wanted, Mapping):
        return wanted
    before: Mapping[str, Any] = getattr(known, name)
    theirs = {key: value for key, value in getattr(now, name).items() if key in wanted or key not in before}
    return theirs | {key: value for key, value in wanted.items() if before.get(key) != value}


def save(config: Config, path: Path | None = None) -> None:
    """Write the settings, whole or not at all, readable by their owner only.

    Raises ConfigError where the file cannot be written, or holds what cannot be read: that is mended by hand first.
    """
    path = path or places().settings
    before = _written(path)
    _parsed(before, path)
    text = _merged(before, config, path)
    try:
        private_folder(path.parent)
        replace_file(path, text)
    except OSError as error:
        raise ConfigError(
            f"The settings in {path} cannot be written.", cause=f"{error.strerror or error}.", fix="Free the file."
        ) from error


def _as_mapping(config: Config) -> dict[str, Any]:
    """Return what is written of the settings: those that differ from the defaults."""
    default = Config()
    written: dict[str, Any] = {}
    for each in fields(Config):
        value = getattr(config, each.name)
        if value != getattr(default, each.name):
            written[each.name] = 0.0 if value is None else list(value) if isinstance(value, tuple) else value
    return written


def _merged(before: str, config: Config, path: Path) -> str:
    """Return the text of the file with these settings in it; what cannot be changed in its place is written anew."""
    import tomllib

    for ground in (before, ""):
        with suppress(ValueError, ConfigError):  # what would not be read as it was meant is not written
            text = _edited(ground, _as_mapping(config))
            if from_mapping(tomllib.loads(text.encode().decode()), str(path)) == config:
                return text
    raise ConfigError("These settings cannot be written as a settings file.")


def _edited(before: str, settings: Mapping[str, Any]) -> str:
    """Return a settings file with its comments and layout, changed where these settings differ from it."""
    import tomlkit  # 60 ms, needed by those who change settings, not by each command

    document = tomlkit.parse(before)
    _update(document, settings)
    return tomlkit.dumps(document)


def _update(table: MutableMapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Change what differs and drop what is gone; a table stays with its comments where it gets empty."""
    for name in [name for name in table if name not in settings]:
        if isinstance(table[name], MutableMapping):
            _update(table[name], {})
        else:
            del table[name]
    for name, value in settings.items():
        before = table.get(name)
        if isinstance(value, Mapping) and isinstance(before, MutableMapping):
            _update(before, value)
        elif before != value:
            table[name] = value


def _written(path: Path) -> str:
    """Return the text of the file, "" where there is none."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:  # a pipe would be waited for without an end
            raise OSError(None, f"It is no file of settings, or larger than {size(MOST_BYTES)}")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise _unreadable(path, "It is not written in UTF-8") from error


def _parsed(text: str, path: Path) -> dict[str, Any]:
    if not text:
        return {}
    import tomllib  # 5 ms, for those who have settings

    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise _unreadable(path, "A value in it is nested too deeply") from error
    except ValueError as error:  # a number of too many digits is no TOMLDecodeError
        raise _unreadable(path, str(error).partition(";")[0]) from error


def _unreadable(path: Path, why: str) -> ConfigError:
    return ConfigError(f"The settings in {path} cannot be read.", cause=f"{why}.", fix="Mend or remove the file.")


def from_mapping(written: Mapping[str, Any], source: str) -> Config:
    """Read settings out of a mapping; `source` is named in errors."""
    from engine.setting_values import READERS  # for those who have settings

    config = Config()
    known = {each.name for each in fields(Config)}
    for name, value in written.items():
        if name not in known:
            raise ConfigError(
                f"{source} has an unknown setting “{_shortened(name)}”.",
                fix=f"Remove that line. Known are: {', '.join(sorted(known))}.",
            )
        try:
            config = replace(config, **{name: READERS[name](value)})
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"The setting “{name}” in {source} cannot be used.",
                cause=f"{error}.",
                fix="Correct that line, or remove it for the default.",
            ) from error
    if config.shadow and not config.search_log:  # which goes with it; a log that was refused stays off
        return replace(config, shadow=False) if "search_log" in written else replace(config, search_log=True)
    return config


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME_SHOWN else f"{name[:_NAME_SHOWN]}…"
