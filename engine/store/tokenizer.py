"""Splits text into the terms of the word index, and what every query and mark is made with.

At each place stands a word, folded, and beside it, at the same place, what else it is found by: its stem (`^` before
it, where it is another), the parts of a camelCase name, and where signs join it to its neighbours the whole compound,
as in `node.js`, `ERR_CONNECTION_RESET`, `C++`. FTS5 does not count terms beside a word into a row's length, so they
move no bm25. Writing without spaces becomes overlapping pairs, and its last character alone: 東京都 is 東京, 京都, 都.

Rules that change get a new `RULES`: an index that others made is then built anew (`engine.store.migrations`).
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache, cached_property, lru_cache
from itertools import accumulate, chain
from typing import NamedTuple, cast

import apsw

from engine.store.folding import FILL, IGNORED, MARKS, fold
from engine.store.phrase import EITHER, Phrase
from engine.store.visible_text import visible

RULES = 5
KIND = "\x02"  # stands around a document's kind, before the text of a passage: see the view `passage_text`
STEM = "^"  # before a stem that is not the word itself
LONGEST_COMPOUND = 64  # code points: what is longer is an address or data, and is found by its parts
_LONGEST_KEPT = 64  # code points of what is remembered with its terms
_KEPT = 50_000  # spellings remembered, about 12 MB; then it begins anew

# Letters of Han, Hiragana, Katakana and Hangul with their extensions; signs such as the middle dot U+30FB are left out.
# Then Thai, Lao, Burmese and Khmer, without their digits.
UNSPACED = (
    "\u1100-\u11ff\u3005-\u3007\u3031-\u3035\u303b\u303c\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u3131-\u318e\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb\uf900-\ufaff\uff66-\uff9f"
    "\uffa1-\uffdc\U0001aff0-\U0001b16f\U00020000-\U000323af"
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecf\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u109a-\u109f\ua9e0-\ua9ef\ua9fa-\ua9fe"
    "\uaa60-\uaa7f\u1780-\u17d3\u17dc\u17dd"
)
_IN_WORD = rf"\w{MARKS}{IGNORED}{FILL}"
_JOINS = r"\-.@/:+\u2010\u2011"
# A line break between two letters of such writing is no blank, nor are the signs of markup and the blanks around it.
_BREAK = rf"(?<=[{UNSPACED}])[ {FILL}]{{0,40}}\n[ {FILL}]{{0,40}}(?=[{UNSPACED}])"
_CHUNK = re.compile(rf"(?:[.#](?=\w))?[{_IN_WORD}]+(?:(?:[{_JOINS}]|{_BREAK})[{_IN_WORD}]+)*(?:\+\+|\#)?")
_HYPHEN = rf"[-\u2010]{FILL}+"  # at a line's end: it parts a word, or joins two
_WRITTEN = re.compile(rf"(?:[^_{_JOINS}\#]|{_HYPHEN})+")  # a word inside a chunk
_SIGN = re.compile(rf"[_{_JOINS}\#]")
# What a reader sees as one character: a letter with its voiced mark, a syllable of Hangul.
_CHARACTER = re.compile(
    rf"[\u1100-\u115f][\u1160-\u11a7][\u11a8-\u11ff]?|.[\u3099\u309a\uff9e\uff9f{IGNORED}]*", re.DOTALL
)
_HUMP = re.compile(
    r"(?<=[a-zß-öø-ÿα-ωа-џ0-9])(?=[A-ZÀ-ÖØ-ÞΑ-ΩЀ-Я])|(?<=[A-ZÀ-ÖØ-ÞΑ-ΩЀ-Я])(?=[A-ZÀ-ÖØ-ÞΑ-ΩЀ-Я][a-zß-öø-ÿα-ωа-џ])"
)
_NO_SIGNS = str.maketrans("", "", "-/:")
_STRONG = re.compile(r"[@/:#]")  # what joins compounds to a longer one: an address, a path
_FILLS = re.compile(rf"[-\u2010]?{FILL}+")

Terms = tuple[str, ...]


class Token(NamedTuple):
    """A place in a text: the word there, the code points it came from, its stem, and all terms that find it."""

    word: str
    start: int
    end: int
    stem: str
    terms: Terms
    unspaced: bool = False  # a pair, or the last character, of writing without spaces


class Places:
    """The terms at each of the first `most` places of a text, and where a place lies.

    `kind` is that of its document, for the markup. Where the places lie is found out where one is asked for.
    """

    def __init__(self, text: str, kind: str = "", most: int | None = None) -> None:
        seen, hidden = visible(text, kind)
        self._parts = [(0, seen), *((start, text[start:end]) for start, end in hidden)]
        self._spelled = [chunk for _, part in self._parts for chunk in _CHUNK.findall(part)]
        self._terms = [_TERMS[chunk] for chunk in self._spelled]
        self.terms: list[Terms] = [*chain.from_iterable(self._terms)][:most]
        self._last = -1, list[Token]()  # a chunk with its tokens, as one value: several threads may ask

    @cached_property
    def _chunks(self) -> tuple[list[int], list[int]]:
        """The first place of each chunk, and its start in the text."""
        starts = [start + match.start() for start, part in self._parts for match in _CHUNK.finditer(part)]
        return [*accumulate(map(len, self._terms), initial=0)][:-1], starts

    def token(self, place: int) -> Token:
        """Return what stands at a place."""
        firsts, starts = self._chunks
        at = bisect_right(firsts, place) - 1
        start, chunk = starts[at], self._spelled[at]
        last = self._last
        if at != last[0]:  # a run without spaces may be as long as the text
            self._last = last = at, _remembered(chunk) if len(chunk) <= _LONGEST_KEPT else _placed(chunk)
        word, first, end, stem, terms, unspaced = last[1][place - firsts[at]]
        return Token(word, start + first, start + end, stem, terms, unspaced)


def tokens(text: str, kind: str = "", most: int | None = None) -> list[Token]:
    """Return the places of a text in order, the first `most` of them; `kind` is its document's, for the markup."""
    places = Places(text, kind, most)
    return [places.token(place) for place in range(len(places.terms))]


