"""A model is built of a sentence-transformers directory: equal to what that library gives, or refused in words."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_transformers
from tiny_training import where_training_is_installed
from tiny_transformers import LANGUAGES

from engine.embedding import catalogue, out_of_domain
from engine.embedding.encoder import Encoder
from engine.embedding.manifest import Manifest, verify
from engine.embedding.out_of_domain import background_passages
from engine.errors import ModelError
from training.export import export
from training.model_card import card_facts
from training.source_model import read_source
from training.weights import source_of

pytestmark = where_training_is_installed("torch", "sentence_transformers", "onnx")

NOTES = Path(os.environ.get("CARREL_DATA", os.devnull)) / "notes"
PIECE = 900  # characters: more tokens than 256 in the vocabulary of a small model


@pytest.fixture(scope="module", autouse=True)
def _few_foreign_queries() -> Iterator[None]:
    """Have a model that is built embed each twelfth foreign query: no tier is asked for here."""
    few = out_of_domain.foreign_queries()[::12]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(out_of_domain, "foreign_queries", lambda: few)
        yield


def original(folder: Path, texts: list[str], **options: Any) -> np.ndarray:
    """Return the vectors that sentence-transformers gives with a directory as it is."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True, **options)
    return model.float().encode(texts, normalize_embeddings=True, batch_size=4, show_progress_bar=False)


def texts() -> list[str]:
    """Return short and long texts, some longer than a window, and notes where there are any."""
    files = sorted(path for path in NOTES.rglob("*") if path.suffix in {".md", ".org", ".rst", ".txt"})
    chosen = random.Random(7).sample(files, min(40, len(files)))
    notes = [path.read_text(encoding="utf-8", errors="replace").strip()[:PIECE] for path in chosen]
    return [*LANGUAGES, *background_passages()[:8], " ".join(background_passages()[:12]), *filter(None, notes)]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("bert", {}),
        ("bert", {"pooling": "cls", "window": 512, "half": True}),
        ("bert", {"pooling": "lasttoken", "normalise": False}),
        ("cased bert", {}),
        ("roberta", {"half": True}),
        ("xlm-roberta", {"window": 512}),
        ("mpnet", {}),
        ("distilbert", {"dense": 32}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(map(str, value.values())),
)
def test_vectors_are_those_of_sentence_transformers(kind: str, options: dict[str, Any], tmp_path: Path) -> None:
    folder = tiny_transformers.make(tmp_path / "model", kind, **options)
    made = export(folder, tmp_path / "out")
    asked = texts()
    theirs = original(folder, asked)
    ours = Encoder(tmp_path / "out").encode_passages(asked)
    same = np.sum(ours * theirs, axis=1)
    assert same.mean() >= 0.99 and same.min() >= 0.97
    assert np.sum(ours[1:] * theirs[:-1], axis=1).mean() < 0.95  # of different texts
    assert (made.window, made.dimension) == (options.get("window", 256), options.get("dense", tiny_transformers.WIDTH))
    assert verify(tmp_path / "out") == ()


def test_the_first_numbers_of_a_vector_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    folder = tiny_transformers.make(tmp_path / "model", "bert")
    made = export(folder, tmp_path / "out", dimensions=24)
    theirs = original(folder, texts(), truncate_dim=24)
    assert made.dimension == 24
    assert np.sum(Encoder(tmp_path / "out").encode_passages(texts()) * theirs, axis=1).mean() >= 0.99
    with pytest.raises(ModelError, match="vectors of 64 numbers"):
        export(folder, tmp_path / "other", dimensions=65)
    assert not (tmp_path / "other").exists()
    catalogue.place_of(made.id).parent.mkdir(parents=True)
    (tmp_path / "out").rename(catalogue.place_of(made.id))
    with pytest.raises(ModelError, match="cannot be trained further"):
        source_of(made)


def test_prompts_become_prefixes_and_those_of_a_family_are_known(tmp_path: Path) -> None:
    folder = tiny_transformers.make(tmp_path / "mine", "bert", prompts={"query": "find: ", "document": "note: "})
    export(folder, tmp_path / "out", quantise=False)
    encoder = Encoder(tmp_path / "out")
    theirs = original(folder, ["find: the starter"])
    assert np.sum(encoder.encode_query("the starter") * theirs) > 0.9999
    assert (encoder.manifest.query_prefix, encoder.manifest.passage_prefix) == ("find: ", "note: ")
    stated = folder / "config_sentence_transformers.json"
    stated.write_text(json.dumps({"prompts": {"web": "web: "}, "default_prompt_name": "web"}))
    assert (read_source(folder).query_prefix, read_source(folder).passage_prefix) == ("web: ", "web: ")
    stated.unlink()
    assert read_source(folder.rename(tmp_path / "multilingual-e5-small")).query_prefix == "query: "


def test_a_tokenizer_is_taken_as_its_settings_have_it(tmp_path: Path) -> None:
    """The settings beside `tokenizer.json`, and those of sentence-transformers, count."""
    folder = tiny_transformers.make(tmp_path / "model", "cased bert")
    stated = folder / "sentence_bert_config.json"
    stated.write_text(json.dumps({**json.loads(stated.read_text()), "do_lower_case": True}))
    export(folder, tmp_path / "out", quantise=False)
    loud = [text.upper() for text in LANGUAGES]
    found = Encoder(tmp_path / "out").encode_passages(loud)
    assert np.sum(found * original(folder, loud), axis=1).min() > 0.999
    assert np.sum(found * Encoder(tmp_path / "out").encode_passages([text.lower() for text in loud]), axis=1)[0] > 0.999


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_transformers.make(tmp_path_factory.mktemp("whole") / "model", "distilbert", dense=16)


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return tiny_transformers.copied(whole, tmp_path)


