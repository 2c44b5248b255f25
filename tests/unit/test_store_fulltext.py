"""The word index: scores that can be taken apart, its counts, and phrases of any text."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_samples import Sample

from engine.store import fulltext
from engine.store.bm25 import bm25_parts
from engine.store.phrase import COLUMNS, Phrase
from engine.store.tokenizer import exact_phrase, of_kind, of_stem, stem_of, terms, tokens

WEIGHTS = (5.0, 2.0, 1.0, 0.5, 3.0)
WORDS = ["soil", "soils", "water", "waters", "warm", "warming", "light", "lighter", "air", "north", "café", "東京都"]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A hundred documents of few words, so that every kind of match and of coincidence happens."""
    sample = Sample(tmp_path_factory.mktemp("store") / "library.carrel")
    rng = random.Random(7)

    def some(most: int) -> str:
        return " ".join(rng.choices(WORDS, weights=range(len(WORDS), 0, -1), k=rng.randint(1, most)))

    for number in range(100):
        text = "\n\n".join(f"{some(20)} p{number}x{i}" for i in range(rng.randint(1, 4)))
        sample.put(f"{some(1)}/{number}.md", text, title=some(3), tags=(some(2),), headings=(some(2), some(1)))
    return sample


def by_stem(*words: str, column: str | None = None) -> Phrase:
    """The phrase of all words that have the stems of these, in a row."""
    return Phrase(tuple("|".join(of_stem(stem_of(word))) for word in words), column=column, written=" ".join(words))


def exactly(text: str) -> Phrase:
    return exact_phrase(tokens(text), text)


def scores(sample: Sample, match: str) -> dict[int, float]:
    weights = ", ".join(map(str, WEIGHTS))
    return dict(
        sample.conn.execute(
            f"SELECT rowid, -bm25(passage_fts, {weights}) FROM passage_fts WHERE passage_fts MATCH ?", (match,)
        )
    )


@pytest.mark.parametrize(
    "phrases",
    [
        [by_stem("warming")],
        [by_stem("soil"), by_stem("north"), by_stem("unknown")],
        [Phrase(("wa",), prefix=True)],
        [by_stem("soil", "water"), by_stem("air")],
        [by_stem("soils", "soil"), Phrase(("light", "w"), prefix=True)],
        [by_stem("soil", "soil")],
        [exactly("soil soils"), exactly("waters")],
        [
            by_stem("warm", column="title"),
            by_stem("warm", column="body"),
            Phrase(("li",), prefix=True, column="headings"),
        ],
        [Phrase(("soil",), column="body", first=True)],
        [exactly("CAFE"), exactly("東京都"), exactly("都")],
        [Phrase(('sa"id', '("light*', "OR")), by_stem("air")],
    ],
    ids=lambda phrases: " + ".join(phrase.match for phrase in phrases),
)
def test_the_parts_of_a_score_sum_to_what_sqlite_ranked_by(sample: Sample, phrases: list[Phrase]) -> None:
    expected = scores(sample, " OR ".join(phrase.match for phrase in phrases))
    found = bm25_parts(sample.conn, list(expected), phrases, WEIGHTS)
    assert found.keys() == expected.keys()
    for passage_id, score in expected.items():
        assert found[passage_id].total == pytest.approx(score, rel=1e-9)
        assert sum(part.score for part in found[passage_id].parts) == pytest.approx(score, rel=1e-9)


def test_each_part_names_its_phrase_its_frequency_and_its_passages(sample: Sample) -> None:
    phrases = [by_stem("soil"), by_stem("nowhere")]
    passage_id = next(iter(sample.find(by_stem("soil", column="title").match)))
    soil, nowhere = bm25_parts(sample.conn, [passage_id], phrases, WEIGHTS)[passage_id].parts
    assert (soil.term, soil.documents) == ("soil", len(sample.find(by_stem("soil").match)))
    assert soil.tf >= WEIGHTS[0]
    assert (nowhere.documents, nowhere.tf, nowhere.score) == (0, 0, 0)


def test_the_counts_of_the_index_are_those_of_its_rows(sample: Sample) -> None:
    totals = fulltext.statistics(sample.conn)
    rows = sample.conn.execute(f"SELECT {', '.join(COLUMNS)} FROM passage_text").fetchall()
    counted = [sum(len(terms(*of_kind(str(row[i] or "")))) for row in rows) for i in range(len(COLUMNS))]
    assert totals.rows == len(rows)
    assert totals.tokens == sum(counted)
    assert totals.average == pytest.approx(sum(counted) / len(rows))


def test_an_empty_index_counts_nothing(tmp_path: Path) -> None:
    empty = Sample(tmp_path / "library.carrel")
    assert fulltext.statistics(empty.conn) == fulltext.Statistics(0, 0)
    assert fulltext.statistics(empty.conn).average == 0
    assert bm25_parts(empty.conn, [1], [by_stem("soil")], WEIGHTS) == {}


def test_document_frequencies_count_passages_and_know_the_unknown(sample: Sample) -> None:
    found = fulltext.document_frequencies(sample.conn, ["soil", "^soil", "warm", "cafe", "xyzzy"])
    assert found == {each: len(sample.find(f'"{each}"')) for each in ("soil", "^soil", "warm", "cafe", "xyzzy")}
    assert found["xyzzy"] == 0


@given(st.text(max_size=30), st.booleans(), st.sampled_from([None, *COLUMNS]))
def test_a_phrase_is_safe_with_any_text(sample: Sample, text: str, prefix: bool, column: str | None) -> None:
    phrase = Phrase(tuple(text.split()), prefix=prefix, column=column)
    assert fulltext.phrase_frequency(sample.conn, phrase) == len(sample.find(phrase.match))


def test_a_phrase_in_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no such column"):
        Phrase(("soil",), column="body : x OR title")


@pytest.mark.parametrize(
    ("run", "found"),
    [
        ("東京都", True),
        ("京都", True),
        ("都", True),
        ("東", True),
        ("水道", True),
        ("京水", False),
        ("都水", False),
        ("北", False),
    ],
)
def test_a_run_is_found_wherever_it_stands(tmp_path: Path, run: str, found: bool) -> None:
    sample = Sample(tmp_path / "library.carrel")
    sample.put("a.md", "x東京都、水道")
    assert bool(sample.find(exactly(run).match)) is found


def test_titles_and_headings_are_found_by_runs_too(tmp_path: Path) -> None:
    sample = Sample(tmp_path / "library.carrel")
    sample.put("a.md", "plain", title="東京案内", headings=("한국어",))
    assert sample.find(exactly("京案").match)
    assert sample.find(exactly("국어").match)
