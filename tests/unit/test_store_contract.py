"""What both stores owe: the same questions to the same notes in a file and in a team's library, on a real server.

Each test runs over either store; `test_both_stores_give_the_same_figures` holds them against each other.
"""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from fake_encoder import FakeEncoder
from notes import WORDS
from store_worlds import file_world, team_world
from team_documents import team_library

from engine.embedding import catalogue
from engine.library import Library
from engine.records import Scope, SearchSettings
from engine.retrieval import tier_calibration
from engine.sources.parser import Parser
from engine.team.membership import models_of
from engine.team.model_backfill import ModelFilling

NOTES = {
    **{
        f"plain/n{i}.md": f"# Note {i}\n\n{WORDS[i % 11]} and {WORDS[(i * 7 + 3) % 13]} near the {WORDS[i % 5]}s.\n"
        for i in range(24)
    },
    "garden/roses.md": "---\ntags: [garden/roses, work]\naliases: [Rosarium]\nauthor: Ada Byron\n---\n# Roses\n\n"
    "Prune the roses in March. The astrolabe stands in the shed.\n",
    "garden/tulips.md": "# Tulips\n\nPlant tulips in late autumn. See [roses](roses.md) and [[n3]].\n",
    "kitchen/bread.md": "# Bread\n\nKnead the dough, let it rest near the stove.\n",
    "kitchen/bread-copy.md": "# Bread\n\nKnead the dough, let it rest near the stove.\n",
    "Ünïcode/café.md": "# Café\n\nL'été nous buvons du café à la crème.\n",
    "code/run.py": "def run_pipeline():\n    return well_known_value\n",
    "long.md": "# Long\n\n" + "\n\n".join(f"## Part {i}\n\n{' '.join(WORDS[i % 9 :] * 8)}." for i in range(6)) + "\n",
}
QUERIES = (
    "granite violin",
    "harbour",
    '"near the" harbour',
    "comet -tulip",
    "walnut path:plain/n1",
    "roses tag:garden",
    "author:ada prune",
    "astrolabe",
    "Roses",
    "rosarium",
    "type:code pipeline",
    "knead the dough",
    "cafe creme",
    "how do I let dough rest",
    "title:tulips autumn",
    "after:2023-11-01 harbour",
    "",
    "type:code",
    "tag:work",
    "granitte",
    "run_pipeline",
    "well-known value",
)
EQUALLY_NEAR = 5  # of the fake encoder's texts, whose order rounding decides
MOMENT = 1_700_000_000  # the date of every note, so that no order hangs on when the test ran


@pytest.fixture(scope="module")
def team(postgres):
    with team_library(postgres) as team:
        yield team


@pytest.fixture
def emptied_team(team):
    yield team
    team.clear()


@pytest.fixture(params=["file", pytest.param("team", marks=pytest.mark.processes)])
def world(request, tmp_path):
    if request.param == "file":
        with file_world(tmp_path) as world:
            yield world
    else:
        team = request.getfixturevalue("emptied_team")
        with team_world(tmp_path, team) as world:
            yield world


def filled(world, notes=NOTES):
    world.write(notes)
    for number, name in enumerate(sorted(notes)):
        os.utime(world.path(name), (MOMENT + number, MOMENT + number))
    world.sync()
    return world


def figures(world, hit, about=lambda value, **_: value):
    """Return what a row shows; `about` says of a figure how near another one must come."""
    keyword = hit.keyword
    return (
        world.named(hit.path),
        hit.title,
        hit.headings,
        hit.tier,
        about(hit.score, abs=1e-4),
        about(hit.explanation.cosine, abs=1e-4),
        about(hit.explanation.rank_by_meaning, abs=EQUALLY_NEAR),
        hit.explanation.rank_by_words,
        about(keyword.bm25 if keyword else 0.0, abs=1e-5),
        [(each.term, each.documents, about(each.idf), about(each.tf)) for each in keyword.terms] if keyword else [],
        (hit.line_start, hit.line_end, hit.snippet, hit.marks, len(hit.more_in_document), len(hit.duplicates)),
    )


def listed(world, hits):
    """Return rows in order, those of one score by path: which of them is first, rounding decides."""
    return sorted(hits, key=lambda hit: (-round(hit.score, 4), world.named(hit.path)))