def changed(path: Path, **facts: Any) -> None:
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**known, **facts}))


def spoil(folder: Path, fault: str) -> None:
    """Make a model one that cannot be built."""
    weights = folder / "model.safetensors"
    match fault:
        case "pickle":
            weights.rename(folder / "pytorch_model.bin")
        case "pointer":
            weights.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
        case "cut":
            weights.write_bytes(weights.read_bytes()[:-1000])
        case "noise":
            weights.write_bytes(b"\xff" * 5000)
        case "missing part":
            weights.unlink()
            changed(folder / "model.safetensors.index.json", weight_map={"a": "model-00001-of-00002.safetensors"})
        case "huge":
            head = json.dumps({"a": {"dtype": "F16", "shape": [70_000, 10_000], "data_offsets": [0, 0]}}).encode()
            weights.write_bytes(len(head).to_bytes(8, "little") + head)
        case "decoder":
            changed(folder / "config.json", is_encoder_decoder=True, model_type="t5")
        case "no tokenizer":
            (folder / "tokenizer.json").unlink()
        case "pooling":
            changed(folder / "1_Pooling" / "config.json", pooling_mode=["mean", "max"])
        case "prompt left out":
            changed(folder / "1_Pooling" / "config.json", include_prompt=False)
            changed(folder / "config_sentence_transformers.json", prompts={"query": "find: "})
        case "activation":
            changed(folder / "2_Dense" / "config.json", activation_function="os.system")
        case "outside":
            modules = json.loads((folder / "modules.json").read_text())
            (folder / "modules.json").write_text(json.dumps([*modules[:2], {**modules[2], "path": "../other"}]))
        case "order":
            modules = json.loads((folder / "modules.json").read_text())
            (folder / "modules.json").write_text(json.dumps([modules[0], modules[2], modules[1]]))
        case "kind":
            changed_type = json.loads((folder / "modules.json").read_text())
            changed_type[1]["type"] = "sentence_transformers.models.LSTM"
            (folder / "modules.json").write_text(json.dumps(changed_type))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("pickle", "a pickle, which can run code"),
        ("pointer", "git lfs pull"),
        ("cut", "was cut off"),
        ("noise", "no file of weights"),
        ("missing part", "A part of its weights is missing"),
        ("huge", "larger than one file of ONNX"),
        ("decoder", "of the kind t5"),
        ("no tokenizer", "no tokenizer"),
        ("pooling", "none of mean"),
        ("prompt left out", "leaves out the words of its prompts"),
        ("activation", "an activation that Carrel does not run"),
        ("outside", "a folder outside"),
        ("order", "another order"),
        ("kind", "LSTM"),
    ],
)
def test_what_cannot_be_built_is_refused_before_any_work(fault: str, said: str, folder: Path, tmp_path: Path) -> None:
    spoil(folder, fault)
    tiny_transformers.assert_refused(folder, tmp_path, said)


@pytest.mark.parametrize(
    ("head", "facts"),
    [
        ("---\nlanguage: de\nlicense: apache-2.0\n---\n", ("de", "apache-2.0")),
        ("---\nlanguage:\n- en\n- no\nlicense: [mit]\n---\n# A model\n", ("en, no", "mit")),
        ("---\nlanguage: [en, de, fr, es]\n---\n", ("multilingual (4)", "unknown")),
        (
            "---\nlanguage:\n- multilingual\n- af\n- am\nlicense: other\nlicense_name: gemma\n---\n",
            ("multilingual (2)", "gemma"),
        ),
        ("---\nlanguage: {a: [b]}\nlicense: !!python/object/apply:os.system [x]\n---\n", ("unknown", "unknown")),
        ("---\nlanguage: [1, 2]\nlicense: 2026-13-45\n---\n", ("unknown", "unknown")),
        ("# A model\n\nlanguage: de\n", ("unknown", "unknown")),
        ("---\n" + "[" * 5000, ("unknown", "unknown")),
    ],
)
def test_language_and_licence_are_read_from_the_card(head: str, facts: tuple[str, str], tmp_path: Path) -> None:
    assert card_facts(tmp_path) == ("unknown", "unknown")
    (tmp_path / "README.md").write_text(head)
    assert card_facts(tmp_path) == facts


def test_a_built_model_carries_its_card_and_asks_no_hub(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner
    from loopback_hub import loopback_hub

    from app.cli.commands.models import command

    (folder / "README.md").write_text("---\nlanguage: [de, fr]\nlicense: mit\n---\n")
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    with loopback_hub({}) as hub:
        for variable in ("HF_ENDPOINT", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(variable, hub.address)
        ended = CliRunner().invoke(command, ["build", str(folder), "--name", "mine", "--dimensions", "8"])
        assert hub.asked == []
    assert ended.output.splitlines()[1:3] == [
        "Built mine: 8 dimensions, de, fr.",
        "It reads 256 tokens at most, weights in 8 bits, licence mit.",
    ]
    assert Manifest.read(catalogue.place_of("mine")).license == "mit"
