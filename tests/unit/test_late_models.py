"""A model for late interaction is fetched by name, asked as fastembed asks it, ranks, and never reads for meaning."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny_late_repository
from fake_encoder import FakeEncoder
from loopback_hub import Hub, home_of, loopback_hub
from tiny_training import where_training_is_installed

from engine.embedding import catalogue
from engine.embedding.manifest import MANIFEST_FILE, Manifest
from engine.embedding.out_of_domain import background_passages
from engine.errors import CarrelError, ModelError
from engine.library import Library
from engine.records import SearchSettings

pytestmark = where_training_is_installed("onnx")

NAME = "answerdotai/answerai-colbert-small-v1"
GRAPH = "vespa_colbert.onnx"
NO_MASK = b'{"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}'  # a tokenizer
LONG = " ".join(background_passages()[:20])  # more tokens than the window
QUERIES = ("bread", "How is the plum jam kept? (in jars, or not!)", " ".join(background_passages()[:3]), LONG)
PASSAGES = (*background_passages()[:6], "a - b, c; [PAD] d!", LONG)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with loopback_hub({NAME: dict(tiny_late_repository.files())}) as served:
        yield served


@pytest.fixture
def home(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return home_of(hub, tmp_path, monkeypatch)


def test_token_vectors_are_those_of_fastembed(hub: Hub, home: Path, tmp_path: Path) -> None:
    from fastembed import LateInteractionTextEmbedding

    folder = tmp_path / "theirs"
    folder.mkdir()
    for name, content in tiny_late_repository.files().items():
        (folder / name).write_bytes(content)
    theirs = LateInteractionTextEmbedding(NAME, specific_model_path=str(folder), threads=1)
    assert catalogue.install(NAME.lower(), late=True).dimension == tiny_late_repository.DIMENSION
    encoder = catalogue.load(NAME)
    for text in QUERIES:
        (wanted,) = theirs.query_embed(text)
        wanted = wanted / np.linalg.norm(wanted, axis=1, keepdims=True)
        found = encoder.encode_query_tokens(text)
        assert found is not None and found.vectors.shape == wanted.shape and len(wanted) >= 32
        assert np.sum(found.vectors * wanted, axis=1).min() > 0.9999
    for text in PASSAGES:
        (wanted,) = theirs.embed([text])
        found = encoder.encode_passage_tokens(text)
        assert found is not None and found.vectors.shape == wanted.shape
        assert np.sum(found.vectors * wanted, axis=1).min() > 0.9999


def test_spans_are_those_of_the_words_and_nothing_is_asked_of_no_word(hub: Hub, home: Path) -> None:
    catalogue.install(NAME, late=True)
    encoder = catalogue.load(NAME)
    found = encoder.encode_query_tokens("bread and jam")
    assert found is not None
    assert {"bread and jam"[start:end] for start, end in found.spans.tolist()} >= {"", "and"}
    for empty in ("", "  \n"):
        nothing = encoder.encode_query_tokens(empty)
        assert nothing is not None and nothing.vectors.shape == (0, tiny_late_repository.DIMENSION)


def test_it_is_fetched_once_and_listed_as_of_its_kind(hub: Hub, home: Path) -> None:
    from app.model_catalogue import models

    assert {each.name: each.kind for each in models("")}[NAME] == "late"
    stages: list[str] = []
    manifest = catalogue.install(NAME, stages.append, late=True)
    assert stages[-1] == "trying it"
    asked = len(hub.asked)
    assert catalogue.install(NAME, late=True).fingerprint == manifest.fingerprint
    assert len(hub.asked) == asked
    (listed,) = [each for each in models("") if each.name == NAME]
    assert (listed.state, listed.kind) == ("installed", "late")


def test_it_never_reads_for_meaning(hub: Hub, home: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="late interaction") as refused:
        catalogue.install(NAME)
    assert "carrel late on" in refused.value.fix
    assert not hub.asked  # before any work
    catalogue.install(NAME, late=True)
    with pytest.raises(ModelError, match="late interaction"):
        catalogue.install(NAME)
    with pytest.raises(ModelError, match="late interaction"):
        catalogue.load(NAME).encode_query("bread")
    with Library.open(tmp_path / "library.carrel", create=True, encoder=FakeEncoder()) as library:  # type: ignore[arg-type]
        with pytest.raises(ModelError, match="late interaction"):
            library.use_model(NAME)
        with pytest.raises(CarrelError, match="late interaction"):
            library.ask_for_shadow(NAME)
        assert library.status().model != NAME


def test_a_library_ranks_with_it(hub: Hub, home: Path, tmp_path: Path, roughly_fitted: None) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    for number, text in enumerate(background_passages()[:5]):
        (notes / f"{number}.md").write_text(f"# Note {number}\n\n{text}\n")
    catalogue.install(NAME, late=True)
    with Library.open(tmp_path / "library.carrel", create=True, encoder=FakeEncoder()) as library:  # type: ignore[arg-type]
        library.add(notes)
        library.sync()
        passages, octets = library.late_estimate(NAME, 2)
        assert passages == 5 and octets > 0
        library.switch_late(f"on 2 ward {NAME}")
        status = library.late_status()
        assert status is not None and (status.name, status.have, status.passages) == (NAME, 5, 5)
        asked = " ".join(background_passages()[3].split()[:8])
        result = library.search(asked, settings=SearchSettings(late=1.0, collapse=0.0))
        assert result.late == NAME and any(hit.shares.late for hit in result.hits)
        assert Path(os.fsdecode(result.hits[0].path)).name == "3.md"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda: {"tokenizer.json": NO_MASK}, "[MASK]"),
        (lambda: {GRAPH: tiny_late_repository.files(dimension=64)[GRAPH]}, "64"),
        (lambda: {GRAPH: b"no graph"}, "cannot be loaded"),
    ],
    ids=["no mask", "another width", "no graph"],
)
def test_what_cannot_be_run_is_not_installed(
    hub: Hub, home: Path, spoil: Callable[[], dict[str, bytes]], said: str
) -> None:
    hub.files[NAME] |= spoil()
    with pytest.raises(ModelError) as refused:
        catalogue.install(NAME, late=True)
    assert said in str(refused.value)
    assert [each.id for each in catalogue.installed()] == [catalogue.EMBEDDED]


@pytest.mark.parametrize(
    "facts",
    [[], {"mask": "x"}, {"skipped": [-7]}, {"query_length": 10**6}, {"attends_mask": 1}, {"skipped": [True]}],
)
def test_a_hostile_manifest_is_refused(hub: Hub, home: Path, facts: object) -> None:
    catalogue.install(NAME, late=True)
    path = catalogue.folder_of(NAME) / MANIFEST_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "multi_vector": facts}))
    with pytest.raises(ModelError, match="multi_vector"):
        Manifest.read(path.parent)
