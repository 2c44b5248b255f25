"""Where queries come from: judged files, marks, the log, links, headings, a language model on this machine alone."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import cast

import apsw
import pytest
from fake_encoder import FakeEncoder
from notes import FILLER, library_of

from app.tui.training_runs import TrainingRuns
from engine.embedding.encoder import Encoder
from engine.errors import UsageError
from engine.library import Library
from engine.records import Mark
from engine.store import browse_queries, judgements, search_log
from engine.store.connection import open_reader, open_writer
from training import corpus, generated_queries, language_model, query_sources
from training.library_snapshot import LibrarySnapshot
from training.run_plan import Plan

NOTES = {
    "starter.md": "# Starter\n\n## Feeding the culture\n\nFlour and water daily. See [[oven|steam in the oven]].\n",
    "oven.md": "# Oven\n\nSteam in the oven gives the crust its shine; [here](starter.md) is the rest.\n",
    "deep/cellar.md": "# Cellar\n\nIn the dark. [feeding a culture](../starter.md), [[oven|steam in the oven]]\n",
    **FILLER,
}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with library_of(tmp_path, NOTES, fitted=False) as opened:
        yield opened


def snapshot(library: Library, **facts: str) -> LibrarySnapshot:
    connection = open_reader(library.path)
    plan = Plan(name="mine", library=str(library.path), **facts)  # type: ignore[arg-type]
    return LibrarySnapshot(plan, connection, corpus.read(connection), cast(Encoder, FakeEncoder()), lambda *_: None)


def names(found: LibrarySnapshot, query) -> set[str]:
    return {found.corpus.paths[document].rsplit(b"/", 1)[1].decode() for document in query.relevant}


def mark(library: Library, query: str, name: str, grade: int) -> None:
    connection = open_writer(library.path)
    rows = connection.execute("SELECT passage.hash, path_text FROM passage JOIN document ON document.id = document_id")
    (digest,) = {bytes(row[0]) for row in rows if str(row[1]) == name}
    path = str(library.folders()[0].path.decode()) + "/" + name
    judgements.put(connection, [Mark(query, digest, path.encode(), grade)])  # type: ignore[arg-type]
    connection.close()


def test_judged_questions_name_their_files_in_any_way(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "judged.jsonl"
    lines = [
        {"query": "how to feed", "relevant": ["starter.md"]},
        {"query": "shiny crust", "relevant": [str(tmp_path / "notes" / "oven.md")]},
        {"query": "keep potatoes", "relevant": ["notes/deep/cellar.md", "gone.md"]},
        {"query": "about nothing here", "relevant": ["gone.md"]},
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = snapshot(library, judged=str(file))
    given = query_sources.gather(found, "judged")
    assert [names(found, query) for query in given.kept] == [{"starter.md"}, {"oven.md"}, {"cellar.md"}]
    assert given.dropped == {"its document is not in the library": 1}
    assert all(query.labelled for query in given.kept)


def test_only_a_line_feed_ends_a_line_of_judged_questions(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "judged.jsonl"
    line = json.dumps({"query": "how to\u2028feed\u0085it", "relevant": ["starter.md"]}, ensure_ascii=False)
    file.write_bytes(f"{line}\r\n{{\n".encode())
    with pytest.raises(UsageError, match="line 2"):
        query_sources.gather(snapshot(library, judged=str(file)), "judged")
    file.write_bytes(f"{line}\r\n".encode())
    (query,) = query_sources.gather(snapshot(library, judged=str(file)), "judged").kept
    assert query.text == "how to\u2028feed\u0085it"


@pytest.mark.parametrize("line", ["no json", "[]", '{"query": ""}', '{"query": "a", "relevant": [1]}'])
def test_a_broken_line_is_named(library: Library, tmp_path: Path, line: str) -> None:
    file = tmp_path / "judged.jsonl"
    file.write_text('{"query": "fine", "relevant": []}\n' + line + "\n")
    with pytest.raises(UsageError, match="line 2"):
        query_sources.gather(snapshot(library, judged=str(file)), "judged")


def test_marks_teach_and_what_is_marked_wrong_does_not(library: Library) -> None:
    mark(library, "shiny crust", "oven.md", judgements.RIGHT)
    mark(library, "dark room", "deep/cellar.md", judgements.OPENED)
    mark(library, "bad idea", "oven.md", judgements.WRONG)
    found = snapshot(library)
    kept = {query.text: query for query in query_sources.gather(found, "marks").kept}
    assert set(kept) == {"shiny crust", "dark room"}
    assert (kept["shiny crust"].origin, kept["dark room"].origin) == ("marked", "opened")
    assert names(found, kept["shiny crust"]) == {"oven.md"}
    assert kept["shiny crust"].labelled
    assert not kept["dark room"].labelled
    assert kept["shiny crust"].passages


def test_the_log_gives_queries_without_answers(library: Library) -> None:
    result = library.search("steam for the crust type:markdown")
    connection = open_writer(library.path)
    search_log.add(connection, result)
    search_log.add(connection, result)
    search_log.add(connection, library.search("what an assistant asks"), "mcp")
    connection.close()
    given = query_sources.gather(snapshot(library), "log")
    assert [query.text for query in given.kept] == ["steam for the crust"]
    assert not given.kept[0].relevant
    assert given.dropped == {"asked twice": 1}


def test_the_words_of_links_lead_to_their_targets(library: Library) -> None:
    found = snapshot(library)
    listed = {query.text: names(found, query) for query in generated_queries.links(found)}
    assert listed == {"steam in the oven": {"oven.md"}, "feeding a culture": {"starter.md"}}  # "here" asks nothing


def test_a_link_is_followed_once_and_only_where_its_words_ask_something(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed: list[str] = []
    told: list[tuple[str, int, int]] = []
    follow = browse_queries.target_of

    def counted(connection: apsw.Connection, source: bytes, target: str, wiki: bool) -> bytes | None:
        followed.append(target)
        return follow(connection, source, target, wiki)

    monkeypatch.setattr(browse_queries, "target_of", counted)
    found = replace(snapshot(library), preparing=lambda *given: told.append(given))
    assert len(list(generated_queries.links(found))) == 2
    assert sorted(followed) == ["../starter.md", "oven"]
    assert told == [("following the links", 0, len(found.corpus.paths))]


def test_a_made_query_must_find_its_own_document(library: Library) -> None:
    found = snapshot(library)
    lost = replace(next(iter(generated_queries.links(found))), text="granite violin harbour tulip")
    kept, dropped = query_sources.round_trip(found, [*generated_queries.links(found), lost])
    assert {query.text for query in kept} == {"steam in the oven", "feeding a culture"}
    assert dropped == 1


def test_headings_become_questions_with_their_passage(library: Library) -> None:
    found = snapshot(library)
    query = next(query for query in generated_queries.headings(found) if "culture" in query.text)
    assert query.text == "how does feeding the culture work?"
    assert names(found, query) == {"starter.md"}
    assert len(query.passages) == 1


@pytest.mark.parametrize(
    ("title", "question"),
    [
        ("How to prune roses", "how do I prune roses?"),
        ("Is rye healthy?", "Is rye healthy?"),
        ("Pruning roses.", "how does pruning roses work?"),
        ("The allotment rules", "what is known about The allotment rules?"),
    ],
)
def test_titles_become_questions(title: str, question: str) -> None:
    assert generated_queries.as_question(title) == question


def test_passage_prefixes_come_only_when_asked_for() -> None:
    assert "prefix" in query_sources.SOURCES
    assert not {"prefix", "titles", "language model"} & set(query_sources.DEFAULT_SOURCES)


@pytest.mark.parametrize(
    "url", ["", "http://example.com/v1", "http://192.0.2.7:80/v1", "ftp://127.0.0.1/x", "http://127.0.0.1@192.0.2.7/v1"]
)
def test_no_address_beyond_this_machine_is_taken(url: str) -> None:
    with pytest.raises(UsageError):
        language_model.endpoint(url)


class Answers(BaseHTTPRequestHandler):
    """Answers every prompt with a question, as a chat interface does; redirects away where the server says so."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.server_name == "redirect":
            self.send_response(302)
            self.send_header("Location", "http://192.0.2.7/")
            self.end_headers()
            return
        body = json.dumps({"choices": [{"message": {"content": '<think>hm</think>\n1. "How does steam shine?"'}}]})
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    made_server = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=made_server.serve_forever, daemon=True).start()
    yield made_server
    made_server.shutdown()
    made_server.server_close()


