"""The protocol on candidates of a known kind: what is ruined is refused, what is harmless is no gain.

The embedded model answers the questions that ship with Carrel over documents of three passages each; a candidate is
another way to make a vector of the same token states. Nothing here knows which candidate it is.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from injected_candidates import INJECTED, TokenStates, vectors
from made_once import made_once
from shadow_searches import chosen, reviewed

from engine.embedding import catalogue
from engine.evaluation.metrics import ndcg
from engine.records import ShadowPair, ShadowSearch
from training import blind_review, probe
from training.shadow_agreement import AgreementReport, report
from training.shadow_decision import Decision, Evidence, GateFinding, decide
from training.shadow_gate import of_series

pytestmark = pytest.mark.training
TOP = 20
NEAREST = 100  # documents of a question that are compared, the nearest under the model in use
COUNTED = 0.93  # quantile of their cosines from which the model in use counts one
APART = 100  # passages of a document lie so far apart, on other subjects

BETTER = "the embedded model beside noise"


@dataclass(frozen=True)
class Answers:
    """Both models' searches over all questions, and the NDCG@10 of each."""

    searches: tuple[ShadowSearch, ...]
    a: list[float]
    b: list[float]
    reference: float

    @cached_property
    def report(self) -> AgreementReport:
        return report(self.searches, self.reference)

    @cached_property
    def gate(self) -> GateFinding:
        found = of_series((self.b, self.a))
        assert found is not None
        return found

    def decision(self, review: blind_review.ReviewStanding | None = None, **changed: object) -> Decision:
        found = self.report
        facts = {
            "coverage": 1.0,
            "tiers_fitted": True,
            "fitted_pairs": found.overall.pairs,
            "fitted_queries": found.queries,
            "agreement": found.overall,
            "review": review or reviewed(),
            "gate": self.gate,
        }
        return decide(Evidence(**(facts | changed)))  # type: ignore[arg-type]


def documents() -> tuple[list[str], list[tuple[str, set[int]]]]:
    """Return documents of three passages, and each question with the documents that answer it."""
    general = probe.general()
    count = len(general.passages)
    texts = [" ".join(general.passages[(at + step * APART) % count] for step in range(3)) for at in range(count)]
    return texts, [(text, {(answer - step * APART) % count for step in range(3)}) for text, answer in general.questions]


def answers(states: TokenStates, base: str, candidate: str) -> Answers:
    """Ask both all questions."""
    texts, questions = documents()
    cosines = [
        vectors(states, [text for text, _ in questions], name) @ vectors(states, texts, name).T
        for name in (base, candidate)
    ]
    reference = float(np.quantile(np.sort(cosines[0])[:, -NEAREST:], COUNTED))
    searches, scores = [], ([], [])
    for number, (row_a, row_b, (text, right)) in enumerate(zip(*cosines, questions, strict=True), 1):
        tops = [np.argsort(-row, kind="stable")[:TOP].tolist() for row in (row_a, row_b)]
        for kept, top in zip(scores, tops, strict=True):
            kept.append(ndcg([str(place) for place in top], {str(place): 1 for place in right}))
        searches.append(_search(number, text, row_a, row_b, tops))
    return Answers(tuple(searches), scores[0], scores[1], reference)


def _search(number: int, text: str, row_a: np.ndarray, row_b: np.ndarray, tops: Sequence[list[int]]) -> ShadowSearch:
    pairs = tuple(
        ShadowPair(str(place).encode(), None, None, float(row_a[place]), float(row_b[place]), "weak", "weak", 0.0)
        for place in np.argsort(-row_a, kind="stable")[:NEAREST].tolist()
    )
    a, b = (tuple(str(place).encode() for place in top) for top in tops)
    return ShadowSearch(text, "held-out", "likely", "likely", 1.0, 1.0, a, b, words=len(text.split()), pairs=pairs,
                        id=number)  # fmt: skip