def test_both_stores_give_the_same_figures(tmp_path, emptied_team):
    with file_world(tmp_path) as file, team_world(tmp_path, emptied_team) as team:
        filled(file)
        filled(team)
        for query in QUERIES:
            one, other = (each.library.search(query, limit=50) for each in (file, team))
            assert [figures(team, hit) for hit in listed(team, other.hits)] == [
                figures(file, hit, pytest.approx) for hit in listed(file, one.hits)
            ], query
            assert (one.verdict, one.found, one.passages, one.left_out) == (
                other.verdict,
                other.found,
                other.passages,
                other.left_out,
            ), query
            assert one.words == other.words, query
        assert team.library.facets() == replace(file.library.facets(), folders=team.library.facets().folders)
        assert team.library.facets().folders == file.library.facets().folders


# --- searching ------------------------------------------------------------------------------------------------------


def test_a_note_is_found_by_words_and_by_meaning_with_every_figure(world):
    filled(world)
    result = world.library.search("prune the roses")
    hit = result.hits[0]
    assert world.named(hit.path) == "garden/roses.md"
    assert {term.term for term in hit.keyword.terms} >= {"prune", "roses"}
    assert sum(term.score for term in hit.keyword.terms) == pytest.approx(hit.keyword.bm25)
    shares = hit.shares
    parts = (shares.vector, shares.keyword, shares.feedback, shares.memory, shares.rare, shares.around)
    assert sum(part or 0.0 for part in parts) == pytest.approx(hit.score, abs=1e-6)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tag:garden", {"garden/roses.md"}),
        ("-tag:garden path:garden", {"garden/tulips.md"}),
        ("type:code", {"code/run.py"}),
        ("author:ada", {"garden/roses.md"}),
        ("title:bread", {"kitchen/bread.md", "kitchen/bread-copy.md"}),
        ("path:cafe", {"Ünïcode/café.md"}),
        ("path:*/kitchen/*copy*", {"kitchen/bread-copy.md"}),
        ('path:garden "plant tulips"', {"garden/tulips.md"}),
        ("path:garden -tulips", {"garden/roses.md"}),
    ],
)
def test_a_filter_lets_through_what_it_names_and_nothing_else(world, query, found):
    filled(world)
    listed = {world.named(hit.path) for hit in world.library.search(query, limit=50).hits}
    duplicates = {"kitchen/bread.md", "kitchen/bread-copy.md"}
    assert listed - duplicates == found - duplicates
    assert bool(listed & duplicates) == bool(found & duplicates)


def test_no_document_outside_a_scope_is_seen(world):
    filled(world)
    scope = Scope(folders=(os.fsencode(world.path("garden")),), not_kinds=("code",))
    found = world.library.search("harbour roses run_pipeline", settings=SearchSettings(scope=scope), limit=50)
    assert {world.named(hit.path) for hit in found.hits} <= {"garden/roses.md", "garden/tulips.md"}
    outside = world.library.document(os.fsencode(world.path("kitchen/bread.md")))
    assert not world.library.may_see(outside.id, scope)


def test_why_names_the_stage_that_lost_a_document(world):
    filled(world)
    why = world.library.why("roses type:code", world.path("garden/roses.md"))
    assert why.dropped_at == "filters"
    assert world.library.why("roses", world.path("garden/roses.md")).final_rank == 1
    missing = world.library.why("roses", world.path("garden/lilies.md"))
    assert missing.dropped_at == "indexed"


def test_what_is_like_a_passage_is_in_other_documents(world):
    filled(world)
    bread = world.library.search("knead the dough").hits[0]
    alike = world.library.similar(bread.passage_id)
    names = [world.named(hit.path) for hit in alike.hits]
    assert world.named(bread.path) not in names
    assert {"kitchen/bread.md", "kitchen/bread-copy.md"} & set(names[:1])


def test_other_settings_are_tried_without_another_search(world):
    filled(world)
    explored = world.library.explore("granite violin")
    for settings in (
        SearchSettings(weights=(0.1, 0.9)),
        SearchSettings(weights=(0.9, 0.1)),
        SearchSettings(group=False),
    ):
        again = explored.again(settings)
        anew = world.library.search("granite violin", settings=settings)
        assert [hit.passage_id for hit in again.hits] == [hit.passage_id for hit in anew.hits]


def test_a_word_that_nobody_wrote_has_its_nearest_beside_it(world):
    filled(world)
    assert world.library.search("granitte").words[0].nearest == "granite"


@pytest.mark.parametrize(
    "query", ["granite\0violin", "\0", 'near "granite \0 violin" -har\0bour', "na\0", "%s -%s* {x}"]
)
def test_no_text_is_refused(world, query):
    filled(world, {name: NOTES[name] for name in ("plain/n1.md", "plain/n2.md", "garden/roses.md")})
    for typing in (False, True):
        world.library.search(query, typing=typing)


