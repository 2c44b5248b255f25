"""What late interaction gives when it ranks the best hundred passages again, by pooling and by weight.

    CARREL_DATA=DIR python tests/bench/late.py [--libraries FOLDER] [--collections NAME...] [--most 0] [--model NAME]

Each development query is asked as `carrel search` asks it. Token vectors of the passages that are ranked again are
pooled by Ward's criterion, by k-means and by neighbours (every so many in a row), kept as int8 around their mean, and
their late score is mixed into the fused one. The table gives NDCG@10 by weight, the difference at weight .3 with its
interval (paired bootstrap, 95 %), bytes a passage, and milliseconds a query of a hundred passages on one core.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from judged import FIVE, Ground, grounds, queries, sample
from machine import heading, machine

from engine.embedding import catalogue
from engine.embedding.encoder import Encoder
from engine.embedding.token_pooling import Codes, best_cosines, cluster_means, encoded, pool
from engine.evaluation.beir import JudgedQuery
from engine.evaluation.metrics import ndcg
from engine.evaluation.significance import paired_bootstrap
from engine.indexing.late_build import texts_of
from engine.retrieval.late_interaction import DEPTH, shares

WEIGHTS = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
TOLD_WEIGHT = 0.3
FACTORS = (2, 4, 6)
TIMED = 5  # queries whose hundred passages are scored together, for the milliseconds
CUTOFF = 10


class Asked:
    """One query with the passages that are ranked again, and their late scores by pooling."""

    def __init__(self, ground: Ground, query: JudgedQuery, encoder: Encoder) -> None:
        search = ground.search(query.text)
        candidates = search.gathered.candidates
        self.query, self.order, self.score = query, search.ranking.order, search.ranking.score
        self.documents = [ground.names[int(each)] for each in candidates.documents]
        self.passages = [int(each) for each in candidates.ids]
        tokens = encoder.encode_query_tokens(query.text)
        assert tokens is not None  # the model was asked before
        self.tokens = tokens.vectors
        self.late: dict[str, Any] = defaultdict(lambda: np.full(len(self.passages), np.nan))

    def ndcg(self, pooling: str, weight: float) -> float:
        """Return NDCG@10 of the documents with a weight of the late scores; weight 0 is the fused order."""
        changed = shares(self.late[pooling], self.order, self.score, weight) if weight else None
        score = self.score if changed is None else self.score + changed
        order = self.order[np.argsort(-score[self.order], kind="stable")]
        return ndcg(list(dict.fromkeys(self.documents[at] for at in order)), self.query.grades, CUTOFF)


def poolings(vectors: Any) -> dict[str, Codes]:
    """Return what each way of pooling keeps of a passage."""
    found = {"none": encoded(vectors)}
    for factor in FACTORS:
        found[f"Ward {factor}"] = encoded(pool(vectors, factor, "ward"))
        found[f"k-means {factor}"] = encoded(pool(vectors, factor, "kmeans"))
        rows = np.arange(len(vectors), dtype=np.int64) // factor
        found[f"neighbours {factor}"] = encoded(cluster_means(vectors, rows, int(rows[-1]) + 1))
    return found


def measured(ground: Ground, asked: Sequence[JudgedQuery], encoder: Encoder, name: str) -> dict[str, Any]:
    """Score every query's best hundred by every pooling, and return the table of one collection."""
    every = [Asked(ground, query, encoder) for query in asked]
    wanted: dict[int, list[tuple[Asked, int]]] = defaultdict(list)
    for each in every:
        for at in each.order[:DEPTH].tolist():
            wanted[each.passages[at]].append((each, at))
    octets: dict[str, list[int]] = defaultdict(list)
    timed: dict[str, dict[int, Codes]] = defaultdict(dict)
    kept = {passage for each in every[:TIMED] for passage in (each.passages[at] for at in each.order[:DEPTH])}
    for number, (passage, users) in enumerate(wanted.items()):
        if number % 500 == 0:
            print(f"{name}: {number} of {len(wanted)} passages", file=sys.stderr, flush=True)
        tokens = encoder.encode_passage_tokens(texts_of(ground.connection, [passage])[passage])
        if tokens is None or not len(tokens.vectors):
            continue
        for pooling, codes in poolings(tokens.vectors).items():
            octets[pooling].append(codes.codes.nbytes + codes.mean.nbytes + 8)
            for each, at in users:
                each.late[pooling][at] = best_cosines(each.tokens, [codes])[0]
            if passage in kept:
                timed[pooling][passage] = codes
    return {
        "queries": len(every),
        "passages": len(wanted),
        "fused": float(np.mean([each.ndcg("none", 0.0) for each in every])),
        "poolings": {pooling: _row(every, pooling, octets[pooling], timed[pooling]) for pooling in octets},
    }


