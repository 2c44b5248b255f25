"""Turns the terms of a query into phrases to ask FTS5 for. All are quoted, so nothing typed can be FTS5 syntax."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from engine.lazy_dataclass import dataclass
from engine.records import Query, Term, WordReading
from engine.retrieval.named_documents import holding_names, titled
from engine.retrieval.passage_borders import LONGEST, Crossing, crossing
from engine.retrieval.postings_cache import PostingsReader
from engine.retrieval.rare_words import RareWord, looks_up, rare_words
from engine.store.bm25 import COMMON_SHARE, idf
from engine.store.phrase import EITHER, Phrase
from engine.store.tokenizer import Token, compounds_at, exact_phrase, is_name, of_stem, parts_at, stem_of, tokens

if TYPE_CHECKING:
    from engine.store.store_connection import StoreConnection

CEILING_SHARE = 0.15  # of the best bm25 that these words could have: below it no hit is a full vote
SATURATED_TERM = 2.2  # k1 + 1: the factor that bm25 gives to a term as its frequency grows
LEAST_BEGINNING = 4  # code points of a finished word: a shorter one that no passage holds begins too many others
LEAST_PART = 6  # code points of one that is looked for inside of others, as compounds have it: `arrow` is in sparrow
MOST_BEGUN = 30  # shorter beginnings of an unfinished word that are asked ahead; nobody types a longer word
MINIMUM_PREFIX = 2  # code points: one letter begins so many words that to rank them costs most and tells least


@dataclass(frozen=True, slots=True)
class FtsQuery:
    """What the keyword leg asks. Any of the `phrases` counts; `required` and `excluded` filter both legs.

    `readings` tell of each phrase how many passages hold it; `rows` is the number of passages in all. `known` are the
    places of the phrases that are scored: those that some passage holds, less the words that most passages hold. `rare`
    are those that hardly any document holds, and what names a document. `excluded_as` has the term of each exclusion,
    as typed. `signs` are asked for where nothing else is: no index holds them. `across` tells where required and
    excluded phrases reach over the borders of passages.
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
    across: Mapping[Phrase, Crossing] = field(default_factory=dict)

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


@dataclass(frozen=True, slots=True)
class FirstWords:
    """What is asked of the words of a library before anything else: `terms` are counted, `title` may be one.

    `growing` are the beginnings of words that are still typed. `begun` may be the beginnings of other words, where no
    passage holds them. `phrases` of several words are asked for, or not to be there.
    """

    terms: tuple[str, ...]
    title: tuple[str, ...]
    growing: tuple[str, ...]
    begun: tuple[str, ...]
    phrases: tuple[Phrase, ...]


def first_words(query: Query) -> FirstWords:
    """Return what `fts_query_of` asks first, which hangs on no answer."""
    asked = [(term, tokens(term.text)) for term in query.terms]
    told = [(term, found) for term, found in asked if not term.excluded]
    grown = [found[-1] for term, found in told if term.kind == "prefix" and found]
    growing = [token.word for token in grown if not token.unspaced and len(token.word) >= MINIMUM_PREFIX]
    finished = (token.word for term, found in told if term.kind != "phrase" for token in found)
    phrases = [
        replace(exact_phrase(found, term.text), prefix=term.kind == "prefix")
        if term.excluded
        else exact_phrase(found, term.text)
        for term, found in asked
        if found and (term.excluded or term.kind == "phrase")
    ]
    return FirstWords(
        tuple(dict.fromkeys([*_looked_up(asked), *(pair for phrase in phrases for pair in _hyphenated(phrase))])),
        tuple(token.word for _, found in told for token in found),
        tuple(growing),
        tuple(word for word in finished if len(word) >= LEAST_BEGINNING),
        tuple(phrase for phrase in phrases if len(phrase.places) > 1),
    )


