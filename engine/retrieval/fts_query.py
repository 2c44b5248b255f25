"""Turns the terms of a query into phrases to ask FTS5 for. All are quoted, so nothing typed can be FTS5 syntax."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.records import Query, Term, WordReading
from engine.retrieval.postings_cache import PostingsReader
from engine.retrieval.rare_words import RareWord, rare_words
from engine.store.bm25 import idf
from engine.store.cjk import RUN, cjk_phrase
from engine.store.fulltext import statistics, tokenise
from engine.store.phrase import Phrase

if TYPE_CHECKING:
    import apsw

CEILING_SHARE = 0.15  # of the best bm25 that these words could have: below it no hit is a full vote
SATURATED_TERM = 2.2  # k1 + 1: the factor that bm25 gives to a term as its frequency grows
COMMON_SHARE = 0.5  # of the passages: FTS5 floors the idf of a word in more of them to 1e-6, so it moves no rank
LEAST_BEGINNING = 4  # code points of a finished word: a shorter one that no passage holds begins too many others
MINIMUM_PREFIX = 2  # code points: one letter begins so many words that to rank them costs most and tells least


@dataclass(frozen=True, slots=True)
class FtsQuery:
    """What the keyword leg asks. Any of the `phrases` counts; `required` and `excluded` filter both legs.

    `readings` tell of each phrase how many passages hold it; `rows` is the number of passages in all. `known` are the
    places of the phrases that are scored: those that some passage holds, less the words that most passages hold.
    `rare` are those that hardly any document holds. `excluded_as` has the term of each exclusion, as typed. `signs` are
    asked for where nothing else is: no index holds them.
    """

    phrases: tuple[Phrase, ...] = ()
    readings: tuple[WordReading, ...] = ()
    required: tuple[Phrase, ...] = ()
    excluded: tuple[Phrase, ...] = ()
    excluded_as: tuple[str, ...] = ()
    rows: int = 0
    word_count: int = 0
    known: tuple[int, ...] = field(default=())
    rare: tuple[RareWord, ...] = ()
    signs: tuple[str, ...] = ()

    @property
    def expression(self) -> str:
        """The MATCH expression of the scored phrases that some passage holds; "" where there is none."""
        return " OR ".join(self.phrases[index].match for index in self.known)

    @property
    def telling(self) -> tuple[WordReading, ...]:
        """The readings of the phrases that are scored, and of those that no passage holds."""
        return tuple(
            reading for index, reading in enumerate(self.readings) if index in self.known or not reading.documents
        )

    @property
    def ceiling(self) -> float:
        """The floor under the normaliser of bm25, so that noise among common words is no full vote.

        .15 x the sum over the words of 2.2 ln(1 + (N - df + .5) / (df + .5)): a share of what a passage full of all
        of them would get.
        """
        return CEILING_SHARE * SATURATED_TERM * sum(reading.idf for reading in self.readings)


def fts_query_of(query: Query, words: PostingsReader) -> FtsQuery:
    """Work out what a query asks of the words of this library."""
    connection = words.connection
    rows = statistics(connection).rows
    scored: dict[tuple[str, bool, str | None], tuple[Phrase, str, str]] = {}
    required: list[Phrase] = []
    excluded: list[Phrase] = []
    excluded_as: list[str] = []
    for term in query.terms:
        for phrase, label, stem in _phrases(term, words):
            if term.excluded:
                excluded.append(phrase)
                excluded_as.append(f"{term.text}*" if term.kind == "prefix" else term.text)
                continue
            asked = label[:-1] if phrase.prefix and phrase.column is None and term.kind == "word" else ""
            scored.setdefault((stem, phrase.prefix, phrase.column), (phrase, label, asked))
            if term.kind == "phrase":
                required.append(phrase)
    phrases = tuple(phrase for phrase, _, _ in scored.values())
    counts = _counts(scored, words)
    readings = tuple(
        WordReading(label, count, idf(count, rows), asked)
        for (_, label, asked), count in zip(scored.values(), counts, strict=True)
    )
    return FtsQuery(
        phrases=phrases,
        readings=readings,
        required=tuple(required),
        excluded=tuple(excluded),
        excluded_as=tuple(excluded_as),
        rows=rows,
        word_count=len(query.meaning.split()),
        known=_worth_scoring(counts, rows),
        rare=rare_words(connection, phrases, readings, rows),
        signs=() if phrases else tuple(term.text for term in query.terms if not term.excluded),
    )


def _worth_scoring(counts: list[int], rows: int) -> tuple[int, ...]:
    """Return the places of the phrases to score; where every one is common, all that are known."""
    known = tuple(index for index, count in enumerate(counts) if count)
    telling = tuple(index for index in known if counts[index] <= COMMON_SHARE * rows)
    return telling or known


def _counts(scored: dict[tuple[str, bool, str | None], tuple[Phrase, str, str]], words: PostingsReader) -> list[int]:
    single = [stem for (stem, prefix, column) in scored if not prefix and column is None and " " not in stem]
    frequencies = words.frequencies(single)
    return [
        frequencies[stem] if not prefix and column is None and " " not in stem else words.count(phrase)
        for (stem, prefix, column), (phrase, _, _) in scored.items()
    ]


def _phrases(term: Term, words: PostingsReader) -> Iterable[tuple[Phrase, str, str]]:
    """Give the phrases that a term asks for, each with its label for people and its stems, which tell it apart."""
    for run in RUN.findall(term.text):
        yield cjk_phrase(run), run, run
    plain = RUN.sub(" ", term.text)
    tokens = tokenise(words.connection, plain)
    if not tokens:
        return
    if term.kind == "phrase" or (term.excluded and term.kind == "word"):  # -node.js leaves out neither node nor js
        text = " ".join(plain[token.start : token.end] for token in tokens)
        label = f'"{text}"' if len(tokens) > 1 else text
        yield Phrase(text), label, " ".join(token.stem for token in tokens)
        return
    for token in tokens[:-1] if term.kind == "prefix" else tokens:
        word = plain[token.start : token.end]
        yield _beginning(word, token.stem, words) or (Phrase(word), word, token.stem)
    if term.kind == "prefix":
        last = tokens[-1]
        yield from _growing(plain[last.start : last.end], last.stem, words)


def _beginning(word: str, stem: str, words: PostingsReader) -> tuple[Phrase, str, str] | None:
    """Read a word that no passage holds as the beginning of those that it begins; None where it stands for itself."""
    if len(word) < LEAST_BEGINNING or words.frequencies([stem])[stem]:
        return None
    begin = folded(words.connection, word)
    if len(begin) < LEAST_BEGINNING or not vocabulary_has(words.connection, begin):
        return None
    return Phrase(begin, prefix=True), f"{word}*", begin


def _growing(word: str, stem: str, words: PostingsReader) -> Iterable[tuple[Phrase, str, str]]:
    """Read an unfinished word: as itself with any ending, as its stem, or as its longest beginning that exists.

    Stored words are stems, so `happin` begins none of them while `happi` does, and `running` stands there as `run`.
    """
    connection = words.connection
    begin = folded(connection, word)
    if len(begin) >= MINIMUM_PREFIX and vocabulary_has(connection, begin):
        yield Phrase(begin, prefix=True), f"{word}*", begin
        if not stem.startswith(begin) and words.frequencies([stem])[stem]:
            yield Phrase(word), word, stem
        return
    if not words.frequencies([stem])[stem]:
        for length in range(len(begin) - 1, MINIMUM_PREFIX - 1, -1):
            if vocabulary_has(connection, begin[:length]):
                yield Phrase(begin[:length], prefix=True), f"{begin[:length]}*", begin[:length]
                return
    yield Phrase(word), word, stem


def folded(connection: apsw.Connection, word: str) -> str:
    """Return a word as the index folds it before stemming: lower case, without diacritics."""
    import apsw

    tokeniser = connection.fts5_tokenizer("unicode61", ["remove_diacritics", "2"])
    found = tokeniser(
        word.encode("utf-8", "replace"),
        apsw.FTS5_TOKENIZE_DOCUMENT,
        None,
        include_offsets=False,
        include_colocated=False,
    )
    return "".join(str(token) for token in found)


def vocabulary_has(connection: apsw.Connection, prefix: str) -> bool:
    """Tell whether any stem of the library begins so."""
    last = prefix + chr(0x10FFFF)
    found = connection.execute("SELECT 1 FROM passage_vocab WHERE term >= ? AND term < ? LIMIT 1", (prefix, last))
    return found.fetchone() is not None