def terms(text: str, kind: str = "") -> list[Terms]:
    """Return the terms at each place of a text, in order."""
    seen, hidden = visible(text, kind)
    found: list[Terms] = []
    for part in (seen, *(text[start:end] for start, end in hidden)):
        for chunk in _CHUNK.findall(part):
            found += _TERMS[chunk]
    return found


def seen_terms(text: str, kind: str) -> list[Terms]:
    """Return the terms at each place of what a reader sees of a text, without the targets of its links."""
    return [each for chunk in _CHUNK.findall(visible(text, kind)[0]) for each in _TERMS[chunk]]


def stem_of(word: str) -> str:
    """Return the stem of a folded word, by FTS5's own Porter stemmer; it knows English."""
    if not word.isascii() or len(word) < 3 or word.isdigit():
        return word
    with _LOCK:
        found = cast(
            "list[str]",
            _stemmer()(
                word.encode(), apsw.FTS5_TOKENIZE_DOCUMENT, None, include_offsets=False, include_colocated=False
            ),
        )
    return found[0] if len(found) == 1 else word


def of_stem(stem: str) -> Terms:
    """Return the terms by which words of a stem stand in the index."""
    return stem, STEM + stem


# --- what a query makes of tokens -----------------------------------------------------------------------------------


def exact_phrase(found: Sequence[Token], written: str) -> Phrase:
    """Return the phrase of these very words, in a row; a single character without spaces may begin a term.

    A run of such writing may go on in the text, so its last character is not asked for alone.
    """
    places = [token.word for token in found]
    last = found[-1]
    if not last.unspaced:
        return Phrase(tuple(places), written=written)
    if len(found) > 1 and found[-2].unspaced and last.start < found[-2].end:
        return Phrase(tuple(places[:-1]), written=written)
    return Phrase(tuple(places), prefix=True, written=written)


