"""A filter takes rows away; what the rows that stay are worth does not change by it."""

from __future__ import annotations

import pytest
from notes import FILLER, library_of, write

from engine.records import SearchSettings

NOTES = {
    "kitchen/sourdough.md": "# Sourdough bread\n\nBread rises overnight: flour, salt and a starter make bread.\n",
    "kitchen/oven.md": "# Oven\n\nThe oven must be hot before the bread goes in.\n",
    "garden/birds.md": "# Birds\n\nSparrows take every crumb of old bread that lies below the apple tree.\n",
    "garden/ducks.md": "---\ntags: [howto]\n---\n# Ducks\n\nDucks get ill of bread; oats and peas do them good.\n",
    "garden/compost.md": "---\ntags: [howto]\n---\n# Compost\n\nLeaves, peels and soil; never bread or meat.\n",
    **FILLER,
}
FILTERED = ("bread tag:howto", "bread path:garden", "bread type:markdown", "bread -sparrows", "bread path:ducks")
VERDICTS = ("none", "weak", "likely", "strong")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    with library_of(tmp_path_factory.mktemp("filtered"), NOTES) as library:
        yield library


def by_path(result):
    return {hit.path: hit for hit in result.hits}


@pytest.mark.parametrize("fusion", ["convex", "rrf"])
@pytest.mark.parametrize("typed", FILTERED)
def test_a_filter_changes_no_passages_tier(library, typed, fusion):
    settings = SearchSettings(fusion=fusion)
    everywhere = by_path(library.search("bread", limit=50, settings=settings))
    within = by_path(library.search(typed, limit=50, settings=settings))
    shared = everywhere.keys() & within.keys()
    assert shared
    for path in shared:
        here, there = within[path], everywhere[path]
        assert here.explanation.signal == pytest.approx(there.explanation.signal)
        assert (here.tier, here.explanation.cut_strong) == (there.tier, there.explanation.cut_strong), path


@pytest.mark.parametrize("typed", FILTERED)
def test_the_verdict_on_what_a_filter_leaves_is_no_better_than_on_all_and_no_worse_than_its_best_row(library, typed):
    found = library.search(typed, limit=50)
    assert VERDICTS.index(found.verdict) <= VERDICTS.index(library.search("bread").verdict)
    best = max(VERDICTS.index(hit.tier) for hit in found.hits)
    assert VERDICTS.index(found.verdict) >= best or best == 1


def test_what_if_and_the_picture_of_the_scale_hold_a_filtered_row_against_the_same_cuts(library):
    whole, within = library.explore("bread"), library.explore("bread tag:howto")
    assert (within.scale.strong, within.scale.likely) == (whole.scale.strong, whole.scale.likely)
    again = by_path(within.again(SearchSettings(feedback=False)))
    assert {path: hit.tier for path, hit in again.items()} == {
        path: hit.tier for path, hit in by_path(within.result).items()
    }


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory):
    """A library one note of which, below `late`, is found by words and waits for its vector."""
    folder = tmp_path_factory.mktemp("unfinished")
    with library_of(folder, NOTES) as library:
        write(folder / "notes", {"late/kettle.md": "# The kettle\n\nThe kettle sings on the stove.\n"})
        library.sync(meaning=False)
        yield library


@pytest.mark.parametrize("typed", ["quantum lattice stove theorem", "eigenvalue kettle", "kettle", "stove"])
def test_a_filter_on_what_has_no_vector_yet_makes_no_verdict_better(unfinished, typed):
    whole, within = unfinished.search(typed), unfinished.search(f"{typed} path:late")
    assert not whole.so_far
    assert [hit.pending for hit in within.hits] == [True]
    assert VERDICTS.index(within.verdict) <= VERDICTS.index(whole.verdict)
