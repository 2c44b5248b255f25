"""One verdict from all that may leave a path out: ignore files, the settings, built-in rules, hidden names."""

from __future__ import annotations

import os
from dataclasses import dataclass

from engine.sources import builtin_rules
from engine.sources.ignore_files import IgnoreFile, read_ignore_file

GITIGNORE = b".gitignore"
CARRELIGNORE = b".carrelignore"
SETTINGS_REASON = "pattern in the settings"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a watched folder leaves out. `extra_patterns` are lines as in an ignore file at the root."""

    max_bytes: int = 32 * 2**20
    use_gitignore: bool = True
    extra_patterns: tuple[str, ...] = ()

    def too_large(self) -> str:
        """Name the size limit as a reason."""
        mebibytes = self.max_bytes / 2**20
        return f"larger than {mebibytes:.3g} MB" if mebibytes >= 0.1 else f"larger than {self.max_bytes} bytes"


DEFAULT_RULES = Rules()


@dataclass(frozen=True, slots=True)
class _Layer:
    """One ignore file in force, with the length of the path, from the root, of the folder it lies in."""

    ignore: IgnoreFile
    offset: int
    reason: str


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The rules in force inside one folder. The nearest ignore file speaks first, as in git.

    `.carrelignore` files and the settings come before everything else, and may take back in what a built-in rule,
    a leading dot or a `.gitignore` would leave out.
    """

    rules: Rules
    own_layers: tuple[_Layer, ...] = ()
    git_layers: tuple[_Layer, ...] = ()

    @classmethod
    def at_root(cls, rules: Rules) -> Verdicts:
        """Return what is in force before any ignore file was read."""
        settings = IgnoreFile(rules.extra_patterns)
        return cls(rules, (_Layer(settings, 0, SETTINGS_REASON),) if settings else ())

    def inside(self, folder: bytes, relative: bytes, names: frozenset[bytes]) -> Verdicts:
        """Return what is in force in `folder` (`relative` to the root), which holds `names`."""
        own, git = self.own_layers, self.git_layers
        offset = len(os.fsdecode(relative)) + 1 if relative else 0
        if CARRELIGNORE in names and (ignore := read_ignore_file(os.path.join(folder, CARRELIGNORE))):
            own = (_Layer(ignore, offset, CARRELIGNORE.decode()), *own)
        if self.rules.use_gitignore and GITIGNORE in names:
            ignore = read_ignore_file(os.path.join(folder, GITIGNORE))
            git = (_Layer(ignore, offset, GITIGNORE.decode()), *git) if ignore else git
        if own is self.own_layers and git is self.git_layers:
            return self
        return Verdicts(self.rules, own, git)

    def reason(self, relative: bytes, name: bytes, is_folder: bool) -> str | None:
        """Say why the path would be left out for its name and place, or None."""
        text = os.fsdecode(relative) if self.own_layers or self.git_layers else ""
        if self.own_layers:
            ignored, reason = _ask(self.own_layers, text, is_folder)
            if ignored is not None:
                return reason if ignored else None
        built_in = builtin_rules.folder_reason(name) if is_folder else builtin_rules.file_reason(name)
        if built_in:
            return built_in
        if name.startswith(b"."):
            return "hidden"
        if self.git_layers:
            ignored, reason = _ask(self.git_layers, text, is_folder)
            return reason if ignored else None
        return None

    def takes_back(self, relative: bytes) -> bool:
        """Whether a `.carrelignore` or the settings name this folder as one to keep."""
        return bool(self.own_layers) and _ask(self.own_layers, os.fsdecode(relative), True)[0] is False


def _ask(layers: tuple[_Layer, ...], path: str, is_folder: bool) -> tuple[bool | None, str]:
    name = path[path.rfind("/") + 1 :]
    for layer in layers:
        ignored = layer.ignore.verdict(path[layer.offset :], name, is_folder)
        if ignored is not None:
            return ignored, layer.reason
    return None, ""
