"""What a sync makes of files that came, changed, moved and went."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest
from shelf import LONG_AGO, Shelf, paragraph, words_are_sound

from engine.errors import PathError
from engine.records import Failure


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    return Shelf(tmp_path)


def note(*words: str) -> str:
    return "# Note\n\n" + "\n\n".join(paragraph(word) for word in words)


def test_new_files_are_added_with_their_passages(shelf: Shelf) -> None:
    shelf.write("a.md", note("apple", "pear"))
    shelf.write("deep/down/b.md", note("plum"))
    report = shelf.sync()
    assert (report.added, report.updated, report.unchanged, report.removed) == (2, 0, 0, 0)
    assert report.embedded == len(shelf.encoder.texts) == len(shelf.contents())
    assert shelf.documents().keys() == {b"a.md", b"deep/down/b.md"}
    assert words_are_sound(shelf.conn)


def test_a_second_sync_finds_nothing_to_do_and_needs_neither_encoder_nor_parser(shelf: Shelf) -> None:
    shelf.write("a.md", note("apple"))
    shelf.sync()
    before = shelf.contents()
    report = shelf.sync()
    assert (report.unchanged, report.added, report.updated, report.embedded) == (1, 0, 0, 0)
    assert shelf.encoder.texts == []
    assert shelf.parser.read_paths == []
    assert shelf.contents() == before


def test_an_edited_paragraph_embeds_only_its_passages(shelf: Shelf) -> None:
    words = [f"word{number}" for number in range(12)]
    shelf.write("a.md", note(*words))
    first = shelf.sync()
    ids = shelf.passages(b"a.md")
    shelf.write("a.md", note(*words[:6], "changed", *words[7:]), age=5)
    report = shelf.sync()
    assert report.updated == 1
    assert 1 <= report.embedded <= 3 < first.embedded
    assert all("changed" in text or "word" in text for text in shelf.encoder.texts)
    kept = {each for each, text in shelf.passages(b"a.md").items() if ids.get(each) == text}
    assert len(kept) >= first.embedded - report.embedded


def test_a_touched_file_is_not_read_again_by_the_parser(shelf: Shelf) -> None:
    path = shelf.write("a.md", note("apple"))
    shelf.sync()
    os.utime(path, (LONG_AGO + 99, LONG_AGO + 99))
    report = shelf.sync()
    assert (report.unchanged, report.updated) == (1, 0)
    assert shelf.parser.read_paths == []
    assert shelf.sync().unchanged == 1


def test_a_moved_note_keeps_its_passages_and_vectors(shelf: Shelf) -> None:
    path = shelf.write("a.md", note("apple", "pear"))
    shelf.sync()
    ids, titles = shelf.passages(b"a.md"), shelf.documents()
    (shelf.notes / "sub").mkdir()
    path.rename(shelf.notes / "sub" / "b.md")
    report = shelf.sync()
    assert (report.moved, report.added, report.removed, report.embedded) == (1, 0, 0, 0)
    assert shelf.passages(b"sub/b.md") == ids
    assert shelf.documents()[b"sub/b.md"] == titles[b"a.md"]
    assert shelf.parser.read_paths == []
    assert words_are_sound(shelf.conn)


def test_a_note_that_was_copied_and_removed_is_moved_by_its_content(shelf: Shelf) -> None:
    path = shelf.write("a.md", note("apple"))
    shelf.sync()
    ids = shelf.passages(b"a.md")
    shutil.copyfile(path, shelf.notes / "b.md")
    path.unlink()
    report = shelf.sync()
    assert (report.moved, report.embedded) == (1, 0)
    assert shelf.passages(b"b.md") == ids


def test_a_title_taken_from_the_file_name_follows_a_rename(shelf: Shelf) -> None:
    path = shelf.write("old-name.md", paragraph("apple"))
    shelf.sync()
    path.rename(shelf.notes / "new name.md")
    report = shelf.sync()
    assert (report.moved, report.embedded) == (1, 0)
    assert shelf.documents() == {b"new name.md": "new name"}
    assert words_are_sound(shelf.conn)


def test_a_note_moves_across_watched_folders(shelf: Shelf) -> None:
    other = shelf.add_folder("archive")
    path = shelf.write("a.md", note("apple"))
    shelf.sync()
    ids = shelf.passages(b"a.md")
    path.rename(other / "a.md")
    report = shelf.sync()
    assert (report.moved, report.embedded) == (1, 0)
    assert shelf.passages(b"a.md") == ids


def test_a_note_renamed_over_another_takes_its_place(shelf: Shelf) -> None:
    path = shelf.write("a.md", note("apple"))
    shelf.write("b.md", note("banana"))
    shelf.sync()
    ids = shelf.passages(b"a.md")
    path.rename(shelf.notes / "b.md")
    report = shelf.sync()
    assert (report.moved, report.removed, report.embedded) == (1, 1, 0)
    assert shelf.passages(b"b.md") == ids


def test_another_suffix_is_read_by_its_own_reader(shelf: Shelf) -> None:
    path = shelf.write("a.md", note("apple"))
    shelf.sync()
    path.rename(shelf.notes / "a.txt")
    report = shelf.sync()
    assert (report.moved, report.updated, report.unchanged) == (1, 0, 0)
    assert shelf.parser.read_paths == [os.fsencode(shelf.notes / "a.txt")]


def test_a_hard_link_whose_twin_goes_is_not_taken_for_it(shelf: Shelf) -> None:
    markdown = shelf.write("a.md", note("apple"))
    (shelf.notes / "b.csv").hardlink_to(markdown)
    (shelf.notes / "c.md").hardlink_to(markdown)
    shelf.sync()
    ids = shelf.passages(b"b.csv")
    markdown.unlink()
    heard = os.fsencode(shelf.notes / "c.md")
    report = shelf.sync(paths=[heard], doubted=[heard])
    assert (report.moved, report.removed) == (0, 1)
    assert shelf.passages(b"b.csv") == ids


def test_a_file_that_was_changed_under_a_name_that_is_gone_is_read_under_its_other(shelf: Shelf) -> None:
    path = shelf.write("a.md", note("apple"))
    (shelf.notes / "b.md").hardlink_to(path)
    shelf.sync()
    shelf.write("a.md", note("apple", "pear"))
    path.unlink()
    heard = os.fsencode(path)
    report = shelf.sync(paths=[heard], doubted=[heard])
    assert (report.updated, report.removed) == (1, 1)
    assert any("pear" in text for text in shelf.passages(b"b.md").values())


def test_a_hard_link_whose_reading_was_cut_short_is_read_when_its_twin_is_heard_of(shelf: Shelf) -> None:
    path = shelf.write("a.md", note("apple"))
    (shelf.notes / "b.md").hardlink_to(path)
    shelf.sync()
    path.rename(shelf.notes / "c.txt")
    stopped = threading.Event()
    stopped.set()
    report = shelf.sync(stop=stopped)
    assert (report.moved, shelf.parser.read_paths) == (1, [])
    heard = os.fsencode(shelf.notes / "b.md")
    shelf.sync(paths=[heard], doubted=[heard])
    assert shelf.parser.read_paths == [os.fsencode(shelf.notes / "c.txt")]


def test_a_new_file_with_the_inode_of_a_removed_one_is_no_move(shelf: Shelf) -> None:
    shelf.write("a.md", note("apple"))
    shelf.sync()
    (shelf.notes / "a.md").unlink()
    shelf.write("b.md", note("quite", "different"))
    report = shelf.sync()
    assert (report.moved, report.added, report.removed) == (0, 1, 1)


def test_text_that_went_into_another_file_keeps_its_vectors(shelf: Shelf) -> None:
    path = shelf.write("a.md", note("apple", "pear", "plum"))
    shelf.sync()
    path.unlink()
    shelf.write("b.md", note("apple", "pear", "plum", "cherry"))
    report = shelf.sync()
    assert (report.added, report.removed) == (1, 1)
    assert (report.embedded, report.reused) == (1, 1)
    assert not any("apple1 " in text for text in shelf.encoder.texts)


def test_a_repeated_text_is_embedded_once(shelf: Shelf) -> None:
    for number in range(5):
        shelf.write(f"{number}.md", note("same", "text"))
    report = shelf.sync()
    assert len(shelf.encoder.texts) == len(set(shelf.encoder.texts)) == report.embedded
    assert report.embedded + report.reused == len(shelf.contents())


def test_removed_files_go(shelf: Shelf) -> None:
    path = shelf.write("a.md", note("apple"))
    shelf.write("b.md", note("banana"))
    shelf.sync()
    path.unlink()
    report = shelf.sync()
    assert (report.removed, report.unchanged) == (1, 1)
    assert report.passages_removed == 1
    assert shelf.documents().keys() == {b"b.md"}
    assert words_are_sound(shelf.conn)


def test_a_missing_root_keeps_its_documents(shelf: Shelf) -> None:
    shelf.write("a.md", note("apple"))
    shelf.sync()
    before = shelf.contents()
    away = shelf.base / "away"
    shelf.notes.rename(away)
    report = shelf.sync()
    assert (report.removed, shelf.state()) == (0, "missing")
    assert shelf.contents() == before
    away.rename(shelf.notes)
    report = shelf.sync()
    assert (report.unchanged, report.embedded, shelf.state()) == (1, 0, "watching")


def test_a_paused_folder_is_left_alone(shelf: Shelf) -> None:
    shelf.conn.execute("UPDATE folder SET state = 'paused'")
    path = shelf.write("a.md", note("apple"))
    assert shelf.sync().added == 0
    assert shelf.sync(paths=[os.fsencode(path)]).added == 1


def test_what_is_left_out_is_counted_and_kept_with_the_folder(shelf: Shelf) -> None:
    shelf.write("a.md", note("apple"))
    shelf.write("photo.jpg", b"\xff\xd8")
    shelf.write(".hidden.md", note("secret"))
    report = shelf.sync()
    assert sum(report.skipped.values()) == 2
    stored = dict(shelf.conn.execute("SELECT reason, count FROM left_out"))
    assert stored == report.skipped


def test_a_sync_of_the_folder_itself_counts_what_is_left_out_by_now(shelf: Shelf) -> None:
    shelf.write("a.md", note("apple"))
    drafts = shelf.write("drafts/b.md", note("banana"))
    shelf.sync()
    (drafts.parent.parent / ".carrelignore").write_text("drafts/\n")
    shelf.sync(paths=[os.fsencode(drafts)])
    assert dict(shelf.conn.execute("SELECT reason, count FROM left_out")).get(".carrelignore") is None
    report = shelf.sync(paths=[os.fsencode(drafts.parent.parent)])
    assert dict(shelf.conn.execute("SELECT reason, count FROM left_out")) == report.skipped
    assert report.skipped[".carrelignore"] == 1


def test_paths_restrict_a_sync_to_files_and_subtrees(shelf: Shelf) -> None:
    one = shelf.write("one/a.md", note("apple"))
    two = shelf.write("two/b.md", note("banana"))
    shelf.write("c.md", note("cherry"))
    assert shelf.sync(paths=[os.fsencode(one), os.fsencode(two.parent)]).added == 2
    shutil.rmtree(two.parent)
    one.unlink()
    report = shelf.sync(paths=[os.fsencode(two.parent)])
    assert report.removed == 1
    assert shelf.documents().keys() == {b"one/a.md"}


def test_a_path_in_no_watched_folder_is_refused(shelf: Shelf) -> None:
    with pytest.raises(PathError):
        shelf.sync(paths=[b"/somewhere/else"])


def test_a_full_sync_reads_everything_and_embeds_nothing_that_is_the_same(shelf: Shelf) -> None:
    shelf.write("a.md", note("apple"))
    shelf.write("b.md", note("banana"))
    shelf.sync()
    before = shelf.contents()
    report = shelf.sync(full=True)
    assert len(shelf.parser.read_paths) == 2
    assert (report.unchanged, report.updated, report.embedded) == (2, 0, 0)
    assert shelf.contents() == before


def test_names_that_are_not_utf_8_are_indexed_and_moved(shelf: Shelf) -> None:
    path = os.path.join(os.fsencode(shelf.notes), b"caf\xe9.md")
    with open(path, "wb") as file:
        file.write(note("coffee").encode())
    assert shelf.sync().added == 1
    os.rename(path, os.path.join(os.fsencode(shelf.notes), b"th\xe9.md"))
    assert shelf.sync().moved == 1
    assert shelf.documents().keys() == {b"th\xe9.md"}


def test_a_passage_that_lost_its_vector_gets_it_back(shelf: Shelf) -> None:
    shelf.write("a.md", note("apple"))
    shelf.sync()
    before = shelf.contents()
    (table,) = (row[0] for row in shelf.conn.execute("SELECT 'vector_' || id FROM model"))
    shelf.conn.execute(f"DELETE FROM {table}")
    report = shelf.sync()
    assert len(shelf.encoder.texts) == 1
    assert report.failed == ()
    assert shelf.contents() == before


def test_a_failed_file_is_reported_each_time_but_read_once(shelf: Shelf) -> None:
    path = os.fsencode(shelf.write("bad.md", b"\0\0\0 text"))
    shelf.write("good.md", note("apple"))
    failure = Failure(path, "not text")
    assert shelf.sync().failed == (failure,)
    again = shelf.sync()
    assert again.failed == (failure,)
    assert (again.unchanged, shelf.parser.read_paths) == (1, [])
