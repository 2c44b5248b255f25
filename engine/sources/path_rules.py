"""Says whether a path is left out by its name and place: ignore files, the settings, built-in rules, hidden names.

What it takes a look at the file to know (its size, a link, no reader, no text) is in `discovery`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from engine.figures import MEGABYTE, size
from engine.lazy_dataclass import dataclass
from engine.sources.ignore_files import IgnoreFile, read_ignore_file
from engine.sources.repository_rules import GIT, OuterRules, excluded, outer_rules

GITIGNORE = b".gitignore"
CARRELIGNORE = b".carrelignore"
SETTINGS_REASON = "pattern in the settings"

VERSION_CONTROL = frozenset(b".git .hg .svn .bzr .jj .pijul _darcs CVS".split())
MACHINERY = VERSION_CONTROL | frozenset(
    (
        b"node_modules bower_components jspm_packages site-packages "
        b"__pycache__ .mypy_cache .pytest_cache .ruff_cache .hypothesis .ipynb_checkpoints .tox .nox .eggs "
        b".cache .venv .gradle .terraform .parcel-cache .next .nuxt .svelte-kit .bundle .stack-work .dart_tool "
        b".Trash .Trashes .Spotlight-V100 .fseventsd __MACOSX $RECYCLE.BIN"
    ).split()
)
BACKUPS = {
    b".trash": "Obsidian's trash",
    b".obsidian": "Obsidian's settings",
    b".stversions": "Syncthing's old versions",
    b"_gsdata_": "GoodSync's records",
    b".dropbox.cache": "Dropbox's cache",
    b"#recycle": "the recycle folder of a network disk",
    b"@Recycle": "the recycle folder of a network disk",
    b"@eaDir": "the index of a network disk",
    b"#snapshot": "snapshots",
    b".snapshot": "snapshots",
    b".snapshots": "snapshots",
    b".zfs": "snapshots",
    b"Backups.backupdb": "Time Machine's backups",
    b".history": "an editor's old versions",
    b".SynologyWorkingDirectory": "the records of a network disk",
    b".pcloud": "pCloud's records",
    b"lost+found": "what a file system check saved",
}
"""Folders in which other programs keep what they deleted, overwrote or recorded, and what each is."""
LOGSEQ_BACKUPS = {b"bak": "backups", b".recycle": "trash", b"version-files": "old versions"}  # inside `logseq`
_DESKTOP_TRASH = b".Trash-"  # followed by the number of an account
_PACKAGE_RECORDS = (b".egg-info", b".dist-info")
ENVIRONMENT_MARKS = {b"pyvenv.cfg": "virtual environment", b"conda-meta": "conda environment"}
CACHE_MARK = b"CACHEDIR.TAG"  # https://bford.info/cachedir/: "this folder can be made again"

_LEAVING_ENDS = (
    b"~",
    b".swp",
    b".swo",
    b".swn",
    b".swx",
    b".tmp",
    b".temp",
    b".bak",
    b".orig",
    b".part",
    b".crdownload",
)
_LEAVING_STARTS = (b"~$", b".#", b".~lock.")
_GENERATED = (b".min.js", b".min.css", b".min.mjs")
_LOCK_FILES = frozenset(
    b"package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml composer.lock Cargo.lock poetry.lock uv.lock "
    b"Pipfile.lock Gemfile.lock flake.lock go.sum".split()
)


MAILBOX_TIMES = 16  # 512 MB where nothing else is set: ten years of a person's mail, read message by message


def folder_reason(name: bytes, parent: bytes = b"") -> str | None:
    """Say why a folder of this name, in a folder of the `parent` name, is left out by a built-in rule, or None."""
    if name in BACKUPS:
        return f"{BACKUPS[name]} (built-in rule)"
    if parent == b"logseq" and name in LOGSEQ_BACKUPS:
        return f"Logseq's {LOGSEQ_BACKUPS[name]} (built-in rule)"
    if name.startswith(_DESKTOP_TRASH):
        return "the trash of a disk (built-in rule)"
    if name in MACHINERY or name.endswith(_PACKAGE_RECORDS):
        return f"inside {name.decode('utf-8', 'replace')} (built-in rule)"
    return None


def contents_reason(names: frozenset[bytes]) -> str | None:
    """Say why a folder that holds these names is left out by a built-in rule, or None."""
    for mark, what in ENVIRONMENT_MARKS.items():
        if mark in names:
            return f"inside a {what} (built-in rule)"
    return "inside a cache folder (built-in rule)" if CACHE_MARK in names else None


def file_reason(name: bytes) -> str | None:
    """Say why a file of this name is left out by a built-in rule, or None."""
    if name.endswith(_LEAVING_ENDS) or name.startswith(_LEAVING_STARTS) or (name[:1] == name[-1:] == b"#"):
        return "editor's temporary file (built-in rule)"
    if name in _LOCK_FILES:
        return "lock file of packages (built-in rule)"
    return "minified (built-in rule)" if name.endswith(_GENERATED) else None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a watched folder leaves out. `extra_patterns` are lines as in an ignore file at the root."""

    max_bytes: int = 32 * MEGABYTE
    use_gitignore: bool = True
    extra_patterns: tuple[str, ...] = ()

    def most_bytes(self, mailbox: bool) -> int:
        """Return how large a file may be: a mailbox far larger than others, as most of it is attachments."""
        return self.max_bytes * MAILBOX_TIMES if mailbox else self.max_bytes

    def too_large(self, mailbox: bool = False) -> str:
        """Name the size limit as a reason."""
        return f"larger than {size(self.most_bytes(mailbox))}"


