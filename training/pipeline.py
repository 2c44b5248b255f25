"""Carries a run from its queries to its verdict in five stages; a killed run goes on behind the last file left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.embedding.manifest import ADAPTER_FILE
from engine.errors import UsageError
from training import estimate, gate, hard_negatives, library_snapshot, query_sources, review
from training.adapter_training import AdapterTraining
from training.candidate import Candidate, install
from training.dev_evaluation import MOST_PASSAGES, MOST_QUERIES, DevEvaluation
from training.finetune import Finetuning
from training.held_out_test import HeldOutTest
from training.kept_stages import QUERIES_FILE, ROWS_FILE, TUNED_FILE
from training.known_queries import KnownQuery
from training.late_training import LateDevelopment, LateFinetuning
from training.loss import Answers
from training.protocol import Judged, Mined, QueriesMade, SplitsMade, StageStarted
from training.review import doubtful_first, example
from training.staged_run import StagedRun
from training.weights import SOURCE_FOLDER, Learner, source_of

REPORT_EVERY = 50  # queries mined between two events
EXAMPLES = 60  # shown of all rows
LEAST_ROWS = 8  # fewer teach nothing
ADAPTER_QUERIES, ADAPTER_PASSAGES = 1000, 5000  # of development: nothing is embedded, so more can be asked


class Pipeline(StagedRun):
    """Carries out one plan. Raises Cancelled, CarrelError."""

    def carry_out(self) -> None:
        """Do what is left of the run, and tell how it ended."""
        self._begin(self._estimated())
        known = self._queries()
        rows = self._rows(known)
        candidate = self._tuned(rows)
        verdict = self._judged(candidate)
        self._finish(candidate, verdict)

    def _estimated(self) -> float | None:
        """Return about how long the run will take, None where that cannot be told any more."""
        if (self._run.folder / QUERIES_FILE).exists():
            return None
        estimate.measure(self._plan.how, self._plan.base)
        return estimate.expected(self._plan, library_snapshot.passages(self._plan))

    # --- stages ------------------------------------------------------------------------------------------------------

    def _queries(self) -> list[KnownQuery]:
        kept = self._begin_stage_of_queries()
        self._known = self._gathered() if kept is None else kept
        split = self._split
        self._teller.tell(
            SplitsMade(
                train=len(split.train),
                development=len(split.development),
                test=len(split.test),
                groups=split.groups,
                smallest_gain=gate.smallest_gain(len(split.test)) if split.test else None,
                shared=len(split.shared),
                seconds=estimate.expected(
                    self._plan, len(self._snapshot.corpus.ids), learnt=len(split.train), held_out=len(split.test)
                ),
            )
        )
        return self._known

    def _gathered(self) -> list[KnownQuery]:
        """Return what the sources give, and tell of each. Raises UsageError where it is nothing."""
        found: dict[str, KnownQuery] = {}
        for name in self._plan.sources:
            self._teller.check()
            made = query_sources.gather(self._snapshot, name)
            for query in made.kept:
                found.setdefault(query.text.casefold(), query)
            self._teller.tell(QueriesMade(origin=name, made=made.made, kept=len(made.kept), dropped=dict(made.dropped)))
        if not found:
            raise UsageError(
                "There are no queries to learn from.",
                fix="Mark results with + and -, or give judged questions with --judged FILE.",
            )
        self._keep(QUERIES_FILE, [query.to_json() for query in found.values()])
        return list(found.values())

    def _rows(self, known: Sequence[KnownQuery]) -> list[hard_negatives.Row]:
        self._teller.tell(StageStarted(stage="mining"))
        kept = self._kept(ROWS_FILE)
        if kept is not None:
            return [hard_negatives.Row.from_json(each) for each in kept]
        rows = self._mine(known)
        corpus = self._snapshot.corpus
        folders = {row.passages[0]: int(corpus.folders[row.passages[0]]) for row in rows}
        chosen = _enough(hard_negatives.sample(rows, folders, self._plan.budget, self._plan.seed), "found")
        self._keep(ROWS_FILE, [row.to_json() for row in chosen])
        return chosen

    def _mine(self, known: Sequence[KnownQuery]) -> list[hard_negatives.Row]:
        """Return the rows that the train queries give, and tell of them on the way."""
        train = self._split.train
        miner = hard_negatives.Miner(self._snapshot.corpus, known, self._split.group, self._plan.how.negatives)
        texts = [known[each].text for each in train]
        rows: list[hard_negatives.Row] = []
        for place, retrieved in enumerate(self._snapshot.retriever.search(texts, self._vectors[list(train)])):
            self._teller.check()
            found = list(miner.rows(train[place], retrieved))
            rows += found
            if found and miner.counts.queries % max(len(train) // EXAMPLES, 1) == 0:
                self._teller.tell(example(found[0], known, self._snapshot))
            if miner.counts.queries % REPORT_EVERY == 0 or miner.counts.queries == len(train):
                self._teller.tell(_mined(miner.counts, len(train)))
        return rows

    def _tuned(self, rows: Sequence[hard_negatives.Row]) -> Candidate:
        kept, late = self._kept(TUNED_FILE), self._plan.how.kind == "late"
        if kept is None:
            rows = self._accepted(rows)
        self._teller.tell(StageStarted(stage="training"))
        if kept is not None:
            return Candidate(self._run.folder, kept["share"], late)
        share = self._adapted(rows) if self._plan.how.kind == "adapter" else self._finetuned(rows)
        self._keep(TUNED_FILE, {"share": share})
        return Candidate(self._run.folder, share, late)

    def _accepted(self, rows: Sequence[hard_negatives.Row]) -> list[hard_negatives.Row]:
        """Return the rows without those that the person rejected; which they are is settled here, once."""
        kept = self._kept(review.LEARNT_FILE)
        if kept is not None:
            return [hard_negatives.Row.from_json(each) for each in kept]
        if self._plan.review:
            looked_at = doubtful_first(rows, review.MOST_EXAMPLES)
            offered = review.offer(self._run, (example(each, self._known, self._snapshot) for each in looked_at))
            self._teller.await_review(offered)
        self._teller.check()
        refused = review.rejected(self._run)
        accepted = _enough([row for row in rows if row.number not in refused], "accepted")
        self._keep(review.LEARNT_FILE, [row.to_json() for row in accepted])
        return accepted

    def _adapted(self, rows: Sequence[hard_negatives.Row]) -> float:
        training = AdapterTraining(
            self._plan.how,
            rows,
            self._vectors,
            self._snapshot.corpus.vectors,
            self._answers(),
            self._development(ADAPTER_QUERIES, ADAPTER_PASSAGES),
            self._snapshot.encoder,
            self._teller,
            self._plan.seed,
        )
        share = training.run()
        if share:
            training.adapter.write(self._run.folder / ADAPTER_FILE)
        return share

    def _finetuned(self, rows: Sequence[hard_negatives.Row]) -> float:
        learner = Learner(source_of(self._snapshot.encoder.manifest), self._plan.how.length, self._plan.how.frozen)
        late = self._plan.how.kind == "late"
        tuning = (LateFinetuning if late else Finetuning)(
            learner,
            self._plan.how,
            rows,
            self._snapshot.texts,
            [query.text for query in self._known],
            self._answers(),
            self._late_development(learner) if late else self._development(),
            self._run.folder,
            self._teller,
        )
        share = tuning.run()
        if share:
            learner.save(self._run.folder / SOURCE_FOLDER)
        tuning.forget()
        return share

    def _judged(self, candidate: Candidate) -> Judged:
        self._teller.tell(StageStarted(stage="judging"))
        test = HeldOutTest(self._run, self._snapshot, self._known, self._split, self._teller)
        judged = test.judge(candidate)
        self._teller.tell(judged)
        return judged

    def _finish(self, candidate: Candidate, verdict: Judged) -> None:
        self._teller.tell(StageStarted(stage="export"))
        outcome = "promotable" if verdict.promotable else "stopped" if self._teller.stopped else "not promotable"
        model = install(candidate, self._run.name) if candidate.share else None
        self._end(outcome, verdict, model, {"model": model or ""})

    # --- what several stages need ------------------------------------------------------------------------------------

    def _development(self, queries: int = MOST_QUERIES, passages: int = MOST_PASSAGES) -> DevEvaluation:
        chosen = [each for each in self._split.development if self._known[each].relevant][:queries]
        asked = [self._known[each] for each in chosen]
        retrieved = list(self._snapshot.retriever.search([query.text for query in asked], self._vectors[chosen]))
        return DevEvaluation(
            self._snapshot.corpus, self._snapshot.retriever, asked, retrieved, self._snapshot.texts, passages
        )

    def _late_development(self, learner: Learner) -> LateDevelopment:
        chosen = [each for each in self._split.development if self._known[each].relevant]
        asked = [self._known[each] for each in chosen]
        retrieved = list(self._snapshot.retriever.search([query.text for query in asked], self._vectors[chosen]))
        return LateDevelopment(
            self._snapshot.corpus, self._snapshot.texts, asked, retrieved, learner, self._teller.check
        )

    def _answers(self) -> Answers:
        """Return what tells which passages answer a query, or another one of its group."""
        documents = self._snapshot.corpus.documents
        gathered: dict[int, set[int]] = {}
        for query, group in zip(self._known, self._split.group, strict=True):
            gathered.setdefault(group, set()).update(query.relevant)
        listed = {group: np.array(sorted(found), np.int64) for group, found in gathered.items()}
        group_of = self._split.group
        return lambda query, rows: np.isin(documents[list(rows)], listed[group_of[query]])


def _enough(rows: list[hard_negatives.Row], what: str) -> list[hard_negatives.Row]:
    """Return the rows. Raises UsageError where they are too few to teach anything."""
    if len(rows) < LEAST_ROWS:
        raise UsageError(
            f"Only {len(rows)} examples to learn from were {what}.",
            fix="Add queries: marks, judged questions, or another source.",
        )
    return rows


def _mined(counts: hard_negatives.MiningCounts, of: int) -> Mined:
    return Mined(
        queries=counts.queries,
        of=of,
        triples=counts.triples,
        disagreement=counts.share(counts.vector_blind + counts.keyword_blind),
        vector_blind=counts.share(counts.vector_blind),
        keyword_blind=counts.share(counts.keyword_blind),
        dropped=dict(counts.dropped),
    )
