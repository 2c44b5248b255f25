"""How far candidates of a known kind agree with the embedded model, and what they give: one harmless, four ruined.

    CARREL_DATA=DIR python tests/bench/candidates.py [--queries 110] [--documents 1500] [--json]

Of SciFact: so many queries for choosing, over the passages of the documents that answer them and of others drawn with a
fixed seed; of each query the 100 passages nearest under the embedded model. NDCG@10 is that within these 100. The cut
of the model in use is the one that its own passages above it make: as large a share as `--counted`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from judged import collections, queries, sample
from machine import heading, machine
from numpy.typing import NDArray

from engine.chunking import PassageRules, cut
from engine.embedding import catalogue
from engine.evaluation.beir import Collection, JudgedQuery
from engine.evaluation.metrics import ndcg
from engine.evaluation.model_agreement import ThresholdCurve, correlation, threshold_curve
from engine.evaluation.rank_agreement import overlap, rank_biased_overlap
from engine.evaluation.significance import paired_bootstrap

sys.path.insert(0, str(Path(__file__).parents[1]))
from injected_candidates import INJECTED, TokenStates, vectors

NEAREST = 100
SEED = 7
HEAD = (
    "candidate", "Pearson", "Spearman", "overlap@10", "RBO .9", "cut carried over: agree", "fitted anew: agree",
    "kappa", "greatest agreement", "NDCG@10", "wins : losses",
)  # fmt: skip
RUINED_KAPPA = 0.7  # below it no candidate is as good


@dataclass(frozen=True)
class Row:
    """One candidate against the embedded model."""

    candidate: str
    pearson: float
    spearman: float
    overlap: float
    rbo: float
    curve: ThresholdCurve
    greatest_agreement: float
    ndcg: float
    low: float
    high: float
    won: int
    lost: int


@dataclass(frozen=True)
class Ground:
    """Passages with the document of each, and queries, under the token states of the embedded model."""

    states: TokenStates
    texts: list[str]
    homes: list[str]
    asked: list[JudgedQuery]

    def cosines(self, candidate: str) -> NDArray[np.float32]:
        """Return the cosine of every query with every passage."""
        asked = vectors(self.states, [query.text for query in self.asked], candidate)
        return asked @ vectors(self.states, self.texts, candidate).T


def ground(states: TokenStates, encoder: object, asked: list[JudgedQuery], most: int) -> Ground:
    """Cut the documents that answer the queries, and others drawn by chance, into passages."""
    found = dict(Collection.open(collections() / "scifact").documents())
    answering = {name for query in asked for name in query.grades}
    others = [name for name in np.random.default_rng(SEED).permutation(sorted(found)) if name not in answering]
    manifest = encoder.manifest  # type: ignore[attr-defined]
    rules = PassageRules.from_dict(manifest.passage_rules)
    texts, homes = [], []
    for name in [*sorted(answering & set(found)), *islice(others, max(0, most - len(answering)))]:
        for passage in cut(found[name], encoder.token_starts, rules, manifest.passage_prefix):  # type: ignore[attr-defined]
            texts.append(passage.embedded)
            homes.append(name)
    return Ground(states, texts, homes, asked)


def judge(ground: Ground, base: NDArray[np.float32], candidate: str, counted: float) -> Row:
    """Hold a candidate against the embedded model on the nearest passages of each query."""
    near = np.argsort(-base, axis=1, kind="stable")[:, :NEAREST]
    a = np.take_along_axis(base, near, 1)
    b = np.take_along_axis(ground.cosines(candidate), near, 1)
    orders = [np.argsort(-each, axis=1, kind="stable").tolist() for each in (a, b)]
    pairs = list(zip(*orders, strict=True))
    together = correlation(a.ravel(), b.ravel())
    curve = threshold_curve(a.ravel(), b.ravel(), float(np.quantile(a, 1 - counted)))
    assert curve is not None
    scores = [_scores(ground, near, order) for order in orders]
    gained = paired_bootstrap(scores[1], scores[0])
    return Row(
        candidate,
        together.pearson or 0.0,
        together.spearman or 0.0,
        float(np.mean([overlap(*pair) for pair in pairs])),
        float(np.mean([rank_biased_overlap(*pair) for pair in pairs])),
        curve,
        max(point.agreement for point in curve.points),
        float(np.mean(scores[1])),
        gained.low,
        gained.high,
        sum(new > old for old, new in zip(*scores, strict=True)),
        sum(new < old for old, new in zip(*scores, strict=True)),
    )


def _scores(ground: Ground, near: NDArray[np.int64], orders: Sequence[Sequence[int]]) -> list[float]:
    return [
        ndcg(list(dict.fromkeys(ground.homes[row[place]] for place in order)), query.grades)
        for row, order, query in zip(near, orders, ground.asked, strict=True)
    ]


def main() -> None:
    """Judge all candidates, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=110, help="drawn with a fixed seed")
    parser.add_argument("--documents", type=int, default=1_500, help="that are searched")
    parser.add_argument("--counted", type=float, default=0.068, help="share of the passages above the cut in use")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    named = machine()
    with closing(catalogue.load()) as encoder:
        asked = sample(queries("scifact", "development"), chosen.queries)
        made = ground(TokenStates(encoder), encoder, asked, chosen.documents)
        base = made.cosines("embedded")
        rows = [judge(made, base, candidate, chosen.counted) for candidate in INJECTED]
    told = all((row.curve.fitted.kappa < RUINED_KAPPA) == (row.candidate in INJECTED[3:]) for row in rows)
    if chosen.json:
        report = {"machine": named, "queries": len(asked), "passages": len(made.texts), "rows": list(map(asdict, rows))}
        print(json.dumps({**report, "kappa_tells_the_ruined": told}, indent=2))
        return
    print(f"{heading(named)}\n\nSciFact, {len(asked)} queries, {len(made.texts)} passages\n")
    print(f"| {' | '.join(HEAD)} |\n" + "| --- " * len(HEAD) + "|")
    for row in rows:
        carried, fitted = row.curve.carried, row.curve.fitted
        print(
            f"| {row.candidate} | {row.pearson:.3f} | {row.spearman:.3f} | {row.overlap:.2f} | {row.rbo:.2f} | "
            f"{carried.cut:.3f}: {carried.agreement:.1%} | {fitted.cut:.3f}: {fitted.agreement:.1%} | "
            f"{fitted.kappa:.2f} | {row.greatest_agreement:.1%} | {row.ndcg:.3f} ({row.low:+.3f} to {row.high:+.3f}) | "
            f"{row.won} : {row.lost} |"
        )
    print(f"\nkappa below {RUINED_KAPPA} for those that are ruined, and for no other: {'yes' if told else 'no'}")


if __name__ == "__main__":
    main()