def stem_phrase(found: Sequence[Token]) -> Phrase:
    """Return the phrase of all words that have the stems of these, in a row."""
    return Phrase(tuple(EITHER.join(of_stem(token.stem)) for token in found))


def compounds_at(token: Token) -> Terms:
    """Return the compounds that begin at a place, the longest first."""
    return tuple(sorted(filter(_SIGN.search, token.terms), key=len, reverse=True))


def is_name(term: str) -> bool:
    """Whether a compound is a name, a number or an address, not words of prose as in `well-known`, `and/or`, `i.e`."""
    if any(sign in term for sign in "_@+#"):
        return True
    if "." in term:
        return not all(len(part) == 1 and part.isalpha() for part in term.split("."))
    signs = [letter for letter in term if not letter.isalnum()]
    return bool(signs) and (term.translate(_NO_SIGNS).isdecimal() or len(signs) - signs.count("-") > 1)


def parts_at(token: Token) -> Terms:
    """Return the words inside the word at a place, as in a camelCase name."""
    return tuple(
        each for each in token.terms if each != token.word and not each.startswith(STEM) and not _SIGN.search(each)
    )


# --- one chunk: words joined by signs ------------------------------------------------------------------------------


class _Remembered(dict[str, list[Terms]]):
    """The terms of chunks by their spelling: most of a text is words that were met before."""

    def __missing__(self, chunk: str) -> list[Terms]:
        if not chunk.isascii():
            found = [token.terms for token in _placed(chunk)]
        elif _SIGN.search(chunk) is None:
            found = [_word_terms(chunk, chunk.lower(), stem_of(chunk.lower()))]
        else:  # as `_placed` does, from words that were mostly met before
            words = [*_WRITTEN.finditer(chunk)]
            found = _with_compounds(chunk, [each.start() for each in words], [self[each[0]][0] for each in words])
        if len(chunk) <= _LONGEST_KEPT:
            if len(self) >= _KEPT:
                self.clear()
            self[chunk] = found
        return found


_TERMS = _Remembered()
_LOCK = threading.Lock()


def _placed(chunk: str) -> list[Token]:
    """Return the places of a chunk, with offsets in it."""
    if chunk.isascii() and chunk.isalnum():
        return [*_word(chunk, 0)]
    if not may_be_unspaced(chunk):
        return _joined(chunk, [each for part in _WRITTEN.finditer(chunk) for each in _word(part[0], part.start())])
    run, pieces = _unspaced_patterns()
    found: list[Token] = []
    for written in _WRITTEN.finditer(chunk):
        for piece in pieces.finditer(written[0]):
            at = written.start() + piece.start()
            found += _pairs(piece[0], at) if run.match(piece[0]) else _word(piece[0], at)
    return found if run.search(chunk) else _joined(chunk, found)


def may_be_unspaced(text: str) -> bool:
    """Whether a text may hold writing without spaces, told by its letters: the patterns for it are compiled if so."""
    return not text.isascii() and any(
        sign >= "\u0e01" and not "\u1e00" <= sign < "\u3005" and sign != FILL for sign in set(text)
    )


