"""The same judged collection through a file and through a team's library: how alike the two stores rank.

    python tests/bench/team_quality.py DIR [--documents N] [--queries N] [--json]

DIR is a judged collection in BEIR layout. It is indexed into a file, brought from there to a team's library on a
PostgreSQL of this machine without embedding anything again, and every query is asked of both. Told are NDCG@10 through
each, the share of queries whose first ten rows are the same ten, in how many of them they stand in the same order, and
what a search took at the median through each. With `--documents` only the documents that answer the queries asked, and
the first others, are indexed, so that a collection fits into a few minutes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from machine import heading, machine

sys.path.insert(0, str(Path(__file__).parents[1]))

WANTED_NDCG, WANTED_EQUAL = 0.002, 0.95  # the most that the two may differ by, the least share of equal first tens
FIRST = 10
MACHINE = "bench"


def measured(folder: Path, documents: int, queries: int, split: str = "test") -> dict[str, Any]:
    """Return what both stores gave."""
    from postgres_server import one_server  # the wheel's, which only tests install
    from team_documents import team_library

    from engine.embedding import catalogue
    from engine.evaluation.beir import Collection
    from engine.evaluation.temporary_library import FOLDER, TemporaryLibrary, index
    from engine.indexing.stop_signal import Never
    from engine.records import SearchSettings
    from engine.team.publisher import Publisher

    collection = Collection.open(folder)
    asked = list(islice(collection.queries(split), queries))
    encoder = catalogue.load(catalogue.EMBEDDED)
    with (
        tempfile.TemporaryDirectory(prefix="carrel-team-") as place,
        one_server() as server,
        team_library(server) as team,
    ):
        path = Path(place) / "collection.carrel"
        index(path, some(collection, asked, documents), encoder)
        writer = team.writer("ada")
        writer.folder(FOLDER, MACHINE)
        brought = Publisher(path, MACHINE).publish(writer, Never())
        writer.calibrate(*fitted(path))  # both hold the same, so the tiers that were fitted to one are those of both
        with closing(TemporaryLibrary(path, encoder, SearchSettings(), 0.0)) as single:
            one = [answer(single, query) for query in asked]
        with closing(through_server(team.database.url("ada"), path, encoder)) as shared:
            other = [answer(shared, query) for query in asked]
    return {
        "collection": folder.name,
        "documents": brought.put,
        "queries": len(asked),
        "ndcg": {"file": mean(one, 0), "team": mean(other, 0)},
        "equal_tens": sum(set(a[1]) == set(b[1]) for a, b in zip(one, other, strict=True)) / len(asked),
        "same_order": sum(a[1] == b[1] for a, b in zip(one, other, strict=True)) / len(asked),
        "median_ms": {"file": median(one), "team": median(other)},
    }


def fitted(path: Path) -> tuple[int, dict[str, object]]:
    """Return the number of the first model of a team, and the cuts of the tiers as they were fitted to the file."""
    from engine.retrieval.tiers import CALIBRATED
    from engine.store.connection import open_reader

    with closing(open_reader(path)) as connection:
        model = connection.active_model()
        assert model is not None
        return 1, {CALIBRATED: connection.figure(model.id, CALIBRATED)}


def some(collection: Any, asked: Sequence[Any], most: int) -> Iterator[tuple[str, Any]]:
    """Yield the documents that answer the queries, and the first others, so many in all."""
    wanted = {name for query in asked for name, grade in query.grades.items() if grade > 0}
    left = max(0, most - len(wanted))
    for name, document in collection.documents():
        if name in wanted:
            yield name, document
        elif left:
            left -= 1
            yield name, document


def through_server(url: str, path: Path, encoder: Any) -> Any:
    """Return what ranks as TemporaryLibrary does, over the team's library."""
    import time
    from dataclasses import replace

    from engine.evaluation.temporary_library import Ranking
    from engine.records import SearchSettings
    from engine.retrieval import search_pipeline
    from engine.retrieval.active_model import ActiveModel
    from engine.retrieval.postings_cache import PostingsCache
    from engine.retrieval.query import plain
    from engine.team.team_store import TeamStore

    class Shared:
        def __init__(self) -> None:
            self._store = TeamStore(url, machine=MACHINE)
            self._active = ActiveModel(encoder, vectors=self._store.vector_source)
            self._postings = PostingsCache(keeps_scores=True)
            self._settings = replace(SearchSettings(), collapse=0.0, group=True)

        def rank(self, text: str, limit: int) -> Ranking:
            began = time.perf_counter()
            with self._store.searching() as connection:
                model, cuts = self._active.of(connection)
                search = search_pipeline.run(
                    connection, plain(text), self._settings, model, cuts, limit=limit, postings=self._postings
                )
                candidates, ranking = search.gathered.candidates, search.ranking
                rows = connection.rows_for([int(candidates.ids[row.passage]) for row in search.rows], 1)
            found = [
                (rows[int(candidates.ids[row.passage])].path.decode(), float(ranking.score[row.passage]))
                for row in search.rows
            ]
            spent = (time.perf_counter() - began) * 1e3
            return Ranking(found, encode_ms=search.timings.encode, search_ms=spent - search.timings.encode)

        def close(self) -> None:
            self._store.close()

    return Shared()


def answer(library: Any, query: Any) -> tuple[float, list[str], float]:
    """Return NDCG@10, the names of the first ten, and the milliseconds without the encoder's."""
    from engine.evaluation.metrics import ndcg

    ranking = library.rank(query.text, FIRST)
    names = [name for name, _ in ranking.documents]
    return ndcg(names, query.grades), names, ranking.search_ms


def mean(answers: Sequence[tuple[float, list[str], float]], at: int) -> float:
    """Return the mean of one figure."""
    return statistics.fmean(float(each[at]) for each in answers)  # type: ignore[arg-type]


def median(answers: Sequence[tuple[float, list[str], float]]) -> float:
    """Return the median of the milliseconds."""
    return statistics.median(each[2] for each in answers)


def lines(found: dict[str, Any]) -> list[str]:
    """Return the table."""
    ndcg, took = found["ndcg"], found["median_ms"]
    apart = abs(ndcg["file"] - ndcg["team"])
    return [
        f"{found['collection']}: {found['documents']:,} documents, {found['queries']:,} queries",
        f"NDCG@10   file {ndcg['file']:.4f}   team {ndcg['team']:.4f}   apart {apart:.4f}, at most {WANTED_NDCG}",
        f"ten of ten equal rows in {found['equal_tens']:.1%} of the queries, at least {WANTED_EQUAL:.0%};"
        f" in the same order in {found['same_order']:.1%}",
        f"a search, without the encoder, at the median: file {took['file']:.0f} ms, team {took['team']:.0f} ms",
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where the stores differ more than they may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    found = measured(given.folder, given.documents, given.queries)
    if given.json:
        print(json.dumps({"machine": machine(), **found}))
    else:
        print(heading(machine()), *lines(found), sep="\n")
    apart = abs(found["ndcg"]["file"] - found["ndcg"]["team"])
    return int(apart > WANTED_NDCG or found["equal_tens"] < WANTED_EQUAL)


if __name__ == "__main__":
    sys.exit(main())
