"""A model for late interaction is built of a directory: its token vectors are those of sentence-transformers."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_transformers
from click.testing import CliRunner
from fake_encoder import FakeEncoder
from tiny_training import where_training_is_installed

from app.cli.commands.models import command
from engine.embedding import catalogue
from engine.embedding.encoder import Encoder
from engine.embedding.manifest import Manifest, verify
from engine.embedding.out_of_domain import background_passages
from engine.errors import ModelError
from engine.library import Library
from engine.records import SearchSettings
from training.export import export

pytestmark = where_training_is_installed("torch", "sentence_transformers", "onnx")

MARKERS = {"query": "[Q] ", "document": "[D] "}
FIXED = {"strategy": "fixed", "attend": False, "length": 32}
LONG = " ".join(background_passages()[:20])  # more tokens than any window
QUERIES = ("bread", "How is the plum jam kept? (in jars, or not!)", background_passages()[3], LONG)
PASSAGES = (*background_passages()[:4], "a - b, c; d! [PAD] e", *tiny_transformers.LANGUAGES[:3], LONG)


def assert_like_the_original(folder: Path, built: Path, least: float) -> None:
    """Hold the token vectors of what was built against those that sentence-transformers gives."""
    from sentence_transformers import MultiVectorEncoder

    theirs = MultiVectorEncoder(str(folder), device="cpu", local_files_only=True).float()
    options = {"batch_size": 1, "convert_to_numpy": True, "normalize_embeddings": True}
    encoder = Encoder(built)
    for encode, original, texts in (
        (encoder.encode_query_tokens, theirs.encode_query, QUERIES),
        (encoder.encode_passage_tokens, theirs.encode_document, PASSAGES),
    ):
        cosines = []
        for text, wanted in zip(texts, original(list(texts), **options), strict=True):
            found = encode(text)
            assert found is not None and found.vectors.shape == wanted.shape and len(found.spans) == len(wanted)
            cosines.append(np.sum(found.vectors * wanted, axis=1))
        assert np.concatenate(cosines).mean() >= least
        assert least < 0.999 or np.concatenate(cosines).min() >= 0.999  # in 8 bits one token of chance weights is far


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("bert", {"prompts": MARKERS, "query_expansion": FIXED, "document_length": 60, "skipped": string.punctuation}),
        (
            "bert",
            {
                "query_expansion": {"strategy": "min", "attend": True, "length": 16, "token": "[CLS]"},
                "query_length": 40,
                "skipped": ".,!",
                "skipped_in": ("query", "document"),
                "half": True,
            },
        ),
        ("roberta", {"dense": (), "window": 512, "query_length": 24}),
        ("distilbert", {"dense": (48, 16), "residual": True, "query_expansion": FIXED, "prompts": {"query": "ask: "}}),
        ("mpnet", {"query_expansion": FIXED | {"length": 300}, "document_length": 120}),
        ("xlm-roberta", {"dense": (64,), "residual": True, "query_expansion": FIXED}),
    ],
    ids=["markers", "longer questions", "plain", "two layers", "questions longer than passages", "residual"],
)
def test_token_vectors_are_those_of_sentence_transformers(kind: str, options: dict[str, Any], tmp_path: Path) -> None:
    folder = tiny_transformers.make_late(tmp_path / "model", kind, **options)
    made = export(folder, tmp_path / "out", name="mine", quantise=not options.get("residual"))
    assert_like_the_original(folder, tmp_path / "out", 0.99 if made.quantisation == "int8" else 0.9999)
    assert made == Manifest.read(tmp_path / "out")
    assert made.dimension == (options.get("dense", (24,)) or (tiny_transformers.WIDTH,))[-1]
    assert verify(tmp_path / "out") == ()


def test_what_pylate_saved_is_read_as_sentence_transformers_reads_it(tmp_path: Path) -> None:
    """No mask among its modules, a layer of its own name, markers that are tokens, lengths in another file."""
    folder = tiny_transformers.make_late(tmp_path / "model", "bert")
    modules = json.loads((folder / "modules.json").read_text())[:2]
    modules[1]["type"] = "pylate.models.Dense.Dense"
    (folder / "modules.json").write_text(json.dumps(modules))
    layer = folder / "1_Dense" / "config.json"
    layer.write_text(
        json.dumps({name: value for name, value in json.loads(layer.read_text()).items() if "module" not in name})
    )
    (folder / "config_sentence_transformers.json").write_text(
        json.dumps(
            {
                "model_type": "ColBERT",
                "query_prefix": "[MASK]",
                "document_prefix": "[SEP]",
                "query_length": 24,
                "document_length": 50,
            }
        )
    )
    made = export(folder, tmp_path / "out", quantise=False)
    assert_like_the_original(folder, tmp_path / "out", 0.9999)
    assert made.multi_vector is not None and made.multi_vector["query_length"] == 24
    assert len(made.multi_vector["skipped"]) > 10


def test_it_is_built_listed_switched_on_and_ranks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, roughly_fitted: None
) -> None:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    folder = tiny_transformers.make_late(tmp_path / "model", "bert", prompts=MARKERS, query_expansion=FIXED)
    (folder / "README.md").write_text("---\nlanguage: [de]\nlicense: mit\n---\n")
    ended = CliRunner().invoke(command, ["build", str(folder), "--name", "mine"])
    assert ended.exit_code == 0, ended.output
    assert "Built mine: 24 dimensions, de." in ended.output
    assert "a vector for each token" in ended.output and "`carrel late on mine`" in ended.output
    with pytest.raises(ModelError, match="late interaction"):
        catalogue.load("mine").encode_query("bread")
    notes = tmp_path / "notes"
    notes.mkdir()
    for number, text in enumerate(background_passages()[:5]):
        (notes / f"{number}.md").write_text(f"# Note {number}\n\n{text}\n")
    with Library.open(tmp_path / "library.carrel", create=True, encoder=FakeEncoder()) as library:  # type: ignore[arg-type]
        library.add(notes)
        library.sync()
        library.switch_late("on 2 ward mine")
        status = library.late_status()
        assert status is not None and (status.name, status.have, status.passages) == ("mine", 5, 5)
        result = library.search(background_passages()[3][:80], settings=SearchSettings(late=1.0, collapse=0.0))
        assert result.late == "mine" and any(hit.shares.late for hit in result.hits)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_transformers.make_late(tmp_path_factory.mktemp("whole") / "model", "bert", query_expansion=FIXED)


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return tiny_transformers.copied(whole, tmp_path)


def modules_of(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "modules.json").read_text())
    return found


def spoil(folder: Path, fault: str) -> None:
    """Make a model one that cannot be built."""
    modules = modules_of(folder)
    match fault:
        case "unknown":
            modules[3]["type"] = "sentence_transformers.multi_vector_encoder.modules.other.Other"
        case "pooled":
            kind = "sentence_transformers.multi_vector_encoder.modules.token_pooling.HierarchicalTokenPooling"
            modules.append({"idx": 4, "name": "4", "path": "", "type": kind})
        case "foreign code":
            modules[1]["type"] = "os.system"
        case "order":
            modules[1], modules[3] = modules[3], modules[1]
        case "images":
            mask = folder / "2_MultiVectorMask" / "config.json"
            mask.write_text(json.dumps({**json.loads(mask.read_text()), "keep_only_token_ids": [7]}))
        case "pickle":
            (folder / "1_Dense" / "model.safetensors").rename(folder / "1_Dense" / "pytorch_model.bin")
        case "too long":
            stated = folder / "sentence_bert_config.json"
            long = {"query_expansion": FIXED | {"length": 10_000}}
            stated.write_text(json.dumps({**json.loads(stated.read_text()), **long}))
        case "odd":
            stated = folder / "sentence_bert_config.json"
            stated.write_text(json.dumps({**json.loads(stated.read_text()), "query_expansion": {"strategy": "odd"}}))
        case "no table":
            (folder / "2_MultiVectorMask" / "config.json").write_text("[1]")
        case "of texts":
            layer = folder / "1_Dense" / "config.json"
            layer.write_text(json.dumps({**json.loads(layer.read_text()), "module_input_name": "sentence_embedding"}))
    (folder / "modules.json").write_text(json.dumps(modules))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("unknown", "runs no Other"),
        ("pooled", "pools its token vectors itself"),
        ("foreign code", "code of its own"),
        ("order", "another order"),
        ("images", "of images only"),
        ("pickle", "a pickle, which can run code"),
        ("too long", "10000 tokens"),
        ("odd", "sentence-transformers cannot open it"),
        ("of texts", "of another kind"),
        ("no table", "config.json is not a table"),
    ],
)
def test_what_cannot_be_built_is_refused_with_the_reason(fault: str, said: str, folder: Path, tmp_path: Path) -> None:
    spoil(folder, fault)
    tiny_transformers.assert_refused(folder, tmp_path, said)


def test_its_vectors_are_not_cut(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="late interaction"):
        export(folder, tmp_path / "made" / "out", dimensions=8)
    assert not (tmp_path / "made").exists()
