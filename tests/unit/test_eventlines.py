"""Events as lines of JSON: what is written can be read back, and nothing else is taken for an event."""

from __future__ import annotations

import json

import pytest

from engine.errors import WorkerError
from engine.eventlines import MAX_LINE_BYTES
from engine.events import FileFailed, Progress, from_line, to_line
from training.protocol import Example, Judged, Measure, decode, encode

PROGRESS = Progress(at=7.5, files_done=1, files_total=2, passages=3, rate=4.0, seconds_left=None, path="a.md")
JUDGED = Judged(
    at=7.5,
    verdict="gain",
    queries=12,
    alpha=0.05,
    smallest_gain=0.01,
    reason="",
    advice=("none",),
    measures=(Measure(name="NDCG@10", base=0.4, candidate=0.5, low=0.02, high=0.18),),
)


def test_an_event_of_either_process_comes_back_as_it_was() -> None:
    assert from_line(to_line(PROGRESS)) == PROGRESS
    assert decode(encode(JUDGED)) == JUDGED


def test_a_line_begins_with_what_it_tells_of_and_when() -> None:
    assert list(json.loads(to_line(PROGRESS)))[:2] == ["type", "at"]
    assert list(json.loads(encode(JUDGED)))[:2] == ["type", "at"]


@pytest.mark.parametrize(
    "line", ["", "{", "7", "[]", "null", "{}", '{"type": "progress"}', '{"type": "unheard of"}', '{"type": []}']
)
def test_what_is_no_event_is_told_apart(line: str) -> None:
    with pytest.raises(WorkerError):
        from_line(line)
    assert decode(line) is None


def test_what_a_newer_version_added_is_passed_over() -> None:
    newer = json.dumps({**json.loads(to_line(PROGRESS)), "mood": "calm"})
    assert from_line(newer) == PROGRESS


def test_a_line_of_the_indexer_is_cut_to_its_limit_and_one_of_a_training_is_refused() -> None:
    line = to_line(FileFailed(path="ä" * MAX_LINE_BYTES, reason="too long"))
    assert len(line) < MAX_LINE_BYTES
    assert isinstance(from_line(line), FileFailed)
    example = Example(number=1, query="ä" * MAX_LINE_BYTES, positive="", negatives=(), kind="agreed", origin="")
    with pytest.raises(ValueError, match="longer than a line may be"):
        encode(example)
