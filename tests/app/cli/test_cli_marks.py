"""`carrel mark`, `marks`, `log` and `judge` on a real library: the loop closes without a screen."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from cli_fakes import Call
from fake_encoder import FakeEncoder
from rich.cells import cell_len

from app.cli import factories
from engine.errors import LibraryBusy
from engine.evaluation.beir import Collection
from engine.library import Library
from engine.paths import places

pytestmark = pytest.mark.usefixtures("roughly_fitted")

ASKED = "feeding the sourdough starter"
NOTES = {
    "bread.md": "# Bread\n\nFeeding the sourdough starter every morning keeps it alive.\n",
    "cake.md": "# Cake\n\nFeeding a crowd: the sourdough cake that starts every party.\n",
    "tax.md": "# Tax\n\nLedger of a year, nothing about kitchens.\n",
    "stove.md": "# Stove\n\nThe starter of the stove must be kept dry.\n",
}
Type = Callable[[str], list[str]]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Index a few notes, once."""
    base = tmp_path_factory.mktemp("indexed")
    folder = base / "notes"
    folder.mkdir()
    for name, text in NOTES.items():
        (folder / name).write_text(text)
    with Library.open(base / "notes.carrel", create=True, encoder=FakeEncoder()) as library:
        library.add(folder)
        library.sync()
    return base


