"""How long a run will take on this machine: a few steps are timed once for each recipe and base, and remembered."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.embedding.encoder import Encoder
from engine.embedding.foreign import background_passages
from training.development import MOST_PASSAGES
from training.finetune import SHARES
from training.plan import Recipe
from training.runs import folder

FILE = "speed.json"
TIMED = 16  # passages; a text of the shipped ones has about 60 tokens, one of a library 100
LENGTH_SHARE = 0.6
SEARCH_SECONDS = 0.015  # for each held-out query, twice for either model, on 12,000 passages
OVERHEAD_SECONDS = 60.0  # loading, mining, exporting, fitting the tiers


@dataclass(frozen=True, slots=True)
class Speed:
    """Passages a second: learnt from, judged in development, and embedded with the exported model."""

    learnt: float
    judged: float
    embedded: float


def seconds(recipe: Recipe, speed: Speed, triples: int, passages: int, queries: int) -> float:
    """Return about how long a run takes with so many triples, passages in the library and held-out queries."""
    asked = 4 * queries * SEARCH_SECONDS
    if recipe.kind == "adapter":
        return OVERHEAD_SECONDS + asked
    rows = triples / recipe.negatives
    learning = recipe.epochs * rows * (recipe.negatives + 1) / speed.learnt
    evaluations = recipe.epochs * recipe.evaluations + len(SHARES)
    judging = evaluations * min(MOST_PASSAGES, passages) / speed.judged
    return OVERHEAD_SECONDS + learning + judging + passages / speed.embedded + asked


def known(recipe: Recipe, base: str) -> Speed | None:
    """Return what was timed before for a recipe and a base's fingerprint; None where nothing was."""
    found = _kept().get(_key(recipe, base))
    return Speed(**found) if found else None


def measured(recipe: Recipe, encoder: Encoder, source: Path) -> Speed:
    """Time a few steps, unless that was done before; nothing is changed by them."""
    base = encoder.manifest.fingerprint
    before = known(recipe, base)
    if before is not None:
        return before
    found = Speed(*_learning(recipe, source), _embedding(encoder))
    path = folder() / FILE
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({**_kept(), _key(recipe, base): asdict(found)}, indent=2), encoding="ascii")
    os.replace(draft, path)
    return found


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


def _key(recipe: Recipe, base: str) -> str:
    return f"{recipe.name} {base[:16]}"


def _kept() -> dict[str, dict[str, float]]:
    try:
        found = json.loads((folder() / FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
