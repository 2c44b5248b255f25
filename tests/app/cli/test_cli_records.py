"""`carrel search` for other programs: vimgrep, paths, NUL, and formats, with the names that files can have."""

from __future__ import annotations

import os

import pytest
from cli_fakes import Call, FakeLibrary, a_hit, a_result

from engine.records import StoredPassage

HOSTILE = (
    b"-rf.md",
    b"+quit.md",
    b"~root.md",
    b'it\'s "so".md',
    b"new\nline.md",
    b"tab\there.md",
    b"esc\x1b[31m.md",
)


def here(name: bytes) -> bytes:
    return os.path.join(os.getcwdb(), name)


@pytest.fixture
def hostile(carrel: Call, library: FakeLibrary) -> None:
    """Let a search find a file of each hostile name, in the current folder, and one elsewhere."""
    names = [*map(here, HOSTILE), b"/else/where.pdf"]
    hits = [a_hit(path, rank=rank, passage_id=rank, document_id=rank) for rank, path in enumerate(names, 1)]
    hits[-1] = a_hit(names[-1], rank=8, passage_id=8, document_id=8, line_start=None, page=3, kind="pdf")
    library.result = a_result(*hits)


@pytest.mark.usefixtures("hostile")
def test_paths_are_written_one_a_line_and_never_look_like_options(carrel: Call) -> None:
    ended = carrel("search", "starter", "--paths")

    lines = ended.out.splitlines()
    assert lines[:4] == ["./-rf.md", "./+quit.md", "./~root.md", 'it\'s "so".md']
    assert lines[4:] == ["tab\there.md", "esc\x1b[31m.md", "/else/where.pdf"]
    assert ended.code == 0
    assert "new␊line.md was left out" in ended.err and "--print0" in ended.err


@pytest.mark.usefixtures("hostile")
def test_with_nul_every_name_is_written(carrel: Call) -> None:
    ended = carrel("search", "starter", "-0")

    assert ended.err == ""
    assert ended.out.split("\0")[4] == "new\nline.md"
    assert ended.out.count("\0") == 8


@pytest.mark.usefixtures("hostile")
def test_a_format_gets_its_fields_and_leaves_out_a_name_that_holds_what_parts_them(carrel: Call) -> None:
    ended = carrel("search", "starter", "--format", r"{place}\t{tier}\{{quoted}")

    lines = ended.out.splitlines()
    assert lines[0] == "./-rf.md:14\tstrong{./-rf.md"
    assert lines[3] == "it's \"so\".md:14\tstrong{'it'\"'\"'s \"so\".md'"
    assert lines[-1] == "/else/where.pdf:3\tstrong{/else/where.pdf"
    assert not any("here.md" in line for line in lines) and "tab␉here.md was left out" in ended.err
    assert carrel("search", "starter", "-0", "--format", "+{line} {path}").out.split("\0")[-2] == "+1 /else/where.pdf"


def test_what_no_format_can_mean_is_refused_before_a_search(carrel: Call, library: FakeLibrary) -> None:
    for wrong in ("{nope}", r"\q", "{path", "trailing\\"):
        ended = carrel("search", "starter", "--format", wrong)
        assert (ended.code, ended.out) == (2, "")
        assert "--format" in ended.err
    assert carrel("search", "starter", "--paths", "--format", "{path}").code == 2
    for two in (("--json", "--paths"), ("--json", "-0"), ("--plain", "--vimgrep"), ("--json", "--plain")):
        ended = carrel("search", "starter", *two)
        assert (ended.code, ended.out) == (2, "") and "two ways to print" in ended.err
    assert carrel("search", "starter", "--explain", "--paths").code == 2
    assert library.of("search") == []


def test_vimgrep_names_line_and_column_of_the_first_matched_word(carrel: Call, library: FakeLibrary) -> None:
    path = here(b"notes.md")
    text = "\n\nFlour.\n\tÄpfel and a starter here.\n"
    library.stored = [StoredPassage(7, 3, 0, path, "Notes", (), text, 10, 10 + len(text), 12, 13, None)]
    marked = a_hit(path, line_start=12, snippet="Flour. Äpfel and a starter here.", marks=((19, 26),))
    derived = a_hit(b"/else/where.pdf", passage_id=8, line_start=None, page=3, kind="pdf", snippet="so it\nis")
    library.result = a_result(marked, derived, verdict="none")

    ended = carrel("search", "starter", "--vimgrep")

    assert ended.out.splitlines() == ["notes.md:13:15: Äpfel and a starter here.", "/else/where.pdf:1:1:so it is"]
    assert (ended.code, ended.err) == (1, "")  # nothing relevant; the nearest all the same


@pytest.mark.usefixtures("hostile")
def test_a_word_that_is_an_option_of_another_form_stays_a_word(carrel: Call, library: FakeLibrary) -> None:
    carrel("search", "starter", "-1", "--", "-0")
    assert library.of("search")[0][0] == "starter -1 -0"


def test_a_limit_is_no_part_of_forgetting_the_log(carrel: Call, library: FakeLibrary) -> None:
    for others in (("--empty",), ("--on",), ("--off",)):
        ended = carrel("log", "--limit", "1", *others)
        assert (ended.code, ended.out) == (2, "") and "--limit is for the list" in ended.err
    assert library.asked == []
