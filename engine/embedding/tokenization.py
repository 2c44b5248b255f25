"""Tokenizes any text into token numbers and token places; hostile text is made harmless first, in the same length."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from engine.embedding.legibility import Legibility, told_by_letters
from engine.embedding.manifest import DEFAULT_PASSAGE_RULES, TOKENIZER_FILE
from engine.embedding.token_starts import TokenStarts
from engine.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_SURROGATE = re.compile(r"[\ud800-\udfff]")

# Only so many characters a token of the window are looked at: words are far shorter, and a line of a megabyte would
# otherwise be cut into tokens only to be thrown away.
_CHARACTERS_PER_TOKEN = 64


class Tokens:
    """One tokenizer file, with its own padding and truncation switched off. Safe to use from several threads."""

    def __init__(self, folder: Path, window: int) -> None:
        self._window = window
        self._tokenizer = plain_tokenizer(folder / TOKENIZER_FILE)
        self._legibility: Legibility | None = None
        self._starts = TokenStarts(self._tokenizer)
        self._special = self._tokenizer.num_special_tokens_to_add(False)
        unknown = getattr(self._tokenizer.model, "unk_token", None)  # which not every kind of vocabulary has
        self._unknown: int | None = self._tokenizer.token_to_id(unknown) if unknown else None

    def ids(self, text: str) -> list[int]:
        """Return the token numbers of a text, special ones included, cut to the window."""
        ids: list[int] = self._windowed(text, self._window).ids
        return ids

    def ids_and_spans(self, text: str, window: int | None = None) -> tuple[list[int], list[tuple[int, int] | None]]:
        """Return the token numbers as `ids` does, cut to a shorter `window` where one is given, and for each its span.

        None stands for a special token, and for one that the vocabulary lacks: all of these have much the same vector.
        """
        found = self._windowed(text, min(window or self._window, self._window))
        told = zip(found.ids, found.offsets, found.special_tokens_mask, strict=True)
        return found.ids, [None if special or each == self._unknown else span for each, span, special in told]

    def _windowed(self, text: str, window: int) -> Encoding:
        text = _harmless(text[: window * _CHARACTERS_PER_TOKEN])
        plain = self._tokenizer.encode(text, add_special_tokens=False)
        if len(plain) + self._special > window:
            plain.truncate(max(window - self._special, 1))
        return self._tokenizer.post_process(plain, None, True)

    def reads(self, text: str) -> bool:
        """Whether the model can read a text, as `Legibility` has it."""
        if (told := told_by_letters(text)) is not None:
            return told
        if self._legibility is None:
            self._legibility = Legibility(self._tokenizer.get_vocab())  # 40 ms for 30,000 tokens
        return self._legibility.reads(text)

    def starts(self, text: str) -> list[int]:
        """Return the code point at which each token of the whole text starts, special tokens left out."""
        return self._starts.of(_harmless(text))


def _harmless(text: str) -> str:
    """Replace lone surrogates, which the tokenizer refuses, each by one U+FFFD, so that offsets stay."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def plain_tokenizer(path: Path) -> Tokenizer:
    """Load a tokenizer file without its padding and truncation. Raises ModelError where it cannot be used."""
    tokenizer = read_tokenizer(path)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def read_tokenizer(path: Path) -> Tokenizer:
    """Load a tokenizer file as it is. Raises ModelError where it cannot be used."""
    from tokenizers import Tokenizer  # 25 ms

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise ModelError(
            f"The tokenizer of the model in {path.parent} cannot be used.",
            cause=f"{error}.",
            fix="Install the model again with `carrel models use`, or build it with `carrel models build`.",
        ) from error
    return tokenizer


def passage_rules(folder: Path, window: int) -> dict[str, int]:
    """Return the default passage rules, fitted to a model's window and to its tokenizer's special tokens."""
    special = plain_tokenizer(folder / TOKENIZER_FILE).num_special_tokens_to_add(False)
    rules = dict(DEFAULT_PASSAGE_RULES)
    return rules | {"window": min(window, rules["window"]), "special": special}
