"""A team's library answers each question of a search as the single file does that holds the same documents."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from postgres_server import PostgresServer
from team_documents import Team, team_library

from engine.errors import TeamError
from engine.library import Library
from engine.records import Filters, Scope
from engine.retrieval.cancellation import Cancellation, SearchCancelled
from engine.retrieval.connection_pool import ReaderPool
from engine.retrieval.query import parse
from engine.store.allowed import EVERYTHING, Allowed
from engine.store.library_connection import LibraryConnection
from engine.store.phrase import Phrase
from engine.team import own_documents, team_migrations, team_store, vector_functions, word_postings
from engine.team.phrase_sql import Sql
from engine.team.snapshot import Snapshot
from engine.team.team_connection import TeamConnection
from engine.team.team_store import TeamStore
from engine.team.team_vectors import nearest

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("unfitted")]

VAULT = Path(__file__).parents[2] / "app" / "demo" / "vault"
MAILBOX = """From ada@example.org Mon Jan  5 10:00:00 2026
From: Ada Lovelace <ada@example.org>
To: Ben <ben@example.org>
Subject: Sourdough schedule
Date: Mon, 5 Jan 2026 10:00:00 +0000

Feed the starter at noon and again at night.

From ben@example.org Tue Jan  6 10:00:00 2026
From: Ben <ben@example.org>
To: Ada Lovelace <ada@example.org>
Subject: Re: engines
Date: Tue, 6 Jan 2026 10:00:00 +0000

The analytical engine weaves algebraic patterns.
"""
ODD = """# Straße und ERR_CONNECTION_RESET