@cache
def _unspaced_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of a run of writing without spaces, and of a run or what lies between two: 10 ms."""
    run = rf"[{UNSPACED}](?:[ \n{IGNORED}{FILL}]*[{UNSPACED}])*"
    return re.compile(run), re.compile(rf"{run}|[^{UNSPACED}]+")


_remembered = lru_cache(2**13)(_placed)


def _word(written: str, at: int) -> Iterator[Token]:
    """Give the one place of a word, with the parts that its capitals or hidden signs show beside it."""
    word = fold(_FILLS.sub("", written) if FILL in written else written)
    if not word:
        return
    stem = stem_of(word)
    yield Token(word, at, at + len(written), stem, _word_terms(written, word, stem))


def _word_terms(written: str, word: str, stem: str) -> Terms:
    """Return the terms of a word, and of the parts that its capitals or hidden signs show."""
    own = (word,) if stem == word else (word, STEM + stem)
    if FILL in written or not (written[1:].islower() or written.isdigit()):
        own = tuple(dict.fromkeys([*own, *(term for part in _parts(written) for term in _own_terms(part))]))
    return own


def _parts(written: str) -> list[str]:
    """Return the parts of a camelCase name, and of a word with signs inside that are not seen; none of others."""
    pieces = _FILLS.split(written.strip(FILL)) if FILL in written else [written]
    parts = pieces if len(pieces) > 1 else []
    for piece in pieces:
        humps = _HUMP.split(piece)
        if len(humps) > 1 and len(humps[0]) > 1:  # mRNA, iPhone and eBay are names as they are
            parts += [hump for hump in humps if len(hump) > 1]
    return parts


def _own_terms(part: str) -> Terms:
    word = fold(part)
    stem = stem_of(word)
    return () if not word else (word,) if stem == word else (word, STEM + stem)


def _pairs(run: str, at: int) -> Iterator[Token]:
    """Give the pairs of a run of writing without spaces, and its last character alone.

    That one keeps two neighbouring runs from being read as one, and lets a single character be found as the beginning
    of a term.
    """
    characters = [
        (fold(match[0]), at + match.start(), at + match.end())
        for match in _CHARACTER.finditer(run)
        if match[0].strip(f" \n{FILL}")
    ]
    characters = [each for each in characters if each[0]]
    for place, (one, start, end) in enumerate(characters):
        other, _, after = characters[place + 1] if place + 1 < len(characters) else ("", 0, end)
        yield Token(one + other, start, after, one + other, (one + other,), True)


def _joined(chunk: str, found: list[Token]) -> list[Token]:
    """Put the compounds of a chunk beside the tokens that they begin with."""
    terms = _with_compounds(chunk, [token.start for token in found], [token.terms for token in found])
    return [token._replace(terms=own) for token, own in zip(found, terms, strict=True)]


def _with_compounds(chunk: str, starts: list[int], terms: list[Terms]) -> list[Terms]:
    """Put the compounds of a chunk beside the terms of the word that each begins with; the words have these starts."""
    placed = {at: place for place, at in enumerate(starts)}
    for start, written in _compounds(chunk):
        first = next((placed[at] for at in range(start, start + 3) if at in placed), None)
        compound = fold(written.replace("\u2010", "-").replace("\u2011", "-"))
        if first is not None and compound not in terms[first]:
            terms[first] = (*terms[first], compound)
    return terms


def _compounds(chunk: str) -> Iterator[tuple[int, str]]:
    """Give the places and spellings of what counts as one word: the whole, and what `@`, `/`, `:`, `#` join in it."""
    if _SIGN.search(chunk) is None:
        return
    for segment in dict.fromkeys([chunk, chunk.lstrip("#"), *_STRONG.split(chunk)]):
        if len(segment) <= LONGEST_COMPOUND and _SIGN.search(segment.strip("_")):
            yield chunk.index(segment), segment.strip("_")


@cache
def _stemmer() -> apsw.FTS5Tokenizer:
    return apsw.Connection(":memory:").fts5_tokenizer("porter", ["ascii"])


# --- the columns of the word index ----------------------------------------------------------------------------------


def of_kind(text: str) -> tuple[str, str]:
    """Take a column of the view `passage_text` apart into its text and its document's kind, "" where none is told."""
    if text.startswith(KIND):
        kind, found, _ = text[1:40].partition(KIND)
        if found:
            return text[len(kind) + 2 :], kind
    return text, ""
