"""Searching while passages wait for their vectors: found by words, said so, and embedded on demand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import numpy as np
import pytest
from fake_encoder import FakeEncoder
from notes import FILLER, write

from app.json_shapes import search_shape
from engine.library import Cancellation, Library, SearchCancelled
from engine.records import SearchSettings
from engine.retrieval import on_demand_vectors
from engine.retrieval.pending_passages import expected_meaning
from engine.store import connection, pending_vectors
from engine.store.connection import open_reader

pytestmark = pytest.mark.usefixtures("unfitted")

NOTES = {
    **FILLER,
    "bread.md": "# Bread\n\nFeed the sourdough starter with flour and water twice a day before baking.\n",
    "yeast.md": "# Yeast\n\nA culture of yeast in flour and water is called a starter by bakers.\n",
    "tent.md": "# Tent\n\nSeal the seams of the tent with silicone before the autumn rain comes.\n",
}
QUERY = "starter flour"


class CountingEncoder(FakeEncoder):
    """Remembers which passages it embedded, and may be told to stop a search at one."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded: list[str] = []
        self.cancel: Cancellation | None = None

    def encode_passages(self, texts):  # type: ignore[no-untyped-def]
        self.embedded += texts
        if self.cancel is not None:
            self.cancel.cancel()
        return super().encode_passages(texts)


@pytest.fixture
def encoder() -> CountingEncoder:
    return CountingEncoder()


@pytest.fixture
def library(tmp_path: Path, encoder: CountingEncoder) -> Library:
    """A library all of whose passages are found by words, and none by meaning yet."""
    folder = write(tmp_path / "notes", NOTES)
    library = Library.open(tmp_path / "library.carrel", create=True, encoder=encoder)
    library.add(folder)
    library.sync(meaning=False)
    return library


def names(library: Library, query: str, **named: object) -> list[str]:
    return [Path(hit.path.decode()).name for hit in library.search(query, **named).hits]  # type: ignore[arg-type]


@contextmanager
def refusing_writes(library: Library) -> Iterator[None]:
    """Let another program hold the library file for itself, which only lets others read it."""
    held = apsw.Connection(str(library.path))
    held.execute("BEGIN IMMEDIATE")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "BUSY_MILLISECONDS", 1)
        yield
    held.execute("ROLLBACK")
    held.close()


def embed_but(library: Library, encoder: CountingEncoder, *left: str) -> None:
    """Give every passage its vector but those of these notes, which are written anew."""
    library.sync()
    for name in left:
        note = Path(os.fsdecode(library.folders()[0].path)) / name
        note.write_text(note.read_text().replace("# ", "## ", 1) + "\nAdded later.\n")
    library.sync(meaning=False)
    encoder.embedded.clear()


def test_without_any_vector_all_is_found_by_words_and_says_so(library: Library) -> None:
    result = library.search(QUERY)
    assert [Path(hit.path.decode()).name for hit in result.hits] == ["bread.md", "yeast.md"]
    assert all(hit.pending and hit.vector is None for hit in result.hits)
    assert (result.embedded, result.so_far, result.verdict) == (0.0, True, "likely")
    assert set(result.awaited) == {hit.passage_id for hit in result.hits}
    shape = search_shape(result)
    assert (shape["embedded"], shape["by_words_so_far"]) == (0.0, True)
    assert all(row["pending"] for row in shape["results"])


def test_a_search_by_words_alone_by_choice_awaits_nothing(library: Library) -> None:
    result = library.search(QUERY, settings=SearchSettings(fusion="keyword"))
    assert (result.so_far, result.awaited) == (False, ())
    assert not any(hit.pending for hit in result.hits)


def test_passages_embedded_on_demand_are_found_by_meaning_in_this_search_and_the_next(
    library: Library, encoder: CountingEncoder
) -> None:
    result = library.search(QUERY, embed_seconds=60)
    assert len(encoder.embedded) == 2
    assert all(hit.vector is not None and not hit.pending for hit in result.hits)
    assert result.timings.embed > 0
    encoder.embedded.clear()
    again = library.search("water", embed_seconds=60)
    assert all(hit.vector is not None for hit in again.hits)
    assert encoder.embedded == []


def test_what_was_embedded_on_demand_ranks_as_it_will_once_all_is_embedded(
    library: Library, encoder: CountingEncoder
) -> None:
    on_demand = library.search(QUERY, embed_seconds=60)
    library.sync()
    whole = library.search(QUERY, settings=SearchSettings(feedback=False))
    cosines = {hit.passage_id: hit.explanation.cosine for hit in whole.hits}
    assert {hit.passage_id: hit.explanation.cosine for hit in on_demand.hits} == pytest.approx(
        {hit.passage_id: cosines[hit.passage_id] for hit in on_demand.hits}
    )
    assert (whole.embedded, whole.so_far, whole.awaited) == (1.0, False, ())


