"""How much of a bare loop of forward, backward, step the training reaches, on the same rows in one run.

    python tests/bench/train_rate.py [--rounds N] [--json]

Both work on the packaged default model with rows of shipped passages; they take turns, and the medians are compared.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from machine import heading, machine

from engine.embedding.out_of_domain import background_passages, foreign_queries
from training.finetune import Finetuning
from training.hard_negatives import Row
from training.loss import Batch, loss
from training.probe import general
from training.run_channel import Teller
from training.run_plan import RECIPES
from training.runs import Run
from training.source_model import embedded_source
from training.weights import Learner


class NoDevelopment:
    """Judges nothing: only the steps are timed."""

    def score(self, _model: object) -> None:
        return None


def rows_of(count: int, texts: list[str], negatives: int) -> list[Row]:
    """Return rows over texts by chance."""
    chance = random.Random(1)
    return [
        Row(number, tuple(chance.sample(range(len(texts)), negatives + 1)), (1.0, *[0.5] * negatives), "agreed")
        for number in range(count)
    ]


def bare(
    learner: Learner, batches: list[Batch], queries: list[str], texts: list[str], distil: float
) -> Callable[[int], None]:
    """Return one step of a loop that does nothing but forward, backward, step; texts are tokenised beforehand."""
    import torch

    optimiser = torch.optim.AdamW(learner.learning(), lr=1e-6)
    nothing = lambda _query, rows: np.zeros(len(rows), np.bool_)  # noqa: E731
    asked = [learner.tokens([queries[row.query] for row in batch.rows]) for batch in batches]
    shown = [learner.tokens([texts[each] for each in batch.passages]) for batch in batches]

    def step(number: int) -> None:
        worth = loss(batches[number], learner.vectors(asked[number]), learner.vectors(shown[number]), nothing, distil)
        worth.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return step


def main() -> None:
    """Time both loops in turns and print their rates, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as base:
        report = measured(Path(base), chosen.rounds)
    print(json.dumps(report, indent=1) if chosen.json else table(report))


def measured(base: Path, rounds: int) -> dict[str, Any]:
    """Let both loops take turns, a step each."""
    recipe = RECIPES["local"]
    pieces = [*background_passages(), *general().passages]
    chance = random.Random(2)
    texts = [" ".join(chance.sample(pieces, 3)) for _ in range(400)]
    queries = list(foreign_queries())
    run = Run(base)
    learner = Learner(embedded_source(), recipe.length, recipe.frozen)
    tuning = Finetuning(
        learner,
        recipe,
        rows_of(recipe.batch * rounds, texts, recipe.negatives),
        texts,
        queries,
        lambda _query, each: np.zeros(len(each), np.bool_),
        NoDevelopment(),  # type: ignore[arg-type]
        run.folder,
        Teller(run),
    )
    step = bare(learner, tuning.batches, queries, texts, recipe.distil)
    spent: dict[str, list[float]] = {"training": [], "bare_loop": []}
    tasks = {"training": lambda _number: tuning.one_step(), "bare_loop": step}
    for number in range(rounds):
        for name, task in tasks.items():
            began = time.perf_counter()
            task(number)
            spent[name].append(time.perf_counter() - began)
    triples = recipe.batch * recipe.negatives
    rates = {name: triples / statistics.median(times[1:]) for name, times in spent.items()}
    return {
        "machine": machine(),
        "rounds": rounds,
        "triples_a_second": rates,
        "ratio": rates["training"] / rates["bare_loop"],
    }


def table(report: dict[str, Any]) -> str:
    """Return the figures as a person reads them."""
    rates = report["triples_a_second"].items()
    lines = [f"{name.replace('_', ' '):10} {rate:7.2f} triples a second" for name, rate in rates]
    return "\n".join([heading(report["machine"]), *lines, f"ratio      {report['ratio']:7.2f}"])


if __name__ == "__main__":
    main()
