"""Giving the library another model: built beside the old one where both cut alike, else taken over at once."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from shelf import CountingEncoder, Shelf, StopAfter, paragraph

from engine.events import Preparing, Progress
from engine.indexing.model_build import use_model
from engine.store import models
from engine.store.vector_tables import read_matrix


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    shelf = Shelf(tmp_path)
    for number in range(40):
        shelf.write(f"{number:02}.md", "\n\n".join(paragraph(f"word{number}x{part}") for part in range(3)))
    shelf.sync()
    return shelf


class OtherEncoder(CountingEncoder):
    """Another model: its vectors point the other way."""

    def __init__(self, **facts: object) -> None:
        super().__init__()
        self.manifest = replace(self.manifest, id="other", revision="other", **facts)

    def encode_passages(self, texts):
        return -super().encode_passages(texts)


def use(shelf: Shelf, encoder: CountingEncoder, **options) -> bool:
    options.setdefault("on_event", shelf.events.append)
    return use_model(shelf.conn, "other", encoder, lambda: shelf.parser, **options)


def test_a_model_that_cuts_alike_is_built_beside_the_old_one_and_swapped_in(shelf: Shelf) -> None:
    before = shelf.contents()
    encoder = OtherEncoder()
    assert use(shelf, encoder)
    after = shelf.contents()
    assert after.keys() == before.keys()
    assert all(after[key] != before[key] for key in before)
    assert [(model.name, model.state) for model in models.every(shelf.conn)] == [("fake", "kept"), ("other", "active")]
    shelf.encoder = encoder
    assert shelf.sync().embedded == 0


def test_a_build_that_was_stopped_goes_on_where_it_was(shelf: Shelf) -> None:
    stop = StopAfter(Progress)
    encoder = OtherEncoder()
    assert not use(shelf, encoder, stop=stop.event, on_event=stop.on_event)
    active = models.active(shelf.conn)
    assert active is not None and active.name == "fake"
    first = len(encoder.texts)
    assert 0 < first < len(shelf.contents())
    assert use(shelf, encoder)
    assert len(encoder.texts) - first < len(shelf.contents())
    assert len(set(encoder.texts)) == len(shelf.contents())


def test_an_edit_in_the_midst_of_a_build_is_not_forgotten(shelf: Shelf) -> None:
    encoder = OtherEncoder()
    stop = StopAfter(Progress)
    use(shelf, encoder, stop=stop.event, on_event=stop.on_event)
    shelf.write("00.md", paragraph("edited"), age=3)
    shelf.sync()
    assert use(shelf, encoder)
    assert any("edited1 " in text for text in encoder.texts)
    model = models.active(shelf.conn)
    assert model is not None and model.name == "other"
    ids, _ = read_matrix(shelf.conn, model.id)
    assert len(ids) == len(shelf.contents())


def test_a_model_that_cuts_otherwise_takes_over_and_the_sync_does_the_rest(shelf: Shelf) -> None:
    encoder = OtherEncoder(passage_prefix="passage: ")
    assert use(shelf, encoder)
    assert any(isinstance(event, Preparing) and "anew" in event.what for event in shelf.events)
    shelf.encoder = encoder
    report = shelf.sync()
    assert report.embedded == len(shelf.contents())
    assert all(text.startswith("passage: ") for text in encoder.texts)
    assert shelf.sync().embedded == 0


def test_what_cannot_be_read_now_gets_its_vectors_when_it_can(shelf: Shelf) -> None:
    away = shelf.base / "away"
    shelf.notes.rename(away)
    encoder = OtherEncoder()
    assert use(shelf, encoder)
    assert encoder.texts == []
    away.rename(shelf.notes)
    shelf.encoder = encoder
    shelf.sync()
    assert len(shelf.contents()) == len(set(encoder.texts or shelf.encoder.texts))


def test_the_model_in_use_is_used_already(shelf: Shelf) -> None:
    assert use(shelf, shelf.encoder)
    assert shelf.parser.read_paths == [os.fsencode(shelf.notes / f"{number:02}.md") for number in range(40)]