def test_no_time_embeds_nothing_and_finds_all_the_same(library: Library, encoder: CountingEncoder) -> None:
    result = library.search(QUERY, embed_seconds=1e-9)
    assert encoder.embedded == []
    assert len(result.hits) == 2


def test_a_newer_key_ends_the_embedding_and_what_is_done_is_kept(
    library: Library, encoder: CountingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_demand_vectors, "AT_ONCE", 1)  # else as many as there are cores
    awaited = library.search(QUERY).awaited
    encoder.cancel = cancel = Cancellation()
    with pytest.raises(SearchCancelled):
        library.embed(awaited, cancel=cancel)
    assert len(encoder.embedded) == 1
    encoder.cancel = None
    assert sum(hit.vector is not None for hit in library.search(QUERY).hits) == 1


def test_a_passage_without_a_vector_is_hidden_by_none_that_has_one(library: Library, encoder: CountingEncoder) -> None:
    embed_but(library, encoder, "bread.md")
    assert set(names(library, QUERY)[:2]) == {"bread.md", "yeast.md"}
    row = next(hit for hit in library.search(QUERY).hits if hit.path.endswith(b"bread.md"))
    assert row.pending
    assert row.tier == "likely"


def test_the_verdict_is_never_none_because_vectors_lack(library: Library) -> None:
    assert library.search("qwertyuiop sourdough").verdict != "none"
    assert library.search("tent seams silicone").verdict == "likely"


def test_a_passage_that_waits_is_asked_for_first(library: Library) -> None:
    library.ask_to_embed(library.search("tent silicone").awaited)
    reader = open_reader(library.path)
    first = next(iter(pending_vectors.next_batch(reader, 1).values()))
    reader.close()
    assert "silicone" in first


def test_a_library_that_can_only_be_read_embeds_on_demand_and_asks_for_nothing(
    library: Library, encoder: CountingEncoder
) -> None:
    awaited = library.search(QUERY).awaited
    with refusing_writes(library):
        library.ask_to_embed(awaited)
        assert all(hit.vector is not None for hit in library.search(QUERY, embed_seconds=60).hits)
    assert library.pending() == len(NOTES)


def test_more_like_this_embeds_the_passage_that_it_starts_from(library: Library, encoder: CountingEncoder) -> None:
    embed_but(library, encoder, "bread.md")
    bread = next(hit for hit in library.search(QUERY).hits if hit.path.endswith(b"bread.md"))
    found = library.similar(bread.passage_id, limit=3)
    assert found.hits
    assert found.hits[0].path.endswith(b"yeast.md")


def test_why_not_says_that_a_document_is_not_embedded_yet(library: Library) -> None:
    note = Path(os.fsdecode(library.folders()[0].path)) / "tent.md"
    report = library.why(QUERY, note)
    stage = next(each for each in report.stages if each.stage == "vector")
    assert "not embedded yet" in stage.detail
    assert any("not embedded yet" in advice for advice in report.advice)


def test_a_mark_lifts_a_passage_that_has_no_vector_yet(library: Library) -> None:
    yeast = next(hit for hit in library.search(QUERY).hits if hit.path.endswith(b"yeast.md"))
    library.mark(QUERY, yeast.passage_id, 2)
    assert names(library, QUERY)[0] == "yeast.md"


def test_what_if_ranks_passages_without_a_vector_too(library: Library) -> None:
    exploration = library.explore(QUERY)
    again = exploration.again(SearchSettings(weights=(0.3, 0.7)), 10)
    assert {hit.passage_id for hit in again.hits} == {hit.passage_id for hit in exploration.result.hits}
    assert all(hit.pending for hit in again.hits)


def test_why_not_tells_what_waits_from_what_is_data(library: Library) -> None:
    folder = Path(os.fsdecode(library.folders()[0].path))
    rows = "\n".join(f"{number},{number * 7919},{number * 104729}" for number in range(60))
    (folder / "data.csv").write_text(f"yeast,a,b,c\n{rows}\n")
    library.sync(meaning=False)
    (stage,) = (each for each in library.why("yeast", folder / "tent.md").stages if each.stage == "vector")
    assert "not embedded yet" in stage.detail


def test_data_is_no_measure_of_what_meaning_a_passage_that_waits_will_have() -> None:
    pending, words = np.array([False, True, False]), np.array([0.2, 0.2, 0.8])
    with_data = expected_meaning(pending, np.array([0.4, 0.0, 0.0]), words)
    assert with_data.tolist() == pytest.approx([0.0, 0.4, 0.0])
