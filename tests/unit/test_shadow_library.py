"""A model beside the one in use: who may run there, what both find, what is written down, and what is forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from notes import library_of, write

from engine.embedding import catalogue
from engine.embedding.model_memory import measured_memory
from engine.embedding.token_pooling import Codes
from engine.errors import ModelError, UsageError
from engine.library import Library
from engine.maintenance import Maintenance
from engine.records import SearchSettings, ShadowReview
from engine.retrieval.cancellation import Cancellation, SearchCancelled
from engine.store import late_vectors, models, shadow_log, vector_tables
from engine.store.connection import open_reader, open_writer
from engine.store.transactions import transaction

NOTES = {
    f"{name}.md": f"# {name}\n\nThe {name} {word} of the year.\n\nA second paragraph of {word} and {other}.\n"
    for name, word, other in (
        ("harbour", "granite", "lantern"),
        ("violin", "walnut", "saddle"),
        ("comet", "ledger", "tulip"),
        ("orchard", "apple", "granite"),
    )
}


class Named(FakeEncoder):
    """A model of another name; with `other` words fall on other components, so that it finds something else."""

    def __init__(self, name: str, other: bool = False, **facts: object) -> None:
        super().__init__()
        self.manifest = replace(self.manifest, **{"id": name, "revision": name, **facts})
        self.other = other

    def encode_query(self, text: str):
        return super().encode_query(" ".join(f"x{word[:2]}" for word in text.split()) if self.other else text)


INSTALLED = {
    "other": Named("other", other=True),
    "fake": FakeEncoder(),
    "strange": Named("strange", passage_prefix="passage: ", window=128),
    "adapter": Named("adapter", revision="1", query_prefix="query: "),
}


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Mapping[str, FakeEncoder]:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))

    def load(name: str = "", **_: object) -> FakeEncoder:
        if name not in INSTALLED:
            raise ModelError(f"The model {name} is not installed.")
        return INSTALLED[name]

    monkeypatch.setattr(catalogue, "load", load)
    return INSTALLED


pytestmark = pytest.mark.usefixtures("roughly_fitted")


@pytest.fixture
def library(tmp_path: Path):
    path = library_of(tmp_path, NOTES).path
    with Library.open(path) as library:
        yield library


def faults(library: Library) -> list[str]:
    """Return the checks that found something; that the fakes have no files is none of this library's faults."""
    return [check.name for check in library.check() if not check.ok and check.name != "model"]


def bytes_of(library: Library) -> dict[str, bytes]:
    """Return what every file of the library holds, but for the index of its log, which reading writes to."""
    beside = [each for each in library.path.parent.glob(f"{library.path.name}*") if not each.name.endswith("-shm")]
    return {each.name: found for each in beside if each.is_file() and (found := each.read_bytes())}


