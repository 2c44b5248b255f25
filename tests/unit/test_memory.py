"""Marks and opened results count at once in searches for the like, and stop counting when they are taken back."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from hypothesis import given, settings
from hypothesis import strategies as st
from notes import FILLER, library_of, write
from properties import examples

from engine.errors import CarrelError, LibraryBusy, UsageError
from engine.library import Library
from engine.records import Mark, SearchResult, SearchSettings
from engine.store import judgements, models
from engine.store.connection import open_writer

pytestmark = pytest.mark.usefixtures("unfitted")

ASKED = "feeding the sourdough starter every morning"
ALIKE = "feeding the sourdough starter every evening"
UNLIKE = "granite mountain trail"
NOTES = {
    "bread.md": "# Bread\n\nFeeding the sourdough starter every morning keeps it alive.\n",
    "cake.md": "# Cake\n\nFeeding a crowd: the sourdough cake that starts every party.\n",
    "tax.md": "# Tax\n\nLedger of a year, nothing about kitchens.\n",
    **FILLER,
}
EDITED = "Feeding the sourdough starter every morning keeps it alive, with flour, water and a warm place to rest in."
OFF = SearchSettings(memory=False)
UNGROUPED = SearchSettings(group=False, collapse=0.0)


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Index the notes once; each test has a copy of the library."""
    folder = tmp_path_factory.mktemp("indexed")
    library_of(folder, NOTES).close()
    return folder / "library.carrel"


@pytest.fixture
def library(tmp_path: Path, indexed: Path):
    place = Path(shutil.copy(indexed, tmp_path))
    with Library.open(place, encoder=FakeEncoder()) as opened:
        yield opened


def row(result: SearchResult, name: str):
    return next(hit for hit in result.hits if hit.path.endswith(name.encode()))


def passage(library: Library, name: str) -> int:
    (found,) = library.passages_of(next(each.id for each in library.documents_named(name)))
    return found.id


def names(result: SearchResult) -> list[str]:
    return [Path(hit.path.decode()).name for hit in result.hits]


def test_a_mark_changes_the_next_search_at_once(library: Library) -> None:
    before = library.search(ASKED)
    assert names(before)[0] == "bread.md"
    library.mark(ASKED, row(before, "bread.md").passage_id, judgements.WRONG)
    library.mark(ASKED, row(before, "cake.md").passage_id)
    after = library.search(ASKED)
    assert names(after)[0] == "cake.md"
    assert row(after, "cake.md").shares.memory == pytest.approx(0.2)
    assert row(after, "bread.md").shares.memory == pytest.approx(-0.2)


def test_the_lift_falls_with_the_distance_of_the_queries_and_names_the_past_one(library: Library) -> None:
    library.mark(ASKED, passage(library, "tax"))
    hit = row(library.search(ALIKE), "tax.md")
    remembered = hit.explanation.remembered
    assert remembered is not None
    assert remembered.query == ASKED
    cosine = float(FakeEncoder().encode_query(ASKED) @ FakeEncoder().encode_query(ALIKE))
    assert remembered.cosine == pytest.approx(cosine, abs=1e-6)
    assert hit.shares.memory == pytest.approx(0.2 * (cosine - 0.6) / 0.4, abs=1e-6)
    assert 0 < hit.shares.memory < 0.2


def test_a_query_about_something_else_remembers_nothing(library: Library) -> None:
    library.mark(ASKED, passage(library, "cake"))
    hits = library.search(UNLIKE).hits
    assert all(hit.shares.memory is None and hit.explanation.remembered is None for hit in hits)


def test_shares_sum_to_the_score(library: Library) -> None:
    library.mark(ASKED, passage(library, "tax"))
    library.mark(ASKED, passage(library, "cake"), judgements.WRONG)
    for hit in library.search(ALIKE).hits:
        shares = hit.shares
        parts = (shares.vector, shares.keyword, shares.feedback, shares.memory)
        assert sum(part for part in parts if part is not None) == pytest.approx(hit.score, abs=1e-9)


