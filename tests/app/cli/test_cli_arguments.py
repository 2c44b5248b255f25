"""Arguments that can be no path, and queries that are no UTF-8: told as what they are, and no library is blamed."""

from __future__ import annotations

from pathlib import Path

from cli_fakes import Call
from indexed_notes import indexed

__all__ = ["indexed"]

LONG = "how do I keep it alive " * 14  # longer than the name of a file may be
NOBODYS = "~nosuchperson.md"


def test_what_can_be_no_path_is_told_in_the_words_of_any_other_path_that_is_not_there(
    carrel: Call, indexed: Path
) -> None:
    for name in (LONG, NOBODYS):
        for arguments in (
            (name,),
            ("show", name),
            ("open", name),
            ("why", "starter", name),
            ("mark", "starter", name),
            ("add", name),
            ("remove", "--yes", name),
            ("restore", name),
            ("import", name),
            ("--library", name, "status"),
        ):
            ended = carrel(*arguments)
            assert ended.code in (0, 1, 2)
            assert "unexpected" not in ended.err and len(ended.out + ended.err) > 10, (arguments, ended)
    assert "carrel search" in carrel(LONG).err
    assert "File name too long" in carrel("--library", LONG, "status").err
    (indexed / NOBODYS).write_text("# Draft\n\nA note whose name begins as a home does.\n")
    carrel("sync")
    assert carrel("show", NOBODYS).out.startswith("# Draft")


def test_a_query_that_is_not_utf_8_is_searched_marked_and_logged_as_far_as_it_can_be_read(
    carrel: Call, indexed: Path
) -> None:
    said = "starter caf\udce9"
    carrel("log", "--on")
    found = carrel("search", said, "--json").json
    assert [Path(each["path"]).name for each in found["results"]][:1] == ["sourdough.md"]
    assert found["query"] == "starter caf�"
    assert carrel("why", said, "sourdough.md").code == 0
    assert carrel("mark", said, "sourdough.md").code == 0
    (mark,) = carrel("marks", "--json").json["marks"]
    assert mark["query"] == "starter caf�"
    assert carrel("mark", said, "sourdough.md", "undo", "--json").json["changed"]
    assert carrel("log", "--json").json["searches"][0]["query"] == "starter caf�"
