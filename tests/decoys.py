"""A library in which meaning leads astray and words do not: what is fitted to it must lean on words."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import numpy as np
from fake_encoder import FakeEncoder
from numpy.typing import NDArray

from engine.library import Library

COLOURS = ("red", "green", "blue", "white", "black", "brown")
SIDE = 15  # of the grid: each note holds two of 2 x 15 words, and no other note holds both
_COLOUR = re.compile(rf"\b({'|'.join(COLOURS)})\b")


class DecoyEncoder(FakeEncoder):
    """Sees little but the colour that a text names first."""

    def __init__(self) -> None:
        super().__init__()
        self.encode_words = super().encode_query

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a text, three fifths of it from its colour."""
        found = _COLOUR.search(text)
        vector = self.encode_words(found[1] if found else text) + np.float32(0.75) * self.encode_words(f"{text!r}")
        unit: NDArray[np.float32] = vector / np.linalg.norm(vector)
        return unit


def words(one: int, other: int) -> str:
    """Return the two words of a note."""
    return f"north{chr(97 + one)}ing south{chr(97 + other)}ing"


def notes() -> dict[str, str]:
    """Return the notes by name."""
    chance = random.Random(5)
    return {
        f"{one:02}-{other:02}.txt": f"{chance.choice(COLOURS)} {words(one, other)} and nothing more than that\n"
        for one in range(SIDE)
        for other in range(SIDE)
    }


def make_library(root: Path) -> Path:
    """Index the notes into a library and return its file."""
    folder = root / "notes"
    folder.mkdir(parents=True)
    for name, text in notes().items():
        (folder / name).write_text(text)
    path = root / "library.carrel"
    with Library.open(path, create=True, encoder=DecoyEncoder()) as library:
        library.add(folder)
        library.sync()
    return path


def write_questions(file: Path, count: int = SIDE * SIDE, *, noise: bool = False) -> Path:
    """Write judged questions: each names the words of a note beside the colour of others; with `noise` any note."""
    chance = random.Random(11)
    pairs = [(one, other) for one in range(SIDE) for other in range(SIDE)]
    chance.shuffle(pairs)
    lines = []
    for one, other in pairs[:count]:
        answer = chance.choice(pairs) if noise else (one, other)
        asked = f"{chance.choice(COLOURS)} {words(one, other)}"
        lines.append(json.dumps({"query": asked, "relevant": [f"{answer[0]:02}-{answer[1]:02}.txt"]}))
    file.write_text("\n".join(lines) + "\n")
    return file