def test_a_growing_word_finds_what_begins_so(world):
    filled(world)
    assert "garden/roses.md" in [world.named(hit.path) for hit in world.library.search("astrol", typing=True).hits]


# --- marks ----------------------------------------------------------------------------------------------------------


def test_a_mark_lifts_what_it_was_made_on_and_can_be_taken_back(world):
    filled(world)
    before = world.library.search("harbour comet", limit=20)
    marked = before.hits[7]
    world.library.mark("harbour comet", marked.passage_id)
    after = world.library.search("harbour comet", limit=20)
    row = next(hit for hit in after.hits if hit.passage_id == marked.passage_id)
    assert row.rank < marked.rank and row.judged == 2 and (row.shares.memory or 0) > 0
    assert [mark.query for mark in world.library.marks()] == ["harbour comet"]
    assert world.library.unmark("harbour comet", marked.passage_id)
    again = world.library.search("harbour comet", limit=20)
    assert [hit.passage_id for hit in again.hits] == [hit.passage_id for hit in before.hits]
    assert not world.library.marks()


def test_a_mark_outlives_the_move_of_its_file(world):
    filled(world)
    marked = world.library.search("prune the roses").hits[0]
    world.library.mark("prune the roses", marked.passage_id)
    world.path("attic").mkdir()
    shutil.move(world.path("garden/roses.md"), world.path("attic/roses.md"))
    world.sync()
    found = world.library.search("prune the roses").hits[0]
    assert world.named(found.path) == "attic/roses.md" and found.judged == 2


# --- what changes ---------------------------------------------------------------------------------------------------


def test_a_changed_note_is_found_by_its_new_words_alone(world):
    filled(world)
    world.write({"garden/roses.md": "# Lilies\n\nWater the lilies with a periscope.\n"})
    world.sync()
    assert world.paths("periscope")[0] == "garden/roses.md"
    assert world.library.search("astrolabe").words[0].documents == 0


def test_a_moved_note_keeps_its_passages(world):
    filled(world)
    before = world.library.document(os.fsencode(world.path("garden/roses.md")))
    shutil.move(world.path("garden/roses.md"), world.path("kitchen/roses.md"))
    world.sync()
    after = world.library.document(os.fsencode(world.path("kitchen/roses.md")))
    assert world.library.document(os.fsencode(world.path("garden/roses.md"))) is None
    assert [each.id for each in world.library.passages_of(after.id)] == [
        each.id for each in world.library.passages_of(before.id)
    ]
    assert world.paths("path:kitchen prune")[0] == "kitchen/roses.md"


def test_a_removed_note_is_found_no_more(world):
    filled(world)
    version = world.library.version()
    total = world.library.status().passages
    world.path("garden/roses.md").unlink()
    world.sync()
    assert "garden/roses.md" not in world.paths("astrolabe prune roses")
    assert world.library.search("astrolabe").words[0].documents == 0
    assert world.library.status().passages < total
    assert world.library.version() != version


def test_what_if_knows_what_has_gone_since(world):
    filled(world)
    explored = world.library.explore("prune the roses")
    world.path("garden/roses.md").unlink()
    world.sync()
    again = explored.again(SearchSettings(weights=(0.0, 1.0)))
    assert again.hits and all(hit.passage_id for hit in again.hits)


def test_notes_without_vectors_are_found_by_words_until_they_have_them(world):
    world.write(NOTES)
    world.sync(meaning=False)
    early = world.library.search("prune the roses")
    assert world.named(early.hits[0].path) == "garden/roses.md"
    assert early.embedded < 1.0 and early.awaited
    world.sync()
    late = world.library.search("prune the roses")
    assert late.embedded == 1.0 and not late.awaited


def test_a_search_with_another_model_goes_by_words_and_says_so(world, tmp_path):
    filled(world)
    place = {"own": world.library.path} if world.name == "team" else {}
    with Library.open(world.library.address or world.library.path, encoder=FakeEncoder(32), **place) as other:
        result = other.search("prune the roses")
    assert world.named(result.hits[0].path) == "garden/roses.md"
    assert result.fusion == "keyword" and "by words alone" in result.weights.reason


class OtherEncoder(FakeEncoder):
    """A model that cuts as the fake one does and gives other vectors."""

    def __init__(self):
        super().__init__()
        self.manifest = replace(self.manifest, id="other", revision="2")

    def encode_query(self, text):
        return -super().encode_query(text)


@contextmanager
def opened_with(world, encoder):
    """Open the library of a world once more, by somebody who has another model."""
    place = {"own": world.library.path} if world.team is not None else {}
    with Library.open(world.library.address or world.library.path, encoder=encoder, **place) as other:
        yield other