def reviewed_by_judgements(found: Answers, seed: int, faithful: float = 0.8) -> blind_review.ReviewStanding:
    """Let a reviewer choose who follows the judgements in so many cases, and the same where both are as good."""
    chance, done = random.Random(seed), []
    for proposal in blind_review.proposals(found.searches, (), seed):
        at = proposal.search.id - 1
        better = found.b[at] - found.a[at]
        if proposal.control or better == 0:
            choice = "tie"
        else:
            right = (better > 0) == (chance.random() < faithful)
            choice = "left" if right == proposal.left_is_b else "right"
        done.append(chosen(proposal.search.id, left_is_b=proposal.left_is_b, choice=choice, control=proposal.control))
        if blind_review.standing((), done, seed).outcome != "open":
            break
    return blind_review.standing((), done, seed)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    """Give the answers of each candidate beside the embedded model, and of that one beside a ruined one."""
    kept = made_once(tmp_path_factory, "injected-candidates", ask_everything) / "answers.pickle"
    found: dict[str, Answers] = pickle.loads(kept.read_bytes())
    return found


def ask_everything(folder: Path) -> None:
    states = TokenStates(catalogue.load())
    found = {name: answers(states, "embedded", name) for name in INJECTED}
    found[BETTER] = answers(states, "noise", "embedded")
    (folder / "answers.pickle").write_bytes(pickle.dumps(found))


@pytest.fixture
def injected(everything: dict[str, Answers]) -> dict[str, Answers]:
    return {name: everything[name] for name in INJECTED}


@pytest.mark.parametrize("name", ["noise", "[CLS] for the mean"])
def test_what_is_ruined_is_refused_by_the_gate_and_by_the_reviews(injected: dict[str, Answers], name: str) -> None:
    found = injected[name]
    assert found.gate.queries == 200
    assert found.decision().verdict == "refused"
    for seed in range(10):
        review = reviewed_by_judgements(found, seed)
        assert review.tally.reviews <= 100
        assert found.decision(review, gate=None).verdict == "refused"


def test_what_is_harmless_is_never_a_gain_and_never_accepted(injected: dict[str, Answers]) -> None:
    found = injected["harmless"]
    assert found.gate.verdict == "no gain"
    assert found.report.overall.kappa > 0.9 and found.report.overall.rbo > 0.85
    for seed in range(20):
        assert found.decision(reviewed_by_judgements(found, seed)).verdict != "accepted"


def test_raw_agreement_is_high_for_all_and_kappa_tells_them_apart(injected: dict[str, Answers]) -> None:
    """Some cut makes even what is ruined agree in more than nine pairs of ten, by counting next to nothing."""
    reports = {name: found.report for name, found in injected.items()}
    for each in reports.values():
        assert max(point.agreement for point in each.curve.points) > 0.92
    kappas = {name: each.overall.kappa for name, each in reports.items()}
    assert kappas["harmless"] > kappas["first 40 tokens"] > 0.7
    assert max(kappas["noise"], kappas["[CLS] for the mean"]) < 0.5


def test_the_cut_carried_over_fails_another_pooling_and_nothing_is_taken_into_use_with_it(
    injected: dict[str, Answers],
) -> None:
    curve = injected["[CLS] for the mean"].report.curve
    assert curve is not None
    assert curve.carried.agreement < 0.1 and curve.carried.kappa == pytest.approx(0)
    assert curve.fitted.agreement > 0.8 and curve.fitted.kappa > curve.carried.kappa
    preferred = reviewed(won=11)
    assert not injected["harmless"].decision(preferred, tiers_fitted=False).promotable
    assert injected["harmless"].decision(preferred).promotable


def test_a_better_candidate_is_accepted_by_the_gate(everything: dict[str, Answers]) -> None:
    found = everything[BETTER]
    assert found.gate.verdict == "gain"
    assert found.decision().promotable
