"""Which texts a vocabulary reads, and which are told by their letters alone."""

from __future__ import annotations

import pytest

from engine.embedding.legibility import Legibility, told_by_letters

LATIN = Legibility(f"token{number}" for number in range(2000))
CYRILLIC = Legibility([*(f"token{number}" for number in range(2000)), *(f"##слово{number}" for number in range(2000))])
TEXTS = {
    "plain words": (True, True),
    "caf\u00e9 \u2014 cr\u00e8me": (True, True),
    "\u043f\u0440\u0438\u0432\u0435\u0442 worldwide": (True, True),
    "\u043f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440": (False, True),
    "\u9884\u7b97": (False, False),
    "\U0001f355\U0001f355\U0001f355 pi": (False, False),
    "\u2500\u2500\u2500\u2500\u2502 ab \u2502": (False, False),
    "42 \u2014 17": (True, True),
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_read_where_most_of_its_letters_are_of_a_writing_that_the_vocabulary_holds(text):
    assert (LATIN.reads(text), CYRILLIC.reads(text)) == TEXTS[text]


@pytest.mark.parametrize("text", TEXTS)
def test_what_letters_tell_alone_is_what_every_vocabulary_tells(text):
    assert told_by_letters(text) in (None, LATIN.reads(text))
    assert told_by_letters(text) in (None, CYRILLIC.reads(text))


def test_latin_letters_and_pictures_ask_no_vocabulary_and_other_writings_do():
    asking = [text for text in TEXTS if told_by_letters(text) is None]
    assert asking == ["\u043f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440", "\u9884\u7b97"]


def test_a_vocabulary_of_bytes_is_read_as_what_its_bytes_say() -> None:
    """As RoBERTa and its kin have it: `привет` stands there as `Ð¿ÑĢÐ¸Ð²ÐµÑĤ`, whose letters are Latin."""
    from tokenizers import pre_tokenizers

    split = pre_tokenizers.ByteLevel(add_prefix_space=False)
    letters = "абвгдежзиклмнопрстуфхцчшщэюя"
    words = [f" {one}{two}{end}" for one in letters for two in letters for end in ("та", "но")]
    tokens = ["".join(piece for piece, _ in split.pre_tokenize_str(word)) for word in words]
    assert not any("а" <= letter <= "я" for token in tokens for letter in token)
    assert Legibility(tokens).reads("привет, как дела")
    assert not Legibility(tokens).reads("你好，今天天气很好")
