"""Embedding waits for a person who types, but not for ever."""

from __future__ import annotations

import os
import threading
from types import SimpleNamespace

import pytest

from engine import typing_priority
from engine.indexer.encoders import refit
from engine.indexing.passage_encoder import GaveWay, broken_off_by
from engine.paths import places
from engine.retrieval import tier_calibration, word_link_calibration
from engine.typing_priority import LONGEST_SECONDS, NAME, WAIT_SECONDS, typed, typed_beside, waits_for_typing


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self, now: float) -> None:
        self.now = self.began = now
        self.naps = 0
        self.on_nap = lambda: None

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.naps += 1
        self.on_nap()

    @property
    def waited(self) -> float:
        return self.now - self.began


@pytest.fixture
def state(tmp_path):
    typed(tmp_path)
    return tmp_path


def waited(state, clock):
    waits_for_typing(state, lambda: clock.now, clock.sleep)()
    return clock.waited


def test_after_a_key_an_encoder_waits_until_the_hand_rests(state):
    clock = Time(os.stat(state / NAME).st_mtime + 0.1)
    assert waited(state, clock) == pytest.approx(WAIT_SECONDS - 0.1, abs=0.03)


def test_where_nobody_types_nothing_waits(state, tmp_path):
    assert waited(state, Time(os.stat(state / NAME).st_mtime + 10 * WAIT_SECONDS)) == 0
    assert waited(tmp_path / "elsewhere", Time(0.0)) == 0


def test_a_clock_that_was_set_back_holds_nobody_up(state):
    assert waited(state, Time(os.stat(state / NAME).st_mtime - 3600)) == 0


def test_whoever_never_stops_typing_holds_one_text_up_for_so_long_only(state):
    clock = Time(os.stat(state / NAME).st_mtime)
    clock.on_nap = lambda: os.utime(state / NAME, (clock.now, clock.now))
    assert waited(state, clock) == pytest.approx(LONGEST_SECONDS, abs=0.05)


def test_the_sign_is_its_owners_alone_and_a_folder_that_is_gone_is_no_fault(state, tmp_path):
    assert os.stat(state / NAME).st_mode & 0o077 == 0
    typed(tmp_path / "gone")


def test_fitting_the_tiers_waits_while_somebody_types_and_hears_of_a_stop(tmp_path, monkeypatch):
    monkeypatch.setenv("CARREL_HOME", str(tmp_path))
    state, looks, heard = places().state, [], []
    state.mkdir(parents=True)

    def stopped():
        typed(state)
        looks.append(1)
        return len(looks) > 3

    def hearing(conn, encoder, stopped, beside):
        heard.append(stopped())

    monkeypatch.setattr(tier_calibration, "refit", hearing)
    monkeypatch.setattr(word_link_calibration, "fit", hearing)
    refit(None, None, stopped)
    assert heard == [True, True]


def test_a_key_does_not_wait_for_a_busy_disk(state, monkeypatch):
    written, disk = threading.Event(), threading.Event()

    def busy(path):
        disk.wait()
        written.set()

    monkeypatch.setattr(typing_priority.os, "utime", busy)
    press = typed_beside(state)
    press()
    assert not written.is_set()
    disk.set()
    assert written.wait(120)


def test_an_encoder_that_waits_for_a_person_hears_of_a_saved_note(state):
    looks = []

    class Saved:
        def is_set(self):
            typed(state)
            looks.append(1)
            return len(looks) > 3

    encoder = SimpleNamespace(before_each=waits_for_typing(state))
    with broken_off_by(Saved(), encoder), pytest.raises(GaveWay):
        encoder.before_each()
    assert len(looks) < 9