def test_undoing_a_mark_restores_the_list_exactly(library: Library) -> None:
    before = library.search(ALIKE)
    library.mark(ASKED, passage(library, "tax"))
    assert library.search(ALIKE).hits != before.hits
    assert library.unmark(ASKED, passage(library, "tax"))
    assert library.search(ALIKE).hits == before.hits
    assert not library.unmark(ASKED, passage(library, "tax"))


def test_switched_off_memory_gives_the_list_without_marks(library: Library) -> None:
    before = library.search(ALIKE)
    library.mark(ALIKE, passage(library, "tax"))
    off = library.search(ALIKE, settings=OFF)
    assert [(hit.passage_id, hit.score, hit.shares) for hit in off.hits] == [
        (hit.passage_id, hit.score, hit.shares) for hit in before.hits
    ]


@pytest.mark.parametrize("fusion", ["rrf", "vector", "keyword"])
def test_other_fusions_remember_nothing(library: Library, fusion) -> None:
    before = library.search(ALIKE, settings=SearchSettings(fusion=fusion))
    library.mark(ALIKE, passage(library, "tax"))
    after = library.search(ALIKE, settings=SearchSettings(fusion=fusion))
    assert [(hit.passage_id, hit.score) for hit in after.hits] == [(hit.passage_id, hit.score) for hit in before.hits]
    assert all(hit.shares.memory is None for hit in after.hits)


def test_what_if_can_switch_memory_off_and_on(library: Library) -> None:
    library.mark(ALIKE, passage(library, "tax"))
    with_memory, without = library.search(ALIKE), library.search(ALIKE, settings=OFF)
    exploration = library.explore(ALIKE)
    assert exploration.result.hits == with_memory.hits
    assert exploration.again(OFF).hits == without.hits
    assert library.explore(ALIKE, settings=OFF).again(SearchSettings()).hits == with_memory.hits
    assert library.explore(ALIKE, settings=OFF).result.hits == without.hits


def test_an_opened_result_counts_a_quarter_of_a_mark_and_never_replaces_one(library: Library) -> None:
    tax = passage(library, "tax")
    library.opened(ASKED, tax)
    assert row(library.search(ASKED), "tax.md").shares.memory == pytest.approx(0.05)
    library.mark(ASKED, tax, judgements.WRONG)
    library.opened(ASKED, tax)
    (mark,) = library.marks()
    assert mark.grade == judgements.WRONG


def test_what_is_opened_after_the_question_was_asked_does_not_move_its_rows_and_a_mark_does(library: Library) -> None:
    tax, before = passage(library, "tax"), time.time()
    library.opened(ASKED, tax)
    asked = SearchSettings(opened_until=before)
    assert row(library.search(ASKED, settings=asked), "tax.md").shares.memory is None
    later = SearchSettings(opened_until=time.time())
    assert row(library.search(ASKED, settings=later), "tax.md").shares.memory == pytest.approx(0.05)
    library.opened(ASKED, tax)  # again: what it counted already it counts on
    assert row(library.search(ASKED, settings=later), "tax.md").shares.memory == pytest.approx(0.05)
    library.mark(ASKED, tax)
    assert row(library.search(ASKED, settings=asked), "tax.md").shares.memory == pytest.approx(0.2)


def test_being_shown_first_again_and_again_proves_nothing(library: Library) -> None:
    first = library.search(ASKED).hits
    for _ in range(5):
        assert library.search(ASKED).hits == first
    assert library.marks() == ()


def test_the_strongest_past_judgement_counts_alone(library: Library) -> None:
    tax = passage(library, "tax")
    library.mark(ALIKE, tax)
    library.mark(ASKED, tax, judgements.WRONG)
    hit = row(library.search(ASKED, limit=50), "tax.md")
    assert hit.shares.memory == pytest.approx(-0.2)
    assert hit.explanation.remembered is not None
    assert hit.explanation.remembered.query == ASKED