def begin_model(world, encoder):
    """Have the library take another model; return what fills it a little, and is called until it returns False."""
    if world.team is None:
        with opened_with(world, encoder) as other:
            assert other.use_model(encoder.manifest.id)
        return lambda: False
    world.team.writer().model(encoder.manifest)
    filling = ModelFilling("bens desk", lambda name: encoder, Parser, threading.Event())  # of a member who owns nothing
    return lambda: filling.help(world.team.writer("ben")) or filling.close()


def test_a_new_model_is_filled_and_takes_over_at_once(world, monkeypatch):
    filled(world)
    encoder = OtherEncoder()
    monkeypatch.setattr(catalogue, "installed", lambda: [encoder.manifest])
    monkeypatch.setattr(tier_calibration, "refit", lambda *_: None)
    fill = begin_model(world, encoder)
    if world.team is not None:
        assert world.library.search("prune the roses").fusion == "convex"  # by the model before, until it is complete
        while fill():
            pass
        states = [(each.name, each.lacking) for each in models_of(world.team.writer())]
        assert states == [("fake", 0), ("other", 0)]
        world.team.writer().activate(2)
    assert world.library.status().model == "other"
    with opened_with(world, encoder) as other:
        result = other.search("prune the roses")
        assert (result.fusion, result.embedded) == ("convex", 1.0)
        assert world.named(result.hits[0].path) == "garden/roses.md"
        assert result.hits[0].vector is not None
    before = world.library.search("prune the roses")
    assert before.fusion == "keyword" and "by words alone" in before.weights.reason


def test_a_file_that_changes_while_a_new_model_is_filled_gets_its_vectors_too(world, monkeypatch):
    filled(world)
    encoder = OtherEncoder()
    monkeypatch.setattr(catalogue, "installed", lambda: [encoder.manifest])
    monkeypatch.setattr(tier_calibration, "refit", lambda *_: None)
    fill = begin_model(world, encoder)
    if world.team is not None:
        assert fill()
        world.write({"garden/roses.md": "# Lilies\n\nWater the lilies with a periscope.\n"})
        world.sync()
        while fill():
            pass
        world.team.writer().activate(2)
    else:
        with opened_with(world, encoder) as other:
            world.write({"garden/roses.md": "# Lilies\n\nWater the lilies with a periscope.\n"})
            other.sync()
    with opened_with(world, encoder) as other:
        result = other.search("water the lilies")
    assert world.named(result.hits[0].path) == "garden/roses.md"
    assert (result.fusion, result.embedded) == ("convex", 1.0)


# --- looking --------------------------------------------------------------------------------------------------------


def test_documents_are_looked_up_by_path_and_name(world):
    filled(world)
    document = world.library.document(os.fsencode(world.path("garden/roses.md")))
    assert (
        document.title == "Roses" and "Prune the roses" in document.text and document.tags == ("garden/roses", "work")
    )
    assert [each.title for each in world.library.documents_named("rosar")] == ["Roses"]
    assert [each.title for each in world.library.documents_named("CAFE")] == ["Café"]
    assert world.library.paths_ending(b"garden/roses.md") == (os.fsencode(world.path("garden/roses.md")),)
    assert [world.named(each.path) for each in world.library.every_document()].count("long.md") == 1


def test_links_lead_to_documents(world):
    filled(world)
    tulips = world.library.document(os.fsencode(world.path("garden/tulips.md")))
    targets = {link.target: link.path for link in world.library.links(tulips.id)}
    assert targets["roses.md"] == os.fsencode(world.path("garden/roses.md"))
    assert targets["n3"] == os.fsencode(world.path("plain/n3.md"))


def test_the_tree_and_the_counts_are_those_of_the_folder(world):
    filled(world)
    nodes = {node.path: node for node in world.library.tree(os.fsencode(world.folder))}
    assert nodes[b""].documents == len(NOTES) and nodes[b"garden"].documents == 2
    assert nodes[b""].indexed_at == max(change.at for change in world.library.changed_since(0.0))
    status = world.library.status()
    assert status.documents == len(NOTES) and status.model == "fake"
    assert [folder.path for folder in world.library.folders()] == [os.fsencode(world.folder)]
    assert len(world.library.changed_since(0.0)) == len(NOTES)


# --- tiers ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_tiers_are_fitted_to_what_the_library_holds(world):
    world.write(NOTES)
    world.sync(fitted=True)
    scale = world.library.explore("prune the roses").scale
    assert scale.fitted and sum(scale.histogram) > 0
    assert world.library.search("prune the roses").hits[0].tier == "strong"
    assert world.library.search("quantum chromodynamics lattice").verdict in ("none", "weak")
