"""What Carrel keeps on this machine of a person's notes and work: where it lies, how large it is, how to forget it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.config import load
from engine.errors import CarrelError
from engine.paths import places
from engine.store import backup


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of thing that is kept; `path` is "" where it lies in the library's file or where the person put it."""

    name: str
    path: str
    bytes: int
    forget: str


def kept_data(library: Path) -> tuple[Kept, ...]:
    """Return all that is kept for a library, what is not there with 0 bytes; no folder is made for it."""
    where = places()
    own = [library.with_name(library.name + suffix) for suffix in ("", "-wal", "-shm")]
    beside = [each for each in backup.beside(library) if each not in own]
    return (
        Kept("library", str(library), _size(own), "`carrel remove --forever FOLDER`; all of it: delete the file"),
        Kept("marks", "", 0, "in the library: `carrel marks --empty`"),
        Kept("search log", "", 0, f"in the library, {_switch('search_log')}: `carrel log --off --empty`"),
        Kept("compared searches", "", 0, f"in the library, {_switch('shadow')}: `carrel shadow --off --empty`"),
        Kept("beside it", f"{library}.*", _size(beside), "folders to take back, kept libraries: delete the files"),
        Kept("backups", "", 0, "where you put them, and exports: delete the files"),
        _of("models", where.models, "`carrel models remove NAME`"),
        _of("runs", where.state / "training", "`carrel runs delete RUN`"),
        _of("history", where.state / "history", "the searches typed in the browser: delete the file"),
        _of("typing", where.state / "typing", "when keys were pressed last, and not which: goes by itself"),
        _of("events", where.state / "events", "what the indexer did: goes by itself"),
        _of("log", where.log, "faults, without text of notes: delete the file"),
        _of("caches", where.cache, "delete the folder; it is made anew"),
        _of("settings", where.settings, "delete the file"),
    )


def _of(name: str, path: Path, forget: str) -> Kept:
    return Kept(name, str(path), _size([path]), forget)


def _switch(setting: str) -> str:
    try:
        return "on" if getattr(load(), setting) else "off"
    except CarrelError:
        return "by settings that cannot be read"


def _size(paths: Iterable[Path]) -> int:
    """Return what files, and the files below folders, take; one that goes meanwhile takes nothing."""
    return sum(_octets(each) for path in paths for each in ([path] if path.is_file() else path.rglob("*")))


def _octets(path: Path) -> int:
    try:
        return path.lstat().st_size if path.is_file() else 0
    except OSError:
        return 0