def test_a_passage_that_no_leg_brought_can_be_lifted_into_the_list(tmp_path: Path) -> None:
    crowd = {
        f"crowd/{n}.md": f"# Page {n}\n\nSourdough harbour, comet, velvet and {n} such things.\n" for n in range(450)
    }
    plain = SearchSettings(collapse=0.0)
    with library_of(tmp_path, {**NOTES, **crowd}, fitted=False) as library:
        tax = passage(library, "tax")
        library.mark(ALIKE, tax)
        hit = row(library.search(ALIKE, settings=plain), "tax.md")
        assert hit.vector is not None and hit.vector.rank is not None and hit.vector.rank > 200
        assert hit.keyword is None
        report = library.why(ALIKE, Path(hit.path.decode()))
        assert report.found
        assert any("memory" in stage.detail for stage in report.stages)


def test_memory_keeps_within_the_filters(library: Library) -> None:
    library.mark(ASKED, passage(library, "tax"))
    assert "tax.md" in names(library.search(ASKED))
    assert "tax.md" not in names(library.search(f"{ASKED} -path:tax"))
    assert "tax.md" not in names(library.search(f'{ASKED} "alive"'))


def test_a_mark_survives_a_move_and_a_rewritten_passage(tmp_path: Path) -> None:
    with library_of(tmp_path, NOTES, fitted=False) as library:
        library.mark(ASKED, passage(library, "tax"))
        notes = tmp_path / "notes"
        (notes / "tax.md").rename(notes / "levy.md")
        library.sync()
        assert row(library.search(ASKED), "levy.md").shares.memory == pytest.approx(0.2)
        (notes / "levy.md").rename(notes / "tax.md")
        write(notes, {"tax.md": "# Tax of this year\n\nA ledger written anew; nothing about kitchens.\n"})
        library.sync()
        hit = row(library.search(ASKED), "tax.md")
        assert hit.shares.memory == pytest.approx(0.2)
        assert hit.judged == judgements.RIGHT
        library.mark(ASKED, hit.passage_id, judgements.WRONG)
        assert [mark.grade for mark in library.marks()] == [judgements.WRONG]
        assert library.unmark(ASKED, hit.passage_id)
        assert library.marks() == ()


def test_a_mark_survives_indexing_everything_anew(library: Library) -> None:
    library.mark(ASKED, passage(library, "tax"))
    before = library.search(ASKED).hits
    library.sync(full=True)
    assert library.search(ASKED).hits == before


def test_a_row_tells_of_a_mark_on_a_passage_that_is_folded_into_it(tmp_path: Path) -> None:
    parts = ("Feeding the sourdough starter every morning. ", "Wash the jar of the starter with vinegar. ")
    loaf = "# Loaf\n\n" + "\n\n".join(f"## Part {number}\n\n{part * 30}" for number, part in enumerate(parts))
    with library_of(tmp_path, {"loaf.md": loaf, **FILLER}, fitted=False) as library:
        shown = row(library.search(ASKED), "loaf.md")
        below = shown.more_in_document[0]
        library.mark(ASKED, below, judgements.WRONG)
        again = row(library.search(ASKED), "loaf.md")
        assert again.judged is None
        assert again.judged_below is not None
        passage_id, mark = again.judged_below
        assert mark == judgements.WRONG
        assert passage_id in again.more_in_document


def test_rows_tell_what_was_thought_of_them_for_this_query_only(library: Library) -> None:
    library.mark(f"  {ASKED}\t", passage(library, "tax"))
    assert row(library.search(ASKED), "tax.md").judged == judgements.RIGHT
    assert row(library.search(ALIKE), "tax.md").judged is None


def test_the_verdict_and_the_tiers_do_not_change_with_memory(library: Library) -> None:
    library.mark(UNLIKE, passage(library, "tax"))
    on, off = library.search(UNLIKE, limit=50), library.search(UNLIKE, limit=50, settings=OFF)
    assert on.verdict == off.verdict
    tiers = {hit.passage_id: hit.tier for hit in off.hits}
    assert all(hit.tier == tiers.get(hit.passage_id, hit.tier) for hit in on.hits)


