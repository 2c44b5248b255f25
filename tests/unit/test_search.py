"""Searching a real library file through the engine's one door, with the fake encoder."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from math import isclose
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from notes import FILLER, library_of, write

from engine.errors import PathError
from engine.library import Cancellation, Library, SearchCancelled
from engine.records import SearchSettings
from engine.retrieval import candidate_retrieval

pytestmark = pytest.mark.usefixtures("roughly_fitted")

NOTES = {
    "kitchen/sourdough.md": "---\ntags: [bread, kitchen/oven]\n---\n# Sourdough\n\n## Care\n\n"
    "Feed the rye starter with flour and water twice a day.\n\n"
    "## Baking\n\nTake the starter out the evening before. Happiness is a warm loaf.\n",
    "kitchen/yeast.md": "# Yeast\n\nA starter is a stable culture of yeast and bacteria.\n",
    "gear/stove.txt": "The electric starter of the camping stove must be kept dry.\n",
    "code/engine.py": "def ignite(starter):\n    return starter.voltage\n",
    "tokyo.md": "# 東京の地図\n\n地下鉄の路線と東京駅への行き方。\n",
    **FILLER,
}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    with library_of(
        folder, NOTES, days_ago={"gear/stove.txt": 400, "kitchen/yeast.md": 30, "kitchen/sourdough.md": 1}
    ) as library:
        yield library


def names(result):
    return [hit.path.rsplit(b"/", 1)[1].decode() for hit in result.hits]


def words_only(library, text, **more):
    return library.search(text, settings=SearchSettings(fusion="keyword"), **more)


def test_words_find_the_notes_that_hold_them(library):
    assert set(names(words_only(library, "starter"))) == {"sourdough.md", "yeast.md", "stove.txt", "engine.py"}


def test_each_document_is_one_row_and_ranks_count_from_one(library):
    result = library.search("starter yeast flour", limit=10)
    assert len({hit.document_id for hit in result.hits}) == len(result.hits)
    assert [hit.rank for hit in result.hits] == list(range(1, len(result.hits) + 1))


@pytest.mark.parametrize("fusion", ["convex", "rrf", "vector", "keyword"])
def test_the_list_is_filled_and_shares_sum_to_the_score_in_every_fusion(library, fusion):
    result = library.search("feed the rye starter", settings=SearchSettings(fusion=fusion), limit=4)
    assert len(result.hits) == 4
    for hit in result.hits:
        parts = [hit.shares.vector, hit.shares.keyword, hit.shares.feedback, hit.shares.memory]
        assert isclose(sum(part for part in parts if part is not None), hit.score, abs_tol=1e-9)
    assert [hit.score for hit in result.hits] == sorted((hit.score for hit in result.hits), reverse=True)


def test_a_large_library_whose_legs_run_side_by_side_finds_the_same(library, monkeypatch):
    before = library.search("feed the rye starter path:kitchen", limit=4)
    monkeypatch.setattr(candidate_retrieval, "WORTH_A_CORE", 1)
    after = library.search("feed the rye starter path:kitchen", limit=4)
    assert [hit.score for hit in after.hits] == [hit.score for hit in before.hits]
    assert after.timings.vector > 0


def test_bm25_is_the_sum_of_its_terms(library):
    for hit in words_only(library, "starter culture yeast").hits:
        assert hit.keyword and isclose(sum(term.score for term in hit.keyword.terms), hit.keyword.bm25, rel_tol=1e-6)


def test_the_explanation_holds_the_ranks_of_both_legs(library):
    by_meaning = library.search("rye starter", settings=SearchSettings(fusion="vector"), limit=10)
    for hit in by_meaning.hits:
        assert hit.vector and hit.vector.rank == hit.explanation.rank_by_meaning
        assert isclose(1 - hit.vector.distance, hit.explanation.cosine, abs_tol=1e-6)


def test_a_phrase_must_stand_in_the_passage(library):
    assert names(library.search('"rye starter"')) == ["sourdough.md"]
    assert library.search('"starter rye"').hits == ()


def test_an_excluded_word_is_nowhere_in_the_list(library):
    found = names(library.search("starter -yeast -electric -voltage", limit=30))
    assert "sourdough.md" in found
    assert not {"yeast.md", "stove.txt", "engine.py"} & set(found)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("path:kitchen", {"sourdough.md", "yeast.md"}),
        ("-path:kitchen type:md tag:x", set()),
        ("path:kit*sour*", {"sourdough.md"}),
        ("type:code", {"engine.py"}),
        ("type:py", {"engine.py"}),
        ("type:txt", {"stove.txt"}),
        ("tag:bread", {"sourdough.md"}),
        ("tag:kitchen", {"sourdough.md"}),
        ("title:yeast", {"yeast.md"}),
        ("before:300d", {"stove.txt"}),
        ("after:60d before:7d", {"yeast.md"}),
    ],
)
def test_filters_restrict_both_legs(library, filters, expected):
    for fusion in ("convex", "vector"):
        result = library.search(f"starter {filters}", settings=SearchSettings(fusion=fusion), limit=30)
        assert set(names(result)) == expected


def test_filters_alone_list_by_date_newest_first(library):
    assert names(library.search("path:kitchen")) == ["sourdough.md", "yeast.md"]
    assert library.search("path:kitchen").verdict == "strong"
    assert library.search("path:nowhere").verdict == "none"


def test_an_empty_query_lists_what_changed_last(library):
    assert len(library.search("", limit=3).hits) == 3


@pytest.mark.parametrize("typed", ["happin", "happ", "happines", "happiness"])
def test_an_unfinished_word_is_found_by_its_longest_known_beginning(library, typed):
    assert names(words_only(library, typed, typing=True))[0] == "sourdough.md"


@pytest.mark.parametrize("typed", ["東京", "京", "地下鉄の路線", "東京駅"])
def test_cjk_words_are_found_inside_their_run(library, typed):
    assert names(words_only(library, typed)) == ["tokyo.md"]
    assert names(words_only(library, "路線図")) == []


@pytest.mark.parametrize(
    "typed",
    [
        '" OR 1',
        "starter NEAR(x y)",
        "body:starter",
        "{title body}: starter",
        "starter AND",
        "^starter",
        "a' OR ''='",
        "*",
        "+",
    ],
)
def test_fts_syntax_cannot_be_injected(library, typed):
    for typing in (False, True):
        assert library.search(typed, typing=typing).query.text == typed


def test_snippets_mark_the_words_that_matched(library):
    hit = words_only(library, "feeding starters").hits[0]
    assert [hit.snippet[start:end].lower() for start, end in hit.marks][:2] == ["feed", "starter"]


def test_near_duplicates_collapse_under_the_first_and_can_be_kept_apart(tmp_path):
    text = "The heron stood in the reeds by the old mill and waited for the frogs.\n"
    with library_of(tmp_path, {"a.txt": text, "b.txt": text, **FILLER}) as library:
        together = library.search("heron frogs", limit=3)
        assert names(together)[0] == "a.txt"
        assert len(together.hits[0].duplicates) == 1
        assert "b.txt" not in names(together)
        apart = library.search("heron frogs", limit=3, settings=SearchSettings(collapse=0.0))
        assert names(apart)[:2] == ["a.txt", "b.txt"]


def test_a_copy_stands_under_the_note_whose_path_is_shorter(tmp_path):
    text = "The heron stood in the reeds by the old mill and waited for the frogs.\n"
    notes = {"a folder of copies/pond.txt": text, "pond.txt": text, "copies/2024/pond.txt": text}
    with library_of(tmp_path, {**notes, **FILLER}) as library:
        for settings in (SearchSettings(), SearchSettings(fusion="keyword")):
            found = library.search("heron frogs", limit=3, settings=settings).hits
            assert found[0].path == os.fsencode(tmp_path / "notes" / "pond.txt")


def test_further_passages_of_a_note_stand_under_its_best(tmp_path):
    long = "# Birds\n\n" + "\n\n".join(f"## Part {n}\n\n" + f"The heron fishes at dawn {n}. " * 20 for n in range(6))
    with library_of(tmp_path, {"birds.md": long, **FILLER}) as library:
        hit = library.search("heron dawn").hits[0]
        assert hit.title == "Birds"
        assert len(hit.more_in_document) >= 3


def test_a_question_on_nothing_here_is_called_so_and_lists_the_nearest(library):
    result = library.search("quantum chromodynamics lattice")
    assert result.verdict == "none"
    assert result.hits and all(hit.tier == "weak" for hit in result.hits)


def test_a_question_whose_words_stand_together_in_a_note_is_trusted(library):
    assert library.search("feed the rye starter with flour and water").verdict in ("strong", "likely")


def test_a_cancelled_search_raises_and_the_next_one_works(library):
    cancel = Cancellation()
    cancel.cancel()
    with pytest.raises(SearchCancelled):
        library.search("starter", cancel=cancel)
    assert library.search("starter").hits


def test_fixed_weights_are_used_and_told(library):
    result = library.search("starter", settings=replace(SearchSettings(), weights=(0.3, 0.7)))
    assert (result.weights.vector, result.weights.keyword) == (0.3, 0.7)


def test_the_words_of_a_query_are_read_with_their_rarity(library):
    readings = {reading.term: reading for reading in library.search("starter zeppelin").words}
    assert readings["starter"].documents == 4
    assert readings["zeppelin"].documents == 0
    assert readings["zeppelin"].idf > readings["starter"].idf


def test_a_search_sees_what_a_later_sync_brought(tmp_path):
    with library_of(tmp_path, {"a.txt": "a heron in the reeds\n", **FILLER}) as library:
        assert "b.txt" not in names(library.search("osprey", limit=5))
        before = library.version()
        write(tmp_path / "notes", {"b.txt": "an osprey over the lake\n"})
        library.sync()
        assert library.version() != before
        assert names(library.search("osprey"))[0] == "b.txt"
        (tmp_path / "notes/b.txt").unlink()
        library.sync()
        assert "b.txt" not in names(library.search("osprey", limit=30))


def test_why_names_the_stage_that_dropped_a_document(library, tmp_path_factory):
    root = library.folders()[0].path.decode()
    stove = Path(root) / "gear/stove.txt"
    found = library.why("camping stove", stove)
    assert found.found and found.final_rank == 1 and found.dropped_at is None
    filtered = library.why("starter path:kitchen", stove)
    assert filtered.dropped_at == "filters" and "path:kitchen" in filtered.advice[0]
    excluded = library.why("starter -electric", stove)
    assert excluded.dropped_at == "filters" and "-electric" in excluded.advice[0]
    low = library.why("bread bacteria culture", Path(root) / "filler/3.md", limit=2)
    assert low.dropped_at == "fused" and any("--limit" in advice for advice in low.advice)
    missing = library.why("starter", Path(root) / "nothing.md")
    assert missing.dropped_at == "indexed" and not missing.found


@pytest.mark.parametrize("query", ["starter bread", "keep the culture alive", "a stove for the night", "heron, reeds"])
def test_the_shares_that_why_lists_sum_to_the_score_and_none_is_a_signed_zero(library, query):
    told = 0
    for note in library.documents_named("", 50):
        for stage in library.why(query, Path(os.fsdecode(note.path))).stages:
            if stage.stage != "fused" or " = " not in stage.detail:
                continue
            score, parts = stage.detail.replace("−", "-").partition("score ")[2].split(" = ")
            shares = re.findall(r"(-?) ?[a-z]+ (-?[\d.]+)", parts)
            assert isclose(float(score), sum(float(sign + share) for sign, share in shares), abs_tol=1e-9)
            assert "-.000" not in parts
            told += 1
    assert told > 3


def test_why_tells_of_a_collapsed_near_duplicate(tmp_path):
    text = "The heron stood in the reeds by the old mill and waited for the frogs.\n"
    with library_of(tmp_path, {"a.txt": text, "b.txt": text, **FILLER}) as library:
        report = library.why("heron frogs", tmp_path / "notes/b.txt")
        assert report.dropped_at == "collapsed"
        assert any("near-duplicate" in advice for advice in report.advice)


def test_why_tells_which_rule_leaves_a_file_out(tmp_path):
    notes = {".gitignore": "secret.md\n", "secret.md": "hidden heron\n", "a.md": "heron\n"}
    with library_of(tmp_path, notes) as library:
        report = library.why("heron", tmp_path / "notes/secret.md")
        assert report.dropped_at == "indexed"
        assert ".gitignore" in report.stages[0].detail


def test_folders_are_added_once_and_never_nested(tmp_path):
    folder = write(tmp_path / "notes", {"sub/a.md": "x"})
    with Library.open(tmp_path / "l.carrel", create=True) as library:
        assert library.add(folder) == library.add(folder)
        with pytest.raises(PathError, match="lies in"):
            library.add(folder / "sub")
        with pytest.raises(PathError, match="holds"):
            library.add(tmp_path)
        with pytest.raises(PathError, match="does not exist"):
            library.add(tmp_path / "nowhere")
        with pytest.raises(PathError, match="no folder"):
            library.add(folder / "sub/a.md")


def test_a_removed_folder_takes_its_documents_along_and_leaves_the_files(tmp_path):
    with library_of(tmp_path, {"a.md": "heron", "b.md": "osprey"}) as library:
        assert library.remove(tmp_path / "notes") == 2
        assert library.folders() == ()
        assert library.search("heron").hits == ()
        assert (tmp_path / "notes/a.md").exists()
        assert all(check.ok for check in library.check())


@pytest.mark.parametrize(
    "asked",
    ["starter", "feed the rye starter", "start* -yeast", "starter path:kitchen", "東京 starter", '"rye starter" care'],
)
def test_a_browser_that_remembers_words_finds_exactly_the_same(library, asked):
    remembering = Library.open(library.path, encoder=FakeEncoder())
    with remembering:
        remembering.warm()
        for _ in range(2):  # read, then remembered
            once, again = library.search(asked), remembering.search(asked)
            assert [(hit.passage_id, hit.score) for hit in once.hits] == [
                (hit.passage_id, pytest.approx(hit.score)) for hit in again.hits
            ]
            assert once.words == again.words


def test_remembered_words_are_forgotten_when_the_index_changes(tmp_path):
    with library_of(tmp_path, {"a.txt": "a heron in the reeds\n", **FILLER}) as library:
        library.warm()
        assert words_only(library, "heron").words[0].documents == 1
        write(tmp_path / "notes", {"b.txt": "another heron, another lake\n"})
        library.sync()
        assert words_only(library, "heron").words[0].documents == 2
        assert set(names(words_only(library, "heron"))) == {"a.txt", "b.txt"}
        (tmp_path / "notes/a.txt").rename(tmp_path / "notes/crane.txt")
        library.sync()
        assert set(names(words_only(library, "heron"))) == {"crane.txt", "b.txt"}
        assert names(words_only(library, "crane")) == ["crane.txt"]


def test_a_snippet_of_markdown_shows_words_not_signs(tmp_path):
    note = (
        "---\ntags: [x]\n---\n# Herons\n\n"
        "- The **heron** eats [frogs](https://example.org/frogs) and [[fish|small fish]].\n"
    )
    with library_of(tmp_path, {"herons.md": note, **FILLER}) as library:
        hit = library.search("heron frogs").hits[0]
        assert hit.snippet == "The heron eats frogs and small fish."
        assert [hit.snippet[start:end] for start, end in hit.marks] == ["heron", "frogs"]
