"""Fitting tiers embeds some 500 questions first where their vectors lie nowhere, and can be broken off between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from notes import write

from engine.embedding.out_of_domain import foreign_queries
from engine.indexer.encoders import refit
from engine.library import Library
from engine.store import models
from engine.store.connection import open_writer


class Slow(FakeEncoder):
    """A model that nobody has embedded the questions with; it counts the texts and says when one may break it off."""

    def __init__(self) -> None:
        super().__init__()
        self.before_each: Callable[[], None] | None = None
        self.texts = 0

    def encode_queries(self, texts: Sequence[str]) -> Any:
        return np.stack([self._one(text) for text in texts])

    def _one(self, text: str) -> Any:
        if self.before_each is not None:
            self.before_each()
        self.texts += 1
        return self.encode_query(text)


@pytest.mark.training
def test_fitting_a_model_without_stored_vectors_ends_at_the_next_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    notes = write(tmp_path / "notes", {f"{each}.md": f"# Note {each}\n\nHarbour {each}.\n" for each in range(5)})
    path = tmp_path / "library.carrel"
    with Library.open(path, create=True, encoder=FakeEncoder()) as library:
        library.add(notes)
        library.sync()
    connection, encoder = open_writer(path), Slow()
    try:
        model = models.active(connection)
        assert model is not None
        refit(connection, encoder, lambda: encoder.texts >= 7)
        assert encoder.texts == 7
        assert encoder.before_each is None
        refit(connection, encoder, lambda: False)
        assert encoder.texts > 7 + len(foreign_queries()) - 1
    finally:
        connection.close()
