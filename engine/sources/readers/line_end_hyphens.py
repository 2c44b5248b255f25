"""Joins words that a line's end parts, and keeps the hyphen where it belongs to the word.

A page does not tell a hyphen that was set to break a word from one that is written. The other pages do: a word that
stands somewhere in one piece is joined so. Where nothing tells, the word is joined, unless both halves are words and
the whole is none: then it stays as it is on the page, and the word index finds it either way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

MARK = "[\ufffe\x02]"  # what PDFium puts for a hyphen at a line's end, in place of the line's end too
SHORTEST_HALF = 3  # letters of a half that is looked up: shorter ones are words in too many languages
_ENDINGS = ("", "s", "es", "d", "ed", "er", "ers", "ing", "ly", "al")  # of words whose stem may be what is known
_MARKED = re.compile(rf"([\w-]{{0,60}}[^\W\d_]){MARK}\n?([^\s\ufffe\x02]{{1,80}}) ?")
_WRITTEN = re.compile(r"(?<![\w-])([^\W\d_]{2,60})-\n([a-zß-öø-ÿ]{2,60})(?![\w-])")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_LETTERS = re.compile(r"[^\W\d_]*(?:-[^\W\d_]+)*")


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """Return the words that stand in one piece somewhere in the texts, in small letters."""
    return frozenset(word for text in texts for word in _WORD.findall(text.lower()))


def rejoined(text: str, known: frozenset[str]) -> str:
    """Join the words at the ends of lines; `known` are the words of the whole document."""

    def marked(match: re.Match[str]) -> str:
        left, right = match[1], match[2]
        letters = _LETTERS.match(right)
        hyphen = _hyphen(left, letters[0] if letters else "", known)
        return f"{left}{hyphen}{right}" + (" " if hyphen.endswith("\n") else "\n")

    def written(match: re.Match[str]) -> str:
        return f"{match[1]}{_hyphen(match[1], match[2], known)}{match[2]}"

    return _WRITTEN.sub(written, _MARKED.sub(marked, text))


def _hyphen(left: str, right: str, known: frozenset[str]) -> str:
    """Return what stands between two halves: nothing, a hyphen, or a hyphen and the line's end."""
    start = left.lower()
    end = right.lower()
    if start + end in known:
        return ""
    if "-" in left or "-" in right or not right or f"{start}-{end}" in known or (right[0].isupper() and left.islower()):
        return "-"
    if min(len(start), len(end)) >= SHORTEST_HALF:
        english = _english()
        forms = {(start + end).removesuffix(suffix) for suffix in _ENDINGS}
        if start in english and end in english and not forms & english:
            return "-\n"
    return ""


@cache
def _english() -> frozenset[str]:
    """Return the English words that the shipped encoder knows as one token; read once, in 0.1 s."""
    written = (files("engine.embedding") / "weights" / "tokenizer.json").read_text(encoding="utf-8")
    return frozenset(word for word in json.loads(written)["model"]["vocab"] if word.isalpha())
