"""`carrel export` and `carrel import` on the real engine, and exports that nobody should trust."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_fakes import Call
from indexed_notes import documents, found, indexed

__all__ = ["indexed"]


def exported(carrel: Call, *options: str) -> list[dict[str, Any]]:
    assert carrel("export", "library.jsonl", *options).code == 0
    return [json.loads(line) for line in Path("library.jsonl").read_text(encoding="utf-8").splitlines()]


def without_times(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    gone = ("written_at", "indexed_at", "added_at")
    return [{key: value for key, value in line.items() if key not in gone} for line in lines]


def test_an_import_equals_what_was_exported(carrel: Call, indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = exported(carrel)
    assert [line.get("type", "head") for line in lines][:2] == ["head", "folder"]
    assert lines[-1] == {"type": "end", "folder": 1, "document": 3, "passage": 3, "judgement": 0}
    assert stat.S_IMODE(os.stat("library.jsonl").st_mode) == 0o600

    imported = carrel("import", "library.jsonl", "--library", "other.carrel", "--json").json

    assert (imported["documents"], imported["embedded"], imported["known"]) == (3, 0, 0)
    monkeypatch.setenv("CARREL_LIBRARY", "other.carrel")
    assert without_times(exported(carrel)) == without_times(lines)
    assert carrel("doctor").code == 0
    assert "sourdough.md" in found(carrel, "starter")
    assert carrel("sync", "--json").json["unchanged"] == 3


def test_what_a_mark_is_known_again_by_goes_along_even_where_its_text_is_gone(
    carrel: Call, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "# Yeast\n\nA fungus that makes bread rise, and beer, when it is kept warm and fed with sugar for a day.\n"
    (indexed / "kitchen/yeast.md").write_text(text)
    carrel("sync")
    carrel("mark", "what makes bread rise", "yeast.md")
    (indexed / "kitchen/yeast.md").unlink()
    carrel("sync")
    (mark,) = [line for line in exported(carrel) if line.get("type") == "judgement"]
    assert mark["sketch"]
    carrel("import", "library.jsonl", "--library", "other.carrel")
    monkeypatch.setenv("CARREL_LIBRARY", "other.carrel")
    assert [line["sketch"] for line in exported(carrel) if line.get("type") == "judgement"] == [mark["sketch"]]
    (indexed / "kitchen/yeast.md").write_text(text.replace("with sugar", "with honey"))
    carrel("sync")
    assert carrel("marks", "--json").json["marks"][0]["found"] is True


@pytest.mark.parametrize("sketch", ["?", "YWI=", 5, [1]])
def test_a_sketch_that_is_none_is_refused_with_its_line(carrel: Call, indexed: Path, sketch: object) -> None:
    carrel("mark", "bread", "yeast.md")
    lines = [{**line, "sketch": sketch} if line.get("type") == "judgement" else line for line in exported(carrel)]
    Path("odd.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    ended = carrel("import", "odd.jsonl", "--library", "other.carrel")
    assert ended.code == 2 and "The judgement cannot be understood" in ended.err


def test_importing_twice_changes_nothing_more(carrel: Call, indexed: Path) -> None:
    exported(carrel)
    imported = carrel("import", "library.jsonl", "--json").json
    assert (imported["documents"], imported["known"], imported["folders"]) == (0, 3, 0)
    assert documents(carrel) == 3


def test_an_export_without_vectors_is_embedded_anew_and_read_properly_by_the_next_sync(
    carrel: Call, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = exported(carrel)
    bare = exported(carrel, "--no-vectors")
    assert all("vector" not in line for line in bare)
    imported = carrel("import", "library.jsonl", "--library", "other.carrel", "--json").json
    assert (imported["documents"], imported["embedded"]) == (3, 3)
    monkeypatch.setenv("CARREL_LIBRARY", "other.carrel")
    assert "sourdough.md" in found(carrel, "starter")
    assert carrel("doctor").code == 0
    carrel("sync")
    hashes = {line["hash"] for line in lines if line.get("type") == "passage"}
    assert {line["hash"] for line in exported(carrel) if line.get("type") == "passage"} == hashes


def test_an_imported_folder_that_is_not_on_this_machine_can_be_searched(carrel: Call, indexed: Path) -> None:
    exported(carrel)
    indexed.rename("elsewhere")
    carrel("import", "library.jsonl", "--library", "other.carrel")
    carrel("sync", "--library", "other.carrel")
    results = carrel("search", "starter", "--library", "other.carrel", "--json").json["results"]
    assert any(one["path"].endswith("sourdough.md") for one in results)


Edit = Callable[[list[dict[str, Any]]], None]


def set_in(kind: str, key: str, value: Any) -> Edit:
    def edit(lines: list[dict[str, Any]]) -> None:
        next(line for line in lines if line.get("type") == kind)[key] = value

    edit.__name__ = f"{kind} with {key} {value!r:.20}"
    return edit


def drop(kind: str) -> Edit:
    def edit(lines: list[dict[str, Any]]) -> None:
        lines.remove(next(line for line in lines if line.get("type") == kind))

    edit.__name__ = f"no {kind}"
    return edit


def twice(kind: str) -> Edit:
    def edit(lines: list[dict[str, Any]]) -> None:
        place = next(number for number, line in enumerate(lines) if line.get("type") == kind)
        lines.insert(place, lines[place])

    edit.__name__ = f"{kind} twice"
    return edit


def other_format(lines: list[dict[str, Any]]) -> None:
    lines[0]["carrel_export"] = 2


def other_model(lines: list[dict[str, Any]]) -> None:
    lines[0]["model"]["manifest"] = "[]"


HOSTILE: tuple[Edit, ...] = (
    other_format,
    other_model,
    drop("end"),
    drop("passage"),
    drop("document"),
    drop("folder"),
    twice("document"),
    twice("passage"),
    twice("end"),
    set_in("folder", "path", "relative"),
    set_in("folder", "path", "/notes/../etc"),
    set_in("folder", "rules", {"max_bytes": "many"}),
    set_in("folder", "rules", {"extra_patterns": 7}),
    set_in("folder", "id", 2**70),
    set_in("document", "path", "../../etc/passwd"),
    set_in("document", "path", "/etc/passwd"),
    set_in("document", "path", "a\0b"),
    set_in("document", "path_base64", "§"),
    set_in("document", "folder_id", 99),
    set_in("document", "size", -1),
    set_in("document", "size", True),
    set_in("document", "indexed_at", "now"),
    set_in("document", "indexed_at", -5.0),
    set_in("document", "indexed_at", 1e300),
    set_in("document", "entries", [{"number": 2**70, "title": "", "tags": "", "metadata": {}}]),
    set_in("document", "metadata", {"a": 1}),
    set_in("document", "links", [3]),
    set_in("document", "tags", "a b"),
    set_in("document", "title", None),
    set_in("passage", "ordinal", 1),
    set_in("passage", "start", 5),
    set_in("passage", "end", -5),
    set_in("passage", "hash", "00"),
    set_in("passage", "hash", "zz" * 16),
    set_in("passage", "vector", "AAAA"),
    set_in("passage", "vector", "no base64!"),
    set_in("passage", "text", ["a"]),
    set_in("passage", "headings", None),
    set_in("passage", "type", "poem"),
    set_in("passage", "type", ["passage"]),
    set_in("end", "passage", 7),
)


@pytest.mark.parametrize("edit", HOSTILE, ids=lambda edit: edit.__name__)
def test_a_hostile_export_is_refused_with_its_line_and_nothing_is_imported(
    carrel: Call, indexed: Path, edit: Edit
) -> None:
    lines = exported(carrel)
    edit(lines)
    Path("bad.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    ended = carrel("import", "bad.jsonl", "--library", "other.carrel")
    assert ended.code == 2
    assert "bad.jsonl, line " in ended.err and "Nothing was imported" in ended.err
    assert not Path("other.carrel").exists()
    assert not list(Path().glob(".*import*")), "nothing half-done is left"


@pytest.mark.parametrize(
    "line", ["", "{", "null", "[]", '{"a":NaN}', "[" * 100_000, '{"type":"folder"', "\xed\xa0\x80"],
    ids=["empty", "open", "null", "list", "no number", "deep", "cut off", "no text"],
)  # fmt: skip
def test_a_line_that_is_no_record_is_refused(carrel: Call, indexed: Path, line: str) -> None:
    exported(carrel)
    whole = Path("library.jsonl").read_bytes().splitlines(keepends=True)
    Path("bad.jsonl").write_bytes(whole[0] + line.encode("latin-1") + b"\n" + b"".join(whole[1:]))
    ended = carrel("import", "bad.jsonl", "--library", "other.carrel")
    assert (ended.code, Path("other.carrel").exists()) == (2, False)
    assert "bad.jsonl, line 2: " in ended.err


def test_an_export_that_was_cut_off_anywhere_is_refused(carrel: Call, indexed: Path) -> None:
    exported(carrel)
    whole = Path("library.jsonl").read_bytes()
    for place in range(0, len(whole) - 1, len(whole) // 23):
        Path("bad.jsonl").write_bytes(whole[:place])
        assert carrel("import", "bad.jsonl", "--library", "other.carrel").code == 2
    assert not Path("other.carrel").exists()


def test_a_folder_around_a_watched_one_is_not_imported(carrel: Call, indexed: Path) -> None:
    exported(carrel)
    carrel("add", str(indexed / "kitchen"), "--library", "other.carrel")
    ended = carrel("import", "library.jsonl", "--library", "other.carrel")
    assert ended.code == 2
    assert "holds the watched folder" in ended.err
    assert carrel("status", "--library", "other.carrel", "--json").json["documents"] == 0
