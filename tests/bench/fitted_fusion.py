"""What fitting the fusion to a collection's own judgements gives, on queries that were left out, and on its test split.

    CARREL_DATA=DIR python tests/bench/fitted_fusion.py [--libraries FOLDER] [--collections NAME...] [--most N] [--test]

As a run of the recipe `fusion` does it: groups of queries, five folds, the prior chosen by folds, each query judged by
constants that were fitted without its fold. With `--test` the constants that all queries give are asked on the test
split too, against the defaults; open it once. Near-duplicates stay apart there, since a collection judges every copy.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from judged import HALF_SEED, Ground, collections, grounds
from machine import heading, machine

from engine.embedding import catalogue
from engine.evaluation.beir import Collection, JudgedQuery
from engine.evaluation.metrics import ndcg
from engine.evaluation.significance import Difference, paired_bootstrap
from engine.records import DEFAULT_CONSTANTS, FusionConstants, SearchSettings
from training import fusion_fit, gate, splits
from training.fused_queries import FusedQueries
from training.fusion_candidates import JudgedSearch
from training.fusion_fit import ConstantScores
from training.known_queries import KnownQuery

SPLITS = {"nfcorpus": "train", "scifact": "train", "cranfield": "test"}  # to fit to; Cranfield has no other
TESTED = ("nfcorpus", "scifact")
MOST = 400  # queries of a collection, drawn with a fixed seed


def known(ground: Ground, found: Sequence[JudgedQuery], most: int) -> list[KnownQuery]:
    """Return at most so many of the queries with the grades of their documents by id; 0: all of them."""
    place = {name: each for each, name in ground.names.items()}
    queries = []
    for query in found:
        relevant = {place[name]: grade for name, grade in query.grades.items() if grade > 0 and name in place}
        if relevant:
            queries.append(KnownQuery(query.text, "judged", relevant))
    if not most or len(queries) <= most:
        return queries
    return [queries[at] for at in np.sort(np.random.default_rng(HALF_SEED).permutation(len(queries))[:most])]


def fitted(ground: Ground, queries: Sequence[KnownQuery]) -> dict[str, Any]:
    """Fit constants to queries, and judge them on the folds that were left out."""
    began = time.perf_counter()
    search = JudgedSearch(ground.connection, ground.model, ground.cuts)
    asked = FusedQueries(search.gather(queries, lambda: None))
    gathered = time.perf_counter()
    scores = ConstantScores(asked.ndcg)
    vectors = ground.encoder.encode_queries([query.text for query in queries])
    split = splits.split(queries, vectors, 42)
    fold = fusion_fit.folds_of(split.group, splits.order(queries, split.group, 42))
    whole = fusion_fit.chosen(scores, fold, sorted(set(fold.tolist())))
    left_out = fusion_fit.left_out(scores, fold)
    after = np.empty(len(queries))
    for each, constants in enumerate(left_out):
        after[fold == each] = scores.of(constants)[fold == each]
    before = scores.of(DEFAULT_CONSTANTS)
    return {
        "queries": len(queries),
        "groups": split.groups,
        "constants": asdict(whole.constants),
        "strength": None if np.isinf(whole.strength) else whole.strength,
        "folds": [asdict(each) for each in left_out],
        "default": float(before.mean()),
        "left_out": _shape(paired_bootstrap(after, before)),
        "smallest_gain": gate.smallest_gain(len(queries)),
        "gathering_seconds": gathered - began,
        "fitting_seconds": time.perf_counter() - gathered,
    }


def tested(ground: Ground, constants: FusionConstants, found: Sequence[JudgedQuery]) -> dict[str, Any]:
    """Ask the test queries by fitted constants and by the defaults."""
    after, before = [], []
    for query in found:
        search = ground.search(query.text)
        for into, used in ((after, constants), (before, DEFAULT_CONSTANTS)):
            listed = ground.documents(search, SearchSettings(constants=used))
            into.append(ndcg(listed, query.grades))
    return {"queries": len(found), "default": float(np.mean(before)), **_shape(paired_bootstrap(after, before))}


def _shape(found: Difference) -> dict[str, float]:
    return {"difference": found.mean, "low": found.low, "high": found.high}


def report(names: Sequence[str], kept: Path | None, sizes: Sequence[int], *, test: bool) -> list[dict[str, Any]]:
    """Return a row for each collection and number of queries."""
    rows = []
    with closing(catalogue.load(sessions=os.cpu_count() or 1)) as encoder, grounds(encoder, kept, names) as opened:
        for name, ground in opened.items():
            collection = Collection.open(collections() / name)
            found = sorted(collection.queries(SPLITS[name]), key=lambda each: each.id)
            for size in sizes:
                queries = known(ground, found, size)
                row = {"collection": name, **fitted(ground, queries)}
                if test and name in TESTED and size == sizes[0]:
                    constants = replace(FusionConstants(**row["constants"]), collapse=DEFAULT_CONSTANTS.collapse)
                    asked = sorted(collection.queries("test"), key=lambda each: each.id)
                    row["test"] = tested(ground, constants, asked)
                rows.append(row)
                print(f"{name}: {len(queries)} queries", file=sys.stderr, flush=True)
    return rows


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Return the table for a page."""
    head = ["", "queries", "default", "fitted, left out", "least that shows", "test split", "constants moved", "time"]
    lines = [f"| {' | '.join(head)} |", "| --- " * len(head) + "|"]
    default = asdict(DEFAULT_CONSTANTS)
    for row in rows:
        moved = ", ".join(f"{name} {value:g}" for name, value in row["constants"].items() if value != default[name])
        test = _told(row["test"]) if "test" in row else ""
        took = f"{row['gathering_seconds'] + row['fitting_seconds']:.0f} s"
        cells = [row["collection"], row["queries"], f"{row['default']:.4f}", _told(row["left_out"])]
        cells += [f"{row['smallest_gain']:.3f}", test, moved or "none", took]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _told(found: dict[str, float]) -> str:
    return f"{found['difference']:+.4f} ({found['low']:+.4f} to {found['high']:+.4f})"


def main() -> None:
    """Fit, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--libraries", type=Path, help="keep the indexes in this folder, or take them from it")
    parser.add_argument("--collections", nargs="+", choices=tuple(SPLITS), default=list(SPLITS))
    parser.add_argument("--most", type=int, nargs="+", default=[MOST], help="queries to fit to; 0: all")
    parser.add_argument("--test", action="store_true", help="ask the test split too")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    named = machine()
    rows = report(chosen.collections, chosen.libraries, chosen.most, test=chosen.test)
    if chosen.json:
        print(json.dumps({"machine": named, "rows": rows}, indent=2))
        return
    print(f"{heading(named)}\n\n{markdown(rows)}")


if __name__ == "__main__":
    main()
