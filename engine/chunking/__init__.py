"""From a document to passages that fit an encoder: `cut`, its rules, and the shape of the token counter it is handed.

The room knows no encoder; whoever calls `cut` hands in the function that says where tokens start.
"""

from __future__ import annotations

from engine.chunking.chunker import cut
from engine.chunking.passage_rules import PassageRules, TokenStarts

__all__ = ["PassageRules", "TokenStarts", "cut"]
