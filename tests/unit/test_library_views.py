"""What a browser reads of a library, and what it asks of a search that ran."""

from __future__ import annotations

import os
from dataclasses import replace
from math import isclose

import pytest
from notes import FILLER, library_of

from engine.errors import PathError
from engine.records import SearchSettings

NOTES = {
    "kitchen/bread/sourdough.md": "---\ntags: [bread]\n---\n# Sourdough\n\nFeed the starter with flour. See [[Yeast]], "
    "[the stove](../../gear/stove.md) and [the web](https://example.org) or [[nowhere]].\n",
    "kitchen/yeast.md": "# Yeast\n\nA starter is a culture of yeast and flour and bacteria.\n",
    "gear/stove.md": "# Stove\n\nThe starter of the stove must be dry.\n",
    "broken.pdf": b"this is no PDF",
    **FILLER,
}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    with library_of(tmp_path_factory.mktemp("browsing"), NOTES) as library:
        yield library


@pytest.fixture
def root(library):
    return library.folders()[0].path


def test_the_tree_sums_what_lies_below_each_folder(library, root):
    nodes = {node.path: node for node in library.tree(root)}
    assert nodes[b""].documents == len(NOTES) and nodes[b""].failed == 1
    assert nodes[b"kitchen"].documents == 2 and nodes[b"kitchen/bread"].documents == 1
    assert next(iter(nodes)) == b"" and nodes[b""].depth == 0
    assert nodes[b"kitchen/bread"].depth == 2


def test_the_tree_says_when_the_last_of_each_folder_was_indexed(library, root):
    nodes = {node.path: node.indexed_at for node in library.tree(root)}
    at = {change.path: change.at for change in library.changed_since(0.0) if change.what == "indexed"}
    for folder in (b"", b"kitchen", b"kitchen/bread"):
        below = os.path.join(root, folder, b"")
        assert nodes[folder] == max(moment for path, moment in at.items() if path.startswith(below))


def test_facets_count_documents_by_value(library):
    facets = library.facets()
    assert facets.tags == {"bread": 1}
    assert facets.folders["kitchen"] == 2
    assert facets.kinds["markdown"] == len(NOTES) - 1


def test_links_are_resolved_to_watched_documents(library, root):
    document = library.document(root + b"/kitchen/bread/sourdough.md")
    leads = {link.target: link.path for link in library.links(document.id)}
    assert leads["Yeast"] == root + b"/kitchen/yeast.md"
    assert leads["../../gear/stove.md"] == root + b"/gear/stove.md"
    assert leads["https://example.org"] is None and leads["nowhere"] is None


def test_documents_are_found_by_a_part_of_their_name(library):
    assert library.documents_named("sto")[0].title == "Stove"
    assert library.documents_named("SOURD")[0].title == "Sourdough"
    assert library.documents_named("sóurd")[0].title == "Sourdough"
    assert library.documents_named("no such name") == ()


def test_failures_and_changes_are_told(library, root):
    assert [failure.path for failure in library.failures()] == [root + b"/broken.pdf"]
    changes = library.changed_since(0)
    assert len(changes) == len(NOTES)
    assert {change.what for change in changes} == {"indexed", "failed"}
    assert library.changed_since(changes[0].at + 1) == ()


def test_rules_are_tried_before_they_are_kept(library, root):
    assert library.folder_rules(root) == ()
    assert b"kitchen/yeast.md" not in {path for path, _ in library.left_out_files(root)}
    tried = {path for path, _ in library.left_out_files(root, rules=("yeast.md",))}
    assert b"kitchen/yeast.md" in tried
    with pytest.raises(PathError):
        library.folder_rules(b"/nowhere")


def test_a_documents_passages_join_to_its_text(library, root):
    document = library.document(root + b"/kitchen/yeast.md")
    assert "".join(passage.text for passage in library.passages_of(document.id)) == document.text


@pytest.mark.parametrize(
    "settings",
    [
        SearchSettings(fusion="keyword"),
        SearchSettings(fusion="vector"),
        SearchSettings(fusion="rrf"),
        SearchSettings(weights=(0.2, 0.8)),
        SearchSettings(feedback=False),
        SearchSettings(collapse=0.0, group=False),
    ],
)
def test_what_if_gives_what_a_new_search_would_give(library, settings):
    asked = "feed the starter with flour"
    explored = library.explore(asked, limit=5).again(settings, limit=5)
    searched = library.search(asked, limit=5, settings=settings)
    assert [hit.passage_id for hit in explored.hits] == [hit.passage_id for hit in searched.hits]
    for one, other in zip(explored.hits, searched.hits, strict=True):
        assert isclose(one.score, other.score, abs_tol=1e-9)


def test_an_exploration_starts_with_the_settings_it_was_asked_for(library):
    settings = replace(SearchSettings(), fusion="keyword")
    result = library.explore("starter", settings=settings).result
    assert result.fusion == "keyword"
    assert all(hit.keyword for hit in result.hits)


def test_the_scale_of_the_tiers_is_fitted_after_a_sync(library):
    scale = library.explore("starter").scale
    assert scale.fitted and sum(scale.histogram) > 500
    assert scale.low < scale.likely < scale.strong


def test_more_like_this_leaves_the_document_itself_out(library):
    hit = library.search("culture of yeast").hits[0]
    result = library.similar(hit.passage_id, limit=5)
    assert len(result.hits) == 5
    assert hit.document_id not in {other.document_id for other in result.hits}
    distances = [other.vector.distance for other in result.hits]
    assert distances == sorted(distances)
    assert library.similar(10**9).hits == ()


def test_the_nearest_sentence_shares_the_words_of_the_query(library):
    text = "The sky was grey that day. Feed the starter with flour twice. Nobody came to the door."
    start, end = library.nearest_sentence("feed starter flour", text)
    assert text[start:end] == "Feed the starter with flour twice."
    assert library.nearest_sentence("", text) is None
