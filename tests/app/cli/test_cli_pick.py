"""`carrel pick` and `carrel init` as scripts see them: what is printed where, and the code that they end with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_fakes import Call, FakeLibrary, a_hit, a_result

from app.cli import factories
from app.integrations import FILES
from app.tui.row_picker import Picked, PickRequest
from engine.errors import LibraryBusy, LibraryDamaged
from engine.records import Hit

STRONG = a_hit(b"/notes/a.md")
WEAK = a_hit(b"/notes/w.md", rank=2, passage_id=8, document_id=4, tier="weak")


class Screen:
    """Stands in for the screen: the person picks `hits`, or cancels where they are None."""

    def __init__(self) -> None:
        self.hits: tuple[Hit, ...] | None = (STRONG,)
        self.requests: list[PickRequest] = []
        self.fault: Exception | None = None

    def __call__(self, library: Path | None, request: PickRequest, deliver: Callable[[Picked | None], int]) -> int:
        self.requests.append(request)
        if self.fault is not None:
            raise self.fault
        return deliver(None if self.hits is None else Picked(self.hits, a_result(*self.hits), True))


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    screen = Screen()
    monkeypatch.setattr(factories, "open_picker", screen)
    return screen


def test_what_is_picked_is_printed_and_cancelling_prints_nothing(carrel: Call, screen: Screen) -> None:
    ended = carrel("pick", "--multi", "--height", "40%", "starter", "-stove")
    assert (ended.code, ended.out, ended.err) == (0, "/notes/a.md:14\n", "")
    assert screen.requests == [PickRequest("starter -stove", True, "40%")]

    screen.hits = (STRONG, WEAK)
    assert carrel("pick", "--print0", "--format", "{path}").out == "/notes/a.md\0/notes/w.md\0"
    picked = json.loads(carrel("pick", "--json").out)
    assert [row["path"] for row in picked["picked"]] == ["/notes/a.md", "/notes/w.md"] and picked["format"] == 1

    screen.hits = None
    for asked in ((), ("--json",), ("--print0",)):
        cancelled = carrel("pick", *asked)
        assert (cancelled.code, cancelled.out, cancelled.err) == (130, "", "")


def test_a_name_that_no_line_can_hold_is_no_success(carrel: Call, screen: Screen) -> None:
    screen.hits = (a_hit(b"/notes/two\nlines.md"),)
    refused = carrel("pick")
    assert (refused.code, refused.out) == (2, "")
    assert "two␊lines.md" in refused.err and "--print0" in refused.err
    assert carrel("pick", "--print0").out == "/notes/two\nlines.md:14\0"
    screen.hits = (STRONG, *screen.hits)
    assert (carrel("pick").code, carrel("pick").out) == (0, "/notes/a.md:14\n")


def test_a_filter_takes_what_is_relevant_and_weak_rows_only_where_there_are_none_better(
    carrel: Call, library: FakeLibrary
) -> None:
    library.result = a_result(STRONG, WEAK)
    assert carrel("pick", "--filter", "starter").out == "/notes/a.md:14\n"
    library.result = a_result(WEAK, verdict="weak")
    assert carrel("pick", "--filter", "starter").out == "/notes/w.md:14\n"
    library.result = a_result(WEAK, verdict="none")
    for asked in ("--filter", "--exit-0"):
        nothing = carrel("pick", asked, "starter")
        assert (nothing.code, nothing.out, nothing.err) == (1, "", "")
    assert carrel("pick", "--filter").code == 2


def test_one_match_alone_needs_no_screen(carrel: Call, library: FakeLibrary, screen: Screen) -> None:
    library.result = a_result(STRONG, WEAK)
    assert carrel("pick", "--select-1", "starter").out == "/notes/a.md:14\n"
    assert screen.requests == []
    library.result = a_result(STRONG, a_hit(b"/notes/b.md", rank=2, passage_id=9))
    assert carrel("pick", "--select-1", "--exit-0", "starter").code == 0
    assert [request.query for request in screen.requests] == ["starter"]


def test_a_file_gets_it_in_place_of_stdout_and_is_emptied_first(carrel: Call, screen: Screen) -> None:
    file = Path("picked")
    file.write_text("of before")
    ended = carrel("pick", "--output", "picked")
    assert (ended.code, ended.out, file.read_text()) == (0, "", "/notes/a.md:14\n")
    screen.hits = None
    assert (carrel("pick", "--output", "picked").code, file.read_text()) == (130, "")
    unwritable = carrel("pick", "--output", "nowhere/picked")
    assert unwritable.code == 2 and "cannot be written" in unwritable.err
    assert len(screen.requests) == 2


@pytest.mark.parametrize("fault", [LibraryDamaged("It is damaged."), LibraryBusy("Busy."), RuntimeError("a fault")])
def test_whatever_goes_wrong_ends_with_2(carrel: Call, screen: Screen, fault: Exception) -> None:
    screen.fault = fault
    ended = carrel("pick")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("carrel: ")


def test_a_full_disk_ends_with_2(carrel: Call, screen: Screen) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    full = carrel("pick", "--output", "/dev/full")
    assert full.code == 2 and "No space left" in full.err


@pytest.mark.parametrize("asked", [("--height", "0"), ("--height", "101%"), ("--format", "{no}"), ("--nope",)])
def test_what_cannot_be_meant_is_refused(carrel: Call, screen: Screen, asked: tuple[str, ...]) -> None:
    assert carrel("pick", *asked).code == 2
    assert screen.requests == []


@pytest.mark.parametrize("program", FILES)
def test_init_prints_what_binds_the_picker(carrel: Call, program: str) -> None:
    ended = carrel("init", program)
    assert ended.code == 0
    assert "carrel" in ended.out and "pick" in ended.out and f"carrel init {program}" in ended.out


def test_an_unknown_program_is_refused_with_the_known_ones(carrel: Call) -> None:
    ended: Any = carrel("init", "ed")
    assert ended.code == 2 and "yazi" in ended.err
