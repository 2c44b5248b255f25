"""Random file operations over several folders, as people, editors and version control do them all day."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from shelf import paragraph
from storms import save_as_vim, save_as_vscode, save_by_rename, save_from_outside, save_in_place

DEEPEST = 3  # folders below a root
OUTSIDE_WORD = "wuxoqephidrax"  # in every file that a link leads to, and in no watched one
LINK_SECONDS = (0.0, 0.001, 0.01, 0.1, 0.5)  # how long a link stands where a folder was
WORDS = ("harbour", "violin", "granite", "tulip", "comet", "ledger", "saddle", "lantern", "walnut", "glacier")
NAMES = ("plan", "Diary", "recipe", "Zürich", "notes on tea", "draft", "index", "letter")
SUFFIXES = (".md", ".md", ".md", ".txt", ".org", ".py", ".rst", ".html", ".csv", "")


class Turmoil:
    """Does one operation after another. Several may work on the same folders: what another took away is left alone."""

    def __init__(self, roots: Sequence[Path], outside: Path, chance: random.Random) -> None:
        self.roots = roots
        self.outside = outside
        self.chance = chance
        self.done: Counter[str] = Counter()
        self._ways = {
            self.create: 6,
            self.edit: 8,
            self.append: 4,
            self.rename: 4,
            self.move: 3,
            self.remove: 3,
            self.copy: 2,
            self.swap: 1,
            self.link: 1,
            self.set_time_back: 1,
            self.keep_size_and_time: 1,
            self.move_out_and_in: 1,
            self.move_folder: 2,
            self.copy_folder: 1,
            self.remove_folder: 1,
            self.folder_to_file: 1,
            self.folder_to_link_and_back: 3,
            self.change_case: 1,
            self.ignore: 1,
            self.write_bytes: 1,
        }

    def leave_out(self, way: Callable[[], None]) -> None:
        """Never do this operation."""
        del self._ways[way]

    def happen(self) -> None:
        """Do one operation; one that finds its file gone or in the way does nothing."""
        way = self.chance.choices(list(self._ways), list(self._ways.values()))[0]
        try:
            with self._alone(way == self.folder_to_link_and_back):
                way()
        except OSError:
            self.done["in vain"] += 1
        else:
            self.done[way.__name__] += 1

    @contextmanager
    def _alone(self, alone: bool) -> Iterator[None]:
        """Let nobody else do anything meanwhile, or only what does not have to be done alone.

        While a link leads out of a watched folder, another would carry what lies there into it.
        """
        with (self.outside / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield

    # --- files ------------------------------------------------------------------------------------------------------

    def create(self) -> None:
        self._save(self._new_file(), self._text())

    def edit(self) -> None:
        path = self._file()
        text = path.read_text(errors="replace").split("\n\n")
        place = self.chance.randrange(len(text))
        text[place : place + 1] = [self._paragraph() for _ in range(self.chance.choice((0, 1, 1, 2)))]
        self._save(path, "\n\n".join(text))

    def append(self) -> None:
        with self._file().open("a") as file:
            for _ in range(self.chance.choice((1, 1, 3))):
                file.write("\n\n" + self._paragraph())
                file.flush()

    def rename(self) -> None:
        path = self._file()
        path.rename(path.with_name(self._name()))

    def move(self) -> None:
        os.replace(self._file(), self._new_file())

    def remove(self) -> None:
        self._file().unlink()

    def copy(self) -> None:
        shutil.copy2(self._file(), self._new_file())

    def swap(self) -> None:
        one, other = self._file(), self._file()
        spare = self.outside / f"spare{self.chance.getrandbits(40)}"
        os.rename(one, spare)
        try:
            os.rename(other, one)
        finally:
            os.rename(spare, other)

    def link(self) -> None:
        self._new_file().hardlink_to(self._file())

    def change_case(self) -> None:
        path = self._file()
        path.rename(path.with_name(path.stem.swapcase() + path.suffix))

    def set_time_back(self) -> None:
        path = self._file()
        self._save(path, self._text())
        at = self.chance.randrange(1_000_000_000, 1_600_000_000)
        os.utime(path, (at, at))

    def keep_size_and_time(self) -> None:
        """Change a file in a way that only the watcher can tell."""
        path = self._file()
        before = os.stat(path)
        with path.open("r+b") as file:
            text = file.read()
            file.seek(0)
            file.write(text.swapcase())  # of ASCII letters only: the length stays
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def write_bytes(self) -> None:
        self._new_file().write_bytes(self.chance.randbytes(self.chance.randrange(600)))

    def move_out_and_in(self) -> None:
        path = self._file()
        away = self.outside / f"away{self.chance.getrandbits(40)}"
        path.rename(away)
        os.replace(away, self._new_file())

    def ignore(self) -> None:
        lines = self.chance.choice(("*.txt\n", "plan*\n", "folder1/\n", "# nothing\n", "*.org\n!draft*\n"))
        path = self._folder() / self.chance.choice((".gitignore", ".carrelignore"))
        if path.exists() and self.chance.random() < 0.7:
            path.unlink()
        else:
            path.write_text(lines)

    # --- folders ----------------------------------------------------------------------------------------------------

    def move_folder(self) -> None:
        source = self._folder(below_root=True)
        target = self._new_folder()
        if _too_deep(source, target):
            raise FileExistsError
        away = self.outside / f"tree{self.chance.getrandbits(40)}"
        if self.chance.random() < 0.5:
            source.rename(away)
            source = away
        source.rename(target)

    def copy_folder(self) -> None:
        source, target = self._folder(below_root=True), self._new_folder()
        if _too_deep(source, target):
            raise FileExistsError
        if len(list(source.rglob("*"))) < 40:
            shutil.copytree(source, target)

    def remove_folder(self) -> None:
        folder = self._folder(below_root=True)
        if len(list(folder.rglob("*"))) < 25:
            shutil.rmtree(folder)

    def folder_to_file(self) -> None:
        folder = self._folder(below_root=True)
        if len(list(folder.rglob("*"))) < 10:
            shutil.rmtree(folder)
            folder.write_text(self._text())

    def folder_to_link_and_back(self) -> None:
        """Put a link to a foreign folder with the same names in a folder's place, a few times, as it is read."""
        folder = self._folder(below_root=True)
        away, foreign = (self.outside / f"{name}{self.chance.getrandbits(40)}" for name in ("own", "foreign"))
        shutil.copytree(folder, foreign, copy_function=self._foreign_text)
        for path in folder.rglob("*"):
            os.utime(path)  # so that all is read again
        try:
            for _ in range(self.chance.choice((1, 3, 9))):
                time.sleep(self.chance.choice(LINK_SECONDS))
                folder.rename(away)
                folder.symlink_to(foreign)
                time.sleep(self.chance.choice(LINK_SECONDS))
                folder.unlink()
                away.rename(folder)
        finally:
            shutil.rmtree(foreign)

    # --- choosing ---------------------------------------------------------------------------------------------------

    def _foreign_text(self, _: str, path: str) -> None:
        Path(path).write_text(f"# {OUTSIDE_WORD}\n\n{OUTSIDE_WORD} {self._paragraph()}\n")

    def _save(self, path: Path, text: str) -> None:
        way = self.chance.randrange(5)
        if way == 0 and path.exists():
            save_as_vim(path, text)
        elif way == 1 and path.exists():
            save_as_vscode(path, text)
        elif way == 2:
            save_by_rename(path, text)
        elif way == 3:
            save_from_outside(path, text, self.outside)
        else:
            save_in_place(path, text)

    def _file(self) -> Path:
        """Return a file of a watched folder. Raises FileNotFoundError where there is none."""
        every = sorted(path for path in self._folder().rglob("*") if path.is_file() and not path.name.startswith("."))
        if not every:
            raise FileNotFoundError
        return self.chance.choice(every)

    def _folder(self, *, below_root: bool = False) -> Path:
        root = self.chance.choice(self.roots)
        every = sorted(path for path in root.rglob("*") if path.is_dir())
        if below_root and not every:
            raise FileNotFoundError
        return self.chance.choice(every if below_root else [root, root, *every])

    def _new_file(self) -> Path:
        folder = self._new_folder() if self.chance.random() < 0.15 else self._folder()
        folder.mkdir(parents=True, exist_ok=True)
        return folder / self._name()

    def _new_folder(self) -> Path:
        above = self._folder()
        root = next(root for root in self.roots if above.is_relative_to(root))
        while len(above.relative_to(root).parts) >= DEEPEST:
            above = above.parent
        return above / f"folder{self.chance.randrange(12)}"

    def _name(self) -> str:
        return f"{self.chance.choice(NAMES)}{self.chance.randrange(40)}{self.chance.choice(SUFFIXES)}"

    def _text(self) -> str:
        title = f"# {self.chance.choice(WORDS)}\n\n" if self.chance.random() < 0.6 else ""
        return title + "\n\n".join(self._paragraph() for _ in range(self.chance.choice((1, 1, 2, 4, 9)))) + "\n"

    def _paragraph(self) -> str:
        if self.chance.random() < 0.2:  # the same in many files: their vectors are shared
            return paragraph(self.chance.choice(WORDS), 40)
        heading = f"## {self.chance.choice(WORDS)}\n\n" if self.chance.random() < 0.3 else ""
        return heading + " ".join(
            f"{self.chance.choice(WORDS)}{self.chance.randrange(500)}" for _ in range(self.chance.randrange(3, 90))
        )


def _too_deep(source: Path, target: Path) -> bool:
    """Whether a folder would lie in itself, or the tree would grow without end."""
    inside = max((len(path.relative_to(source).parts) for path in source.rglob("*")), default=0)
    return target.is_relative_to(source) or inside > DEEPEST
