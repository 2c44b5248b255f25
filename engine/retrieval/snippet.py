"""The part of a passage that shows why it was found: its densest words, marked, or the sentence nearest in meaning."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from engine.retrieval.fts_query import FtsQuery
from engine.store.folding import FILL
from engine.store.phrase import EITHER
from engine.store.sorted_terms import beginning_with
from engine.store.tokenizer import UNSPACED, Places, Token, compounds_at, may_be_unspaced
from engine.store.visible_text import parted_filled

SNIPPET_LENGTH = 220  # code points: two lines of a wide list
READ_LENGTH = 12_000  # code points of a passage that are read: some hold ten times their words in links and blanks
CONSIDERED_LENGTH = 4_000  # of what is left without those: more than the longest passage of words has
CONSIDERED_TOKENS = 1_000
KEPT_CHARACTERS, KEPT_TEXTS = 4_000, 256  # of texts whose places are remembered, some 10 MB
_SENTENCE_END = re.compile(r"(?:[.!?][\"')\]”’]*\s+|[。！？])(?=\S)")
LONGEST_WORD = 24  # code points: a snippet that begins inside a longer one begins inside a word
_BLANKS = re.compile(r"\s+")
_LINE_END = re.compile(r"\n\s+")  # with the empty lines and the indentation that follow
_INSIDE_A_WORD = rf"(?<=[{UNSPACED}])\n(?=[{UNSPACED}])"  # 8 ms to compile, for texts that hold such letters
_LINE_MARKUP = re.compile(r"^[^\S\n]*+(?:#{1,6}\s++|[-*+]\s++|>\s*+|```[\w-]*+)", re.MULTILINE)
_FRONT_MATTER = re.compile(r"---\n.*?\n---\n", re.DOTALL)
_ORG_HEAD = re.compile(r"\s*+(?:#\+\w++:.*+(?:\n\s*+|\Z))++")  # title, author, tags, each a line
_LINK = re.compile(r"!?\[([^\]\[]*+)\]\([^)\s\[]*+(?:\s\"[^\"]*+\")?\)")
_WIKI_LINK = re.compile(r"\[\[(?:[^\]|\[]*\|)?([^\]\[]*)\]\]")
_EMPHASIS = re.compile(r"\*\*|~~|`")
# Around words only, so that `f(*args, *more)`, 2 * 3, `_private` and snake_case stay as they are.
_SLANTED = re.compile(
    r"(?<![\w*])\*(?=[^\s*])([^*\n]{1,200})(?<=\S)\*(?![\w*])|(?<!\w)_(?=[^\s_])([^_\n]{1,200})(?<=\S)_(?!\w)"
)

MOST_SENTENCES = 12  # each costs one run of the encoder, 2 to 10 ms
SHORTEST = 12  # code points: what is shorter is a label, not a sentence
_SENTENCE = re.compile(r"\S(?:.*?[.!?。！？](?=[\s\"')\]]|$)|.*?$)", re.DOTALL)
_LOOSE_FRONT_MATTER = re.compile(r"---[ \t]*\n(?:.*\n)*?---[ \t]*(?:\n|$)")
_BREAK = re.compile(r"\n(?=[ \t]*(?:\n|[-*+>|]|#{1,6}\s|\d{1,9}[.)]\s|:::|`{3}))")  # a new block of text begins
_SIGN = re.compile(r"[ \t]*(?:[-*+>]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?")  # what a list item or quote begins with
_LABEL = re.compile(r"[ \t]*(?:#{1,6}\s[^\n]*|`{3}[^\n]*|[-*_=~]{3,}[ \t]*)(?:\n|$)")  # a heading, a fence, a rule

Marks = tuple[tuple[int, int], ...]


def snippet(
    text: str,
    fts_query: FtsQuery,
    names: tuple[str, ...] = (),
    kind: str = "text",
    length: int = SNIPPET_LENGTH,
) -> tuple[str, Marks]:
    """Return the densest `length` code points of a passage on one line, and the spans in it that hold a query word.

    Of Markdown the signs that only shape a text are left away, and of a link its target; of org the lines about a file
    before its text. A first line that is one of
    `names`, the title and headings shown above it, is left away too. However long the passage, and whatever signs it
    is made of, only its beginning is looked at, so that no passage costs a list more than about 5 ms.
    """
    read = text[:READ_LENGTH]
    made = _kept_line if len(read) <= KEPT_CHARACTERS else _one_line
    if kind == "org":
        read = _without_head(read)
    line = made(read, names, plain=kind == "markdown")[:CONSIDERED_LENGTH]
    line, marks = _unfilled(line, matched_spans(line, fts_query, kind))
    start, end = _window(line, marks, length)
    lead, tail = "… " if start else "", " …" if end < len(line) else ""
    shift = len(lead) - start
    inside = tuple((a + shift, b + shift) for a, b in marks if a >= start and b <= end)
    return lead + line[start:end] + tail, inside


def matched_spans(text: str, fts_query: FtsQuery, kind: str = "") -> list[tuple[int, int]]:
    """Return the spans of `text`, in code points, that hold a word, prefix or phrase of the query, in order.

    `kind` is that of its document, where its markup still stands in the text.
    """
    spans: list[tuple[int, int]] = []
    if not fts_query.phrases and not fts_query.signs:  # as in a list of the newest documents: no word is looked for
        return spans
    indexed = (_kept_text if len(text) <= KEPT_CHARACTERS else _IndexedText)(text, kind)
    found = indexed.found
    for phrase in chain.from_iterable(asked.spellings for asked in fts_query.phrases):
        *lead, last = [place.split(EITHER) for place in phrase.places] or [[]]
        ends = {
            place
            for wished in last
            for term in (beginning_with(wished, indexed.ordered) if phrase.prefix else [wished])
            for place in indexed.places.get(term, ())
        }
        for end in ends:
            first = end - len(lead)
            if first >= 0 and all(
                not set(wished).isdisjoint(found.terms[first + at]) for at, wished in enumerate(lead)
            ):
                last_token = found.token(end)
                spans.append(_span(found.token(first) if lead else last_token, last_token, phrase.places[-1]))
    for sign in fts_query.signs:
        spans.extend(match.span() for match in islice(re.finditer(re.escape(sign), text), CONSIDERED_TOKENS))
    return _merged(spans)


class _IndexedText:
    """The places of a text, by the term that stands there."""

    def __init__(self, text: str, kind: str) -> None:
        self.found = Places(text, kind, CONSIDERED_TOKENS)
        self.places: defaultdict[str, list[int]] = defaultdict(list)
        for place, terms in enumerate(self.found.terms):
            for term in terms:
                self.places[term].append(place)
        self.ordered = sorted(self.places)


_kept_text = lru_cache(KEPT_TEXTS)(_IndexedText)  # who types sees the same rows again with each key


def _span(first: Token, last: Token, term: str) -> tuple[int, int]:
    """Return the span of what was found; a compound reaches over the words that it joins and the signs around it."""
    if term not in compounds_at(last):
        return first.start, last.end
    start = max(last.start - (not term[0].isalnum()), 0)
    return start, start + len(term)


def _unfilled(line: str, marks: list[tuple[int, int]]) -> tuple[str, list[tuple[int, int]]]:
    """Leave out what stands where a word was parted, which was there for its marks only."""
    if FILL not in line:
        return line, marks
    moved = [(start - line.count(FILL, 0, start), end - line.count(FILL, 0, end)) for start, end in marks]
    return line.replace(FILL, ""), moved


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _one_line(text: str, names: tuple[str, ...], *, plain: bool) -> str:
    """Put a passage on one line; its own heading is left off where it is one of the names shown above it."""
    front = _FRONT_MATTER.match(text) if plain else None
    text = parted_filled(text)
    stripped = _LINE_END.sub("\n", (front and text[front.end() :]) or text).lstrip()
    stripped = _without_names(stripped, names)
    if plain:
        stripped = _LINE_MARKUP.sub(" ", stripped)
        stripped = _EMPHASIS.sub("", _WIKI_LINK.sub(r"\1", _LINK.sub(r"\1", stripped)))
        stripped = _SLANTED.sub(lambda slanted: slanted[1] or slanted[2], stripped)
    if may_be_unspaced(stripped):
        stripped = re.sub(_INSIDE_A_WORD, "", stripped)
    return _BLANKS.sub(" ", stripped).strip()


def _without_head(text: str) -> str:
    """Leave off what org says of a file before its text begins; a file that says nothing else keeps it."""
    head = _ORG_HEAD.match(text)
    return text[head.end() :] or text if head else text


def _without_names(text: str, names: tuple[str, ...]) -> str:
    """Leave off the first lines that are names shown above a text, title and heading, each once."""
    for _ in names:
        first, _, rest = text.partition("\n")
        if not rest.strip() or first.strip("#=* \t") not in names:
            break
        text = rest
        underline = text.partition("\n")[0].strip()
        if underline and len(set(underline)) == 1 and not underline[0].isalnum():
            text = text.partition("\n")[2]
    return text


_kept_line = lru_cache(KEPT_TEXTS)(_one_line)


def _window(line: str, marks: list[tuple[int, int]], length: int) -> tuple[int, int]:
    """Choose the window that holds most marks, from the sentence of the first of them on or cut between words."""
    if len(line) <= length:
        return 0, len(line)
    starts = [start for start, _ in marks]
    best = 0
    best_count = -1
    for index, start in enumerate(starts):
        count = bisect_left(starts, start + length - length // 5) - index
        if count > best_count:
            best, best_count = start, count
    start = max(0, min(best - length // 5, len(line) - length))
    if start:
        start = _beginning(line, start, best, len(line) - length)
    end = min(len(line), start + length)
    if end < len(line):
        end = max(line.rfind(" ", end - 24, end), start + length - 24)
    return start, end


def _beginning(line: str, start: int, first: int, last: int) -> int:
    """Return where to begin near `start`: with the sentence in which the place `first` stands, else with a word.

    What begins behind `last` would leave a part of the snippet's length unused.
    """
    near = range(max(0, first - SNIPPET_LENGTH // 3), min(first, last) + 1)
    sentences = [match.end() for match in _SENTENCE_END.finditer(line, near.start, first + 1) if match.end() in near]
    if sentences:
        return sentences[-1]
    before = line.rfind(" ", max(0, start - LONGEST_WORD), start) + 1
    after = line.find(" ", start - 1, min(first, start + LONGEST_WORD)) + 1
    return (before if start < last else after) or after or start  # a word earlier would cut the last one off


# --- the sentence that is nearest in meaning to a query ------------------------------------------------------------


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Give the spans of the sentences of a text, without the blanks around them; a list item may be one.

    None reaches over the end of a paragraph, and headings, rules and front matter are none.
    """
    spans = (span for start, end in _blocks(text) for span in _in_block(text, start, end))
    return ((start, end) for start, end in spans if end - start >= SHORTEST)


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of paragraphs and list items."""
    front = _LOOSE_FRONT_MATTER.match(text)
    start = front.end() if front else 0
    while start < len(text):
        label = _LABEL.match(text, start)
        if label and label.end() > start:
            start = label.end()
            continue
        sign = _SIGN.match(text, start)
        start = sign.end() if sign else start
        found = _BREAK.search(text, start)
        end = found.start() if found else len(text)
        yield start, end
        start = max(end, start) + 1


def _in_block(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for match in _SENTENCE.finditer(text, start, end):
        yield match.start(), match.start() + len(match[0].rstrip())


def nearest_sentence(encode: Callable[[str], NDArray[np.float32]], query: str, text: str) -> tuple[int, int] | None:
    """Return the span of the sentence of highest cosine with the query among the first dozen; None where is none."""
    spans = list(islice(sentences(text), MOST_SENTENCES))
    if not spans or not query.strip():
        return None
    wanted = encode(query)
    cosines = [float(encode(text[start:end]) @ wanted) for start, end in spans]
    return spans[int(np.argmax(cosines))]