@pytest.fixture
def notes(tmp_path: Path, indexed: Path, carrel: Call, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every call a copy of the indexed library; returns the folder of the notes."""
    place = Path(shutil.copy(indexed / "notes.carrel", tmp_path))
    folder = indexed / "notes"
    monkeypatch.setattr(
        factories, "open_library", lambda path, create=False: Library.open(place, encoder=FakeEncoder())
    )
    return folder


@pytest.fixture
def type_keys(monkeypatch: pytest.MonkeyPatch) -> Type:
    """Let a person press keys; what is shown before each is kept."""

    def typed(keys: str) -> list[str]:
        waiting, shown = iter(keys), []
        monkeypatch.setattr(click, "getchar", lambda echo=False: next(waiting))
        monkeypatch.setattr("app.cli.judge_prompt.click.clear", lambda: shown.append("cleared"))
        return shown

    return typed


def found(carrel: Call, *arguments: str) -> list[dict]:
    return carrel("search", "--json", *arguments, ASKED).json["results"]


def names(rows: list[dict]) -> list[str]:
    return [os.path.basename(row["path"]) for row in rows]


def test_a_mark_changes_the_next_search_and_undo_restores_it(carrel: Call, notes: Path) -> None:
    before = found(carrel)
    assert names(before)[0] == "bread.md"

    assert carrel("mark", ASKED, "tax.md").code == 0
    assert carrel("mark", ASKED, "bread.md:3", "-").code == 0
    after = found(carrel)
    tax = next(row for row in after if row["path"].endswith("tax.md"))
    bread = next(row for row in after if row["path"].endswith("bread.md"))
    assert tax["shares"]["memory"] == pytest.approx(0.2)
    assert tax["explanation"]["remembered"]["query"] == ASKED
    assert (tax["judged"], bread["judged"]) == ("right", "wrong")
    assert sum(tax["shares"].values()) == pytest.approx(tax["score"])

    carrel("mark", ASKED, "tax.md", "undo")
    carrel("mark", ASKED, "bread.md", "undo")
    assert [(row["path"], row["score"]) for row in found(carrel)] == [(row["path"], row["score"]) for row in before]


def test_a_search_can_pass_over_memory_by_option_and_by_setting(carrel: Call, notes: Path) -> None:
    before = found(carrel)
    carrel("mark", ASKED, "tax.md")
    assert names(found(carrel, "--no-memory")) == names(before)

    settings = places().settings
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("memory = false\n")
    assert all("memory" not in row["shares"] for row in found(carrel))


def test_the_explanation_names_the_search_that_is_remembered(carrel: Call, notes: Path) -> None:
    carrel("mark", ASKED, "tax.md")

    said = carrel("search", "--explain", "feeding the sourdough starter daily").out
    assert f"marked right for “{ASKED}”" in said
    assert "memory ." in said
    plain = carrel("search", "--explain", "--plain", "feeding the sourdough starter daily").out
    assert f"They were made for the search: {ASKED}." in plain


def test_marks_are_listed_and_emptied(carrel: Call, notes: Path) -> None:
    carrel("mark", ASKED, "tax.md")
    carrel("mark", ASKED, "cake.md", "-")

    listed = carrel("marks", "--json").json["marks"]
    assert {(os.path.basename(mark["path"]), mark["mark"]) for mark in listed} == {
        ("tax.md", "right"),
        ("cake.md", "wrong"),
    }
    assert "- wrong" in carrel("marks").out
    assert carrel("marks", "--empty").code == 2  # nobody can be asked
    assert carrel("marks", "--empty", "--yes").out == "Forgotten: 2 marks\n"
    assert carrel("marks", "--json").json["marks"] == []


def test_a_mark_whose_passage_is_gone_is_listed_as_not_found(carrel: Call, notes: Path) -> None:
    carrel("mark", ASKED, "tax.md")
    (kept,) = carrel("marks", "--json").json["marks"]
    assert kept["found"] is True and "no passage found" not in carrel("marks").out
    next(notes.rglob("tax.md")).unlink()
    carrel("sync")
    (lost,) = carrel("marks", "--json").json["marks"]
    assert lost["found"] is False and lost["path"] == kept["path"]
    assert "(no passage found)" in carrel("marks").out


@pytest.mark.parametrize("columns", [40, 80])
def test_marks_fit_the_terminal_however_long_their_names_are(
    carrel: Call, notes: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    name, words = f"{'very-' * 30}long.md", f"feeding {'x' * 200} the starter {'猫' * 60} daily"
    note = notes / name
    note.write_text("# Long\n\nFeeding the starter.\n")
    carrel("sync")
    note.unlink()
    assert carrel("mark", words, name).code == 0 and carrel("mark", ASKED, "cake.md").code == 0
    monkeypatch.setattr("app.cli.output.SafeStream.isatty", lambda stream: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = carrel("marks").out.splitlines()
    assert max(map(cell_len, lines)) <= columns
    assert any(line.startswith("   …") and line.endswith("-long.md") for line in lines)
    together = "".join(line.strip() for line in lines)
    assert "x" * 200 in together and "猫" * 60 in together
    assert not any(line.endswith(("starte", "dail")) for line in lines)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((ASKED, "nowhere.md"), "no document"),
        ((ASKED, "tax.md:99"), "no line 99"),
        (("type:markdown", "tax.md"), "no question"),
        ((ASKED, "tax.md", "perhaps"), "perhaps"),
    ],
)
def test_what_cannot_be_marked_is_told(carrel: Call, notes: Path, arguments: tuple[str, ...], told: str) -> None:
    ended = carrel("mark", *arguments)

    assert ended.code == 2
    assert told in ended.err


def test_the_log_is_off_until_it_is_switched_on_and_can_be_emptied(carrel: Call, notes: Path) -> None:
    found(carrel)
    assert carrel("log", "--json").json == {"format": 1, "on": False, "forgotten": None, "searches": []}

    assert "The log is on." in carrel("log", "--on").err
    rows = found(carrel)
    logged = carrel("log", "--json").json
    assert logged["on"]
    (search,) = logged["searches"]
    assert search["query"] == ASKED
    assert [(row["rank"], row["path"]) for row in search["results"]] == [(row["rank"], row["path"]) for row in rows]

    carrel("log", "--off")
    found(carrel)
    assert len(carrel("log", "--json").json["searches"]) == 1
    assert carrel("log", "--empty", "--json").json["forgotten"] == 1
    assert carrel("log", "--json").json["searches"] == []


def test_the_log_tells_what_a_program_asked_from_what_the_person_did(carrel: Call, notes: Path) -> None:
    carrel("log", "--on")
    found(carrel)
    with factories.open_library(None) as library:
        library.log_search(library.search("an assistant's question"), "mcp")
    lines = carrel("log").out.splitlines()
    assert lines[0].endswith("mcp: an assistant's question") and lines[1].endswith(f"  {ASKED}")
    assert [each["source"] for each in carrel("log", "--json").json["searches"]] == ["mcp", ""]


def test_a_log_that_cannot_be_written_fails_no_search(carrel: Call, notes: Path, monkeypatch) -> None:
    def refuse(self: Library, result: object) -> int:
        raise LibraryBusy("busy")

    carrel("log", "--on")
    monkeypatch.setattr(Library, "log_search", refuse)
    assert carrel("search", ASKED).code == 0


def test_judging_is_blind_kept_at_once_and_not_asked_again(carrel: Call, notes: Path, type_keys: Type) -> None:
    type_keys("ynq")
    first = carrel("judge", ASKED)
    assert first.code == 0
    assert "1 question and 2 documents judged." in first.out
    assert "passage 1 of 4" in first.err
    for sign in ("●", "bm25", "distance", "rank"):
        assert sign not in first.err

    type_keys("nn")
    second = carrel("judge", ASKED)
    assert "passage 1 of 2" in second.err
    assert "4 documents judged" in second.out

    type_keys("")
    assert "passage" not in carrel("judge", ASKED).err


def test_the_order_of_a_pool_hangs_on_the_seed_alone(carrel: Call, notes: Path, type_keys: Type) -> None:
    def titles(*options: str) -> list[str]:
        type_keys("ssss")
        return [
            line
            for line in carrel("judge", *options, ASKED).err.splitlines()
            if line in ("Bread", "Cake", "Tax", "Stove")
        ]

    assert titles() == titles()
    assert sorted(titles()) == sorted(titles("--seed", "1")) == ["Bread", "Cake", "Stove", "Tax"]
    assert len({tuple(titles("--seed", str(seed))) for seed in range(6)}) > 1


def test_back_asks_again_and_later_leaves_open(carrel: Call, notes: Path, type_keys: Type) -> None:
    type_keys("ybnsss")
    carrel("judge", ASKED)

    (mark,) = carrel("marks", "--json").json["marks"]
    assert mark["mark"] == "wrong"


def test_what_was_judged_is_a_collection_that_eval_reads(
    carrel: Call, notes: Path, type_keys: Type, tmp_path: Path
) -> None:
    questions = tmp_path / "questions.txt"
    questions.write_text(f'{ASKED}\n\n{{"query": "ledger of a\u2028year"}}\n{ASKED}\n')
    type_keys("ynnn" + "nynn")
    assert carrel("judge", "--queries", str(questions), "--out", "mine", "--json").json == {
        "format": 1,
        "questions": 2,
        "judged": 8,
        "complete": True,
        "out": "mine",
    }

    collection = Collection.open(Path("mine"))
    assert {query.text for query in collection.queries("test")} == {ASKED, "ledger of a year"}
    assert all(len(query.grades) == 4 and len(query.relevant) == 1 for query in collection.queries("test"))
    assert {identity for identity, _ in collection.documents()} == {str(notes / name) for name in NOTES}
    assert carrel("judge", "--out", "mine").code == 0  # written anew over its own


def test_what_was_judged_is_written_for_retraining(carrel: Call, notes: Path) -> None:
    carrel("mark", ASKED, "bread.md")
    carrel("mark", ASKED, "tax.md", "-")
    (notes / "bread.md").rename(notes / "loaf.md")
    try:
        with factories.open_library(None) as library:
            library.sync()
    finally:
        (notes / "loaf.md").rename(notes / "bread.md")
    carrel("judge", "--out", "mine.jsonl")

    (line,) = Path("mine.jsonl").read_text().splitlines()
    assert json.loads(line) == {"query": ASKED, "relevant": [str(notes / "loaf.md")]}


def test_a_question_with_a_separator_of_unicode_is_one_line_of_its_file(
    carrel: Call, notes: Path, type_keys: Type, tmp_path: Path
) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"query": "flour\u2028and water"}\n{"query": \n', encoding="utf-8")

    assert "questions.jsonl, line 2, is not valid JSON" in carrel("judge", "--queries", str(questions)).err


def test_a_folder_with_other_files_is_not_overwritten(carrel: Call, notes: Path) -> None:
    carrel("mark", ASKED, "bread.md")
    Path("theirs").mkdir()
    Path("theirs/corpus.jsonl").write_text("precious")

    ended = carrel("judge", "--out", "theirs")
    assert ended.code == 2
    assert "other files" in ended.err
    assert Path("theirs/corpus.jsonl").read_text() == "precious"


def test_nothing_judged_and_no_terminal_are_told(carrel: Call, notes: Path, monkeypatch) -> None:
    assert "Nothing is judged yet" in carrel("judge", "--out", "mine").err

    def no_terminal(echo: bool = False) -> str:
        raise OSError("no tty")

    monkeypatch.setattr(click, "getchar", no_terminal)
    ended = carrel("judge", ASKED)
    assert ended.code == 2
    assert "no terminal" in ended.err


def test_two_ways_to_ask_are_refused(carrel: Call, notes: Path, tmp_path: Path) -> None:
    (tmp_path / "asked.txt").write_text("how long does a starter live\n", encoding="utf-8")
    ended = carrel("judge", "starter", "--queries", str(tmp_path / "asked.txt"))
    assert ended.code == 2 and "two ways to ask" in ended.err
