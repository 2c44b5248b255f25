"""`carrel late`: switched on with its bytes told first, off, and removed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import tiny_late_repository
from cli_fakes import Call
from indexed_notes import NOTES, TitledParser, written_notes
from loopback_hub import loopback_hub
from token_fakes import TokenFake

from app.cli import factories
from engine.embedding import catalogue
from engine.embedding.encoder import Encoder
from engine.library import Library
from engine.retrieval import tier_calibration
from engine.sources import parser

COLBERT = "answerdotai/answerai-colbert-small-v1"


@pytest.fixture
def indexed(carrel: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Index a few notes with an encoder of tokens, which is in the catalogue as `fake`."""
    monkeypatch.setattr(parser, "configured_parser", TitledParser)
    monkeypatch.setattr(tier_calibration, "refit", lambda *_: None)
    notes = written_notes(NOTES, monkeypatch)
    folder = tmp_path / "fake"
    folder.mkdir()
    TokenFake().manifest.write(folder)
    known = catalogue.folder_of
    monkeypatch.setattr(catalogue, "folder_of", lambda name: folder if name == "fake" else known(name))

    def open_library(path: Path | None, *, create: bool = False) -> Library:
        encoder: Encoder = TokenFake()  # type: ignore[assignment]
        return Library.open(path, create=create, encoder=encoder)

    monkeypatch.setattr(factories, "open_library", open_library)
    assert carrel("add", "notes").code == 0
    assert carrel("sync").code == 0
    return notes


def test_it_is_off_until_switched_on_and_can_be_removed(carrel: Call, indexed: Path) -> None:
    assert carrel("late").out == "Late interaction is off; the library has no token vectors.\n"
    assert carrel("late", "--json").json == {"format": 1, "late": None}
    assert carrel("search", "starter", "--json").json["late"] is None
    done = carrel("late", "on", "--factor", "2", "--yes")
    assert done.code == 0
    assert "fake makes token vectors of 3 passages, some" in done.err
    assert done.out.startswith("Late interaction is on: fake, one vector for 2 words (ward), 3 of 3 passages (100 %)")
    found = carrel("search", "starter", "--json").json
    assert found["late"] == "fake"
    assert any("late" in row["shares"] for row in found["results"])
    assert "late" in carrel("search", "starter", "--explain").out
    state = carrel("late", "state", "--json").json["late"]
    assert (state["state"], state["with_vectors"], state["pooling"]) == ("on", 3, "ward")
    assert "Those of" not in carrel("late", "on", "--factor", "2", "--yes").err
    assert "Those of fake go." in carrel("late", "on", "--factor", "6", "--yes").err
    assert carrel("late", "off").code == 0
    assert "is off: fake" in carrel("late").out
    assert carrel("search", "starter", "--json").json["late"] is None
    assert carrel("late", "remove").code == 0
    assert carrel("late").out == "Late interaction is off; the library has no token vectors.\n"
    assert carrel("late", "remove").code == 0


def test_a_model_that_is_not_there_and_a_factor_too_large_are_refused(carrel: Call, indexed: Path) -> None:
    refused = carrel("late", "on", "nobody/has-this", "--yes")
    assert refused.code != 0
    assert "not installed" in refused.err
    assert carrel("late", "on", "--factor", "9").code == 2
    assert carrel("late", "up").code == 2


@pytest.mark.training
@pytest.mark.skipif(importlib.util.find_spec("onnx") is None, reason="the training extra is not installed")
def test_a_model_made_for_it_is_fetched_by_name_and_not_removed_in_use(
    carrel: Call, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    with loopback_hub({COLBERT: dict(tiny_late_repository.files())}) as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.address)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        used = carrel("models", "use", COLBERT)
        assert used.code != 0 and "carrel late on" in used.err and not hub.asked
        done = carrel("late", "on", COLBERT.lower(), "--yes")
        assert done.code == 0, done.err
        assert "fetching" in done.err
        assert f"{COLBERT} makes token vectors of 3 passages" in done.err
        assert done.out.startswith(f"Late interaction is on: {COLBERT}, one vector for 4 words (ward), 3 of 3 passages")
    assert carrel("search", "starter", "--json").json["late"] == COLBERT
    assert "installed, late, 100 %" in carrel("models", "list").out
    assert carrel("models", "use", COLBERT).code != 0
    refused = carrel("models", "remove", COLBERT)
    assert refused.code != 0 and "carrel late remove" in refused.err
    assert carrel("late", "remove").code == 0
    assert carrel("models", "remove", COLBERT).out == f"Removed {COLBERT}.\n"


def test_where_nobody_can_be_asked_it_is_said_what_asks_nothing(carrel: Call, indexed: Path) -> None:
    ended = carrel("late", "on")
    assert ended.code == 2 and "`--yes` makes them without asking" in ended.err
