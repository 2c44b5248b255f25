"""Questions typed letter by letter into two browsers in turn, as a person types, and what each key waited for its rows.

A key waits until rows stand that answer it or what was typed behind it: whoever types on before both legs have answered
sees their rows for a later letter.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from browser import EMPTY, READING_LINE, WORDS_SO_FAR, answered
from terminal import Terminal

LETTER_SECONDS = 0.12, 0.18  # from a letter in the one browser to the next in the other; each gets one in .3 s
THINKING_SECONDS = 2.0, 3.2  # in the middle of a question; a comparison begins some 2.1 s behind the last letter
END_SECONDS = 2.2, 3.2  # at its end
EMPTY_SECONDS = 0.5  # the rows of an empty line have come
LOOK_SECONDS = 0.002
AT_ANOTHER_WORD = re.compile(r" ?\S")


@dataclass
class Key:
    """A key: of which question, after which pause, when it was pressed, and when its rows stood."""

    question: int
    pause: float
    pressed: float
    before: str  # what the reading line said then
    words: float | None = None
    both: float | None = None

    def waited(self, stood: float | None) -> float | None:
        """Return the milliseconds until then."""
        return None if stood is None else (stood - self.pressed) * 1e3


@dataclass
class Typed:
    """A browser that is typed into, and its keys."""

    terminal: Terminal
    keys: list[Key] = field(default_factory=list)
    _waiting: list[Key] = field(default_factory=list)

    def press(self, piece: str, question: int, pause: float) -> None:
        """Press a key."""
        self.look()
        key = Key(question, pause, 0.0, self.terminal.screen.line(READING_LINE))
        self._waiting.append(key)
        self.keys.append(key)
        key.pressed = self.terminal.press(piece)

    def empty(self) -> None:
        """Empty the query line; no key waits any more."""
        self.look()
        self._waiting.clear()
        self.terminal.press(EMPTY)

    def look(self) -> None:
        """Take in what has come, and note the keys whose rows stand since."""
        for moment in self.terminal.arrived():
            line, done = self.terminal.screen.line(READING_LINE), answered(self.terminal.screen)
            for key in self._waiting:
                if moment < key.pressed or (key.words is None and line == key.before):
                    continue
                if key.words is None and (done or WORDS_SO_FAR in line):
                    key.words = moment
                if key.words is not None and done:
                    key.both = moment
            self._waiting = [key for key in self._waiting if key.both is None]


def type_in_turns(browsers: Sequence[Typed], queries: Sequence[str], seed: int) -> None:
    """Type the same questions into all browsers, letter by letter in turn, now the one first, now the other."""
    chance = random.Random(seed)
    for number, query in enumerate(queries):
        turns = list(browsers) if number % 2 else list(browsers)[::-1]
        for each in turns:
            each.empty()
        _rest(turns, EMPTY_SECONDS)
        for piece, pause in paced(query, chance):
            _rest(turns, pause)
            for each in turns:
                each.press(piece, number, pause)
                _rest(turns, chance.uniform(*LETTER_SECONDS))
        _rest(turns, chance.uniform(*END_SECONDS))


def paced(query: str, chance: random.Random) -> Iterator[tuple[str, float]]:
    """Give each letter of a question, a space with the one behind it, and how long a person thinks before it."""
    pieces = AT_ANOTHER_WORD.findall(query)
    words = [number for number, piece in enumerate(pieces) if piece.startswith(" ")]
    thinks = chance.sample(words, chance.randint(0, min(2, len(words))))
    for number, piece in enumerate(pieces):
        yield piece, chance.uniform(*THINKING_SECONDS) if number in thinks else 0.0


def _rest(browsers: Sequence[Typed], seconds: float) -> None:
    """Let so much time pass, and take in what comes."""
    until = time.perf_counter() + seconds
    while (left := until - time.perf_counter()) > 0:
        time.sleep(min(left, LOOK_SECONDS))
        for each in browsers:
            each.look()
