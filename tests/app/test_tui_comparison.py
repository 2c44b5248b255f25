"""A finished search is made with the model beside too, after its rows stand, where that was switched on."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from beside_fakes import NOW, candidate
from fake_encoder import FakeEncoder
from fakes import STILL, FakeLibrary, ports
from numpy.typing import NDArray
from onnxruntime import RunOptions
from piloting import pressed, screen_of, settle, told, typed

from app.tui.app import CarrelApp
from app.tui.ports import Opened, Pace
from app.tui.settings_file import SettingsFile
from app.tui.threads import SWITCH_SECONDS
from engine import run_end
from engine.config import Config, change
from engine.embedding import catalogue
from engine.errors import LibraryBusy
from engine.library import Library
from engine.retrieval.cancellation import Cancellation

QUERY = "sourdough starter"
ON = Config(shadow=True)


def browser(library: FakeLibrary, config: Config, pace: Pace = STILL) -> CarrelApp:
    settings = SettingsFile()
    settings.config = config
    return CarrelApp(replace(ports(library, pace=replace(pace, settle=0.0)), settings=settings))


async def test_a_search_that_rested_goes_through_both_models_once() -> None:
    library = FakeLibrary()
    async with browser(library, ON).run_test(size=(120, 40)) as pilot:
        screen = await typed(pilot, QUERY)
        screen.parts.search.ask_again()  # as after a commit of the indexer
        await settle(pilot)
        assert library.compared == [(QUERY, "live")]


async def test_behind_a_comparison_the_screen_waits_no_longer_for_the_searches_than_before() -> None:
    library, before = FakeLibrary(), sys.getswitchinterval()
    try:
        sys.setswitchinterval(SWITCH_SECONDS)  # as the browser does in a terminal, once all of it is imported
        async with browser(library, ON).run_test(size=(120, 40)) as pilot:
            await typed(pilot, QUERY)
            assert library.compared == [(QUERY, "live")]
            assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)
    finally:
        sys.setswitchinterval(before)


async def test_a_search_without_words_goes_through_none() -> None:
    library = FakeLibrary()
    async with browser(library, ON).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert library.compared == []


async def test_switched_off_nothing_is_asked_of_the_model_beside() -> None:
    library = FakeLibrary()
    async with browser(library, Config(search_log=True)).run_test(size=(120, 40)) as pilot:
        await typed(pilot, QUERY)
        await pressed(pilot, "enter")
        assert library.compared == [] and not library.comparing.is_set()


async def test_switched_off_in_another_terminal_nothing_is_compared_or_logged_any_more(tmp_path: Path) -> None:
    library, file = FakeLibrary(), tmp_path / "config.toml"
    change({"shadow": True, "search_log": True}, file)
    app = browser(library, ON)
    app.ports = replace(app.ports, settings=SettingsFile(file))
    app.config = app.ports.settings.config
    async with app.run_test(size=(120, 40)) as pilot:
        await typed(pilot, QUERY)
        assert library.compared == [(QUERY, "live")] and [query for query, _ in library.log] == [QUERY]
        change({"shadow": False, "search_log": False}, file)
        await typed(pilot, "bread")
        await pressed(pilot, "enter")
        assert len(library.compared) == len(library.log) == 1


async def test_switched_off_while_it_is_being_compared_a_search_is_not_compared_anew() -> None:
    library = FakeLibrary()
    async with browser(library, ON).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        library.held.add("shadow")
        screen_of(pilot).query_line.write(QUERY)
        while not library.comparing.is_set():
            await pilot.pause()
        library.comparing.clear()
        screen_of(pilot).carrel.change_config(shadow=False)
        await pilot.press("down")
        while not library.given_up.is_set():
            await pilot.pause()
        await settle(pilot)
        assert library.compared == [] and not library.comparing.is_set()


async def test_the_next_key_gives_up_what_is_being_compared() -> None:
    library = FakeLibrary()
    async with browser(library, ON).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        library.held.add("shadow")
        screen = screen_of(pilot)
        screen.query_line.write(QUERY)
        while not library.comparing.is_set():
            await pilot.pause()
        screen.query_line.write(f"{QUERY} bread")
        while not library.given_up.is_set():
            await pilot.pause()
        library.held.clear()
        await settle(pilot)
        assert library.compared == [(f"{QUERY} bread", "live")]


async def test_a_row_that_is_opened_before_the_search_rested_makes_it_count() -> None:
    library = FakeLibrary()
    async with browser(library, ON, replace(STILL, rested=3600.0)).run_test(size=(120, 40)) as pilot:
        screen = screen_of(pilot)
        screen.query_line.write(QUERY)
        while not screen.rows.hits or not screen.parts.search.finished:
            await pilot.pause()
        assert library.compared == []
        await pilot.press("enter")
        while not library.compared:
            await pilot.pause()
        assert library.compared == [(QUERY, "live")]


async def test_a_comparison_that_cannot_be_written_down_is_no_trouble_of_the_reader() -> None:
    library = FakeLibrary()
    library.refusal = LibraryBusy("The library is being written.")
    async with browser(library, replace(ON, memory=False)).run_test(size=(120, 40), notifications=True) as pilot:
        screen = await typed(pilot, QUERY)
        assert screen.rows.hit is not None
        assert not list(pilot.app._notifications)


async def test_a_broken_model_that_was_taken_into_use_gives_way_to_the_one_before() -> None:
    library = FakeLibrary()
    library.finds_nothing = True
    library.beside = candidate(former_since=NOW - 3_600)
    async with browser(library, ON).run_test(size=(120, 40)) as pilot:
        await typed(pilot, QUERY)
        await settle(pilot)
        assert ("use_model", "tuned-1") in library.requests
        assert "Search goes back to tuned-1" in " ".join(told(pilot))


async def test_a_sound_model_stays_and_a_candidate_is_never_gone_back_to() -> None:
    for broken, state in ((False, candidate(former_since=NOW - 3_600)), (True, candidate()), (True, None)):
        library = FakeLibrary()
        library.finds_nothing, library.beside = broken, state
        async with browser(library, ON).run_test(size=(120, 40)) as pilot:
            await typed(pilot, QUERY)
            await settle(pilot)
            assert library.compared and not [each for each in library.requests if each[0] == "use_model"]


@pytest.mark.parametrize("on", [False, True])
async def test_only_where_it_is_switched_on_a_byte_of_the_library_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on: bool
) -> None:
    library = with_candidate(tmp_path, monkeypatch, Candidate())
    before = written_bytes(tmp_path)
    async with browser_of(library, Config(shadow=on)).run_test(size=(120, 40)) as pilot:
        screen = await typed(pilot, QUERY)
        assert screen.rows.hit is not None
        compared = library.shadow_searches()
    library.close()
    assert [each.query for each in compared] == ([QUERY] if on else [])
    assert (written_bytes(tmp_path) == before) is not on


async def test_what_was_written_down_of_a_search_does_not_have_it_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = with_candidate(tmp_path, monkeypatch, Candidate())
    async with browser_of(library, Config(shadow=True, search_log=True)).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        version = library.version()
        await typed(pilot, QUERY)
        compared, logged, after = library.shadow_searches(), library.search_log(), library.version()
    library.close()
    assert len(compared) == len(logged) == 1
    assert after == version


async def test_a_key_ends_the_model_that_computes_beside_and_the_next_search_does_not_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = Candidate()
    library = with_candidate(tmp_path, monkeypatch, candidate)
    session = candidate.session = HeldSession()
    async with browser_of(library, ON).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        screen = screen_of(pilot)
        screen.query_line.write(QUERY)
        while not session.began.is_set():
            await pilot.pause()
        candidate.session = None
        screen.query_line.write("bread")
        while not (screen.parts.search.finished and screen.parts.search.asks("bread")):
            await pilot.pause()
        while not session.ended.is_set():  # else it would never end by itself
            await pilot.pause()
        await settle(pilot)
        compared = library.shadow_searches()
    library.close()
    assert [each.query for each in compared] == ["bread"]


async def test_a_key_that_leaves_the_question_as_it_is_has_it_compared_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = Candidate()
    library = with_candidate(tmp_path, monkeypatch, candidate)
    session = candidate.session = HeldSession()
    async with browser_of(library, ON).run_test(size=(120, 40)) as pilot:
        screen = screen_of(pilot)
        screen.query_line.write(QUERY)
        while not session.began.is_set():
            await pilot.pause()
        candidate.session = None
        await pilot.press("down")
        while not session.ended.is_set():
            await pilot.pause()
        while not library.shadow_searches():
            await pilot.pause()
        await settle(pilot)
        compared = library.shadow_searches()
    library.close()
    assert [each.query for each in compared] == [QUERY]


def with_candidate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, candidate: Candidate) -> Library:
    """Return the library of one note, beside whose model a candidate runs."""
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    installed = {"fake": FakeEncoder(), "candidate": candidate}
    monkeypatch.setattr(catalogue, "load", lambda name="", **_: installed[name])
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "bread.md").write_text("# Bread\n\nA sourdough starter.\n")
    with Library.open(tmp_path / "library.carrel", create=True, encoder=installed["fake"]) as made:  # type: ignore[arg-type]
        made.add(notes)
        made.sync()
        made.start_shadow("candidate")
    return Library.open(tmp_path / "library.carrel")


def browser_of(library: Library, config: Config) -> CarrelApp:
    app = browser(FakeLibrary(), config)
    app.ports = replace(app.ports, open_library=lambda: Opened(library, Cancellation))
    return app


class HeldSession:
    """Stands in for a model at work, which computes until it is told to end, as onnxruntime is told."""

    def __init__(self) -> None:
        self.began, self.ended = threading.Event(), threading.Event()

    def run(self, _names: None, _given: Mapping[str, Any], options: RunOptions) -> NoReturn:
        """Compute."""
        self.began.set()
        while not options.terminate:
            time.sleep(0.001)
        self.ended.set()
        raise RuntimeError("Exiting due to terminate flag being set to true.")


class Candidate(FakeEncoder):
    """Another model."""

    def __init__(self) -> None:
        super().__init__()
        self.manifest = replace(self.manifest, id="candidate", revision="candidate")
        self.session: HeldSession | None = None

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Encode, by the session where there is one."""
        if self.session is not None:
            run_end.run(self.session, {})  # type: ignore[arg-type]
        return super().encode_query(text)


def written_bytes(folder: Path) -> dict[str, bytes]:
    """Return what the files of the library hold, but for the index of its log, which reading writes to."""
    files = [each for each in folder.glob("library.carrel*") if not each.name.endswith("-shm")]
    return {each.name: held for each in files if each.is_file() and (held := each.read_bytes())}
