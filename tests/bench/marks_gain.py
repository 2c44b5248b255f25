"""What marks are worth: one split's judgements taken as marks, another split's queries asked without and with them.

    python tests/bench/marks_gain.py DIR... [--marks SPLIT] [--split SPLIT] [--json]

Each DIR is a collection in BEIR layout; it is indexed once, in a throw-away library, and asked twice.
Memory helps most where a query was nearly asked before, and a mean over all would hide that. So the queries are parted:
`twins` are near copies of a marked query, `shared documents` have a relevant document in common with one, and `neither`
have nothing in common with any: for those, memory can only be in the way.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from machine import heading, machine

from engine.embedding import catalogue
from engine.embedding.encoder import Encoder
from engine.evaluation.beir import Collection, JudgedQuery
from engine.evaluation.evaluator import CollectionResult, judge
from engine.evaluation.leakage import leakage
from engine.evaluation.significance import Difference, paired_bootstrap
from engine.evaluation.temporary_library import FOLDER, TemporaryLibrary, temporary_library
from engine.records import Mark, SearchSettings
from engine.retrieval.marked_passages import nearest_passage
from engine.store import judgements
from engine.store.connection import open_writer
from engine.store.documents import document_id_at

GROUPS = ("all", "twins", "shared documents", "neither")


@dataclass(frozen=True, slots=True)
class GroupGain:
    """NDCG@10 of a group of queries without and with memory, and the difference; None where the group is empty."""

    queries: int
    without: float
    remembered: float
    difference: Difference | None


@dataclass(frozen=True, slots=True)
class MemoryReport:
    """What the marks of a split gave on one collection, by group of queries."""

    name: str
    marks: int
    groups: dict[str, GroupGain]


def remember(library: TemporaryLibrary, queries: Sequence[JudgedQuery], encoder: Encoder) -> int:
    """Mark, as a person would, for each query its relevant documents at their nearest passages; return how many."""
    connection = open_writer(library.path)
    try:
        model = library.model(connection)
        asked = {query.text: encoder.encode_query(query.text) for query in queries}
        marks: list[Mark] = []
        for query in queries:
            for document in sorted(query.relevant):
                path = FOLDER + b"/" + document.encode("utf-8", "replace")
                found = document_id_at(connection, path)
                passage = nearest_passage(connection, found, asked[query.text], model.vectors) if found else None
                digest = connection.execute("SELECT hash FROM passage WHERE id = ?", (passage,)).get
                if isinstance(digest, bytes):
                    marks.append(Mark(query.text, digest, path, judgements.RIGHT))
        judgements.put(connection, marks)
        judgements.keep_vectors(connection, model.id, asked)
        return len(marks)
    finally:
        connection.close()


def by_group(
    name: str,
    marks: int,
    taught: Sequence[JudgedQuery],
    asked: Sequence[JudgedQuery],
    without: CollectionResult,
    remembered: CollectionResult,
    encoder: Encoder,
) -> MemoryReport:
    """Part the queries by what they have in common with the marked ones, and compare in each group."""
    vectors = tuple(encoder.encode_queries([query.text for query in queries]) for queries in (taught, asked))
    common = leakage(taught, asked, (vectors[0], vectors[1]))
    members = {
        "all": frozenset(common.test),
        "twins": common.near_copy,
        "shared documents": common.shared_document - common.near_copy,
        "neither": frozenset(common.clean),
    }
    before, after = (np.array(each.values("ndcg_at_10")) for each in (without, remembered))
    groups = {}
    for group in GROUPS:
        inside = np.array([score.query in members[group] for score in without.scores], np.bool_)
        groups[group] = GroupGain(
            int(inside.sum()),
            float(before[inside].mean()) if inside.any() else 0.0,
            float(after[inside].mean()) if inside.any() else 0.0,
            paired_bootstrap(after[inside], before[inside]) if inside.any() else None,
        )
    return MemoryReport(name, marks, groups)


def gained(folder: Path, taught: str, split: str, encoder: Encoder) -> MemoryReport:
    """Index a collection, and ask the queries of `split` without the marks of `taught` and with them."""
    collection = Collection.open(folder)
    queries, lessons = collection.queries(split), collection.queries(taught)
    with temporary_library(collection.documents(), encoder, SearchSettings()) as library:
        without = judge(collection.name, queries, library.with_settings(SearchSettings(memory=False)))
        marks = remember(library, lessons, encoder)
        with_marks = judge(collection.name, queries, library)
    return by_group(collection.name, marks, lessons, queries, without, with_marks, encoder)


def to_lines(split: str, reports: Sequence[MemoryReport]) -> Iterator[str]:
    """Yield the report as plain text, a line a group."""
    for report in reports:
        yield f"{report.name}: memory of {report.marks:,} marks from the judgements of {split}, NDCG@10"
        for group, gain in report.groups.items():
            if gain.difference is None:
                yield f"  {group:<16} no such query"
                continue
            difference = gain.difference
            verdict = "significant" if difference.significant else "no difference"
            yield (
                f"  {group:<16} {gain.queries:>5} queries  {gain.without:.4f} → {gain.remembered:.4f}  "
                f"{difference.mean:+.4f} (95 % {difference.low:+.4f} to {difference.high:+.4f}, {verdict})"
            )


def main() -> None:
    """Measure, and print the report or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="collections in BEIR layout")
    parser.add_argument("--marks", default="train", help="the split whose judgements are taken as marks [train]")
    parser.add_argument("--split", default="test", help="the split whose queries are asked [test]")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    if chosen.marks == chosen.split:
        parser.error(f"marks from {chosen.marks} would be judged by the same queries")
    named = machine()
    with closing(catalogue.load(catalogue.EMBEDDED, sessions=os.cpu_count() or 1)) as encoder:
        reports = [gained(folder, chosen.marks, chosen.split, encoder) for folder in chosen.folders]
    if chosen.json:
        print(json.dumps({"machine": named, "marks_from": chosen.marks, "collections": list(map(asdict, reports))}))
        return
    print("\n".join([heading(named), "", *to_lines(chosen.marks, reports)]))


if __name__ == "__main__":
    main()