def test_another_process_sees_a_mark_and_its_undoing(library: Library) -> None:
    tax = passage(library, "tax")
    with Library.open(library.path, encoder=FakeEncoder()) as other:
        other.search(ASKED)
        library.mark(ASKED, tax)
        assert row(other.search(ASKED), "tax.md").shares.memory == pytest.approx(0.2)
        library.unmark(ASKED, tax)
        library.mark(ASKED, tax, judgements.WRONG)
        assert row(other.search(ASKED, limit=50), "tax.md").shares.memory == pytest.approx(-0.2)


def test_a_mark_is_made_beside_a_working_indexer(library: Library) -> None:
    from engine.store.lock import IndexerLock

    with IndexerLock(library.path).acquire("indexing"):
        library.mark(ASKED, passage(library, "tax"))
    assert len(library.marks()) == 1


def test_marks_are_emptied_with_their_text(library: Library) -> None:
    library.mark(ASKED, passage(library, "tax"))
    assert library.empty_marks() == 1
    library.close()
    open_writer(library.path).close()  # folds the log in
    assert b"sourdough starter every morning" in library.path.read_bytes()  # the note itself
    assert b"asked:" + ASKED.encode() not in library.path.read_bytes()


def test_a_search_without_words_and_a_passage_that_is_gone_cannot_be_marked(library: Library) -> None:
    with pytest.raises(UsageError, match="question"):
        library.mark("type:markdown", passage(library, "tax"))
    with pytest.raises(CarrelError, match="no longer"):
        library.mark(ASKED, 10**6)


def test_equal_scores_keep_their_order_with_memory(tmp_path: Path) -> None:
    twins = {f"twin/{name}.md": "# Twin\n\nThe very same harbour lantern text.\n" for name in "cab"}
    plain = SearchSettings(collapse=0.0)
    with library_of(tmp_path, {**twins, **FILLER}, fitted=False) as library:
        before = names(library.search("harbour lantern text", settings=plain))[:3]
        assert before == ["a.md", "b.md", "c.md"]
        for hit in library.search("harbour lantern text", settings=plain).hits[:3]:
            library.mark("harbour lantern text", hit.passage_id)
        assert names(library.search("harbour lantern text", settings=plain))[:3] == before


@settings(max_examples=examples(25))
@given(st.lists(st.tuples(st.sampled_from([ASKED, ALIKE, UNLIKE]), st.integers(0, 5), st.sampled_from([2, -2, 1]))))
def test_any_marks_leave_shares_that_sum_and_vanish_when_emptied(shared_library, marks) -> None:
    library, untouched = shared_library
    ids = sorted(hit.passage_id for hit in untouched.hits)
    for query, at, grade in marks:
        library.mark(query, ids[at], grade)
    for hit in library.search(ASKED).hits:
        parts = (hit.shares.vector, hit.shares.keyword, hit.shares.feedback, hit.shares.memory)
        assert sum(part for part in parts if part is not None) == pytest.approx(hit.score, abs=1e-9)
        assert abs(hit.shares.memory or 0.0) <= 0.2 + 1e-9
    library.empty_marks()
    assert library.search(ASKED).hits == untouched.hits


@pytest.fixture(scope="module")
def shared_library(tmp_path_factory: pytest.TempPathFactory):
    with library_of(tmp_path_factory.mktemp("shared"), NOTES) as library:
        yield library, library.search(ASKED)


def test_a_right_mark_steers_the_feedback_a_wrong_or_opened_one_does_not(library: Library) -> None:
    def feedback_of(name: str) -> float:
        return row(library.search(ASKED, limit=50), name).shares.feedback or 0.0

    tax = passage(library, "tax")
    before = feedback_of("tax.md")
    library.opened(ASKED, tax)
    assert feedback_of("tax.md") == before
    library.mark(ASKED, tax)
    assert feedback_of("tax.md") > before
    library.mark(ASKED, tax, judgements.WRONG)
    assert feedback_of("tax.md") <= before


