"""A word that hardly any document holds brings its documents to the top, whatever the encoder makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from notes import FILLER, library_of

from engine.records import DEFAULT_CONSTANTS, FusionConstants, SearchSettings
from engine.retrieval import rare_words, tiers

NOTES = {
    "log.md": "# Monday\n\nThe build stopped with ERR4711 and nobody knew why, so we went home.\n",
    **{f"pumps/{n}.md": f"# Pump {n}\n\nWhy the pump stopped on day {n} and how it was mended.\n" for n in range(12)},
    **FILLER,
}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    with library_of(tmp_path_factory.mktemp("rare"), NOTES) as library:
        yield library


def names(result):
    return [hit.path.rsplit(b"/", 1)[1].decode() for hit in result.hits]


def term(hit, word):
    return next(each for each in hit.keyword.terms if each.term == word)


@pytest.mark.parametrize("query", ["pump ERR4711", "why the pump stopped ERR4711"])
def test_the_one_note_that_holds_a_word_is_first(library, query):
    leaning_on_meaning = SearchSettings(weights=(0.9, 0.1))
    assert names(library.search(query, settings=leaning_on_meaning))[0] == "log.md"
    without = replace(leaning_on_meaning, constants=FusionConstants(rare=0.0))
    assert names(library.search(query, settings=without))[0] != "log.md"


def test_a_query_whose_words_are_there_is_never_called_unanswered(library, monkeypatch):
    monkeypatch.setattr(tiers, "verdict", lambda *figures: "none")
    assert library.search("ERR4711").verdict == "weak"
    assert library.search("the pump on a day in the week that ERR4711").verdict == "none"


@pytest.mark.parametrize(
    ("query", "lifted"),
    [
        ("nobody", True),
        ("pump nobody day", True),
        ("why the pump stopped and nobody mended it", False),
        ('why the pump stopped and "nobody" mended it', True),
        ("why the pump stopped and Nobody mended it", True),
        ("Why The Pump Stopped And Nobody Mended It", False),
        ("WHY THE PUMP STOPPED AND NOBODY MENDED IT", False),
        ("Nobody mended it when the pump stopped", False),
        ("why the pump stopped when nobody mended err4711", True),
        ("why the pump stopped when nobody mended ERR4711", True),
    ],
)
def test_a_word_is_looked_up_by_how_it_is_asked_for(library, query, lifted):
    """One to three words, a quoted word, a name or a code; another word of a whole question is one among them."""
    first = next(hit for hit in library.search(query, limit=50).hits if hit.path.endswith(b"log.md"))
    assert (first.shares.rare is not None) == lifted
    assert first.score == pytest.approx(sum(share or 0 for share in vars_of(first.shares)))


def vars_of(shares):
    return (shares.vector, shares.keyword, shares.rare, shares.feedback, shares.memory)


def test_what_it_gives_is_told_and_is_a_part_of_its_own(library):
    found = library.search("why the pump stopped ERR4711")
    first = found.hits[0]
    lift = term(first, "ERR4711").rare
    total = sum(word.idf for word in found.words)
    told = next(word.idf for word in found.words if word.term == "ERR4711")
    assert lift == pytest.approx(DEFAULT_CONSTANTS.rare * found.weights.keyword * told / total)
    assert term(first, "stopped").rare == 0
    ceiling = max(hit.keyword.bm25 for hit in found.hits if hit.keyword)
    assert first.shares.keyword == pytest.approx(found.weights.keyword * first.keyword.bm25 / ceiling)
    assert first.shares.rare == pytest.approx(lift)
    assert all(hit.shares.rare is None for hit in found.hits[1:])


def test_a_word_of_many_documents_is_not_lifted(library):
    for hit in library.search("pump").hits:
        assert not hit.keyword or all(each.rare == 0 for each in hit.keyword.terms)


def test_the_more_a_library_holds_the_more_documents_may_hold_a_rare_word(library, monkeypatch):
    assert all(term(hit, "pump").rare == 0 for hit in library.search("pump").hits if hit.keyword)
    monkeypatch.setattr(rare_words, "PASSAGES_A_DOCUMENT", 1)
    monkeypatch.setattr(rare_words, "MOST_DOCUMENTS", 12)
    assert all(term(hit, "pump").rare > 0 for hit in library.search("pump").hits if hit.keyword)


@pytest.mark.parametrize("way", ["rrf", "keyword", "vector"])
def test_other_fusions_are_left_as_they_are_published(library, way):
    found = library.search("ERR4711", settings=SearchSettings(fusion=way))
    assert all(each.rare == 0 for hit in found.hits if hit.keyword for each in hit.keyword.terms)


def test_a_filter_holds_for_it_too(library):
    assert "log.md" not in names(library.search("ERR4711 path:pumps", limit=50))


def test_without_weight_for_words_it_gives_nothing(library):
    settings = replace(SearchSettings(), weights=(1.0, 0.0))
    found = library.search("pump ERR4711", settings=settings)
    assert all(hit.shares.words == 0 for hit in found.hits)