def fts_query_of(query: Query, words: PostingsReader) -> FtsQuery:
    """Work out what a query asks of the words of this library."""
    connection = words.connection
    rows = connection.statistics().rows
    asked = [(term, tokens(term.text)) for term in query.terms]
    words.frequencies(_looked_up(asked))  # in one go; what follows finds them known
    wanted = [term for term in query.terms if not term.excluded and term.kind != "signs"]
    scored: dict[Phrase, str] = {}
    looked_up: set[Phrase] = set()
    required: list[Phrase] = []
    excluded: list[tuple[Phrase, str]] = []
    for term, found in asked:
        if term.excluded:
            told = f"{term.text}*" if term.kind == "prefix" else term.text
            excluded += [(_in_any_spelling(phrase, words), told) for phrase in _left_out(term, found, words)]
        elif term.kind == "phrase":
            required += [_in_any_spelling(exact_phrase(found, term.text), words)] if found else []
        else:
            for phrase in _scored(term, found, words, alone=len(asked) == 1):
                scored.setdefault(phrase, _stood_in_for(term, phrase))
                if looks_up(term, wanted):
                    looked_up.add(phrase)
    across = {phrase: crossing(connection, phrase) for phrase in (*required, *(phrase for phrase, _ in excluded))}
    for phrase in required:
        parts = across[phrase].parts if not words.count(phrase) else ()
        scored.update(dict.fromkeys([*parts] or [phrase], ""))
        looked_up.update([*parts] or [phrase])
    phrases = tuple(scored)
    counts = [words.count(phrase) for phrase in phrases]
    readings = tuple(
        WordReading(phrase.written, count, idf(count, rows), scored[phrase])
        for phrase, count in zip(phrases, counts, strict=True)
    )
    known = _worth_scoring(counts, rows)
    named = titled(
        connection, [token for term, found in asked if not term.excluded for token in found], readings, known
    )
    names = holding_names(connection, phrases, readings)
    rare = rare_words(connection, phrases, readings, rows, {name.index for name in names}, looked_up)
    return FtsQuery(
        phrases=phrases,
        readings=readings,
        required=tuple(required),
        excluded=tuple(phrase for phrase, _ in excluded),
        excluded_as=tuple(told for _, told in excluded),
        rows=rows,
        word_count=len(query.meaning.split()),
        known=known,
        across=across,
        rare=(*rare, *names, *named),
        signs=() if phrases else tuple(term.text for term in query.terms if not term.excluded),
    )


def _worth_scoring(counts: list[int], rows: int) -> tuple[int, ...]:
    """Return the places of the phrases to score; where every one is common, all that are known."""
    known = tuple(index for index, count in enumerate(counts) if count)
    telling = tuple(index for index in known if counts[index] <= COMMON_SHARE * rows)
    return telling or known


def _looked_up(asked: Sequence[tuple[Term, list[Token]]]) -> list[str]:
    """Return the terms of a query whose frequencies decide how it is read."""
    found = [token for _, some in asked for token in some]
    stems = [term for token in found for term in of_stem(token.stem)]
    return [*dict.fromkeys([*stems, *(term for token in found for term in token.terms)])]


def _in_any_spelling(phrase: Phrase, words: PostingsReader) -> Phrase:
    """Return a phrase together with its spellings here in which a line's end parts two of its words at a hyphen.

    Whether `well-` at a line's end and `known` below it are one word or two, nobody can tell: they stand at one place,
    with the compound of both beside them.
    """
    places, pairs = phrase.places, _hyphenated(phrase)
    if not pairs:
        return phrase
    known = words.frequencies(pairs)
    joined = (Phrase((*places[:at], pair, *places[at + 2 :])) for at, pair in enumerate(pairs) if known[pair])
    return replace(phrase, otherwise=tuple(each for each in joined if words.count(each)))


def _hyphenated(phrase: Phrase) -> list[str]:
    """Return the compounds that two neighbours in a phrase may be one of."""
    if phrase.prefix or len(phrase.places) > LONGEST:
        return []
    return [f"{one}-{other}" for one, other in pairwise(phrase.places)]


def _left_out(term: Term, found: list[Token], words: PostingsReader) -> Iterable[Phrase]:
    """Give what must not stand in a passage: the very word, a compound as one word where it stands as one."""
    if not found:
        return
    whole = compounds_at(found[0])[:1]
    if term.kind == "word" and whole and words.frequencies(whole)[whole[0]]:
        yield Phrase(whole, written=term.text)
    else:
        yield replace(exact_phrase(found, term.text), prefix=term.kind == "prefix")


