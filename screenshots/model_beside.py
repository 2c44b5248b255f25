"""Lets a model run beside the one in use of the pictures' library: the embedded one with its first token for the mean.

That is what a wrong setting makes of a model. Its cosines lie on another scale, so that the cut carried over agrees in
next to nothing, and its own in nearly all; and it finds worse.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from itertools import islice

from engine.embedding import catalogue
from engine.embedding.manifest import Manifest
from engine.library import Library
from engine.records import ShadowStream
from training.review_session import ReviewSession

NAME = "first-token"
QUESTIONS, REVIEWS = 120, 7
_WORD = re.compile(r"[A-Za-z][a-z]{3,}")


def let_run_beside(library: Library) -> None:
    """Install the model, let it run beside, ask both the vault's own lines, and begin a review."""
    folder = catalogue.place_of(NAME)
    shutil.copytree(catalogue.EMBEDDED_FOLDER, folder)
    replace(Manifest.read(folder), id=NAME, pooling="cls").write(folder)
    library.start_shadow(NAME)
    for place, question in enumerate(islice(_questions(library), QUESTIONS)):
        stream: ShadowStream = "live" if place % 3 else "replay"
        library.shadow_score(question, stream)
    sitting = ReviewSession(library)
    for place in range(REVIEWS):
        if (lists := sitting.next()) is not None:
            same = lists.left == lists.right or place % 3 == 0
            sitting.choose("tie" if same else "left", 4.0)


def _questions(library: Library) -> list[str]:
    """Return some words of each line of the notes, from three to nine, as a person asks for what they remember."""
    lines = [line for document in library.every_document() for line in document.text.splitlines()]
    words = [_WORD.findall(line) for line in lines]
    asked = (" ".join(each[: 3 + place % 7]) for place, each in enumerate(words) if len(each) >= 3)
    return list(dict.fromkeys(asked))
