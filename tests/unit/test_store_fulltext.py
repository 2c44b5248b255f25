from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_samples import Sample

from engine.store import fulltext
from engine.store.bm25 import bm25_parts
from engine.store.cjk import bigrams, cjk_phrase, runs
from engine.store.phrase import COLUMNS, Phrase

WEIGHTS = (5.0, 2.0, 1.0, 0.5, 3.0, 1.5)
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
        [Phrase("warming")],
        [Phrase("soil"), Phrase("north"), Phrase("unknown")],
        [Phrase("wa", prefix=True)],
        [Phrase("soil water"), Phrase("air")],
        [Phrase("soils soil"), Phrase("light w", prefix=True)],
        [Phrase("soil soil")],
        [Phrase("warm", column="title"), Phrase("warm", column="body"), Phrase("li", prefix=True, column="headings")],
        [Phrase("CAFE"), Phrase("東京都"), cjk_phrase("東京都"), cjk_phrase("都")],
        [Phrase('sa"id ("light* OR'), Phrase("air")],
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
    phrases = [Phrase("soil"), Phrase("nowhere")]
    passage_id = next(iter(sample.find("title : soil")))
    soil, nowhere = bm25_parts(sample.conn, [passage_id], phrases, WEIGHTS)[passage_id].parts
    assert (soil.term, soil.documents) == ("soil", len(sample.find("soil")))
    assert soil.tf >= WEIGHTS[0]
    assert (nowhere.documents, nowhere.tf, nowhere.score) == (0, 0, 0)


def test_the_counts_of_the_index_are_those_of_its_rows(sample: Sample) -> None:
    totals = fulltext.statistics(sample.conn)
    rows = sample.conn.execute(f"SELECT {', '.join(COLUMNS)} FROM passage_text").fetchall()
    counted = [sum(len(fulltext.stems(sample.conn, str(row[i] or ""))) for row in rows) for i in range(len(COLUMNS))]
    assert totals.rows == len(rows)
    assert totals.tokens == sum(counted)
    assert totals.average == pytest.approx(sum(counted) / len(rows))


def test_an_empty_index_counts_nothing(tmp_path: Path) -> None:
    empty = Sample(tmp_path / "library.carrel")
    assert fulltext.statistics(empty.conn) == fulltext.Statistics(0, 0)
    assert fulltext.statistics(empty.conn).average == 0
    assert bm25_parts(empty.conn, [1], [Phrase("soil")], WEIGHTS) == {}


def test_document_frequencies_count_passages_and_know_the_unknown(sample: Sample) -> None:
    found = fulltext.document_frequencies(sample.conn, ["soil", "warm", "cafe", "xyzzy"])
    assert found == {each: len(sample.find(f'"{each}"')) for each in ("soil", "warm", "cafe", "xyzzy")}
    assert found["xyzzy"] == 0


def test_tokens_are_stems_with_the_code_points_they_came_from(sample: Sample) -> None:
    text = "Ünïted 🌍 waters—東京 cafe\u0301s run\0ning"
    tokens = fulltext.tokenise(sample.conn, text)
    assert [token.stem for token in tokens] == ["unit", "water", "東京", "cafe", "run", "ning"]
    assert [text[token.start : token.end] for token in tokens] == [
        "Ünïted", "waters", "東京", "cafe\u0301s", "run", "ning",
    ]  # fmt: skip


@given(st.text(st.characters(), max_size=60))
def test_offsets_cut_out_what_gives_the_same_stem_again(sample: Sample, text: str) -> None:
    tokens = fulltext.tokenise(sample.conn, text)
    assert [token.stem for token in tokens] == fulltext.stems(sample.conn, text)
    for token in tokens:
        assert fulltext.stems(sample.conn, text[token.start : token.end]) == [token.stem]


@given(st.text(max_size=30), st.booleans(), st.sampled_from([None, *COLUMNS]))
def test_a_phrase_is_safe_with_any_text(sample: Sample, text: str, prefix: bool, column: str | None) -> None:
    phrase = Phrase(text, prefix=prefix, column=column)
    assert fulltext.phrase_frequency(sample.conn, phrase) == len(sample.find(phrase.match))


def test_a_phrase_in_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no such column"):
        Phrase("soil", column="body : x OR title")


def test_runs_become_pairs_and_their_last_character() -> None:
    assert bigrams("in 東京都 and きょう.") == "東京 京都 都 きょ ょう う"
    assert bigrams("한국 水") == "한국 국 水"
    assert bigrams("plain café") is None
    assert runs("in 東京都") == [(3, 6)]


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
    assert bool(sample.find(cjk_phrase(run).match)) is found


def test_titles_and_headings_are_found_by_runs_too(tmp_path: Path) -> None:
    sample = Sample(tmp_path / "library.carrel")
    sample.put("a.md", "plain", title="東京案内", headings=("한국어",))
    assert sample.find(cjk_phrase("京案").match)
    assert sample.find(cjk_phrase("국어").match)