def _scored(term: Term, found: list[Token], words: PostingsReader, *, alone: bool) -> Iterable[Phrase]:
    """Give the phrases that a word or a prefix asks for; of a compound first the whole, then its words."""
    growing = found[-1] if term.kind == "prefix" and found and not found[-1].unspaced else None
    yield from _whole(term, found, words, alone=alone)
    at = 0
    while at < len(found):
        token, end = found[at], at + 1
        while token.unspaced and end < len(found) and found[end].unspaced and found[end].start < found[end - 1].end:
            end += 1
        if token.unspaced:
            yield exact_phrase(found[at:end], term.text[token.start : found[end - 1].end])
        elif token is growing:
            yield from _growing(term.text[token.start : token.end], token, words)
        else:
            yield from _word(term.text[token.start : token.end], token, words)
        at = end


def _whole(term: Term, found: list[Token], words: PostingsReader, *, alone: bool) -> Iterable[Phrase]:
    """Give a compound as the word that it is; where the library has it only within a longer one, its words in a row.

    Among other words that is so for names only: counted beside its parts, a hyphen of prose ("high-speed") lost .015
    NDCG@10 on Cranfield's development queries.
    """
    known = False
    for token in found:
        for compound in compounds_at(token):
            if (alone or is_name(compound)) and words.frequencies([compound])[compound]:
                known = True
                yield Phrase((compound,), written=compound)
                break
    if not known and len(found) > 1 and any(alone or is_name(each) for each in compounds_at(found[0])):
        phrase = exact_phrase(found, term.text)
        if words.count(phrase):
            yield phrase


def _word(written: str, token: Token, words: PostingsReader) -> Iterable[Phrase]:
    """Give a word by its stem; one that no passage holds as a beginning or part of others, or by parts of its name."""
    phrase = _by_stem(written, token.stem, words)
    if words.count(phrase):
        yield phrase
    elif len(token.word) >= LEAST_BEGINNING and words.connection.vocabulary_has(token.word):
        yield Phrase((token.word,), prefix=True, written=f"{written}*")
    elif len(token.word) >= LEAST_PART and (longer := words.holding(token.word)):
        yield Phrase((EITHER.join(longer),), written=f"*{written}*")
    else:
        yield phrase
        for part in parts_at(token):
            yield _by_stem(part, stem_of(part), words)


def _stood_in_for(term: Term, phrase: Phrase) -> str:
    """Return the finished word that others stand in for, which begin so or hold it; "" where none do."""
    return phrase.written.strip("*") if term.kind == "word" and phrase.written.endswith("*") else ""


def _by_stem(written: str, stem: str, words: PostingsReader) -> Phrase:
    """Return the phrase that finds all words of a stem: by the one term that they have here, or by either of two."""
    known = [term for term in of_stem(stem) if words.frequencies([term])[term]]
    return Phrase((EITHER.join(known or [stem]),), written=written)


def _growing(written: str, token: Token, words: PostingsReader) -> Iterable[Phrase]:
    """Read an unfinished word: as itself with any ending, as its stem, or as its longest beginning that exists."""
    connection, begin = words.connection, token.word
    by_stem = _by_stem(written, token.stem, words)
    if len(begin) >= MINIMUM_PREFIX and connection.vocabulary_has(begin):
        yield Phrase((begin,), prefix=True, written=f"{written}*")
        if not token.stem.startswith(begin) and words.count(by_stem):
            yield by_stem
        return
    if not words.count(by_stem):
        shorter = _longest_beginning(connection, begin)
        if shorter:
            yield Phrase((shorter,), prefix=True, written=f"{shorter}*")
            return
    yield by_stem


def _longest_beginning(connection: StoreConnection, word: str) -> str:
    """Return the longest beginning of a word, itself left out, that some term has; "" where none has two letters."""
    there, missing = MINIMUM_PREFIX - 1, len(word)  # lengths; what begins a term has only beginnings that do
    while missing - there > 1:
        at = min((there + missing) // 2, there + MOST_BEGUN)
        there, missing = (at, missing) if connection.vocabulary_has(word[:at]) else (there, at)
    return word[:there] if there >= MINIMUM_PREFIX else ""
