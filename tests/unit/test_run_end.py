"""What a model computes ends when another thread says so, and then gives nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from onnxruntime import InferenceSession, RunOptions

from engine.embedding.catalogue import load
from engine.embedding.encoder import Encoder
from engine.retrieval.cancellation import Cancellation, SearchCancelled
from engine.run_end import RunEnd, RunEnded, run

TEXT = "how do I stop my bread from sticking to the tin"
PATIENCE_SECONDS = 120.0


class Told:
    """The real session of an encoder, to which an end comes once a run has begun."""

    def __init__(self, session: InferenceSession, end: RunEnd) -> None:
        self.session, self.end = session, end
        self.runs = 0

    def run(self, names: None, given: Mapping[str, Any], options: RunOptions) -> Any:
        """Have the run ended, and make it."""
        self.runs += 1
        self.end.end()
        return self.session.run(names, given, options)


@pytest.fixture
def encoder() -> Encoder:
    return load()


def test_a_run_that_is_told_to_end_gives_nothing_and_is_not_remembered(encoder: Encoder) -> None:
    end, session = RunEnd(), encoder._model()
    told = Told(session, end)
    encoder._session = told  # type: ignore[assignment]  # the door of the library, which no text opens
    with end.ending(), pytest.raises(RunEnded):
        encoder.encode_query(TEXT)
    assert told.runs == 1
    encoder._session = session
    assert np.array_equal(encoder.encode_query(TEXT), load().encode_query(TEXT))


def test_a_thread_that_computes_ends_and_another_one_goes_on(encoder: Encoder) -> None:
    end, began, ended = RunEnd(), threading.Event(), threading.Event()

    def compute() -> None:
        try:
            with end.ending():
                while True:
                    encoder.encode_passages([TEXT])
                    began.set()
        except RunEnded:
            ended.set()

    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    assert began.wait(PATIENCE_SECONDS)
    end.end()
    assert ended.wait(PATIENCE_SECONDS)
    assert encoder.encode_passages([TEXT]).shape == (1, encoder.manifest.dimension)


def test_after_its_end_no_run_begins_and_outside_of_it_each_does(encoder: Encoder) -> None:
    end = RunEnd()
    end.end()
    with end.ending(), pytest.raises(RunEnded):
        encoder.encode_query(TEXT)
    assert encoder.encode_query(TEXT).shape == (encoder.manifest.dimension,)


def test_what_fails_by_itself_is_no_end(encoder: Encoder) -> None:
    end = RunEnd()
    with end.ending(), pytest.raises(Exception, match="input_ids") as caught:
        run(encoder._model(), {})
    assert not isinstance(caught.value, RunEnded)


def test_a_search_that_is_given_up_while_its_question_is_encoded_is_cancelled(encoder: Encoder) -> None:
    cancellation = Cancellation()

    class Connection:
        """As much of a connection as a cancellation asks for."""

        interrupted = False

        def interrupt(self) -> None:
            """Take note."""
            self.interrupted = True

        def heed(self, _given_up: Callable[[], bool] | None) -> None:
            """Ask nothing."""

        def was_interrupted(self, _error: Exception) -> bool:
            """Answer that no statement was."""
            return False

    connection = Connection()
    with pytest.raises(SearchCancelled), cancellation.guarding(connection):  # type: ignore[arg-type]
        cancellation.cancel()
        encoder.encode_query(TEXT)
    assert connection.interrupted


def test_the_time_of_a_question_is_that_of_the_search_that_was_made(encoder: Encoder) -> None:
    asked = encoder.encode_query(TEXT)
    took = encoder.query_ms(TEXT)
    assert took > 0.0
    assert encoder.query_ms(TEXT) == took and encoder.encode_query(TEXT) is asked
