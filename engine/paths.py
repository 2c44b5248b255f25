"""Where Carrel keeps its own files; `CARREL_HOME` moves all of them at once, for tests and for portable use."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.errors import PathError
from engine.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of one Carrel home. None of them is created by asking."""

    data: Path
    config: Path
    state: Path
    cache: Path

    @property
    def library(self) -> Path:
        """The library file that is used where none is named."""
        return self.data / "library.carrel"

    @property
    def settings(self) -> Path:
        """The file that holds the person's settings."""
        return self.config / "config.toml"

    @property
    def models(self) -> Path:
        """The folder of installed models, one folder each."""
        return self.data / "models"

    @property
    def log(self) -> Path:
        """The log file that error messages point to."""
        return self.state / "carrel.log"


def places() -> Places:
    """Return the folders in use: below `CARREL_HOME` if set, else the platform's own."""
    home = os.environ.get("CARREL_HOME")
    if home:
        root = expanded(home).absolute()
        return Places(root / "data", root / "config", root / "state", root / "cache")
    from platformdirs import PlatformDirs  # 5 ms, and not needed where CARREL_HOME is set

    dirs = PlatformDirs("carrel", appauthor=False)
    return Places(dirs.user_data_path, dirs.user_config_path, dirs.user_state_path, dirs.user_cache_path)


TEAM_ADDRESSES = ("postgresql://", "postgres://")  # as libpq writes them


def is_team_address(text: str) -> bool:
    """Return whether a text is written as the address of a team library, which no file's name is."""
    return text.startswith(TEAM_ADDRESSES)


def is_of_another(text: str) -> bool:
    """Return whether a path is one that another member of a team shares, `ada@laptop:/home/ada/notes`."""
    place, separator, _ = text.partition(":/")
    person, _, machine = place.partition("@")
    return bool(separator and person and machine) and "/" not in place


def owner_of(path: bytes) -> tuple[str, str] | None:
    """Return the person and the machine that a path of another member names, None for one of this machine.

    A login may hold an @, as those of some hosts do; what comes behind the last one is the machine.
    """
    text = display(path)
    if not is_of_another(text):
        return None
    person, _, machine = text.partition(":/")[0].rpartition("@")
    return person, machine


def library_path(named: str | os.PathLike[str] | None = None) -> Path:
    """Return the library file: the one named, else `CARREL_LIBRARY`, else the default; always absolute.

    Where `CARREL_LIBRARY` is a team library's address, the person's own file is the default one.
    """
    chosen = named or os.environ.get("CARREL_LIBRARY")
    if chosen is not named and is_team_address(str(chosen)):
        chosen = None
    return expanded(chosen).absolute() if chosen else places().library


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path with `~` resolved; where it names nobody's home, as in `~draft.md`, it is a name like any other."""
    return Path(os.path.expanduser(path))


def private_folder(path: Path) -> Path:
    """Create `path`, and each parent that is missing, for its owner only whatever the umask, and return it.

    A folder that is there keeps the rights that it has.
    """
    missing = [path]
    while not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True, mode=0o700)
    return path


def display(path: bytes) -> str:
    """Turn a file-system path into text that any terminal and JSON encoder takes; undecodable bytes become U+FFFD."""
    return path.decode("utf-8", "replace")


def own_process(module: str) -> list[str]:
    """Return how one of Carrel's modules is started as a process: with its own packages, whatever PYTHONPATH holds.

    -P keeps code out that lies beside the launcher or in the working folder.
    """
    return [sys.executable, "-P", str(Path(__file__).resolve().parents[1] / "carrel_launcher.py"), "-m", module]


def identity_of(path: Path | bytes) -> tuple[int, int] | None:
    """Return what tells a file or folder from any other that takes its place, device and inode; None where none is."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def folder_path(folder: Path) -> bytes:
    """Return a folder's real path, links followed, so that one folder has one path however it is named.

    Raises PathError where it is missing or no folder.
    """
    path = expanded(folder).absolute()
    if not os.path.exists(path):
        raise PathError(f"{path} does not exist.", fix="Check the spelling of the path.")
    if not os.path.isdir(path):
        raise PathError(f"{path} is no folder.", fix=f"Add the folder that holds it: {path.parent}.")
    return os.fsencode(os.path.realpath(path))


def refuse_nested(path: bytes, watched: Sequence[bytes]) -> None:
    """Raise PathError where a folder lies inside or around a watched one."""
    for other in {real for each in watched for real in (each, os.path.realpath(each))}:
        if path.startswith(os.path.join(other, b"")):
            raise PathError(f"{display(path)} lies in the watched folder {display(other)} and is indexed with it.")
        if other.startswith(os.path.join(path, b"")):
            raise PathError(
                f"{display(path)} holds the watched folder {display(other)}.",
                fix=f"Remove that one first: `carrel remove {display(other)}`. Its vectors are not kept.",
            )
