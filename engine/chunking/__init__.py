"""Cuts a document into passages that fit an encoder: `cut`, its rules, and the token counter that it is given.

The package knows no encoder: the caller of `cut` gives the function that says where tokens start.
"""

from __future__ import annotations

from engine.chunking.chunker import cut
from engine.chunking.passage_rules import PassageRules, TokenStarts

__all__ = ["PassageRules", "TokenStarts", "cut"]
