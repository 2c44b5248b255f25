"""Estimates how long a run takes on this machine, from a few timed steps for each recipe and base model.

The fastest timing of each is kept in `speed.json`. `python -P -m training.estimate RECIPE BASE` times them in a process
of its own, so that a browser need not load torch.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

from engine.atomic_files import exclusive, replace_file
from engine.embedding import catalogue
from engine.embedding.encoder import Encoder
from engine.embedding.manifest import Manifest
from engine.embedding.out_of_domain import background_passages
from engine.errors import CarrelError
from engine.paths import own_process, places, private_folder
from training.dev_evaluation import MIXTURES, MOST_PASSAGES
from training.run_plan import RECIPES, Plan, Recipe
from training.runs import folder
from training.splits import WHOLE_TEST

FILE = "speed.json"
TIMED = 16  # passages; a text of the shipped ones has about 60 tokens, one of a library 100
LENGTH_SHARE = 0.6
SEARCH_SECONDS = 0.015  # for each held-out query, twice for either model, on 12,000 passages
UNTIMED = ("adapter", "fusion")  # kinds of recipes whose speed hangs on no model
OVERHEAD_SECONDS = 60.0  # loading, mining, exporting, fitting the tiers
FUSION_OVERHEAD_SECONDS = 5.0  # loading
FUSION_QUERY_SECONDS = 0.1  # gathering and judging; fusing all queries by some 150 constants takes a second or two
ROWS_A_QUERY = 1  # .8 to 1.1 on notes and on SciFact; more, up to 2.2 on NFCorpus, where many documents answer a query


@dataclass(frozen=True, slots=True)
class Speed:
    """Passages a second: learnt from, judged in development, and embedded with the exported model."""

    learnt: float
    judged: float
    embedded: float


def expected(plan: Plan, passages: int, *, learnt: int | None = None, held_out: int = WHOLE_TEST) -> float | None:
    """Return about how many seconds a run takes in a library of so many passages, None where nothing was timed yet.

    `learnt` is the number of queries to learn from, None where they are not counted yet: then the whole budget is
    taken to be used. `held_out` is that of the test's.
    """
    recipe = plan.how
    if recipe.kind == "fusion":
        return fusion_seconds(held_out)
    speed = known(recipe, _fingerprint(plan.base))
    triples = plan.budget if learnt is None else min(plan.budget, learnt * ROWS_A_QUERY * recipe.negatives)
    return None if speed is None else seconds(recipe, speed, triples, passages, held_out)


def seconds(recipe: Recipe, speed: Speed, triples: int, passages: int, queries: int) -> float:
    """Return about how long a run takes with so many triples, passages in the library and held-out queries."""
    asked = 4 * queries * SEARCH_SECONDS
    if recipe.kind == "adapter":
        return OVERHEAD_SECONDS + asked
    rows = triples / recipe.negatives
    learning = recipe.epochs * rows * (recipe.negatives + 1) / speed.learnt
    evaluations = 1 + recipe.epochs * recipe.evaluations + len(MIXTURES)
    judging = evaluations * min(MOST_PASSAGES, passages) / speed.judged
    return OVERHEAD_SECONDS + learning + judging + passages / speed.embedded + asked


def fusion_seconds(queries: int) -> float:
    """Return about how long it takes to fit the fusion to so many judged queries."""
    return FUSION_OVERHEAD_SECONDS + queries * FUSION_QUERY_SECONDS


def known(recipe: Recipe, base: str) -> Speed | None:
    """Return what was timed before for a recipe and a base's fingerprint; None where nothing was.

    An adapter moves vectors that are there, so its speed hangs on no model and is not timed.
    """
    if recipe.kind in UNTIMED:
        return Speed(1.0, 1.0, 1.0)
    found = _kept().get(_key(recipe, base))
    return Speed(**found) if found else None


def measure(recipe: Recipe, base: str) -> None:
    """Time a few steps in this process; nothing is changed by them. Raises ModelError.

    The fastest that was ever seen is remembered: what else the machine had to do at one time says nothing of the next.
    """
    from training.weights import source_of

    if recipe.kind in UNTIMED:
        return
    encoder = catalogue.load(base or catalogue.EMBEDDED, sessions=os.cpu_count() or 1)
    fingerprint = encoder.manifest.fingerprint
    found = (*_learning(recipe, source_of(encoder.manifest)), _embedding(encoder))
    place = private_folder(folder())
    with exclusive(place):
        if (before := known(recipe, fingerprint)) is not None:
            found = tuple(map(max, found, astuple(before)))
        replace_file(place / FILE, json.dumps({**_kept(), _key(recipe, fingerprint): asdict(Speed(*found))}, indent=2))


def measure_apart(recipe: Recipe, base: str) -> bool:
    """Do the same in a process of its own, where it was never done; returns whether it could be. It takes seconds."""
    if known(recipe, _fingerprint(base)) is not None:
        return True
    done = subprocess.run(
        [*own_process("training.estimate"), recipe.name, base],
        cwd=private_folder(places().state),  # a folder with a json.py in it must not be run as code
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env={**os.environ, "TOKENIZERS_PARALLELISM": "false"},
    )
    return done.returncode == 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Time a recipe on a base, and return the exit code."""
    recipe, base = sys.argv[1:] if arguments is None else arguments
    try:
        measure(RECIPES[recipe], base)
    except CarrelError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _learning(recipe: Recipe, source: Path) -> tuple[float, float]:
    from training.weights import Learner

    learner = Learner(source, recipe.length, recipe.frozen)
    tokens = learner.tokens(background_passages()[:TIMED])
    learner.vectors(tokens)  # the first pass sets things up
    began = time.perf_counter()
    learner.vectors(tokens).sum().backward()
    learnt = time.perf_counter()
    learner.encode(background_passages()[:TIMED])
    judged = time.perf_counter()
    return LENGTH_SHARE * TIMED / (learnt - began), LENGTH_SHARE * TIMED / (judged - learnt)


def _embedding(encoder: Encoder) -> float:
    encoder.encode_passages(background_passages()[:2])
    began = time.perf_counter()
    encoder.encode_passages(background_passages()[:TIMED])
    return LENGTH_SHARE * TIMED / (time.perf_counter() - began)


def _fingerprint(base: str) -> str:
    return Manifest.read(catalogue.folder_of(base or catalogue.EMBEDDED)).fingerprint


def _key(recipe: Recipe, base: str) -> str:
    return f"{recipe.name} {base[:16]}"


def _kept() -> dict[str, dict[str, float]]:
    try:
        found = json.loads((folder() / FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


if __name__ == "__main__":
    sys.exit(main())
