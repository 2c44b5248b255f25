"""A person who writes secrets into a diary and forgets them again, in every way that Carrel offers.

Nobody else touches the diary, so a secret that is found after `forget_all` was kept by the library.
"""

from __future__ import annotations

import os
import random
import string
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from turmoil import WORDS

from app.cli.indexer_request import done_or_asked
from engine.errors import CarrelError
from engine.library import Library

FIRST_LETTERS = 3  # of a word, which the word index may leave out where its neighbour begins with the same
LOOKED_FOR_SECONDS = 20.0  # how long a new secret is waited for before it is forgotten all the same
REST_SECONDS = 60.0  # what a library may take to come to rest


class Person:
    """Remembers and forgets in one library: secrets in `diary`, marks, the log of searches, and whole folders."""

    def __init__(self, library: Library, diary: Path, roots: Sequence[Path], chance: random.Random) -> None:
        self.library, self.diary, self.roots, self.chance = library, diary, roots, chance
        self.secrets: list[str] = []
        self.done: Counter[str] = Counter()
        self._ways: dict[Callable[[], None], int] = {
            self.delete_a_secret: 6,
            self.edit_a_secret_away: 6,
            self.rename_a_secret: 3,
            self.forget_the_log: 4,
            self.forget_the_marks: 4,
            self.forget_the_diary_forever: 2,
            self.take_the_diary_out_for_a_while: 2,
            self.forget_a_folder_forever: 1,
            self.take_a_folder_out_for_a_while: 1,
        }

    def happen(self) -> None:
        """Do one thing."""
        way = self.chance.choices(list(self._ways), list(self._ways.values()))[0]
        way()
        self.done[way.__name__] += 1

    def forget_all(self) -> None:
        """Forget whatever is left of any secret."""
        for path in self.diary.iterdir():
            path.unlink()
        self.library.empty_search_log()
        self.library.empty_marks()
        for root in (self.diary, *self.roots):
            self._watch(root)

    # --- secrets in files -------------------------------------------------------------------------------------------

    def delete_a_secret(self) -> None:
        self._note().unlink()

    def edit_a_secret_away(self) -> None:
        self._note().write_text("# Nothing\n\nhere any more\n")

    def rename_a_secret(self) -> None:
        path = self.diary / f"{self._secret()}.md"
        path.write_text("# A name\n\nThe secret is the name of the file.\n")
        self._until_found(path.stem)
        path.rename(self.diary / f"plain{self.chance.randrange(20)}.md")

    def forget_the_diary_forever(self) -> None:
        self._note()
        self._forget(self.diary, forever=True)
        for path in self.diary.iterdir():
            path.unlink()
        self._watch(self.diary)

    def take_the_diary_out_for_a_while(self) -> None:
        path = self._note()
        self._forget(self.diary, forever=False)
        path.unlink()
        self._watch(self.diary)

    # --- folders that others change meanwhile -----------------------------------------------------------------------

    def forget_a_folder_forever(self) -> None:
        self._out_and_in(forever=True)

    def take_a_folder_out_for_a_while(self) -> None:
        self._out_and_in(forever=False)

    def _out_and_in(self, *, forever: bool) -> None:
        root = self.chance.choice(self.roots)
        self._forget(root, forever=forever)
        time.sleep(self.chance.choice((0.0, 0.5, 3.0)))
        self._watch(root)

    def _forget(self, root: Path, *, forever: bool) -> None:
        order = ("remove_forever" if forever else "remove", os.fspath(root))
        self._ordered(lambda: self.library.remove(root, forever=forever), order)

    def _watch(self, root: Path) -> None:
        self.library.add(root)
        self._ordered(lambda: self.library.sync([root]), ("sync", os.fspath(root)))

    def _ordered(self, do: Callable[[], object], order: tuple[str, str]) -> None:
        """Do something as the command line does: here, or by asking the indexer that is at work."""
        done_or_asked(self.library, do, [order], on_event=lambda _: None, stop=threading.Event())

    # --- what the reader leaves -------------------------------------------------------------------------------------

    def forget_the_log(self) -> None:
        for _ in range(3):
            self.library.log_search(self.library.search(self._question()))
        self.library.empty_search_log()

    def forget_the_marks(self) -> None:
        question = self._question()
        for hit in self.library.search(question).hits[:3]:
            try:
                self.library.mark(question, hit.passage_id, self.chance.choice((1, 2, -2)))
            except CarrelError:
                self.done["a passage was gone before it was marked"] += 1
        self.library.empty_marks()

    # --- choosing ---------------------------------------------------------------------------------------------------

    def _question(self) -> str:
        return f"{self.chance.choice(WORDS)} {self._secret()}"

    def _note(self) -> Path:
        """Write a note with a secret in it and give the indexer time to read it."""
        path = self.diary / f"note{self.chance.randrange(20)}.md"
        secret = self._secret()
        path.write_text(f"# {self.chance.choice(WORDS)}\n\nThe secret is {secret}, and {secret} it stays.\n")
        self._until_found(secret)
        return path

    def _until_found(self, secret: str) -> None:
        until = time.monotonic() + LOOKED_FOR_SECONDS
        while time.monotonic() < until and self.chance.random() < 0.95:
            if self.library.search(f'"{secret}"').hits:
                self.done["a secret was indexed before it was forgotten"] += 1
                return
            time.sleep(0.2)

    def _secret(self) -> str:
        secret = "".join(self.chance.choices(string.ascii_lowercase, k=12)) + "x"  # a word that no stemmer shortens
        self.secrets.append(secret)
        return secret


def kept_words(library: Path, words: Iterable[str]) -> list[str]:
    """Wait until the library is at rest, and say which of the words stand in which of its files even then."""
    endings = [word[FIRST_LETTERS:].encode() for word in words]
    until = time.monotonic() + REST_SECONDS
    while (found := _holding(library, endings)) and time.monotonic() < until:
        time.sleep(1.0)
    return found


def _holding(library: Path, endings: Sequence[bytes]) -> list[str]:
    found = []
    for path in library.parent.rglob(f"{library.name}*"):
        for file in path.rglob("*") if path.is_dir() else (path,):
            try:
                text = file.read_bytes().lower()
            except (FileNotFoundError, IsADirectoryError):
                continue
            found += [
                f"{file.name} keeps …{ending.decode()} at {text.find(ending):,}" for ending in endings if ending in text
            ]
    return found
