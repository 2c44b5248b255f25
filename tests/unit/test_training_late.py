"""Pooling-aware training: clusters pass gradients, the loss falls, and a run is judged as late interaction."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_training import QUERIES, ROWS, TEXTS, make_model, no_other_answer, where_training_is_installed

from engine.embedding.token_pooling import pool
from training import protocol
from training.known_queries import KnownQuery
from training.protocol import Evaluated, decode, encode
from training.run_channel import Teller
from training.run_plan import RECIPES, Plan, Recipe
from training.runs import Run, create

pytestmark = where_training_is_installed("torch", "transformers")
RECIPE = Recipe("test", "late", 8, 5e-3, 2, 2, 64, 0, 1.0, 1)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path))
    return create(Plan(name="mine"))


@pytest.mark.parametrize("factor", range(1, 7))
def test_pooled_vectors_are_those_of_the_engine_and_pass_gradients(factor: int) -> None:
    import torch

    from training.late_training import pooled_vectors

    given = np.random.default_rng(factor).normal(size=(13, 8)).astype(np.float32)
    given /= np.linalg.norm(given, axis=1, keepdims=True)
    vectors = torch.from_numpy(given.copy()).requires_grad_()
    found = pooled_vectors(vectors, factor)
    assert found.detach().numpy() == pytest.approx(pool(given, factor, "kmeans"), abs=1e-5)
    (found * torch.randn(found.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
    assert vectors.grad is not None
    assert float(vectors.grad.abs().sum()) > 0


def test_unpooled_scores_that_are_the_teachers_own_cost_nothing() -> None:
    import torch

    from training.late_training import late_loss

    asked, held = torch.randn(4, 8), [torch.randn(9, 8), torch.randn(7, 8)]
    assert float(late_loss(asked, held, [0.5, 0.1], 1, 0.0)) == pytest.approx(0.0, abs=1e-6)
    assert float(late_loss(asked, held, [0.5, 0.1], 4, 0.0)) > 0
    assert float(late_loss(asked, held, [0.5, 0.1], 1, 1.0)) > 0


def test_learning_lowers_the_loss_and_begins_the_same_each_time(model: Path, run: Run) -> None:
    from training.late_training import LateFinetuning
    from training.weights import Learner

    def losses() -> list[float]:
        learner = Learner(model, 64, 0, device="cpu")
        tuned = LateFinetuning(
            learner,
            RECIPE,
            ROWS,
            TEXTS,
            QUERIES,
            no_other_answer,
            None,
            run.folder,
            Teller(run),  # type: ignore[arg-type]
        )
        return [tuned._gradients(tuned.batches[0])] + [_step(tuned) for _ in range(tuned.steps)]

    def _step(tuned) -> float:
        tuned.one_step()
        return tuned._gradients(tuned.batches[0])

    first, again = losses(), losses()
    assert first[0] == pytest.approx(again[0], rel=1e-3)
    assert min(first[-3:]) < first[0]


def test_what_it_reaches_is_told_by_factor_before_and_after(model: Path) -> None:
    from training.late_training import FACTORS, LateDevelopment
    from training.weights import Learner

    learner = Learner(model, 64, 0, device="cpu")
    corpus = SimpleNamespace(documents=np.arange(len(TEXTS)))
    asked = [KnownQuery(text, "collection", {at: 1}) for at, text in ((0, QUERIES[0]), (5, QUERIES[1]))]
    order = np.array([3, 0, 5, 1])
    retrieved = [SimpleNamespace(fused=order, score=lambda rows: 0.5 - 0.01 * np.arange(len(rows)))] * 2
    development = LateDevelopment(corpus, TEXTS, asked, retrieved, learner, lambda: None)  # type: ignore[arg-type]
    assert sorted(development.pool) == sorted(order)
    found = development.score(learner)  # type: ignore[arg-type]
    table = found.against(found, 7).factors
    assert [factor for factor, _, _ in table] == list(FACTORS)
    assert all(before == after and 0 < before <= 1 for _, before, after in table)
    assert found.against(found, 7).low == 0.0


def test_the_table_by_factor_survives_its_event() -> None:
    event = Evaluated(
        step=1, share=1.0, base=0.5, candidate=0.6, low=0.0, high=0.2, drift=0.0, factors=((1, 0.5, 0.6), (4, 0.4, 0.6))
    )
    assert decode(encode(event)) == event
    assert (
        decode(encode(Evaluated(step=1, share=1.0, base=0.5, candidate=0.6, low=0.0, high=0.2, drift=0.0))) is not None
    )


def test_the_recipe_draws_eight_candidates() -> None:
    recipe = RECIPES["late"]
    assert (recipe.kind, 1 + recipe.negatives) == ("late", 8)
    assert protocol.STAGES[2] == "training"
