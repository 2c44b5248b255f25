"""Events as lines of JSON: what is written can be read back, and nothing else is taken for an event."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import WorkerError
from engine.events import EVENT_TYPES, Committed, Event, FileFailed, Progress, from_line, to_line
from engine.json_lines import MAX_LINE_BYTES, Tail
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
    "line",
    [
        "", "{", "7", "[]", "null", "{}", '{"type": "progress"}', '{"type": "unheard of"}', '{"type": []}', "[" * 9000,
        '{"type": "committed", "at": 1.0, "documents": "three", "passages": 1}',
        '{"type": "stepped", "at": "now"}',
    ],
)  # fmt: skip
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


# --- the tail of a file -----------------------------------------------------------------------------------------------


def committed(*numbers: int) -> bytes:
    return b"".join(to_line(Committed(at=7.5, documents=n, passages=1)).encode() + b"\n" for n in numbers)


def numbers(events: list[Event]) -> list[int]:
    return [event.documents for event in events if isinstance(event, Committed)]


def append(path: Path, piece: bytes) -> None:
    with path.open("ab") as file:
        file.write(piece)


def tail_of(path: Path, *, from_now: bool = False) -> Tail[Event]:
    return Tail(path, EVENT_TYPES, from_now=from_now)


def test_a_tail_waits_for_its_file_and_for_the_rest_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "events"
    tail = tail_of(path)
    assert tail.read() == []
    append(path, committed(1) + committed(2)[:20])
    assert numbers(tail.read()) == [1]
    assert tail.read() == []
    append(path, committed(2)[20:] + committed(3))
    assert numbers(tail.read()) == [2, 3]
    tail.close()


def test_a_tail_from_now_on_tells_nothing_that_was_told_before(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_bytes(committed(1, 2) + committed(3)[:20])
    tail = tail_of(path, from_now=True)
    assert tail.read() == []
    append(path, committed(3)[20:] + b'{"type": "of a newer version"}\n' + committed(4))
    assert numbers(tail.read()) == [3, 4]  # the line of 3 is whole only now


def test_a_tail_from_now_on_begins_where_a_missing_file_does(tmp_path: Path) -> None:
    path = tmp_path / "events"
    tail = tail_of(path, from_now=True)
    path.write_bytes(committed(1))
    assert numbers(tail.read()) == [1]


@pytest.mark.parametrize(
    "junk", [b"no event\n", b"\xff\xfe\x00{\n", b"\n\n", b"\0" * 4096 + b"\n", b"x" * 3 * MAX_LINE_BYTES + b"}\n"]
)
@pytest.mark.parametrize("at_most", [100, 1 << 20])
def test_a_tail_passes_over_what_is_no_event(tmp_path: Path, junk: bytes, at_most: int) -> None:
    path = tmp_path / "events"
    path.write_bytes(committed(1) + junk + committed(2))
    tail = tail_of(path)
    found = tail.read(at_most)
    while tail.behind:
        found += tail.read(at_most)
    assert numbers(found) == [1, 2]


def emptied(path: Path, anew: bytes) -> None:
    os.truncate(path, 0)
    append(path, anew)


def replaced(path: Path, anew: bytes) -> None:
    draft = path.with_name("draft")
    draft.write_bytes(anew)
    os.replace(draft, path)


def removed(path: Path, anew: bytes) -> None:
    path.unlink()
    path.write_bytes(anew)


@pytest.mark.parametrize("begin", [emptied, replaced, removed])
@pytest.mark.parametrize("length", [1, 3, 9], ids=["shorter", "as long", "longer"])
@pytest.mark.parametrize("from_now", [False, True])
def test_a_tail_begins_anew_with_its_file(
    tmp_path: Path, begin: Callable[[Path, bytes], None], length: int, from_now: bool
) -> None:
    path = tmp_path / "events"
    path.write_bytes(committed(1, 2, 3))
    tail = tail_of(path, from_now=from_now)
    assert numbers(tail.read()) == ([] if from_now else [1, 2, 3])
    anew = [4, 5, 6, 7, 8, 9, 1, 2, 3][:length]
    begin(path, committed(*anew))
    assert numbers(tail.read()) == anew
    assert tail.beginnings == 1
    append(path, committed(7))
    assert numbers(tail.read()) == [7]
    tail.close()


def test_half_a_line_of_a_file_that_began_anew_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_bytes(committed(1) + committed(2)[:30])
    tail = tail_of(path)
    assert numbers(tail.read()) == [1]
    emptied(path, committed(3, 4))
    assert numbers(tail.read()) == [3, 4]


def test_the_last_words_of_a_file_that_is_replaced_come_first(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_bytes(committed(1))
    tail = tail_of(path)
    assert numbers(tail.read()) == [1]
    append(path, committed(2))
    replaced(path, committed(3))
    assert numbers(tail.read() + tail.read()) == [2, 3]


def test_a_file_that_is_removed_is_read_on(tmp_path: Path) -> None:
    path = tmp_path / "events"
    with path.open("ab", buffering=0) as writer:
        writer.write(committed(1))
        tail = tail_of(path)
        assert numbers(tail.read()) == [1]
        path.unlink()
        writer.write(committed(2))
        assert numbers(tail.read()) == [2]


def test_a_file_that_cannot_be_read_is_told_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tail = tail_of(tmp_path)  # a folder
    assert [tail.read() for _ in range(3)] == [[], [], []]
    assert [record.getMessage() for record in caplog.records] == ["events cannot be read: [Errno 21] Is a directory"]
