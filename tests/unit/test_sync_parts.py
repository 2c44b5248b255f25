"""The small parts of a sync that have rules of their own: journal, progress, file times."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import CountingEncoder, Shelf, paragraph

from engine.events import Event, Progress
from engine.indexing.crash_recovery import Journal
from engine.indexing.embedding_queue import EmbeddingQueue
from engine.indexing.file_identity import COARSE_NS, FINE_NS, recorded_mtime
from engine.indexing.file_reader import Budget
from engine.indexing.stop_signal import Never
from engine.indexing.sync_progress import INTERVAL_SECONDS, ProgressMeter
from engine.store import pending_vectors

SECOND = 1_000_000_000


@given(st.lists(st.binary(min_size=1, max_size=40).map(lambda name: name.replace(b"\n", b"")), max_size=5))
def test_a_journal_remembers_any_name_through_a_death(
    tmp_path_factory: pytest.TempPathFactory, names: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("journal") / "reading"
    first = Journal(path)
    for name in names:
        first.begin(name)
    assert Journal(path).deaths == dict.fromkeys(names, 1)


def test_a_journal_that_is_closed_in_order_accuses_nobody(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "reading")
    journal.begin(b"/a")
    journal.close()
    assert not (tmp_path / "reading").exists()
    (tmp_path / "reading").write_bytes(b"{ torn")
    assert Journal(tmp_path / "reading").deaths == {}


def test_progress_is_told_ten_times_a_second_at_most_and_with_its_rate() -> None:
    now = [0.0]
    events: list[Event] = []
    meter = ProgressMeter(100, 100_000, events.append, clock=lambda: now[0])
    for _ in range(100):
        now[0] += INTERVAL_SECONDS / 2
        meter.passages_done(5, b"/a")
        meter.file_done(b"/a", 500)
    assert len(events) <= 51
    last = events[-1]
    assert isinstance(last, Progress)
    assert last.rate == pytest.approx(100, rel=0.05)
    assert last.seconds_left == pytest.approx(5, rel=0.1)  # half of the bytes took five seconds


@given(st.integers(SECOND, 2**60), st.integers(-10 * SECOND, 10 * SECOND))
def test_a_file_time_is_put_off_only_where_the_file_was_just_written(mtime_ns: int, later: int) -> None:
    tick = COARSE_NS if mtime_ns % SECOND == 0 else FINE_NS
    assert recorded_mtime(mtime_ns, mtime_ns + later) == (mtime_ns - 1 if abs(later) < tick else mtime_ns)


def test_a_file_above_the_budget_travels_alone() -> None:
    budget = Budget(10)
    assert budget.take(50, lambda: False)
    stopped = threading.Event()
    stopped.set()
    assert not budget.take(1, stopped.is_set)
    budget.give_back(50)
    assert budget.take(4, lambda: False)
    assert budget.take(6, lambda: False)


class TextByText(CountingEncoder):
    """Asks before each text, as the real encoder does."""

    before_each: Callable[..., None] | None = None

    def encode_passages(self, texts: Sequence[str]):
        for text in texts:
            if self.before_each is not None:
                self.before_each()
            self.texts.append(text)
        return super().encode_queries(texts)


def test_a_step_of_embedding_is_broken_off_between_two_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    shelf, encoder = Shelf(tmp_path), TextByText()
    shelf.write("a.md", "\n\n".join(paragraph(f"word{sign}x") for sign in "abcdefg"))
    waits: list[str] = []
    encoder.before_each = lambda stopped: waits.append("for typing")
    shelf.encoder = encoder
    shelf.sync(meaning=False)
    waiting = pending_vectors.count(shelf.conn)

    class AfterThree:
        def is_set(self) -> bool:
            return len(encoder.texts) >= 3

    queue = EmbeddingQueue(shelf.conn, lambda: encoder, shelf.events.append)
    assert queue.work(AfterThree()) == 0
    assert (len(encoder.texts), pending_vectors.count(shelf.conn)) == (3, waiting)
    assert waits == ["for typing"] * 3
    assert queue.work(Never()) == waiting
    assert pending_vectors.count(shelf.conn) == 0
