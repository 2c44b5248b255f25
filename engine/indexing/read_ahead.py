"""Reads ahead of the writer: a thread looks into files while the caller embeds and writes those before them."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from engine.indexing.budget import Budget
from engine.indexing.stop_signal import Signal
from engine.indexing.work_items import Outcome, Read, Work

BYTES_UNDER_WAY = 8 * 2**20  # of files between reading and commit; a larger file travels alone
FILES_UNDER_WAY = 256
BATCH_PASSAGES = 64  # about two seconds of embedding: what a stop may cost, and how soon readers see something new
BATCH_FILES = 256  # small files whose passages are known already
PATIENCE_SECONDS = 0.05  # how long a batch that has something waits for more
LISTEN_SECONDS = 0.2  # how often a waiting caller looks whether it is to stop


class ReadAhead:
    """Looks into `work` in order, in its own thread, and gives what came of it in batches.

    `alone` says which files must have no company while they are under way. The caller says `done` for each outcome
    once it is written. An error that is not about one file is raised where the batches are taken.
    """

    def __init__(
        self,
        work: Sequence[Work],
        look: Callable[[Work], Outcome],
        stop: Signal,
        alone: Callable[[Work], bool] = lambda _: False,
    ) -> None:
        self._work = work
        self._look = look
        self._stop = stop
        self._alone = alone
        self._budget = Budget(BYTES_UNDER_WAY)
        self._closed = False
        self._outcomes: queue.Queue[Outcome | BaseException | None] = queue.Queue(FILES_UNDER_WAY)
        self._thread = threading.Thread(target=self._run, name="read-ahead", daemon=True)

    def batches(self) -> Iterator[list[Outcome]]:
        """Give outcomes as they come, as many at once as are there, until all are given or `stop` is set."""
        self._thread.start()
        ended = False
        while not ended and not self._stop.is_set():
            batch, ended = self._gather()
            if batch:
                yield batch

    def done(self, work: Work) -> None:
        """Let another file take the place of one that is written."""
        self._budget.give_back(self._weight(work))

    def close(self, patience: float = math.inf) -> bool:
        """End the thread after the file that it reads, waiting so many seconds; return whether it has ended."""
        self._closed = True
        until = time.monotonic() + patience
        while self._thread.is_alive() and time.monotonic() < until:
            while not self._outcomes.empty():
                self._outcomes.get_nowait()
            self._thread.join(0.01)
        return not self._thread.is_alive()

    def _gather(self) -> tuple[list[Outcome], bool]:
        batch: list[Outcome] = []
        passages = 0
        while passages < BATCH_PASSAGES and len(batch) < BATCH_FILES and not self._stop.is_set():
            try:
                outcome = self._outcomes.get(timeout=PATIENCE_SECONDS if batch else LISTEN_SECONDS)
            except queue.Empty:
                if batch:
                    break
                continue
            if outcome is None:
                return batch, True
            if isinstance(outcome, BaseException):
                raise outcome
            batch.append(outcome)
            passages += len(outcome.passages) if isinstance(outcome, Read) else 0
        return batch, False

    def _run(self) -> None:
        try:
            for work in self._work:
                if not self._budget.take(self._weight(work), self._halted):
                    return
                self._outcomes.put(self._look(work))
        except BaseException as error:
            self._outcomes.put(error)
        else:
            self._outcomes.put(None)

    def _halted(self) -> bool:
        return self._closed or self._stop.is_set()

    def _weight(self, work: Work) -> int:
        return BYTES_UNDER_WAY if self._alone(work) else min(work.stat.size, BYTES_UNDER_WAY)
