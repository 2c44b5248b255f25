"""What is asked for exactly is found exactly: compounds, quoted words, phrases over borders, titles, marked words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from notes import FILLER, library_of
from store_samples import Sample

from engine.library import Library
from engine.records import SearchSettings
from engine.retrieval.passage_borders import crossing
from engine.store.tokenizer import exact_phrase, is_name, tokens
from engine.store.visible_text import visible

WORDS_ONLY = SearchSettings(fusion="keyword")
SPOKEN = "Sentence number {} speaks about the weather of the hills and the sheep in the fields nearby. "
NOTES = {
    "u1.md": "# Stars\n\nThe universe is large. Universal laws hold.\n",
    "u2.md": "# Study\n\nThe university opens in autumn.\n",
    "a1.md": "# Pie\n\nA new apple pie for the orchard.\n",
    "a2.md": "# Shares\n\nApple news: shares fell.\n",
    "version.md": "# Upgrade\n\nWe moved the server to Python 3.11.2 last week and it works.\n",
    "bags.md": "# Bags\n\nBag 3 weighs 11 kg, bag 2 weighs 3 kg, 2 of 11 bags are lost, 3 remain.\n",
    "older.md": "# Older\n\nPython 3.2.11 was the old server version.\n",
    "error.md": "# Errors\n\nThe printer shows ERR_CONNECTION_RESET after the update.\n",
    "resets.md": "# Connection\n\nReset the connection. A connection err can reset, reset the connection err err.\n",
    "f.py": "def max_retry_count(config):\n    return config.max_retry_count\n",
    "counting.md": "# Counting\n\nCount the max. Retry the count; max count, retry max. Count count retry.\n",
    "net.md": "# Runtime\n\nThe .NET runtime garbage collector.\n",
    "net2.md": "# Fishing\n\nWe bought a fishing net; the net was torn, net net net.\n",
    "cpp.md": "# Languages\n\nShe writes C++ and C# at work.\n",
    "c.md": "# Vitamins\n\nVitamin C, and c, c, c again.\n",
    "mail.md": "# People\n\nWrite to bob.miller@example.com before 2024-03-15.\n",
    "mail2.md": "# Others\n\nBob and Miller met at com, an example. On 15 of 03 in 2024.\n",
    "tag.md": "# Tags\n\nAll about #garden/roses here.\n",
    "n1.md": "# Server choice\n\nFor the backend we chose Express and plain js modules.\n",
    "n2.md": "# Other\n\nFor the backend we chose Node.js and Express.\n",
    "n3.md": "# Graph\n\nFor the backend each graph node is a row.\n",
    "To do.md": "# To do\n\nPaint the fence.\n",
    "do2.md": "# Long list\n\nWhat to do and to do and what not to do, to do to do.\n",
    "It.md": "# It\n\nA novel about a clown.\n",
    "it2.md": "# Clowns\n\nIt is about it and it. It was it.\n",
    "link.md": "# Link\n\nThe [quick brown](https://example.org/animals/page) fox jumps over.\n",
    "foot.md": "# Footnote\n\nThe glacier retreated[^3] sharply in summer.\n\n[^3]: Survey.\n",
    "wiki.md": "# Wiki\n\nSee the [[Harbour Plan|new harbour]] walls.\n",
    "bold.md": "# Bold\n\nA <b>tall green</b> lamp.\n",
    "org.org": "* Org\n\nThe [[https://example.net/whales][humpback whale]] sings.\n",
    "korean.md": "# Words\n\n**백로그**는 길다. 今天[安装](https://example.org/x)了\n",
    "emph.md": "# Words\n\nThis is un**believ**able and so is *fan*tastic stuff.\n",
    "sub.md": "# Chem\n\nH<sub>2</sub>O is water in the caf&eacute;.\n",
    "h.txt": "The commit-\ntee met on Friday to discuss the environ-\nmental report of a well-\nknown author.\n",
    "joined.txt": "A wellknown writer in one word.\n",
    "even.md": "# Even\n\nEven the best-known writers rest.\n",
    "cjk.md": "# Line\n\n今日は*東京*\n都庁に行く。\n",
    "aside.md": (
        "# Asides\n\nThe troop retreated^[Said the trooper.] boldly, as the<!-- seldom seen --> palace %%to do%% "
        "stands [@doe2020, p. 3] firmly. A fl<kbd>ou</kbd>rish, ==hi**ghlight**ed ~~de**le**ted~~==.\n"
    ),
    "aside.org": "* Asides\n\nThe platoon retreated[fn:: Said of it.] meekly [cite:@roe2021] away.\n",
    "aside.adoc": (
        "= Asides\n\nThe regiment retreatedfootnote:[Its diary.] tamely and fedfootnote:cow[] its cattle; "
        "link:other[other tit]le.\n"
    ),
    "code.md": "# Code\n\n```python\nresult = first**second**third\n```\n",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    essay = "# Long essay\n\n" + "".join(SPOKEN.format(number) for number in range(12))
    notes = {**NOTES, **FILLER, "long.md": essay}
    with library_of(tmp_path_factory.mktemp("exact"), notes, fitted=False) as made:
        yield made


def names(library: Library, query: str, settings: SearchSettings | None = None) -> list[str]:
    found = library.search(query, settings=settings or SearchSettings(), limit=50)
    return [hit.path.decode().partition("/notes/")[2] for hit in found.hits]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("3.11.2", "version.md"),
        ("Python 3.11.2", "version.md"),
        ("ERR_CONNECTION_RESET", "error.md"),
        ("err_connection_reset", "error.md"),
        ("retry_count", "f.py"),
        ("max_retry_count", "f.py"),
        (".NET", "net.md"),
        ("C++", "cpp.md"),
        ("C#", "cpp.md"),
        ("bob.miller@example.com", "mail.md"),
        ("2024-03-15", "mail.md"),
        ("#garden/roses", "tag.md"),
        ("node.js", "n2.md"),
    ],
)
def test_who_asks_for_a_compound_gets_it_first(library: Library, query: str, name: str) -> None:
    assert names(library, query)[0] == name


@pytest.mark.parametrize("query", ["To do", "to do", "It", "it"])
def test_a_note_titled_exactly_so_is_first(library: Library, query: str) -> None:
    assert names(library, query)[0].lower() == f"{query.lower()}.md"


def test_a_row_lifted_by_its_title_is_explained_in_full(library: Library) -> None:
    hit = library.search("To do").hits[0]
    assert hit.keyword is not None
    lifts = sum(term.rare for term in hit.keyword.terms)
    assert 0 < lifts == pytest.approx(hit.shares.rare)
    other = library.search("To do").hits[1]
    assert other.keyword is not None and sum(term.rare for term in other.keyword.terms) == 0


def test_a_left_out_compound_takes_only_itself(library: Library) -> None:
    found = names(library, "backend -node.js")
    assert {"n1.md", "n3.md"} <= set(found) and "n2.md" not in found


@pytest.mark.parametrize(
    ("query", "found"), [('"university"', ["u2.md"]), ('"news"', ["a2.md"]), ('"universal"', ["u1.md"])]
)
def test_a_quoted_word_is_no_stem(library: Library, query: str, found: list[str]) -> None:
    assert names(library, query) == found


def test_a_left_out_word_is_no_stem(library: Library) -> None:
    found = names(library, "apple -news")
    assert "a1.md" in found and "a2.md" not in found


def test_a_word_without_quotes_is_found_by_its_stem(library: Library) -> None:
    assert {"u1.md", "u2.md"} <= set(names(library, "universities", WORDS_ONLY))


@pytest.mark.parametrize("number", range(1, 12))
def test_a_phrase_reaches_over_the_borders_of_passages(library: Library, number: int) -> None:
    phrase = f'"in the fields nearby. Sentence number {number} speaks"'
    assert names(library, phrase) == ["long.md"]
    assert names(library, phrase, WORDS_ONLY) == ["long.md"]
    assert names(library, '"in the fields nearby. Sentence number 99 speaks"') == []


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ('"quick brown fox"', "link.md"),
        ('"retreated sharply"', "foot.md"),
        ('"new harbour walls"', "wiki.md"),
        ('"tall green lamp"', "bold.md"),
        ('"humpback whale sings"', "org.org"),
        ('"discuss the environmental report"', "h.txt"),
        ("animals", "link.md"),
        ("whales", "org.org"),
        ('"Harbour Plan"', "wiki.md"),
        ("unbelievable", "emph.md"),
        ("believ", "emph.md"),
        ("백로그는", "korean.md"),
        ('"天安装了"', "korean.md"),
        ("fantastic", "emph.md"),
        ("H2O", "sub.md"),
        ("cafe", "sub.md"),
        ("committee", "h.txt"),
        ("environmental", "h.txt"),
        ("well-known", "h.txt"),
        ("commit", "h.txt"),
        ("second", "code.md"),
        ('"troop retreated boldly"', "aside.md"),
        ("trooper", "aside.md"),
        ('"the palace stands firmly"', "aside.md"),
        ("seldom", "aside.md"),
        ("doe2020", "aside.md"),
        ("flourish", "aside.md"),
        ("highlighted", "aside.md"),
        ("deleted", "aside.md"),
        ('"platoon retreated meekly away"', "aside.org"),
        ('"regiment retreated tamely"', "aside.adoc"),
        ("diary", "aside.adoc"),
        ('"fed its cattle"', "aside.adoc"),
        ('"other title"', "aside.adoc"),
    ],
)
def test_words_and_phrases_are_those_that_a_reader_sees(library: Library, query: str, name: str) -> None:
    assert name in names(library, query, WORDS_ONLY)[:1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('"a well known author"', {"h.txt"}),
        ('"well known author"', {"h.txt"}),
        ('"wellknown author"', {"h.txt"}),
        ('"well-known author"', {"h.txt"}),
        ('"wellknown writer"', {"joined.txt"}),
        ('"well known"', {"h.txt"}),
        ('"best known"', {"even.md"}),
        ('"known author"', {"h.txt"}),
        ('"well known writer"', set()),
        ('committee -"well known author"', set()),
        ('"the best known writers"', {"even.md"}),
        ('"東京都庁"', {"cjk.md"}),
    ],
)
def test_a_phrase_over_a_hyphen_at_a_lines_end_is_found_in_both_forms(
    library: Library, query: str, found: set[str]
) -> None:
    assert set(names(library, query, WORDS_ONLY)) == found


def test_a_phrase_over_a_hyphen_at_a_lines_end_is_marked_and_scored(library: Library) -> None:
    (hit,) = library.search('"well known author"', settings=WORDS_ONLY).hits
    assert [hit.snippet[start:end] for start, end in hit.marks] == ["well-known author"]
    assert hit.keyword is not None and hit.keyword.terms[0].tf > 0


def test_a_phrase_reaches_over_a_short_passage_between_two_others(tmp_path: Path) -> None:
    sample = Sample(tmp_path / "library.carrel")
    sample.put("a.md", "It ends with red\n\ngreen blue\n\nyellow and goes on.")
    sample.put("b.md", "It ends with red\n\ngreen blue black\n\nyellow and goes on.")
    ids = sample.passages("a.md")
    found = crossing(sample.conn, exact_phrase(tokens("red green blue yellow"), ""))
    assert set(found.passages) == set(ids.values())
    assert crossing(sample.conn, exact_phrase(tokens("red blue yellow"), "")).passages == ()


def test_a_word_parted_by_a_hyphen_is_marked_whole(library: Library) -> None:
    (hit,) = library.search("committee", settings=WORDS_ONLY).hits
    assert [hit.snippet[start:end] for start, end in hit.marks] == ["commit-tee"]


@pytest.mark.parametrize("kind", ["markdown", "org", "rst", "asciidoc", "text", "code", ""])
@pytest.mark.parametrize(
    "text",
    [
        "a [b](c) ![d](e 'f') [g][h] [^i] [[j|k]] **l** m`n`o &amp; &#233; <i x='y'>z</i>",
        "[[a][b]] [fn:1] _{2} =c= `d <e>`_ \\ *f*\\ g <<h,i>> link:j[k] ~l~ m-\n n",
        "a^[b] c<!-- d\ne -->f%%g%% [@h] [fn:: i] [fn:j:k] [cite:@l] mfootnote:[n]o footnote:p[] link:q[r]s tʼu",
        "[" * 50 + "](" * 50 + "*" * 50 + "&" * 50 + "<a " * 50,
        "```\nopen *fence* [a](b)",
    ],
)
def test_what_is_filled_in_keeps_every_offset(text: str, kind: str) -> None:
    seen, hidden = visible(text, kind)
    assert len(seen) == len(text)
    assert all(0 <= start < end <= len(text) for start, end in hidden)
    assert all(0 <= token.start < token.end <= len(text) for token in tokens(text, kind))


def test_code_in_a_fence_stays_as_it_is_written() -> None:
    text = "```\na**b**c [d](e)\n```\nf**g**h"
    assert [token.word for token in tokens(text, "markdown")] == ["a", "b", "c", "d", "e", "fgh"]


@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("3.11.2", True),
        ("node.js", True),
        (".net", True),
        ("c++", True),
        ("err_reset", True),
        ("bob@example.com", True),
        ("2024-03-15", True),
        ("10:30", True),
        ("path/to/file", True),
        ("well-known", False),
        ("covid-19", False),
        ("and/or", False),
        ("i.e", False),
        ("word", False),
    ],
)
def test_a_compound_is_a_name_or_words_of_prose(term: str, name: bool) -> None:
    assert is_name(term) is name