def test_a_language_model_on_the_loopback_asks_questions(library: Library, server: HTTPServer) -> None:
    found = snapshot(library, model_url=f"http://127.0.0.1:{server.server_port}/v1")
    asked = list(language_model.questions(found))
    assert len(asked) == len(found.corpus.ids)
    assert {query.text for query in asked} == {"How does steam shine?"}


def test_a_redirect_away_from_this_machine_is_not_followed(server: HTTPServer) -> None:
    server.server_name = "redirect"
    url = language_model.endpoint(f"http://127.0.0.1:{server.server_port}/v1")
    assert language_model.ask(url, "anything") == ""


def test_a_language_model_that_is_gone_ends_the_run_in_plain_words(library: Library, server: HTTPServer) -> None:
    server.server_name = "redirect"
    found = snapshot(library, model_url=f"http://127.0.0.1:{server.server_port}")
    with pytest.raises(UsageError, match="does not answer"):
        list(language_model.questions(found))


def test_every_source_of_a_library_of_its_own_can_be_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that reads a collection stood among them, and no library could be planned for."""
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("training.library_snapshot.catalogue.load", lambda *_, **__: FakeEncoder())
    note = "# Bread\n\nHow it rises, see [the cold oven](oven.md).\n\n## How to feed a starter\n\nFlour and water.\n"
    notes = {"bread.md": note, "oven.md": "# The cold oven\n\nSteam gives a crust.\n"}
    with library_of(tmp_path, notes, fitted=False) as opened:
        found = {source.name: source.queries for source in TrainingRuns(opened.path).sources()}
    assert set(found) == {"marks", "log", "links", "headings", "titles", "judged", "language model"}
    assert (found["links"], found["titles"]) == (1, 1)
