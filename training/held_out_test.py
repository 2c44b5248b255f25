"""Judges a candidate on the held-out test queries, which are asked nowhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from engine.embedding.encoder import Encoder
from training import gate, probe
from training.candidate import Candidate
from training.candidate_evaluation import RetrievalSystem, SystemScores, embedded
from training.changed_questions import changed_questions
from training.known_queries import KnownQuery
from training.late_stage import CandidateLateStage
from training.library_snapshot import LibrarySnapshot
from training.protocol import Judged, Preparing
from training.run_channel import Teller
from training.runs import LEDGER_FILE, Run, folder
from training.splits import Splits

LEAST_CLEAN = 20  # test queries that share nothing, from which they get a line of their own
NOTHING: gate.Series = ([], [])


class HeldOutTest:
    """The test queries of one run, on which its candidates are judged."""

    def __init__(
        self, run: Run, snapshot: LibrarySnapshot, known: Sequence[KnownQuery], split: Splits, teller: Teller
    ) -> None:
        self._run = run
        self._snapshot = snapshot
        self._known = known
        self._split = split
        self._teller = teller
        self._ledger = gate.Ledger(folder() / LEDGER_FILE)

    def judge(self, candidate: Candidate) -> Judged:
        """Build and judge a candidate. Where it is the base itself, no query of the test is asked."""
        test = [self._known[each] for each in self._split.test if self._known[each].relevant]
        alpha = gate.alpha_of(self._ledger.uses(test, self._run.name))
        if not candidate.share:
            return gate.verdict(NOTHING, NOTHING, NOTHING, {}, alpha, unchanged=True)
        self._teller.tell(Preparing(what="writing the model"))
        encoder = candidate.encoder(self._run.name, self._snapshot.encoder, self._facts())
        self._teller.tell(Preparing(what="asking general questions"))
        general = NOTHING if candidate.late else (probe.score(encoder), probe.score(self._snapshot.encoder))
        if not test:
            return gate.verdict(NOTHING, NOTHING, general, {}, alpha)
        answers = self._late_answers if candidate.late else self._answers
        plain, remembered = answers(encoder, test)
        alpha = gate.alpha_of(self._ledger.use(test, self._run.name))  # other runs may have used them meanwhile
        self._show(test, plain)
        others = {
            "MRR@10": _series(plain, "mrr_at_10"),
            "recall@100": _series(plain, "recall_at_100"),
            **self._clean(remembered),
        }
        return gate.verdict(_series(plain), _series(remembered), general, others, alpha)

    def _answers(self, encoder: Encoder, test: Sequence[KnownQuery]) -> tuple[list[SystemScores], list[SystemScores]]:
        """Return what candidate and base answer, memory off and on."""
        check = self._teller.check
        snapshot, corpus = self._snapshot, self._snapshot.corpus
        same = encoder.manifest.passage_fingerprint == snapshot.encoder.manifest.passage_fingerprint
        vectors = (
            corpus.vectors
            if same
            else embedded(self._run.folder, encoder, snapshot.texts, corpus.vectors, check, self._embedding)
        )
        learnt = [self._known[each] for each in (*self._split.train, *self._split.development)]
        taught = [query for query in learnt if query.labelled]
        plain, remembered = [], []
        for model, matrix in ((encoder, vectors), (snapshot.encoder, corpus.vectors)):
            self._teller.tell(Preparing(what=f"asking {len(test)} held-out queries"))
            system = RetrievalSystem(snapshot.connection, corpus, model, matrix, check)
            plain.append(system.answer(test, None, check))
            remembered.append(system.answer(test, system.remembering(taught), check) if taught else plain[-1])
        return plain, remembered

    def _late_answers(
        self, encoder: Encoder, test: Sequence[KnownQuery]
    ) -> tuple[list[SystemScores], list[SystemScores]]:
        """Return what the search answers with the candidate's late interaction, and without any; memory off and on.

        The vectors of both are the base's: a model for late interaction stands beside them.
        """
        check, snapshot, corpus = self._teller.check, self._snapshot, self._snapshot.corpus
        learnt = [self._known[each] for each in (*self._split.train, *self._split.development)]
        taught = [query for query in learnt if query.labelled]
        stage = CandidateLateStage(encoder, corpus.ids, snapshot.texts, check)
        system = RetrievalSystem(snapshot.connection, corpus, snapshot.encoder, corpus.vectors, check)
        past = system.remembering(taught) if taught else None
        plain, remembered = [], []
        for late in (stage, None):
            self._teller.tell(Preparing(what=f"asking {len(test)} held-out queries"))
            judged = system.with_late(late)
            plain.append(judged.answer(test, None, check))
            remembered.append(judged.answer(test, past, check) if past is not None else plain[-1])
        return plain, remembered

    def _clean(self, answered: Sequence[SystemScores]) -> dict[str, gate.Series]:
        """Return the scores of the test queries that share no document with what was learnt, where some do."""
        test = [each for each in self._split.test if self._known[each].relevant]
        shared = set(self._split.shared)
        kept = [place for place, each in enumerate(test) if each not in shared]
        if not shared or len(kept) < LEAST_CLEAN:
            return {}
        candidate, base = _series(answered)
        return {f"{len(kept)} that share nothing": ([candidate[at] for at in kept], [base[at] for at in kept])}

    def _show(self, test: Sequence[KnownQuery], plain: Sequence[SystemScores]) -> None:
        found = list(zip(plain[1].found, plain[0].found, strict=True))
        for shown in changed_questions(test, found, self._snapshot.corpus.titles):
            self._teller.tell(shown)

    def _facts(self) -> dict[str, Any]:
        """Return what a manifest says of how its model was trained."""
        return {
            "plan": self._run.record().plan.to_json(),
            "base": self._snapshot.encoder.manifest.fingerprint,
            "queries": len(self._known),
            "at": time.strftime("%Y-%m-%d"),
        }

    @property
    def _embedding(self) -> Callable[[int, int], None]:
        return lambda done, of: self._teller.tell(Preparing(what="embedding the library", done=done, of=of))


def _series(pair: Sequence[SystemScores], measure: str = "ndcg_at_10") -> gate.Series:
    return pair[0].values(measure).tolist(), pair[1].values(measure).tolist()
