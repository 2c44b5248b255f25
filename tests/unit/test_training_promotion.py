"""Taking a model into use that differs for queries only, and going back: nothing is embedded, the old table serves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from shelf import CountingEncoder, Shelf, paragraph

from engine.indexing.model_build import use_model
from engine.store import models


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    shelf = Shelf(tmp_path)
    for number in range(30):
        shelf.write(f"{number:02}.md", "\n\n".join(paragraph(f"word{number}x{part}") for part in range(3)))
    shelf.sync()
    return shelf


def adapted() -> CountingEncoder:
    """Return the encoder with an adapter behind its queries."""
    encoder = CountingEncoder()
    encoder.manifest = replace(encoder.manifest, id="adapted", adapter="a" * 64)
    return encoder


def use(shelf: Shelf, encoder: CountingEncoder) -> bool:
    return use_model(shelf.conn, encoder.manifest.id, encoder, lambda: shelf.parser)


def test_an_adapter_takes_over_the_vectors_and_embeds_nothing(shelf: Shelf) -> None:
    before = shelf.contents()
    encoder = adapted()
    shelf.parser.read_paths.clear()
    assert use(shelf, encoder)
    assert (encoder.texts, shelf.parser.read_paths) == ([], [])
    assert shelf.contents() == before
    active = models.active(shelf.conn)
    assert active is not None
    assert active.name == "adapted"


def test_going_back_is_a_swap_and_embeds_only_what_came_since(shelf: Shelf) -> None:
    tuned = CountingEncoder()
    tuned.manifest = replace(tuned.manifest, id="tuned", revision="tuned")
    assert use(shelf, tuned)
    shelf.encoder = tuned
    shelf.write("new.md", paragraph("brandnew"))
    shelf.sync()
    former = CountingEncoder()
    assert use(shelf, former)
    assert len(former.texts) == 1
    assert "brandnew0" in former.texts[0]
    active = models.active(shelf.conn)
    assert active is not None
    assert active.name == "fake"


def test_going_back_from_an_adapter_embeds_nothing_at_all(shelf: Shelf) -> None:
    encoder = adapted()
    assert use(shelf, encoder)
    shelf.encoder = encoder
    shelf.write("new.md", paragraph("brandnew"))
    shelf.sync()
    before = shelf.contents()
    former = CountingEncoder()
    assert use(shelf, former)
    assert former.texts == []
    assert shelf.contents() == before


def test_an_adapter_changes_the_fingerprint_and_not_that_of_the_passages() -> None:
    plain, moved = CountingEncoder().manifest, adapted().manifest
    assert plain.fingerprint != moved.fingerprint
    assert plain.passage_fingerprint == moved.passage_fingerprint
    assert plain.passage_fingerprint != replace(plain, window=128).passage_fingerprint
