"""Libraries of the judged collections for benchmarks: their development and test queries, and searches over them."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from engine.embedding.encoder import Encoder
from engine.evaluation.beir import Collection, JudgedQuery
from engine.evaluation.temporary_library import index
from engine.records import SearchSettings
from engine.retrieval import search_pipeline, tiers
from engine.retrieval.active_model import ActiveModel
from engine.retrieval.postings_cache import PostingsCache
from engine.retrieval.query import plain
from engine.retrieval.tier_calibration import refit
from engine.store.connection import open_reader, open_writer

NAMES = ("scifact", "nfcorpus", "cranfield")
FIVE = (*NAMES, "lisa", "time")  # the last two are for choosing alone
SPLITS = {  # for choosing
    "scifact": ("train",),
    "nfcorpus": ("train", "dev"),
    "cranfield": ("test",),
    "lisa": ("test",),
    "time": ("test",),
}
HALF_SEED = 7  # Cranfield has one split: a half of its queries, drawn with this seed, is for choosing
DEPTH = 10  # rows listed for a query

Part = Literal["development", "test", "whole"]


def collections() -> Path:
    """Return the folder of the judged collections below CARREL_DATA; ends the program where there is none."""
    folder = Path(os.environ.get("CARREL_DATA", "")) / "collections"
    if not os.environ.get("CARREL_DATA") or not folder.is_dir():
        sys.exit("Set CARREL_DATA to the folder that holds collections/.")
    return folder


def queries(name: str, part: Part) -> list[JudgedQuery]:
    """Return the queries that constants are chosen on, or those that claims are made on, in the order of their ids.

    `whole` is the test split with the half of Cranfield's that constants were chosen on, as others report it.
    """
    collection = Collection.open(collections() / name)
    splits = SPLITS[name] if part == "development" else ("test",)
    found = [query for split in splits for query in sorted(collection.queries(split), key=lambda each: each.id)]
    if name != "cranfield" or part == "whole":
        return found
    drawn = np.random.default_rng(HALF_SEED).permutation(len(found))
    half = len(found) // 2
    return [found[place] for place in (drawn[:half] if part == "development" else drawn[half:])]


def sample(found: Sequence[JudgedQuery], most: int) -> list[JudgedQuery]:
    """Return at most so many of the queries, drawn with a fixed seed; 0: all of them."""
    if not most or len(found) <= most:
        return list(found)
    return [found[place] for place in np.sort(np.random.default_rng(HALF_SEED).permutation(len(found))[:most])]


class Ground:
    """One collection in a library, open for searching."""

    def __init__(self, path: Path, encoder: Encoder) -> None:
        self.connection = open_reader(path)
        self.encoder = encoder
        self._postings = PostingsCache(keeps_scores=True)
        model, self.cuts = ActiveModel(encoder).of(self.connection)
        assert model is not None
        self.model = model
        rows = self.connection.execute("SELECT id, path_text FROM document").fetchall()
        self.names: dict[int, str] = dict(rows)

    def search(self, text: str, settings: SearchSettings | None = None) -> search_pipeline.Search:
        """Search as `carrel search` does, near-duplicates apart, because a collection judges every copy."""
        return self.search_with(text, self.model, settings)

    def search_with(
        self, text: str, model: search_pipeline.Model, settings: SearchSettings | None = None
    ) -> search_pipeline.Search:
        """Search with another model than the library's own, as with one that lacks vectors."""
        settings = replace(settings or SearchSettings(), collapse=0.0)
        return search_pipeline.run(
            self.connection, plain(text), settings, model, self.cuts, limit=DEPTH, postings=self._postings
        )

    def documents(self, search: search_pipeline.Search, settings: SearchSettings) -> list[str]:
        """Return the documents that other settings list for a search, each once."""
        listed = search_pipeline.reorder(search, replace(settings, collapse=0.0), DEPTH).rows
        documents = search.gathered.candidates.documents
        return list(dict.fromkeys(self.names[int(documents[row.passage])] for row in listed))

    def signal(self, search: search_pipeline.Search) -> float:
        """Return the signal that a search's verdict is read from."""
        gathered, rows = search.gathered, search.fts_query.rows
        return tiers.query_signal(gathered.best_cosines, search.assessment.coverages, rows)


@contextmanager
def grounds(encoder: Encoder, kept: Path | None, names: Sequence[str] = NAMES) -> Iterator[dict[str, Ground]]:
    """Index the collections, or take the libraries that are kept in a folder; their tiers are fitted anew."""
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as temporary:
        folder = kept or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            path = folder / f"{name}.carrel"
            if not path.exists():
                print(f"indexing {name}", file=sys.stderr, flush=True)
                part = path.with_suffix(".part")
                part.unlink(missing_ok=True)  # of a run that was broken off
                index(part, Collection.open(collections() / name).documents(), encoder)
                part.rename(path)
                continue
            writer = open_writer(path)
            refit(writer, encoder)
            writer.close()
        yield {name: Ground(folder / f"{name}.carrel", encoder) for name in names}
