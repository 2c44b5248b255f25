"""Links the words of a question with the words of one passage that are nearest to them, by the model's token vectors.

That is not what a score is made of, which takes the mean over all tokens: it shows where a passage answers. Only the
one passage is encoded (a run of the model, some 7 ms), and nothing of it is kept. Late interaction compares tokens the
same way (Khattab and Zaharia, SIGIR 2020); here a word is as near as its nearest piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from engine.embedding.token_vectors import TokenVectors
from engine.lazy_dataclass import dataclass
from engine.records import NearestWord
from engine.retrieval.stop_words import STOP_WORDS
from engine.retrieval.unspaced_links import joined, overlaps
from engine.store.tokenizer import Token, tokens
from engine.store.visible_text import visible

MOST_LINKS = 5  # to words that are others: more of them hide the text
MOST_ASKED = 40  # words of a question that are looked at: a pasted page has more
MOST_WORDS = 1_000  # of a passage, as far as a snippet looks
BEHIND_CHARACTERS = 200  # behind what the model has seen of a text: its last word, and markup that began before

Floats = NDArray[np.float32]


@runtime_checkable
class TokenEncoder(Protocol):
    """What is asked of an encoder."""

    def encode_query_tokens(self, text: str) -> TokenVectors | None:
        """Return the vectors of a query's tokens; None where the model gives one vector only."""

    def encode_passage_tokens(self, text: str) -> TokenVectors | None:
        """Return the vectors of a passage's tokens; None where the model gives one vector only."""

    def reads(self, text: str) -> bool:
        """Whether the model reads the writing of a text."""


@dataclass(frozen=True, slots=True)
class LinkCuts:
    """From which cosine two different words count as linked; `faint` is for the one that is shown where none does."""

    link: float
    faint: float


def nearest_words(
    encoder: TokenEncoder, question: str, text: str, cuts: LinkCuts, kind: str = ""
) -> tuple[NearestWord, ...]:
    """Return for each word of a question, stop words left out, the nearest word of a passage, in the question's order.

    The word itself comes first, then the nearest other one from the cut on; one word of the passage answers one word of
    the question. Where the passage holds no word of the question and none that is near enough, the nearest of all is
    given as a faint one. Empty where the model gives one vector for a whole text, or the question has no such word.
    """
    compared = _compared(encoder, question, text, kind)
    return _linked(compared, cuts) if compared is not None else ()


@dataclass(frozen=True, slots=True)
class _Compared:
    """The words of a question, those of a passage, and their cosines (words asked, words found)."""

    question: str
    asked: Sequence[Token]
    text: str
    found: Sequence[Token]
    cosines: Floats

    def same(self) -> NDArray[np.bool_]:
        """Tell which pairs are one word, or words of one stem, or a name and a part of it."""
        terms = [frozenset((*word.terms, word.stem)) for word in self.found]
        shared = [[not each.isdisjoint((*word.terms, word.stem)) for each in terms] for word in self.asked]
        return np.array(shared, np.bool_)

    def link(self, row: int, column: int, *, same: bool = False, faint: bool = False) -> NearestWord:
        """Return a link as a record."""
        asked, word = self.asked[row], self.found[column]
        return NearestWord(
            self.question[asked.start : asked.end],
            self.text[word.start : word.end],
            word.start,
            word.end,
            float(self.cosines[row, column]),
            same,
            faint,
        )

    def unanswered(self, row: int) -> NearestWord:
        """Return a word of the question that no word answers."""
        asked = self.asked[row]
        return NearestWord(self.question[asked.start : asked.end])


def other_word_cosines(encoder: TokenEncoder, question: str, text: str) -> Floats:
    """Return for each word of a question that a passage does not hold the cosine of the nearest word there."""
    compared = _compared(encoder, question, text, "")
    if compared is None or not compared.found:
        return np.empty(0, np.float32)
    same = compared.same()
    best: Floats = _of_others(compared, same).max(axis=1)
    held = same.any(axis=1)
    beside = overlaps(compared.asked)[held].any(axis=0)
    return best[~(held | beside) & np.isfinite(best)]


def _compared(encoder: TokenEncoder, question: str, text: str, kind: str) -> _Compared | None:
    """Compare the words of a question with those of a passage; None where there is nothing to compare."""
    asked = _content_words(question, "", encoder.reads)
    distinct = list({word.stem: word for word in reversed(asked)}.values())[::-1][:MOST_ASKED]
    told = encoder.encode_query_tokens(question) if distinct else None
    held = encoder.encode_passage_tokens(text) if told is not None else None
    if told is None or held is None:
        return None
    distinct, rows = _placed(distinct, told)
    if not distinct:
        return None
    seen = text[: int(held.spans[:, 1].max(initial=0)) + BEHIND_CHARACTERS]  # a long text has most of its words behind
    found, columns = _placed(_content_words(seen, kind, encoder.reads), held)
    cosines = told.vectors @ held.vectors.T
    cosines[_like_endings(_endings(question, told, rows), _endings(text, held, columns))] = -1.0
    return _Compared(question, distinct, text, found, _word_cosines(cosines, rows, columns))