def test_a_model_runs_beside_with_all_its_vectors_and_tiers_of_its_own(library: Library) -> None:
    assert library.shadow_state() is None
    library.start_shadow("other")
    state = library.shadow_state()
    assert state is not None
    assert (state.active.name, state.shadow.name, state.coverage, state.tiers_fitted) == ("fake", "other", 1.0, True)
    assert state.covered == state.passages == library.status().passages
    assert [each.kind for each in library.shadow_events()] == ["shadow_started", "shadow_gap_filled"]
    assert library.status().model == "fake"
    assert [(each.name, each.share) for each in library.status().followers] == [("other", 1.0)]
    assert library.stop_shadow() == "other"
    assert library.shadow_state() is None
    with pytest.raises(UsageError, match="No model runs beside"):
        library.stop_shadow()


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("strange", ModelError, "another prefix before passages, a window of 128 tokens instead of 256"),
        ("fake", UsageError, "in use already"),
        ("nobody", ModelError, "not installed"),
    ],
)
def test_what_cannot_run_beside_is_refused_with_the_reason(
    library: Library, name: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        library.start_shadow(name)
    assert library.shadow_state() is None
    assert library.shadow_events() == ()


def test_a_model_beside_whose_files_are_gone_keeps_nobody_from_indexing(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.start_shadow("other")
    monkeypatch.delitem(INSTALLED, "other")
    write(library.path.parent / "notes", {f"new{number}.md": f"# New {number}\n\nA heron.\n" for number in range(9)})
    report = library.sync()
    assert (report.added, report.pending) == (9, 0)
    state = library.shadow_state()
    assert state is not None and state.coverage < 0.99 and state.waiting == 9
    assert library.search("heron").hits
    assert library.shadow_score("heron", "live") is None


def test_only_one_runs_beside(library: Library) -> None:
    library.start_shadow("other")
    library.start_shadow("other")  # again is no other
    with pytest.raises(UsageError, match="other runs beside fake already"):
        library.start_shadow("adapter")


def test_a_model_that_differs_for_questions_only_needs_no_second_vectors(library: Library) -> None:
    library.start_shadow("adapter")
    state = library.shadow_state()
    assert state is not None
    assert (state.shares_vectors, state.coverage, state.tiers_fitted) == (True, 1.0, True)
    write(library.path.parent / "notes", {"new.md": "# New\n\nA heron by the weir.\n"})
    library.sync()
    scored = library.shadow_score("heron weir", "live")
    assert scored is not None and scored.top_a[:1] == scored.top_b[:1]
    assert library.use_model("adapter")
    assert {each.name: each.share for each in library.status().followers} == {"fake": 1.0}
    assert library.search("heron weir").hits[0].title == "New"


def test_both_find_the_same_question_in_one_state_and_it_is_written_down(library: Library) -> None:
    library.start_shadow("other")
    scored = library.shadow_score("granite lantern", "live")
    assert scored is not None
    (kept,) = library.shadow_searches(pairs=True)
    assert replace(kept, at=0.0, pairs=()) == replace(scored, pairs=())
    assert {each.passage_hash for each in kept.pairs} == {*scored.top_a, *scored.top_b}
    assert (kept.stream, kept.words, kept.identifier) == ("live", 2, False)
    assert kept.folder.endswith("notes") and kept.ms_a > 0 and kept.ms_b > 0
    rows = library.search("granite lantern", limit=20).hits
    by_rank = {pair.rank_a: pair for pair in kept.pairs if pair.rank_a}
    assert [by_rank[hit.rank].tier_a for hit in rows] == [hit.tier for hit in rows]
    assert all(abs(by_rank[hit.rank].cosine_a - hit.explanation.cosine) < 1e-5 for hit in rows)
    assert any(pair.cosine_a != pytest.approx(pair.cosine_b) for pair in kept.pairs)
    assert library.shadow_searches(stream="replay") == ()
    state = library.shadow_state()
    assert state is not None and state.searches == {"live": 1, "replay": 0, "held-out": 0}


def test_a_passage_that_only_one_shows_has_the_cosine_and_the_tier_that_the_other_gives_it(library: Library) -> None:
    library.start_shadow("other")
    a, b = library.shadow_lists("granite", limit=1)
    assert len(a.hits) == len(b.hits) == 1
    assert library.shadow_searches() == ()


def test_the_same_text_in_two_documents_counts_once(library: Library) -> None:
    write(library.path.parent / "notes", {"one.txt": "A heron by the weir.\n", "two.txt": "A heron by the weir.\n"})
    library.sync()
    library.start_shadow("other")
    settings = SearchSettings(collapse=0.0)
    assert sum("heron" in hit.snippet for hit in library.search("heron weir", settings=settings).hits) == 2
    scored = library.shadow_score("heron weir", "live", settings=settings)
    assert scored is not None and len(scored.top_a) == len(set(scored.top_a))
    (kept,) = library.shadow_searches(pairs=True)
    assert {each.passage_hash for each in kept.pairs} == {*kept.top_a, *kept.top_b}


def test_filters_count_for_both_and_a_list_without_words_is_not_compared(library: Library) -> None:
    library.start_shadow("other")
    scored = library.shadow_score("granite path:orchard", "live")
    assert scored is not None and len(scored.top_a) == len(scored.top_b) == 1
    assert library.shadow_score("path:orchard", "live") is None
    assert library.shadow_score("", "live") is None


def test_searches_do_not_count_while_vectors_are_missing(library: Library) -> None:
    library.start_shadow("other")
    write(library.path.parent / "notes", {"harbour.md": "# Harbour\n\nAnother text.\n"})
    library.sync(meaning=False)
    state = library.shadow_state()
    assert state is not None and state.coverage < 0.99 and state.waiting > 0
    before = bytes_of(library)
    assert library.shadow_score("granite", "live") is None
    assert bytes_of(library) == before
    library.sync()
    assert library.shadow_score("granite", "live") is not None


def test_a_search_that_is_given_up_writes_nothing(library: Library) -> None:
    library.start_shadow("other")
    before = bytes_of(library)
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(SearchCancelled):
        library.shadow_score("granite", "live", cancel=cancellation)
    assert bytes_of(library) == before


def test_promotion_exchanges_the_models_and_each_pair_has_its_own_searches(library: Library) -> None:
    library.start_shadow("other")
    library.shadow_score("granite", "replay")
    assert library.use_model("other")
    state = library.shadow_state()
    assert state is not None
    assert (state.active.name, state.shadow.name) == ("other", "fake")
    assert state.former_since is not None and state.tiers_fitted
    assert library.shadow_searches() == () and state.searches_since == 0
    library.shadow_score("granite", "live")
    state = library.shadow_state()
    assert state is not None and state.searches_since == 1
    assert library.use_model("fake")
    state = library.shadow_state()
    assert state is not None and state.former_since is None and state.shadow.name == "other"
    assert [each.query for each in library.shadow_searches()] == ["granite"]
    assert [each.kind for each in library.shadow_events()][-2:] == ["promoted", "rolled_back"]


def test_choices_and_cuts_are_kept_with_the_pair(library: Library) -> None:
    library.start_shadow("other")
    scored = library.shadow_score("granite", "live")
    assert scored is not None
    library.add_shadow_review(ShadowReview(scored.id, True, "left", 2.5))
    (review,) = library.shadow_reviews()
    assert (review.search_id, review.left_is_b, review.choice, review.control) == (scored.id, True, "left", False)
    assert library.shadow_cut() is None
    library.keep_shadow_cut({"cut": 0.4, "pairs": 300})
    assert library.shadow_cut() == {"cut": 0.4, "pairs": 300}
    library.note_shadow("shadow_refused", {"reason": "worse"})
    assert library.shadow_events()[-1].detail == {"reason": "worse"}
    assert faults(library) == []


def test_what_was_compared_is_forgotten_for_good(library: Library) -> None:
    library.start_shadow("other")
    library.shadow_score("zymurgyquery granite", "live", settings=SearchSettings(memory=False))
    assert any(b"zymurgyquery" in held for held in bytes_of(library).values())
    assert library.empty_shadow() == 1
    assert library.shadow_searches() == () and library.shadow_events() == ()
    library.close()
    open_writer(library.path).close()
    assert not any(b"zymurgyquery" in held for held in bytes_of(library).values())


def test_the_oldest_searches_go_where_there_are_more_pairs_than_are_kept(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow_log, "KEPT_PAIRS", 10)
    library.start_shadow("other")
    for query in ("granite", "walnut", "ledger", "apple"):
        library.shadow_score(query, "live")
    kept = library.shadow_searches(pairs=True)
    assert kept[0].query == "apple" and len(kept) < 4
    assert sum(len(each.pairs) for each in kept) <= 10


def test_a_stored_search_that_cannot_be_read_is_a_fault_that_repair_mends(library: Library) -> None:
    library.start_shadow("other")
    library.shadow_score("granite", "live")
    library.shadow_score("walnut", "live")
    conn = open_writer(library.path)
    conn.execute("UPDATE shadow_search SET top_b = 'nonsense' WHERE query = 'granite'")
    conn.close()
    assert [each.query for each in library.shadow_searches()] == ["walnut"]
    assert faults(library) == ["values"]
    library.check(repair=True)
    assert faults(library) == []


def test_the_memory_of_a_model_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    held = measured_memory(catalogue.EMBEDDED_FOLDER)
    assert held is not None and held > 10_000_000  # its files are 23 MB
    assert measured_memory(tmp_path) is None


def test_a_rebuild_keeps_the_model_beside_with_what_was_compared_and_says_what_it_lost(library: Library) -> None:
    library.start_shadow("other")
    scored = library.shadow_score("harbour granite", "live")
    assert scored is not None
    library.add_shadow_review(ShadowReview(scored.id, True, "left", 3.0))
    with closing(open_writer(library.path)) as conn, transaction(conn):
        late = late_vectors.create(conn, name="own", fingerprint="f", dimension=4, factor=2, method="ward")
        rows = conn.execute("SELECT id, hash FROM passage").fetchall()
        codes = Codes(np.ones((3, 4), np.int8), 0.5, np.zeros(4, np.float16))
        late_vectors.put(conn, late, {each: (digest, codes) for each, digest in rows})
        late_vectors.set_state(conn, "off")
        models.add(conn, name="half", manifest=FakeEncoder().manifest.to_json(), fingerprint="half", dimension=4)
        beside = models.shadow(conn)
        assert beside is not None
        models.calibrate(conn, beside.id, {models.FORMER_SINCE: 1234.5})
        before = vector_tables.read_matrix(conn, beside.id)
    said, events = library.shadow_state(), library.shadow_events()
    library.close()

    rebuilt = Maintenance(library.path, FakeEncoder()).rebuild()  # type: ignore[arg-type]

    assert rebuilt.saved["other models"] == 1 and rebuilt.lost == {"other models": 1}
    assert rebuilt.saved["vectors of other models"] == rebuilt.saved["vectors of late interaction"] == len(rows)
    assert (rebuilt.saved["compared searches"], rebuilt.saved["choices between two models"]) == (1, 1)
    with closing(open_reader(library.path)) as conn:
        kept, late_kept = models.shadow(conn), late_vectors.stored(conn)
        assert kept is not None and late_kept is not None
        assert late_vectors.counts(conn, late_kept)[:2] == (len(rows), len(rows)) and late_kept.state == "off"
        assert np.array_equal(np.sort(vector_tables.read_matrix(conn, kept.id)[1], axis=0), np.sort(before[1], axis=0))
    with Library.open(library.path) as again:
        state = again.shadow_state()
        assert state is not None and said is not None
        assert (state.shadow.name, state.coverage, state.former_since) == ("other", 1.0, 1234.5)
        assert (state.searches, state.reviews) == (said.searches, 1)
        (found,) = again.shadow_searches(pairs=True)
        assert (found.query, found.pairs) == (scored.query, scored.pairs)
        assert again.shadow_events() == events
        assert again.shadow_score("harbour granite", "live") is not None