def test_marks_count_on_with_another_model(library: Library) -> None:
    library.mark(ASKED, passage(library, "tax"))
    library.close()
    with Library.open(library.path, encoder=FakeEncoder(dimension=32)) as other:
        assert other.use_model("fake")
        hit = row(other.search(ASKED), "tax.md")
        assert hit.shares.memory == pytest.approx(0.2)
        assert hit.judged == judgements.RIGHT


def test_marks_made_without_a_model_count_once_there_is_one(library: Library) -> None:
    tax = library.passages((passage(library, "tax"),))[0]
    (digest,) = library.passage_hashes([tax.id]).values()
    connection = open_writer(library.path)
    judgements.put(connection, [Mark(f"question {number}", digest, tax.path, judgements.RIGHT) for number in range(20)])
    judgements.put(connection, [Mark(ASKED, digest, tax.path, judgements.RIGHT, at=1.0)])  # the oldest
    connection.close()
    counted = [row(library.search(ASKED, limit=50), "tax.md").shares.memory for _ in range(4)]
    assert counted[0] is None
    assert counted[-1] == pytest.approx(0.2)


LONG = "Feeding the sourdough starter on rye flour every morning and keeping it near the warm oven until noon.\n"


def marked_note(tmp_path: Path, text: str = LONG) -> Library:
    library = library_of(tmp_path, {**FILLER, "bread.md": f"# Bread\n\n{text}"})
    library.mark(ASKED, passage(library, "bread"))
    return library


def places(library: Library) -> list[str]:
    (found,) = library.places_of_marks(library.marks())
    return [Path(path.decode()).name for path in found]


@pytest.mark.parametrize("inode_stays", [True, False])
def test_a_mark_follows_a_note_that_is_renamed_and_edited_between_two_syncs(tmp_path: Path, inode_stays: bool) -> None:
    with marked_note(tmp_path) as library:
        notes = tmp_path / "notes"
        if inode_stays:
            (notes / "bread.md").rename(notes / "loaf.md")
        else:
            (notes / "bread.md").unlink()
        write(notes, {"loaf.md": "# Loaf\n\n" + LONG.replace("rye flour", "spelt") + "More was written below.\n"})
        library.sync()
        assert places(library) == ["loaf.md"]
        assert row(library.search(ASKED), "loaf.md").judged == judgements.RIGHT
        write(notes, {"loaf.md": "# Loaf\n\nEverything is said in other words by now.\n"})
        library.sync()
        assert places(library) == ["loaf.md"]


def test_a_mark_whose_note_is_deleted_finds_nothing_and_all_of_it_when_it_is_back(tmp_path: Path) -> None:
    with marked_note(tmp_path) as library:
        note = tmp_path / "notes" / "bread.md"
        text = note.read_text()
        note.unlink()
        library.sync()
        assert places(library) == []
        note.write_text(text)
        library.sync()
        assert places(library) == ["bread.md"]


def test_a_mark_stays_with_its_note_where_a_copy_keeps_the_old_text(tmp_path: Path) -> None:
    with marked_note(tmp_path) as library:
        note = tmp_path / "notes" / "bread.md"
        shutil.copy(note, tmp_path / "notes" / "copy.md")
        note.write_text(note.read_text().replace("rye flour", "spelt"))
        library.sync()
        assert places(library)[0] == "bread.md"


OTHER = "The tax ledger of the year was closed by the harbour office after a long winter without any snow at all.\n"


def test_a_mark_on_a_passage_that_is_split_stands_for_the_part_that_holds_most(tmp_path: Path) -> None:
    most = " ".join(f"rye{number} flour{number}" for number in range(30))
    rest = " ".join(f"oven{number}" for number in range(20))
    between = "\n\n".join(f"Between {number}: {OTHER * 3}" for number in range(8))
    with marked_note(tmp_path, f"{most} {rest}\n") as library:
        write(tmp_path / "notes", {"bread.md": f"# Bread\n\n{rest}\n\n{between}\n\n{most}\n"})
        library.sync()
        assert places(library) == ["bread.md"]
        (judged,) = [hit for hit in library.search(ASKED, settings=UNGROUPED).hits if hit.judged]
        (kept,) = library.passages([judged.passage_id])
        assert "rye29 flour29" in kept.text and "oven0" not in kept.text


