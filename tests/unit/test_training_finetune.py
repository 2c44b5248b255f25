"""Steps of training: bounded memory changes no gradient, learning lowers the loss, mixtures lie between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_training import QUERIES, ROWS, TEXTS, make_model, no_other_answer, unit_rows, where_training_is_installed

from engine.embedding.adapter import Adapter
from engine.errors import ModelError
from training import finetune
from training.adapter_training import AdapterTraining
from training.dev_evaluation import Score
from training.protocol import Evaluated
from training.run_channel import Teller
from training.run_plan import Plan, Recipe
from training.runs import Run, create

pytestmark = where_training_is_installed("torch", "transformers")
RECIPE = Recipe("test", "encoder", 8, 5e-3, 2, 2, 64, 0, 0.5, 1)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path))
    return create(Plan(name="mine"))


class Scripted:
    """Judges whatever it is given with the next of some figures, the base's first."""

    def __init__(self, *means: float) -> None:
        self.queries = ["a question"]
        self.pool = np.array([0, 1])
        self._means = list(means)

    def score(self, _model: object, _passages: object = None) -> Score:
        return Score(np.array([self._means.pop(0)]), unit_rows(2))


def tuning(model: Path, run: Run, frozen: int = 0, development: Scripted | None = None):
    from training.weights import Learner

    learner = Learner(model, 64, frozen, device="cpu")
    return learner, finetune.Finetuning(
        learner,
        RECIPE,
        ROWS,
        TEXTS,
        QUERIES,
        no_other_answer,
        development,  # type: ignore[arg-type]
        run.folder,
        Teller(run),
    )


def gradients(learner, tuned) -> np.ndarray:
    tuned._gradients(tuned.batches[0])
    found = np.concatenate([weight.grad.numpy().ravel() for weight in learner.learning() if weight.grad is not None])
    for weight in learner.learning():
        weight.grad = None
    return found


def test_two_passes_give_the_gradients_of_one(model: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import nullcontext

    from training import weights

    monkeypatch.setattr(weights, "half_precision", lambda _device: nullcontext())
    learner, tuned = tuning(model, run)
    at_once = gradients(learner, tuned)
    monkeypatch.setattr(finetune, "TOKENS_AT_ONCE", 0)
    monkeypatch.setattr(finetune, "PASSAGES_AT_ONCE", 2)
    assert np.abs(at_once).max() > 0
    assert np.allclose(gradients(learner, tuned), at_once, atol=1e-5)


def test_learning_lowers_the_loss(model: Path, run: Run) -> None:
    _, tuned = tuning(model, run)
    while tuned.progress.step < tuned.steps:
        tuned.one_step()
    losses = [event.loss for event in run.history()]
    assert losses[-1] < losses[0]


def test_frozen_layers_stay_as_they_are(model: Path, run: Run) -> None:
    learner, tuned = tuning(model, run, frozen=1)
    before = {name: weight.detach().clone() for name, weight in learner.model.named_parameters()}
    tuned.one_step()
    changed = {name for name, weight in learner.model.named_parameters() if not weight.equal(before[name])}
    assert changed
    assert all("layer.1." in name for name in changed)


def evaluations(run: Run) -> list[tuple[bool, int, float]]:
    return [(event.mixed, event.step, event.share) for event in run.history() if isinstance(event, Evaluated)]


def test_mixtures_tell_their_share_and_the_step_that_they_are_made_of(model: Path, run: Run) -> None:
    trained = [0.51, 0.53, 0.6, 0.52, 0.5, 0.5, 0.51, 0.5]
    _, tuned = tuning(model, run, development=Scripted(0.5, *trained, 0.55, 0.62, 0.61))
    assert tuned.run() == 0.5
    mixed = [(True, 3, share) for share in (0.25, 0.5, 0.75)]
    assert evaluations(run) == [*((False, step, 1.0) for step in range(1, 9)), *mixed]


def training(run: Run, *means: float) -> AdapterTraining:
    from engine.embedding import catalogue

    recipe = Recipe("test", "adapter", 3, 3e-3, 2, 2, 64, 0, 0.5, 1, rank=2)
    vectors, teller, scripted = unit_rows(8, 384), Teller(run), Scripted(*means)
    asked, base = unit_rows(2, 384), catalogue.load()
    return AdapterTraining(recipe, ROWS, asked, vectors, no_other_answer, scripted, base, teller, seed=1)  # type: ignore[arg-type]


def test_mixtures_of_an_adapter_tell_the_same(run: Run) -> None:
    assert training(run, 0.5, 0.55, 0.7, 0.6, 0.6, 0.6, 0.65).run() == 1.0
    mixed = [(True, 2, share) for share in (0.25, 0.5, 0.75)]
    assert evaluations(run) == [*((False, step, 1.0) for step in (1, 2, 3)), *mixed]


def test_an_adapter_that_is_stopped_before_it_learnt_is_none(run: Run) -> None:
    run.order("stop")
    assert training(run, 0.5).run() == 0.0
    assert evaluations(run) == []


def test_a_checkpoint_takes_the_training_up_where_it_was(model: Path, run: Run) -> None:
    learner, tuned = tuning(model, run)
    tuned.one_step()
    tuned._save()
    expected = learner.state()
    other, again = tuning(model, run)
    assert again.progress.step == 1
    again._continue_with_checkpoint()
    assert all(weight.equal(expected[name]) for name, weight in other.state().items())


def test_a_checkpoint_that_was_cut_short_is_passed_over(model: Path, run: Run) -> None:
    (run.folder / finetune.CHECKPOINT_FILE).write_bytes(b"PK\x03\x04 and no more")
    _, tuned = tuning(model, run)
    assert tuned.progress.step == 0


def test_a_mixture_lies_between_base_and_tuned(model: Path) -> None:
    import torch

    from training.weights import mixed

    found = mixed({"w": torch.zeros(3)}, {"w": torch.ones(3)}, 0.25)
    assert found["w"].tolist() == [0.25] * 3


def test_an_adapter_of_nothing_moves_nothing_and_two_make_one(tmp_path: Path) -> None:
    queries = unit_rows(20)
    chance = np.random.default_rng(5)
    one, two = (Adapter(*(chance.normal(size=(2, 16, 3)).astype(np.float32) / 10)) for _ in range(2))
    assert np.allclose(Adapter(np.zeros_like(one.up), one.down).apply(queries), queries, atol=1e-6)
    assert np.allclose(two.after(one).apply(queries), two.apply(one.apply(queries)), atol=1e-5)
    one.write(tmp_path / "adapter.npz")
    assert np.array_equal(Adapter.read(tmp_path / "adapter.npz").apply(queries), one.apply(queries))
    whole = (tmp_path / "adapter.npz").read_bytes()
    for damaged in (b"cut", b"", whole[:40], whole[:-40], whole.replace(b"down", b"drow")):
        (tmp_path / "adapter.npz").write_bytes(damaged)
        with pytest.raises(ModelError):
            Adapter.read(tmp_path / "adapter.npz")