The runRunning of node.js and C++ in 東京都 is well-known; running runs run. The end of this passage goes
"""


@dataclass
class Pair:
    """The same documents in both stores; `number` gives the team's number of each of the file's passages."""

    file: LibraryConnection
    team: TeamConnection
    store: TeamStore
    number: dict[int, int]
    document: dict[int, int]

    def ids(self, found: Any) -> set[int]:
        """Return passages of the file as those of the team."""
        return {self.number[int(each)] for each in found}


@pytest.fixture(scope="module")
def pair(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with both(postgres, tmp_path_factory.mktemp("read")) as made:
        yield made


@contextmanager
def both(postgres: PostgresServer, folder: Path) -> Iterator[Pair]:
    """Make a file and a team library of the same documents."""
    notes = folder / "notes"
    shutil.copytree(VAULT, notes)
    (notes / "letters.mbox").write_text(MAILBOX)
    (notes / "odd.md").write_text(
        ODD + "\n\n".join(f"Paragraph {at} of many words about nothing." for at in range(400))
    )
    with ExitStack() as stack:
        library = stack.enter_context(Library.open(folder / "own.carrel", create=True, encoder=FakeEncoder(16)))
        library.add(notes)
        library.sync()
        team = stack.enter_context(team_library(postgres))
        file = stack.enter_context(ReaderPool(folder / "own.carrel").lend())
        _publish(team, file, str(notes).encode(), FakeEncoder(16))
        store = TeamStore(team.database.url("ada"), machine="box")
        stack.callback(store.close)
        connection = stack.enter_context(store.searching())
        where = "SELECT p.id, d.path, p.ordinal, d.id FROM passage AS p JOIN document AS d ON d.id = p.document_id"
        placed = {(path, ordinal): (each, owner) for each, path, ordinal, owner in connection.snapshot.rows(where)}
        rows = file.execute(where).fetchall()
        number = {each: placed[(path, ordinal)][0] for each, path, ordinal, _ in rows}
        document = {owner: placed[(path, ordinal)][1] for _, path, ordinal, owner in rows}
        yield Pair(file, connection, store, number, document)


def _publish(team: Team, file: LibraryConnection, folder: bytes, encoder: FakeEncoder) -> None:
    writer = team.writer("ada")
    writer.model(encoder.manifest)
    own = own_documents.model_of(file, encoder.manifest.fingerprint)
    number = writer.folder(folder, "box")
    assert writer.claim(number)
    for each in own_documents.listed(file, folder):
        whole = own_documents.whole(file, each, own)
        assert whole is not None
        writer.put(number, whole)


PHRASES = [
    Phrase(("the",)),
    Phrase(("run|^run",)),
    Phrase(("nosuchword",)),
    Phrase(("seed", "saving")),
    Phrase(("of", "the")),
    Phrase(("sourdough|starter",)),
    Phrase(("st",), prefix=True),
    Phrase(("the", "s"), prefix=True),
    Phrase(("start",), column="title", first=True),
    Phrase(("here",), column="title"),
    Phrase(("md",), column="path"),
    Phrase(("東京",)),
    Phrase(("err_connection_reset",)),
    Phrase(("node.js",)),
    Phrase(("well-known",), otherwise=(Phrase(("well", "known")),)),
    Phrase(("paragraph", "3"), prefix=True, column="body", first=True),
    Phrase(("paragraph|nosuchword", "7", "of", "many", "words|^word", "about")),
    Phrase(("of", "many", "nosuchword", "about")),
    Phrase(("paragraph", "7", "of", "many"), column="title"),
    Phrase(tuple(" ".join(f"paragraph {at} of many words about nothing" for at in range(7, 24)).split())),
    Phrase(("running", "runs", "run")),
    Phrase(("the", "the", "the")),
]


def test_passages_and_tokens_are_counted_alike(pair: Pair):
    assert pair.team.statistics() == pair.file.statistics()


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda each: each.match)
def test_a_phrase_stands_in_the_same_passages_with_the_same_scores(pair: Pair, phrase: Phrase):
    ids, scores = pair.file.postings(phrase)
    ours, given = pair.team.postings(phrase)
    expected = dict(zip((pair.number[each] for each in ids.tolist()), scores, strict=True))
    assert dict(zip(ours.tolist(), given, strict=True)) == pytest.approx(expected, rel=1e-9)
    assert pair.team.phrase_frequency(phrase) == pair.file.phrase_frequency(phrase) == len(ids)
    assert {each for each, _ in pair.team.holders(phrase)} == pair.ids(each for each, _ in pair.file.holders(phrase))
    holding = pair.team.phrase_frequency(phrase)
    parts = pair.team.bm25_parts(list(expected), [phrase], [holding])
    theirs = pair.file.bm25_parts(ids.tolist(), [phrase], [holding])
    for each in ids.tolist():
        assert parts[pair.number[each]].total == pytest.approx(theirs[each].total, rel=1e-9)
        assert [one.tf for one in parts[pair.number[each]].parts] == [one.tf for one in theirs[each].parts]


def test_words_of_the_vocabulary_are_told_alike(pair: Pair):
    terms = ["the", "run", "^run", "sourdough", "nosuchword", "東京"]
    assert pair.team.document_frequencies(terms) == pair.file.document_frequencies(terms)
    assert pair.team.terms_beginning("st", 40) == pair.file.terms_beginning("st", 40)
    assert pair.team.terms_holding("start", 2, 9) == pair.file.terms_holding("start", 2, 9)
    assert pair.team.vocabulary_has("sour")
    assert not pair.team.vocabulary_has("sourx")


@pytest.mark.parametrize(
    "groups",
    [
        [["the", "starter", "garden"]],
        [["starter"], ["the", "a", "of"]],
        [["paragraph"], ["3", "many"], ["words"]],
    ],
)
@pytest.mark.parametrize("depth", [5, 1000])
def test_the_best_by_words_are_the_same(pair: Pair, groups: list[list[str]], depth: int):
    asked = [[Phrase((word,)) for word in group] for group in groups]
    theirs = {pair.number[each]: score for each, score in pair.file.best_by_words(asked, EVERYTHING, 100_000)}
    found = pair.team.best_by_words(asked, EVERYTHING, depth)
    assert len(found) == min(depth, len(theirs))
    best = sorted(theirs.items(), key=lambda each: (-each[1], each[0]))[:depth]
    assert [score for _, score in found] == [score for _, score in best]  # to the last digit, or equal ones part
    assert dict(found) == {each: theirs[each] for each, _ in found}


@pytest.mark.parametrize("kept", [False, True], ids=["brought", "kept"])
@pytest.mark.parametrize(
    ("query", "groups"),
    [
        ("starter garden seeds", [["starter", "garden", "seed|^seed"]]),
        ("running starter", [["run|^run", "starter"]]),
        ("paragraph 3 many", [["paragraph"], ["3", "many"]]),
        ("garden garden nosuchword", [["garden"], ["nosuchword", "garden"]]),
        ("garden sta", [["garden", "sta*"]]),
        ("starter sourd", [["starter"], ["sourd*"]]),
    ],
)
def test_words_whose_postings_are_here_are_ranked_as_the_file_ranks_them(
    pair: Pair, query: str, groups: list[list[str]], kept: bool
):
    asked = [[Phrase((word.rstrip("*"),), prefix=word.endswith("*")) for word in group] for group in groups]
    theirs = {pair.number[each]: score for each, score in pair.file.best_by_words(asked, EVERYTHING, 100_000)}
    read = parse(query, typing=any(word.endswith("*") for group in groups for word in group))
    best = sorted(theirs.items(), key=lambda each: (-each[1], each[0]))
    with ExitStack() as stack:
        store = pair.store
        if not kept:
            store = TeamStore(pair.store.url, machine="box")
            stack.callback(store.close)
        else:
            with store.searching(query=read):
                pass
        connection = stack.enter_context(store.searching(query=read))
        assert all(connection.has_brought(phrase, EVERYTHING) for group in asked for phrase in group)
        assert not connection.has_brought(asked[0][0], Allowed(Filters(kinds=("markdown",))))
        assert connection.best_by_words(asked, EVERYTHING, 100_000) == best  # to the last digit
        assert connection.best_by_words(asked, EVERYTHING, 3) == best[:3]
        for phrase in (each for group in asked for each in group):
            assert connection.phrase_frequency(phrase) == pair.file.phrase_frequency(phrase)
            held = {(pair.number[each], pair.document[whole]) for each, whole in pair.file.holders(phrase)}
            assert set(connection.holders(phrase)) == held


def test_a_word_that_too_many_passages_hold_is_ranked_by_the_server(pair: Pair, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(word_postings, "MOST_BROUGHT", 3)
    asked = [[Phrase(("starter",)), Phrase(("garden",))]]
    with (
        closing(TeamStore(pair.store.url, machine="box")) as store,
        store.searching(query=parse("starter garden")) as connection,
    ):
        assert not connection.has_brought(Phrase(("garden",)), EVERYTHING)
        assert connection.best_by_words(asked, EVERYTHING, 50) == pair.team.best_by_words(asked, EVERYTHING, 50)


def test_a_search_that_takes_too_long_is_given_up_once_and_says_so(pair: Pair, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(team_store, "SEARCH_SECONDS", 1)
    slept = Sql("SELECT pg_sleep(50)")
    asked: list[int] = []

    def ahead(snapshot: Snapshot, *_: object, **__: object) -> None:
        asked.append(1)
        snapshot.begin([slept])

    with closing(TeamStore(pair.store.url, machine="box")) as store:
        with pytest.raises(TeamError, match="gave this search up"), store.searching() as connection:
            connection.snapshot.answer(slept)
        with pytest.MonkeyPatch.context() as patch, pytest.raises(TeamError, match="gave this search up"):
            patch.setattr(team_store.questions_ahead, "begin", ahead)
            with store.searching():
                raise AssertionError("the first trip took too long")
        assert asked == [1]
        with store.searching() as connection:
            assert connection.statistics() == pair.team.statistics()


FILTERS = [
    "path:garden",
    "path:*.md",
    "-path:notes/garden",
    "title:start",
    "type:markdown",
    "-type:pdf",
    "type:mbox",
    "tag:food",
    "-tag:food",
    "tag:gard*",
    "author:ada",
    "from:ben",
    "to:lovelace",
    "subject:sourdough",
    "after:2020",
    "before:2020 date:own",
    "after:2026-01-06 date:own",
    '"of the"',
    '-"of the" starter',
    "-the",
    'path:kitchen "of the" -bread',
]


@pytest.mark.parametrize("text", FILTERS)
def test_filters_leave_the_same_passages(pair: Pair, text: str):
    query = parse(text, now=1_780_000_000.0)
    phrases = {
        excluded: tuple(
            Phrase(tuple(term.text.split()))
            for term in query.terms
            if term.excluded is excluded and term.kind != "signs"
        )
        for excluded in (False, True)
    }
    allowed = Allowed(query.filters, phrases[False], phrases[True])
    expected = pair.ids(pair.file.allowed_ids(allowed))
    assert set(pair.team.allowed_ids(allowed).tolist()) == expected
    some = np.array(sorted(pair.number.values())[::3], np.int64)
    assert set(pair.team.let_through(some, allowed).tolist()) == expected & set(some.tolist())
    phrase = Phrase(("the",))
    assert pair.team.count_holding(phrase, allowed) == pair.file.count_holding(phrase, allowed)
    theirs = [pair.number[each] for each, _, _ in pair.file.newest(allowed, 7)]
    assert {each for each, _, _ in pair.team.newest(allowed, 10_000)} >= set(theirs)
    assert len(pair.team.newest(allowed, 7)) == len(theirs)


def test_what_lies_outside_a_scope_is_the_same(pair: Pair):
    folder = dict(pair.team.folder_paths())
    for scope in (
        Scope(not_kinds=("markdown",)),
        Scope(not_names=("*.md", "start here.*")),
        Scope(folders=(next(iter(folder.values())) + b"/garden",)),
    ):
        theirs = {pair.document[each] for each in pair.file.hidden_documents(scope) if each in pair.document}
        hidden = set(pair.team.hidden_documents(scope)) & set(pair.document.values())
        assert hidden == theirs
        for each in pair.document.values():
            assert pair.team.in_scope(each, scope) == (each not in hidden)


def test_passages_are_placed_and_surrounded_alike(pair: Pair):
    ids = sorted(pair.number)[::5]
    ours = [pair.number[each] for each in ids]
    placed = [(pair.number[each], pair.document[owner], entry) for each, owner, entry in pair.file.places(ids)]
    assert pair.team.places(ours) == placed
    around = {(pair.number[here], pair.number[there]) for here, there in pair.file.around(ids, 2)}
    assert set(pair.team.around(ours, 2)) == around
    assert set(pair.team.held_back_among(ours)) == pair.ids(pair.file.held_back_among(ids))
    assert {each for each, _ in pair.team.texts_of_many_bytes(ours, 1.1)} == pair.ids(
        each for each, _ in pair.file.texts_of_many_bytes(ids, 1.1)
    )
    owners = list(pair.document)
    assert pair.team.passages_in([pair.document[each] for each in owners]) == pair.file.passages_in(owners)
    signs = pair.file.holding_signs(["#"], EVERYTHING, owners)
    found = pair.team.holding_signs(["#"], EVERYTHING, [pair.document[each] for each in owners])
    assert found == [(pair.number[each], pair.document[owner], entry) for each, owner, entry in signs]


def test_titles_and_borders_of_passages_are_found_alike(pair: Pair):
    for words in (["start"], ["start", "here"], ["sourdough", "schedule"]):
        theirs = {(pair.number[each], names) for each, names in pair.file.titled(words, 50)}
        assert set(pair.team.titled(words, 50)) == theirs
    head = Phrase(("words",), column="body")
    opening = ("paragraph", "11", "of", "many")  # a passage begins so, or with an end of it
    longer = [
        [Phrase((word,), column="body", first=True) for word in ("paragraph", "many")],
        [Phrase(opening[at:], column="body", first=True) for at in range(len(opening))],
        [Phrase(("nosuchword", *opening)[at:], column="body", first=True) for at in range(5)],
        [Phrase(("about", "paragraph", "1")[at:], True, "body", first=True) for at in range(3)],
        [Phrase(("of|paragraph", "2|nosuchword")[at:], column="body", first=True) for at in range(2)],
    ]
    found = []
    for tails in longer:
        theirs = {
            (pair.number[row[0]], row[1], pair.number[row[2]], row[3], row[4])
            for row in pair.file.borders(tails, head, 500)
        }
        assert set(pair.team.borders(tails, head, 500)) == theirs
        found.append(len(theirs))
    assert found[0] and found[3]  # else nothing was compared
    begun = [Phrase(("paragraph",), column="body", first=True)]
    three = {pair.number[row[2]] for row in pair.file.short_between(begun, head, 10_000, 500)}
    assert {row[2] for row in pair.team.short_between(begun, head, 10_000, 500)} == three
    texts = pair.file.texts_holding([[Phrase(("starter",))], [Phrase(("the",))]], 1000)
    assert sorted(pair.team.texts_holding([[Phrase(("starter",))], [Phrase(("the",))]], 1000)) == sorted(texts)


def test_vectors_are_exact_and_the_index_finds_the_nearest(pair: Pair):
    ids = sorted(pair.number)
    (own,) = (model.id for model in [pair.file.active_model()] if model is not None)
    theirs, matrix = pair.file.vectors_of(own, ids)
    model = pair.team.active_model()
    assert model is not None
    ours, given = pair.team.vectors_of(model.id, [pair.number[each] for each in ids])
    rows = dict(zip(ours.tolist(), given, strict=True))
    assert np.allclose([rows[pair.number[each]] for each in theirs.tolist()], matrix, atol=1e-6)
    query = FakeEncoder(16).encode_query("feed the sourdough starter")
    best, _ = nearest(pair.team.snapshot, model.id, query, 20)
    cosines = np.sort(matrix @ query)[::-1][:20]
    assert np.allclose(np.sort([rows[each] @ query for each in best.tolist()])[::-1], cosines, atol=1e-5)
    vectors = pair.store.vector_source(model.id).at(pair.team)
    leg = vectors.begin(pair.team, query, 10, Allowed(Filters(paths=("garden",))))(Cancellation())
    inside = set(pair.team.allowed_ids(Allowed(Filters(paths=("garden",)))).tolist())
    assert set(vectors.ids_of(leg.rows).tolist()) <= inside
    assert np.allclose(leg.best, np.sort([rows[each] @ query for each in inside])[::-1][: len(leg.best)], atol=1e-5)
    assert leg.ranks(leg.rows).tolist() == list(range(1, len(leg.rows) + 1))
    assert leg.places(leg.best[:1]).tolist() == [1]


def test_the_index_of_vectors_finds_what_comparing_all_finds(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    compared = f"> {vector_functions.EXACT_BELOW} "
    assert compared in vector_functions.functions()
    monkeypatch.setattr(team_migrations, "functions", lambda: vector_functions.functions().replace(compared, "> 50 "))
    with both(postgres, tmp_path) as pair:
        model = pair.team.active_model()
        assert model is not None
        found = wanted = 0
        for text in ("feed the sourdough starter", "prune the apple", "a night train", "the bicycle chain", "shutter"):
            query = FakeEncoder(16).encode_query(text)
            true, _ = nearest(pair.team.snapshot, model.id, query, 10, exactly=True)
            best, _ = nearest(pair.team.snapshot, model.id, query, 10)
            found, wanted = found + len(set(best.tolist()) & set(true.tolist())), wanted + len(true)
        assert wanted == 50
        assert found / wanted >= 0.98


def test_a_cancelled_search_ends_its_statement(pair: Pair):
    import threading

    cancel = Cancellation()
    with pytest.raises(SearchCancelled), pair.store.searching(cancel) as connection:
        threading.Timer(0.2, cancel.cancel).start()
        connection.snapshot.rows("SELECT pg_sleep(50)")
    with pair.store.searching() as connection:
        assert connection.statistics() == pair.team.statistics()