def test_a_mark_on_a_passage_that_is_joined_with_another_stands_for_the_whole(tmp_path: Path) -> None:
    with marked_note(tmp_path, f"{LONG}\n## Another\n\n{OTHER}") as library:
        write(tmp_path / "notes", {"bread.md": f"# Bread\n\n{LONG.strip()} {OTHER}"})
        library.sync()
        assert places(library) == ["bread.md"]
        assert row(library.search(ASKED), "bread.md").judged == judgements.RIGHT


@pytest.mark.parametrize("edited", [False, True], ids=["as it was", "edited"])
def test_a_mark_follows_its_note_into_another_watched_folder(tmp_path: Path, edited: bool) -> None:
    with marked_note(tmp_path) as library:
        write(tmp_path / "archive", {"old.md": "# Old\n\nNothing of kitchens.\n"})
        library.add(tmp_path / "archive")
        library.sync()
        text = (tmp_path / "notes" / "bread.md").read_text()
        (tmp_path / "notes" / "bread.md").rename(tmp_path / "archive" / "loaf.md")
        if edited:
            (tmp_path / "archive" / "loaf.md").write_text(text.replace("rye flour", "spelt") + "And more.\n")
        library.sync()
        ((place,),) = library.places_of_marks(library.marks())
        assert Path(place.decode()) == tmp_path / "archive" / "loaf.md"
        assert row(library.search(ASKED), "loaf.md").judged == judgements.RIGHT


def test_sketches_of_marked_texts_go_with_their_marks(library: Library) -> None:
    library.mark(ASKED, passage(library, "tax"))
    connection = open_writer(library.path)
    sketches = "SELECT count(*) FROM meta WHERE key LIKE 'sketch:%'"
    assert connection.execute(sketches).get == 1
    library.empty_marks()
    assert connection.execute(sketches).get == 0
    connection.close()


def test_what_was_opened_or_marked_right_last_is_known_by_its_document(library: Library) -> None:
    bread, tax, cake = (passage(library, name) for name in ("bread.md", "tax.md", "cake.md"))
    library.opened(ASKED, bread)
    library.mark(ASKED, cake, judgements.WRONG)
    library.opened(UNLIKE, tax)
    library.opened(ALIKE, bread)
    names = [path.rpartition(b"/")[2] for path in library.last_opened(5)]
    assert sorted(names) == [b"bread.md", b"tax.md"]
    assert library.last_opened(1) == library.last_opened(5)[:1]
    library.empty_marks()
    assert library.last_opened(5) == ()


def test_a_mark_that_could_not_be_kept_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with library_of(tmp_path, {"bread.md": f"# Bread\n\n{EDITED} Once.\n"}) as library:
        library.mark(ASKED, passage(library, "bread"))
        write(tmp_path / "notes", {"bread.md": f"# Bread\n\n{EDITED} Twice.\n"})
        library.sync()
        before = library.marks()
        with monkeypatch.context() as patched:
            patched.setattr(judgements, "put", busy)
            with pytest.raises(LibraryBusy):
                library.mark(ASKED, passage(library, "bread"), judgements.WRONG)
        assert library.marks() == before
        library.mark(ASKED, passage(library, "bread"), judgements.WRONG)
        assert [mark.grade for mark in library.marks()] == [judgements.WRONG]
        with library._file.reading() as connection:
            (model,) = models.every(connection)
            assert list(judgements.vectors(connection, model.id, [ASKED])) == [ASKED], "it need not be encoded again"


def busy(*_: object) -> None:
    raise LibraryBusy("The library is in use.", fix="Wait.")
