"""Cuts a document in the process that read it, so that a text that hangs either costs that file only.

Cutting has a room in the limited child because nothing in the indexer could end it: a regular expression or a
tokenizer holds the interpreter's lock, so that neither a signal nor another thread is heard until it returns. A budget
counted in our own loops would not reach into them, and an alarm that ends the whole indexer would take the other files
with it. Here the parent waits with a deadline, kills the child, writes down the reason, and goes on.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.records import Cutting, Document, Passage

if TYPE_CHECKING:
    from engine.embedding.tokenization import Tokens


def cut_passages(document: Document, cutting: Cutting) -> list[Passage]:
    """Cut a document with the tokenizer and the rules of a model."""
    from engine.chunking import PassageRules, cut  # with numpy and the tokenizer, 0.1 s: only when a file is to be cut

    return cut(document, _tokens(cutting.folder).starts, PassageRules.from_dict(dict(cutting.rules)), cutting.prefix)


@cache
def _tokens(folder: str) -> Tokens:
    from engine.embedding.manifest import LONGEST_WINDOW
    from engine.embedding.tokenization import Tokens

    return Tokens(Path(folder), LONGEST_WINDOW)
