"""`carrel shadow` on a library of its own: start, switch, replay, state and end, with models that are no files."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from cli_fakes import Call
from fake_encoder import FakeEncoder

from app.cli import factories, shadow_replay
from engine.config import load
from engine.embedding import catalogue
from engine.errors import ModelError
from engine.library import Library

QUERIES = ("harbour granite", "violin walnut", "comet")


class Named(FakeEncoder):
    """A model of another name."""

    def __init__(self, name: str, **facts: object) -> None:
        super().__init__()
        self.manifest = replace(self.manifest, **{"id": name, "revision": name, **facts})


@pytest.fixture
def shelf(carrel: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, roughly_fitted: None) -> Iterator[Library]:
    """Give a library with three logged searches, and two models to run beside, of which one cuts otherwise."""
    installed = {each.manifest.id: each for each in (FakeEncoder(), Named("other"), Named("strange", window=128))}

    def found(name: str = "", **_: object) -> FakeEncoder:
        if name not in installed:
            raise ModelError(f"There is no model called {name}.")
        return installed[name]

    monkeypatch.setattr(catalogue, "load", found)
    monkeypatch.setattr(catalogue, "install", lambda name, *_: SimpleNamespace(id=found(name).manifest.id))
    notes = tmp_path / "notes"
    notes.mkdir()
    for query in QUERIES:
        (notes / f"{query.split()[0]}.md").write_text(f"# {query}\n\nAll about {query} and more.\n")
    path = tmp_path / "own.carrel"
    with Library.open(path, create=True, encoder=FakeEncoder()) as library:  # type: ignore[arg-type]
        library.add(notes)
        library.sync()
    monkeypatch.setattr(factories, "open_library", lambda _=None, create=False: Library.open(path))
    with Library.open(path) as library:
        for query in QUERIES:
            library.log_search(library.search(query))
        yield library


def test_a_model_is_started_compared_and_stopped(carrel: Call, shelf: Library) -> None:
    assert "No model runs beside" in carrel("shadow").out
    assert "100 %" in carrel("shadow", "other").out
    assert "not installed any more" in carrel("shadow").out  # it has no folder
    assert carrel("shadow", "--json").json["shadow"]["coverage"] == 1.0
    assert "other: runs beside it, 100 % of its vectors" in carrel("status").out
    said = carrel("shadow", "--replay").out
    assert "Through both: 3 questions of the log." in said
    assert {each.query for each in shelf.shadow_searches(stream="replay")} == set(QUERIES)
    assert "0 questions of the log. 3 had been before." in carrel("shadow", "--replay").out
    assert len(shelf.shadow_searches()) == 3
    assert carrel("shadow", "--empty", "--json").json["forgotten"] == 3
    assert shelf.shadow_searches() == ()
    assert "other runs beside no more" in carrel("shadow", "stop").out
    assert carrel("shadow", "--json").json["shadow"] is None


def test_what_cannot_run_beside_is_refused_with_the_reason(carrel: Call, shelf: Library) -> None:
    refused = carrel("shadow", "strange")
    assert refused.code != 0 and "a window of 128 tokens instead of 256" in refused.err
    assert carrel("shadow", "nobody").code != 0
    assert carrel("shadow", "--on", "other").code == 2
    assert carrel("shadow", "--replay").code == 2
    assert shelf.shadow_state() is None and not load().shadow


def test_the_switch_is_off_until_it_is_asked_for_and_brings_the_log(carrel: Call, shelf: Library) -> None:
    assert (load().shadow, load().search_log) == (False, False)
    said = carrel("shadow", "--on").err
    assert "those of the browser" in said and "Those of the command line" in said and "--replay" in said
    assert (load().shadow, load().search_log) == (True, True)
    carrel("shadow", "--off")
    assert (load().shadow, load().search_log) == (False, True)


def test_without_the_log_nothing_is_compared(carrel: Call, shelf: Library) -> None:
    carrel("shadow", "--on")
    assert "Comparing finished searches is off with it" in carrel("log", "--off").err
    assert (load().shadow, load().search_log) == (False, False)
    assert "Comparing" not in carrel("log", "--off").err


def test_judged_questions_are_held_out_and_asked_without_what_was_marked(carrel: Call, shelf: Library) -> None:
    hit = shelf.search("granite").hits[-1]
    shelf.mark("granite", hit.passage_id)
    carrel("shadow", "other")
    assert "1 judged one." in carrel("shadow", "--replay").out
    (held_out,) = shelf.shadow_searches(stream="held-out")
    plain = shelf.search("granite", settings=replace(load().search_settings(), memory=False), limit=20)
    assert held_out.query == "granite" and len(held_out.top_a) == len(plain.hits)


def test_a_replay_that_is_stopped_goes_on_where_it_was(carrel: Call, shelf: Library) -> None:
    shelf.start_shadow("other")
    stop = threading.Event()
    first = shadow_replay.replay(shelf, lambda _: stop.set(), stop)
    assert (first.replayed, first.left) == (1, 2)
    rest = shadow_replay.replay(shelf, lambda _: None, threading.Event())
    assert (rest.replayed, rest.before, rest.left) == (2, 1, 0)