def _row(every: Sequence[Asked], pooling: str, octets: Sequence[int], codes: Mapping[int, Codes]) -> dict[str, Any]:
    told = paired_bootstrap(
        [each.ndcg(pooling, TOLD_WEIGHT) for each in every], [each.ndcg(pooling, 0.0) for each in every]
    )
    return {
        "bytes": float(np.mean(octets)),
        "ms": _milliseconds(every[:TIMED], codes),
        "weights": {
            f"{weight:g}": float(np.mean([each.ndcg(pooling, weight) for each in every])) for weight in WEIGHTS
        },
        "difference": [told.mean, told.low, told.high],
    }


def _milliseconds(asked: Sequence[Asked], codes: Mapping[int, Codes]) -> float:
    """Return the least time of one query's hundred passages: a busy machine only adds to it."""
    spent = []
    for each in asked:
        held = [codes[passage] for passage in (each.passages[at] for at in each.order[:DEPTH]) if passage in codes]
        for _ in range(3):
            began = time.perf_counter()
            best_cosines(each.tokens, held)
            spent.append((time.perf_counter() - began) * 1e3)
    return min(spent, default=0.0)


def main() -> None:
    """Measure and print tables, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--libraries", type=Path, help="keep the indexes in this folder, or take them from it")
    parser.add_argument("--collections", nargs="+", choices=FIVE, default=("scifact", "cranfield"))
    parser.add_argument("--most", type=int, default=0, help="queries of a collection, drawn with a fixed seed; 0: all")
    parser.add_argument("--model", default=catalogue.EMBEDDED, help="an installed model whose token vectors are taken")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    named = machine()
    with closing(catalogue.load()) as encoder, grounds(encoder, chosen.libraries, chosen.collections) as opened:
        late = encoder if chosen.model == catalogue.EMBEDDED else catalogue.load(chosen.model)
        reports = {
            name: measured(ground, sample(queries(name, "development"), chosen.most), late, name)
            for name, ground in opened.items()
        }
    if chosen.json:
        print(json.dumps({"machine": named, "model": chosen.model, "collections": reports}))
        return
    print(heading(named))
    for name, report in reports.items():
        print("\n" + "\n".join(_table(name, report)))


def _table(name: str, report: Mapping[str, Any]) -> list[str]:
    heads = ["pooling", "bytes a passage", "ms a query", *(f"b {weight:g}" for weight in WEIGHTS[:-1]), "late alone"]
    lines = [
        f"{name}: {report['queries']} queries, {report['passages']} passages; fused alone {report['fused']:.4f}",
        "",
        f"| {' | '.join([*heads, f'b {TOLD_WEIGHT:g} less fused, 95 %'])} |",
        "| --- " * (len(heads) + 1) + "|",
    ]
    for pooling, row in report["poolings"].items():
        difference, low, high = row["difference"]
        cells = [
            pooling,
            f"{row['bytes']:,.0f}",
            f"{row['ms']:.1f}",
            *(f"{each:.4f}" for each in row["weights"].values()),
        ]
        lines.append(f"| {' | '.join(cells)} | {difference:+.4f} ({low:+.4f} to {high:+.4f}) |")
    return lines


if __name__ == "__main__":
    main()
