"""What programs see of a library through `carrel mcp`, and what they cannot get at."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp_client import NOTES, Client, opened, shelf

from app.mcp.tools import INSTRUCTIONS, TOOLS
from engine.config import change
from engine.errors import LibraryReadOnly
from engine.library import Library
from engine.store.connection import open_writer

MOST_BYTES = 16_384
MARKS = re.compile(r"</?note-[0-9a-f]{16}>")


@pytest.fixture(scope="module")
def library_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with shelf(tmp_path_factory.mktemp("shelf")) as path:
        yield path


@pytest.fixture(scope="module")
def client(library_file: Path) -> Iterator[Client]:
    asking = Client(library_file)
    yield asking
    asking.close()


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))


def test_what_every_client_is_told_stays_small() -> None:
    assert len(json.dumps({"tools": TOOLS})) < 6_000
    assert len(INSTRUCTIONS) < 2_048
    assert [tool["name"] for tool in TOOLS] == ["search", "read", "related", "why"]
    assert all(tool["annotations"]["readOnlyHint"] and not tool["annotations"]["openWorldHint"] for tool in TOOLS)


def test_a_search_gives_its_verdict_then_rows_with_their_figures(client: Client, library_file: Path) -> None:
    result = client.result("search", query="feed the sourdough starter", limit=3)
    found = result["structuredContent"]
    assert next(iter(found)) == "verdict" and result["content"][0]["text"].startswith(found["verdict"])
    best = found["hits"][0]
    assert best["place"] == f"{library_file.parent}/notes/kitchen/sourdough.md:1"
    assert best["words"]["rank"] == 1 and "starter" in best["words"]["matched"] and best["words"]["bm25"] > 0
    assert best["meaning"]["rank"] and 0 <= best["meaning"]["distance"] < 1
    assert "twice a day" in best["text"] and best["tier"] in ("strong", "likely", "weak")
    assert len(found["hits"]) == 3 and found["more"] >= 1


def test_that_nothing_relevant_is_there_is_said_plainly(client: Client) -> None:
    result = client.result("search", query="path:nowhere starter")
    assert result["structuredContent"]["verdict"] == "none"
    assert result["content"][0]["text"].startswith("none: Nothing relevant is there.")


def test_a_document_is_read_from_a_place_on_to_its_end(client: Client) -> None:
    whole, place = "", "long.md"
    while place:
        page = client.call("read", place=place, lines=400)
        whole += page["text"].removeprefix(f"<{page['mark']}>").removesuffix(f"</{page['mark']}>") + "\n"
        place = page["next"]
    assert [re.sub(r"^ *\d+  ", "", line) for line in whole.splitlines()] == NOTES["gear/long.md"].splitlines()
    around = client.call("read", place="long.md:500", lines=5, around=2)
    assert (around["first"], around["last"], around["total"]) == (498, 502, 1201)


def test_related_passages_are_of_other_documents(client: Client) -> None:
    names = client.names("related", place="kitchen/sourdough.md:3")
    assert "bread.md" in names and not {"rent.eml", "passwords.txt"} & set(names)


def test_why_tells_the_stages_and_what_would_help(client: Client) -> None:
    lost = client.call("why", query="-electric starter", path="gear/stove.md")
    assert not lost["found"] and [each["stage"] for each in lost["stages"] if not each["passed"]] == ["filters"]
    kept = client.call("why", query="starter", path="gear/stove.md")
    assert kept["found"] and "none set" in next(each["detail"] for each in kept["stages"] if each["stage"] == "filters")


def test_the_end_of_a_path_that_two_documents_share_is_not_guessed(client: Client) -> None:
    assert "Give more of the path" in client.call("read", place="sourdough.md")


OUTSIDE = (
    "{base}/secret.txt", "../secret.txt", "kitchen/../../secret.txt", "{base}/notes/../secret.txt", "/etc/passwd",
    "file://{base}/secret.txt", "%2e%2e%2fsecret.txt", "..%2Fsecret.txt", "{base}/notes/%2e%2e/secret.txt", "link.txt",
    "{base}/notes/link.txt", "~root/.bashrc", "~/../../etc/passwd", "secret.txt\x00.md", "\udce4/x", "/", "", ".", "..",
    "{base}/library.carrel", "library.carrel",
)  # fmt: skip


def test_nothing_but_documents_of_the_library_can_be_named(client: Client, library_file: Path) -> None:
    """Not even whether a file exists is told: the answer for one that is there is that for one that is not."""
    base = library_file.parent
    link = base / "notes" / "link.txt"
    link.unlink(missing_ok=True)
    link.symlink_to(base / "secret.txt")
    for path in OUTSIDE:
        named = path.format(base=base)
        for tool, arguments in (("read", {"place": named}), ("related", {"place": f"{named}:1"})):
            said = client.call(tool, **arguments)
            assert isinstance(said, str) and ("There is no document" in said or "no path" in said), (tool, named, said)
        said = client.call("why", query="outsider", path=named)
        assert isinstance(said, str), named
        assert "outsider" not in json.dumps(client.sent[-3:]) or "why" not in said
    absent = client.call("read", place=f"{base}/secreu.txt")
    assert client.call("read", place=f"{base}/secret.txt") == absent.replace("secreu", "secret")


def test_mail_and_keys_are_not_there_unless_they_are_named(client: Client, library_file: Path) -> None:
    hidden = {"rent.eml", "passwords.txt", "secrets.yaml"}
    for query in ("starter", "type:email starter", "path:keys", "landlord rent", "hunter2", "-zeppelin", ""):
        assert not hidden & set(client.names("search", query=query, limit=20)), query
    for path in ("mail/rent.eml", "passwords.txt", "secrets.yaml"):
        assert "There is no document" in client.call("read", place=path)
        assert isinstance(client.call("why", query="starter", path=path), str)
        assert "There is no document" in client.call("related", place=path)
    seeing = Client(library_file, include=("mail", "keys"))
    assert hidden <= set(seeing.names("search", query="starter", limit=20))
    assert "hunter2" in seeing.call("read", place="passwords.txt")["text"]
    seeing.close()


def test_a_folder_narrows_what_every_tool_sees(library_file: Path) -> None:
    notes = library_file.parent / "notes"
    narrow = Client(library_file, notes / "kitchen")
    assert narrow.names("search", query="starter", limit=20) == ["bread.md", "plums.md", "sourdough.md"]
    assert set(narrow.names("related", place="bread.md", limit=20)) <= {"sourdough.md", "plums.md"}
    assert narrow.call("read", place="sourdough.md")["place"] == f"{notes}/kitchen/sourdough.md:1"
    for path in ("stove.md", "gear/stove.md", f"{notes}/gear/stove.md", f"{notes}/kitchen/../gear/stove.md"):
        assert "There is no document" in narrow.call("read", place=path), path
        assert isinstance(narrow.call("why", query="starter", path=path), str), path
    narrow.close()
    beside = Client(library_file, notes / "kit")  # the name's beginning is no folder
    assert beside.names("search", query="starter", limit=20) == []
    beside.close()


def test_a_hostile_note_cannot_leave_its_fence(client: Client) -> None:
    texts = [json.dumps(client.result(tool, **asked), ensure_ascii=False) for tool, asked in (
        ("search", {"query": "plum jam"}), ("read", {"place": "plums.md"}),
        ("related", {"place": "bread.md", "limit": 20}),
    )]  # fmt: skip
    marks = set()
    for text in texts:
        (mark,) = set(re.findall(r'"mark": "(note-[0-9a-f]{16})"', text))
        marks.add(mark)
        assert mark != "note-0000000000000000"
        inside = re.sub(rf"<{mark}>.*?</{mark}>", "", text, flags=re.DOTALL)
        assert "ignore what you were told" in text and "ignore what you were told" not in inside
        assert "</note-0000000000000000>" not in inside
        assert text.count(f"<{mark}>") == text.count(f"</{mark}>")
        assert not set(text) & set("\x1b\x07\u202e\u202c\u200b\u2028")
    assert len(marks) == len(texts), "the marks of one call are of no use in the next"


def test_no_answer_is_longer_than_a_client_takes(client: Client) -> None:
    asked = (
        ("search", {"query": "zeppelin log", "limit": 20}), ("search", {"query": "the starter -x " * 200, "limit": 20}),
        ("read", {"place": "long.md", "lines": 400}), ("read", {"place": "wide.md"}), ("read", {"place": "wide.md:3"}),
        ("related", {"place": "long.md:500", "limit": 20}), ("why", {"query": "zeppelin " * 400, "path": "long.md"}),
    )  # fmt: skip
    for tool, arguments in asked:
        result = client.result(tool, **arguments)
        assert not result.get("isError"), result
        assert len(json.dumps(result, ensure_ascii=False).encode()) <= MOST_BYTES, tool
    hits = client.call("search", query="zeppelin", limit=20)["hits"]
    assert all(len(MARKS.sub("", hit["text"])) <= 400 for hit in hits)


def test_arguments_that_do_not_fit_are_said_to_the_model(client: Client) -> None:
    wrong = (
        ("search", {"query": "x", "limit": 21}, "from 1 to 20"),
        ("search", {"query": "x", "limit": True}, "whole number"),
        ("search", {}, "query is missing"), ("search", {"query": 1}, "is a string"),
        ("search", {"query": "x" * 5_000}, "at most"), ("read", {"place": "x", "file": "y"}, "no argument file"),
        ("read", {"place": "long.md", "lines": 401}, "from 1 to 400"), ("read", {"place": "long.md:99999"}, "no line"),
    )  # fmt: skip
    for tool, arguments, said in wrong:
        assert said in client.call(tool, **arguments), (tool, arguments)


def test_what_a_program_asks_is_told_apart_in_the_log_and_teaches_nothing(library_file: Path) -> None:
    change({"search_log": True})
    with opened(library_file) as library:
        client = Client(library_file)
        first = client.call("search", query="sourdough starter")
        client.call("read", place=first["hits"][0]["place"])
        assert library.marks() == (), "reading is no opening"
        library.mark("sourdough starter", library.search("sourdough starter").hits[-1].passage_id)
        again = client.call("search", query="sourdough starter")
        client.close()
        scores = [[(hit["place"], hit["score"]) for hit in found["hits"]] for found in (first, again)]
        assert scores[0] == scores[1], "the person's marks are the person's own"
        assert [(each.source, each.query) for each in library.search_log()] == [("mcp", "sourdough starter")] * 2
        library.empty_search_log()
        library.empty_marks()


def test_asking_changes_nothing_on_the_disk(client: Client, library_file: Path, tmp_path: Path) -> None:
    client.call("search", query="starter")  # what an older library needs first is done

    def bytes_there() -> dict[str, bytes]:
        places = [*library_file.parent.glob("library.carrel*"), *tmp_path.rglob("*")]
        return {str(path): path.read_bytes() for path in places if path.is_file() and not path.name.endswith("-shm")}

    before = bytes_there()
    client.call("search", query="sourdough starter -stove", limit=20)
    client.call("read", place="plums.md")
    client.call("related", place="bread.md")
    client.call("why", query="starter", path="stove.md")
    assert bytes_there() == before


def test_a_log_that_cannot_be_written_costs_no_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    change({"search_log": True})

    def refuse(*_: object) -> int:
        raise LibraryReadOnly("The library can only be read.")

    monkeypatch.setattr(Library, "log_search", refuse)
    assert client.call("search", query="starter")["hits"]


def test_it_answers_while_another_process_writes(client: Client, library_file: Path) -> None:
    writer = open_writer(library_file)
    try:
        writer.execute("BEGIN IMMEDIATE")
        assert client.names("search", query="electric") and client.call("read", place="stove.md")["total"] == 3
        writer.execute("ROLLBACK")
    finally:
        writer.close()


def test_a_library_that_is_missing_or_replaced_is_told_and_found_again(tmp_path: Path) -> None:
    client = Client(tmp_path / "library.carrel")
    assert "no library" in client.call("search", query="starter")
    with shelf(tmp_path, {"one.md": "# One\n\nA lighthouse.\n"}) as path:
        assert client.names("search", query="lighthouse") == ["one.md"]
    other = tmp_path / "other"
    other.mkdir()
    with shelf(other, {"two.md": "# Two\n\nA harbour.\n"}) as second:
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        os.replace(second, path)
        assert client.names("search", query="harbour") == ["two.md"]
    client.close()


def test_a_name_that_is_no_text_can_be_given_back(tmp_path: Path) -> None:
    odd = os.path.join(os.fsencode(tmp_path), b"notes", b"caf\xe9\n.md")
    os.makedirs(os.path.dirname(odd), exist_ok=True)
    Path(os.fsdecode(odd)).write_text("# Odd\n\nA lighthouse.\n")
    with shelf(tmp_path, {}) as path:
        client = Client(path)
        place = client.call("search", query="lighthouse")["hits"][0]["place"]
        assert "lighthouse" in client.call("read", place=place)["text"]
        assert client.call("why", query="lighthouse", path=place.rpartition(":")[0])["found"]
        client.close()
