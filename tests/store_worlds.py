"""One library over each store, for tests that both must pass: a file, and a team's library on a real server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from team_documents import Team

from engine.library import Library
from engine.retrieval import tier_calibration
from engine.team import team_tiers


@dataclass
class StoreWorld:
    """A library, the folder that it indexes, and how what has changed there comes into it."""

    name: str
    library: Library
    folder: Path
    team: Team | None = None

    def write(self, notes: Mapping[str, str | bytes]) -> None:
        """Write notes into the folder."""
        for name, text in notes.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)

    def sync(self, *, fitted: bool = False, **how: bool) -> None:
        """Bring the library up to date; the tiers are fitted where that is asked, which costs 726 searches."""
        with pytest.MonkeyPatch.context() as patch:
            if not fitted:
                patch.setattr(tier_calibration, "refit", lambda *_: None)
                patch.setattr(team_tiers, "fit", lambda *_: False)
            self.library.sync(**how)

    def paths(self, query: str, **settings: object) -> list[str]:
        """Return what a search finds, best first, relative to the folder."""
        return [self.named(hit.path) for hit in self.library.search(query, **settings).hits]  # type: ignore[arg-type]

    def named(self, path: bytes) -> str:
        """Return a path relative to the folder."""
        return os.path.relpath(os.fsdecode(path), self.folder)

    def path(self, name: str) -> Path:
        """Return the absolute path of a note."""
        return self.folder / name


@contextmanager
def file_world(tmp_path: Path, encoder: FakeEncoder | None = None) -> Iterator[StoreWorld]:
    """Give an empty library in a file, with its folder watched."""
    folder = tmp_path / "notes"
    folder.mkdir(exist_ok=True)
    library = Library.open(tmp_path / "library.carrel", create=True, encoder=encoder or FakeEncoder())
    library.add(folder)
    with library:
        yield StoreWorld("file", library, folder)


@contextmanager
def team_world(
    tmp_path: Path, team: Team, person: str = "ada", encoder: FakeEncoder | None = None, visible: str = "all"
) -> Iterator[StoreWorld]:
    """Give the library of a team as one member has it open, with their own file and their folder shared."""
    from engine.team.membership import this_machine

    home = tmp_path / person
    folder = home / "notes"
    folder.mkdir(parents=True, exist_ok=True)
    own = home / "own.carrel"
    library = Library.open(team.database.url(person), own=own, encoder=encoder or FakeEncoder())
    library.add(folder)
    writer = team.writer(person)
    writer.folder(os.fsencode(folder), this_machine(), visible)
    with library:
        yield StoreWorld("team", library, folder, team)


def copied(world: StoreWorld, notes: Path) -> None:
    """Copy a folder of notes with their dates, so that both stores see the same."""
    shutil.copytree(notes, world.folder, dirs_exist_ok=True)