DEFAULT_RULES = Rules()


@dataclass(frozen=True, slots=True)
class _Layer:
    """One ignore file in force, with the length of the path, from the root, of the folder it lies in.

    One from above the root has the path from its folder to the root as its `prefix`.
    """

    ignore: IgnoreFile
    offset: int
    reason: str
    prefix: str = ""


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
    def at_root(cls, rules: Rules, root: bytes) -> Verdicts:
        """Return what is in force before any ignore file inside the root was read."""
        settings = IgnoreFile(rules.extra_patterns)
        outer = outer_rules(root) if rules.use_gitignore else ()
        return cls(rules, (_Layer(settings, 0, SETTINGS_REASON),) if settings else (), _layers(outer, 0))

    def inside(self, folder: bytes, relative: bytes, names: frozenset[bytes]) -> Verdicts:
        """Return what is in force in `folder` (`relative` to the root), which holds `names`."""
        own, git = self.own_layers, self.git_layers
        offset = len(os.fsdecode(relative)) + 1 if relative else 0
        if CARRELIGNORE in names and (ignore := read_ignore_file(os.path.join(folder, CARRELIGNORE))):
            own = (_Layer(ignore, offset, CARRELIGNORE.decode()), *own)
        if self.rules.use_gitignore and relative and GIT in names:  # a repository inside the folder
            git = (*_layers(excluded(folder), offset), *git)
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
        parent = os.path.basename(os.path.dirname(relative)) if is_folder else b""
        built_in = folder_reason(name, parent) if is_folder else file_reason(name)
        if built_in:
            return built_in
        if name.startswith(b"."):
            return self._too_long(relative, name) or "hidden"
        if self.git_layers:
            ignored, reason = _ask(self.git_layers, text, is_folder)
            return reason if ignored else None
        return None

    def _too_long(self, relative: bytes, name: bytes) -> str | None:
        """Say of an ignore file in force that not all of its patterns are used."""
        if name not in (CARRELIGNORE, GITIGNORE):
            return None
        offset = len(os.fsdecode(relative)) - len(name)
        here = [each for each in (*self.own_layers, *self.git_layers) if each.offset == offset]
        unused = sum(each.ignore.unused for each in here if each.reason == name.decode())
        return "an ignore file with too many patterns: the last of them are not used" if unused else None

    def takes_back(self, relative: bytes) -> bool:
        """Whether a `.carrelignore` or the settings name this folder as one to keep."""
        return bool(self.own_layers) and _ask(self.own_layers, os.fsdecode(relative), True)[0] is False


def _layers(outer: Iterable[OuterRules], offset: int) -> tuple[_Layer, ...]:
    return tuple(_Layer(rules.ignore, offset, rules.reason, rules.prefix) for rules in outer)


def _ask(layers: tuple[_Layer, ...], path: str, is_folder: bool) -> tuple[bool | None, str]:
    name = path[path.rfind("/") + 1 :]
    for layer in layers:
        ignored = layer.ignore.verdict(layer.prefix + path[layer.offset :], name, is_folder)
        if ignored is not None:
            return ignored, layer.reason
    return None, ""