def _content_words(text: str, kind: str, reads: Callable[[str], bool]) -> list[Token]:
    """Return the words of a text that say something and that the model reads.

    What is told but not seen, as the target of a link, is left out.
    """
    hidden = visible(text, kind)[1]
    found = tokens(text, kind, MOST_WORDS)
    return [
        word
        for before, word in zip([None, *found], found, strict=False)
        if word.word not in STOP_WORDS
        and (word.end - word.start > 1 or (not _is_tail(before, word) if word.unspaced else _says_something(word.word)))
        and not any(start <= word.start < end for start, end in hidden)
        and (word.word.isascii() or reads(word.word))
    ]


def _is_tail(before: Token | None, word: Token) -> bool:
    """Whether a character is the last of a run of writing without spaces, which the pair before it holds already."""
    return before is not None and before.unspaced and before.end > word.start


def _says_something(character: str) -> bool:
    return not character.isascii() or character.isdigit()


def _placed(words: Sequence[Token], vectors: TokenVectors) -> tuple[list[Token], list[slice]]:
    """Return the words that have tokens, and which: a word behind the model's window has none."""
    starts, ends = vectors.spans[:, 0], vectors.spans[:, 1]
    placed, kept = [], []
    for word in words:
        first, last = int(np.searchsorted(ends, word.start, "right")), int(np.searchsorted(starts, word.end, "left"))
        if first < last:
            kept.append(word)
            placed.append(slice(first, last))
    return kept, placed


def _endings(text: str, vectors: TokenVectors, places: Sequence[slice]) -> NDArray[np.str_]:
    """Return for each token what it is as a later piece of a word, in small letters; "" for any other."""
    pieces = [""] * len(vectors.spans)
    for place in (each for taken in places for each in range(taken.start + 1, taken.stop)):
        start, end = vectors.spans[place].tolist()
        pieces[place] = text[start:end].lower()
    return np.array(pieces, np.str_)


def _like_endings(one: NDArray[np.str_], other: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Tell where two words share an ending only: `seed-lings` and `dump-lings` are not near each other for it."""
    like: NDArray[np.bool_] = (one[:, np.newaxis] == other[np.newaxis, :]) & (one != "")[:, np.newaxis]
    return like


def _word_cosines(tokens: Floats, rows: Sequence[slice], columns: Sequence[slice]) -> Floats:
    """Reduce the cosines of tokens to those of words: a pair is as near as its nearest pieces."""
    if not columns:
        return np.empty((len(rows), 0), np.float32)
    by_row = np.stack([tokens[row].max(axis=0) for row in rows])
    return np.stack([by_row[:, column].max(axis=1) for column in columns], axis=1)


def _of_others(compared: _Compared, same: NDArray[np.bool_]) -> Floats:
    """Return the cosines with −inf for pairs that are no link between other words: the same word, and bare numbers."""
    numbers = np.array([word.word.isdigit() for word in compared.found], np.bool_)
    asked = np.array([word.word.isdigit() for word in compared.asked], np.bool_)
    barred = same | numbers[np.newaxis, :] | asked[:, np.newaxis]
    return np.where(barred, np.float32(-np.inf), compared.cosines)


def _linked(compared: _Compared, cuts: LinkCuts) -> tuple[NearestWord, ...]:
    links = _links(compared, cuts) if compared.found else {}
    apart = overlaps(compared.asked)
    left = [row for row in range(len(compared.asked)) if row in links or not any(apart[row, each] for each in links)]
    told = [(compared.asked[row], links.get(row) or compared.unanswered(row)) for row in left]
    return tuple(joined(compared.question, compared.text, told))


def _links(compared: _Compared, cuts: LinkCuts) -> dict[int, NearestWord]:
    """Return the links by the place of the word asked; of pairs that lie over each other one is linked."""
    same = compared.same()
    of_others = _of_others(compared, same)
    held = same.any(axis=1)
    places = _nearest_places(compared, same)
    links = {row: compared.link(row, column, same=True) for row, column in places.items()}
    apart, beside = overlaps(compared.asked), overlaps(compared.found)
    of_others[apart[held].any(axis=0)] = -np.inf
    others = list(_best_pairs(of_others, cuts.link, apart, beside))[:MOST_LINKS]
    links |= {row: compared.link(row, column) for row, column in others}
    if not links:
        row, column = np.unravel_index(int(of_others.argmax()), of_others.shape)
        if of_others[row, column] >= cuts.faint:
            links[int(row)] = compared.link(int(row), int(column), faint=True)
    return links


def _nearest_places(compared: _Compared, same: NDArray[np.bool_]) -> dict[int, int]:
    """Return for each word that the passage holds which place of it is nearest.

    Of writing without spaces the pair that goes on from that of the pair before comes first, so that a word of several
    is found in one place.
    """
    places: dict[int, int] = {}
    for row in np.flatnonzero(same.any(axis=1)).tolist():
        asked, after = compared.asked, places.get(row - 1, -2) + 1
        goes_on = 0 < after < len(compared.found) and same[row, after] and asked[row].start < asked[row - 1].end
        places[row] = after if goes_on else int(np.where(same[row], compared.cosines[row], -np.inf).argmax())
    return places


def _best_pairs(
    cosines: Floats, least: float, asked: NDArray[np.bool_], found: NDArray[np.bool_]
) -> Iterator[tuple[int, int]]:
    """Yield the nearest pairs first; each word is in one of them, and so is what it lies over."""
    left = cosines.copy()
    while (best := int(left.argmax())) >= 0:
        row, column = divmod(best, left.shape[1])
        if not left[row, column] >= least:
            return
        yield row, column
        left[asked[row]], left[:, found[column]] = -np.inf, -np.inf
