"""Chinese, Japanese and Korean writing, which puts no spaces between words: runs are indexed as overlapping pairs.

A run such as 東京都 becomes `東京 京都 都`: every pair, and the last character alone, which keeps two neighbouring runs
from being read as one and lets a single character be found as the beginning of a token.
"""

from __future__ import annotations

import re

from engine.store.phrase import Phrase

# Letters of Han, Hiragana, Katakana and Hangul with their extensions; signs such as the middle dot U+30FB are left out.
LETTERS = (
    "\u1100-\u11ff\u3005-\u3007\u3031-\u3035\u303b\u303c\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3131-\u318e"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb\uf900-\ufaff\uff66-\uff9f\uffa1-\uffdc"
    "\U0001aff0-\U0001b16f\U00020000-\U000323af"
)
RUN = re.compile(f"[{LETTERS}]+")


def runs(text: str) -> list[tuple[int, int]]:
    """Return the spans of the runs of such writing, in order."""
    return [match.span() for match in RUN.finditer(text)]


def bigrams(text: str) -> str | None:
    """Return the pairs of every run and its last character alone, space separated; None where the text has no run."""
    if text.isascii():
        return None
    tokens: list[str] = []
    for run in RUN.findall(text):
        tokens.extend(_pairs(run))
        tokens.append(run[-1])
    return " ".join(tokens) or None


def cjk_phrase(run: str) -> Phrase:
    """Return the phrase in the `cjk` column that finds exactly the passages in which the run stands."""
    if len(run) == 1:
        return Phrase(run, prefix=True, column="cjk")
    return Phrase(" ".join(_pairs(run)), column="cjk")


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]
