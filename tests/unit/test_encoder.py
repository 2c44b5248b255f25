"""The encoder: vectors of any text, and nothing but the text and the model in them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from engine.embedding.catalogue import EMBEDDED_FOLDER, load
from engine.embedding.encoder import Encoder
from engine.embedding.manifest import TOKENIZER_FILE
from engine.embedding.out_of_domain import background_cosine, background_passages, foreign_queries, foreign_vectors
from engine.embedding.tokenization import plain_tokenizer
from engine.errors import ModelError

HOSTILE = {
    "empty": "",
    "blank": " \n\t ",
    "control": "\x00\x01\x1b[31m\x7f",
    "lone surrogate": "note \ud800 and \udcff",
    "one long word": "a" * 1_000_000,
    "a megabyte": "word and " * 120_000,
    "signs only": "." * 100_000,
    "combining": "e" + "\u0301" * 5_000,
    "mixed scripts": "日本語 العربية 🙂 ไทย",
}


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load()


@pytest.fixture(scope="module")
def whole(encoder: Encoder) -> Tokenizer:
    """The library's tokenizer, which is given a text as a whole."""
    return plain_tokenizer(encoder.folder / TOKENIZER_FILE)


def test_the_vector_of_a_text_does_not_depend_on_its_company(encoder: Encoder) -> None:
    texts = [*background_passages()[:6], "a short one", *background_passages()[6:12]]
    together = encoder.encode_passages(texts)
    for place, text in enumerate(texts):
        assert np.array_equal(encoder.encode_passages([text])[0], together[place])


def test_a_query_that_was_asked_lately_is_not_encoded_again_and_cannot_be_written_to(encoder: Encoder) -> None:
    asked = encoder.encode_query("where is the sourdough")
    encoder.encode_query("and the yeast")
    assert encoder.encode_query("where is the sourdough") is asked
    with pytest.raises(ValueError, match="read-only"):
        asked[0] = 1.0


def test_parallel_sessions_give_the_same_vectors_in_the_same_order(encoder: Encoder) -> None:
    texts = [*background_passages()[:10], *foreign_queries()[:10]]
    assert np.array_equal(load(sessions=3).encode_passages(texts), encoder.encode_passages(texts))


def test_several_threads_may_share_an_encoder_that_nobody_used_before(encoder: Encoder) -> None:
    shared, texts = load(), list(foreign_queries()[:12])
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(shared.encode_query, texts))
    assert np.array_equal(np.stack(rows), encoder.encode_queries(texts))


def test_a_repeated_text_gets_its_vector_at_each_place(encoder: Encoder) -> None:
    first, second, third, fourth = encoder.encode_passages(["salt", "a lighthouse keeper", "salt", "salt"])
    assert np.array_equal(first, third) and np.array_equal(first, fourth) and not np.array_equal(first, second)


def test_near_meanings_are_nearer_than_far_ones(encoder: Encoder) -> None:
    query = encoder.encode_query("how do I stop my bread from sticking to the tin")
    near, far = encoder.encode_passages(
        ["Grease the loaf pan well and dust it with flour.", "The treaty was signed in the spring of 1648."]
    )
    assert query @ near > 0.4 > 0.2 > query @ far


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_any_text_has_a_finite_vector_of_length_one(encoder: Encoder, text: str) -> None:
    vector = encoder.encode_query(text)
    assert vector.shape == (384,) and vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_token_starts_are_places_in_the_text_in_order(encoder: Encoder, text: str) -> None:
    starts = encoder.token_starts(text)
    assert starts == sorted(starts)
    assert all(0 <= start < len(text) for start in starts)


@given(st.text() | st.text("aé ́[MASK]n'-_\n\t\u00a0\u2003一ﬁ≠\x00\ufffd", max_size=60))
@example("un[MASK]ed [ MASK ] [mask]")
@example("=\u0338 a\u0301 ﬁ≠ x" + "y" * 120 + " " + "z" * 80 + "-" + "z" * 80)
def test_token_starts_are_those_of_the_library(encoder: Encoder, whole: Tokenizer, text: str) -> None:
    offsets = whole.encode(text, add_special_tokens=False).offsets
    for _ in range(2):  # the second time from memory
        assert encoder.token_starts(text) == [start for start, _ in offsets]


def test_token_starts_count_code_points_and_leave_special_tokens_out(encoder: Encoder) -> None:
    text = "Ünïcode 🙂 \ud800lantern, naïve"
    assert [text[start] for start in encoder.token_starts(text)][-3:] == ["l", ",", "n"]
    assert encoder.token_starts("") == []


def test_token_starts_cover_a_long_text_to_its_end(encoder: Encoder) -> None:
    text = "lantern " * 20_000
    starts = encoder.token_starts(text)
    assert len(starts) == 20_000 and starts[-1] == len(text) - len("lantern ")


def test_text_beyond_the_window_changes_nothing(encoder: Encoder) -> None:
    full = "lantern " * 254
    inside, beyond, longer = encoder.encode_passages([full, full + "volcano " * 50, full + "volcano " * 50_000])
    assert np.array_equal(inside, beyond) and np.array_equal(inside, longer)
    assert not np.array_equal(inside, encoder.encode_passages(["lantern " * 253 + "volcano"])[0])


def test_no_texts_give_no_vectors(encoder: Encoder) -> None:
    assert encoder.encode_passages([]).shape == (0, 384)
    assert encoder.encode_queries([]).shape == (0, 384)


def test_a_closed_encoder_loads_its_model_again() -> None:
    encoder = load()
    before = encoder.encode_query("harbour")
    encoder.close()
    assert np.array_equal(encoder.encode_query("harbour"), before)


def test_the_query_prefix_is_added_to_queries_only(tmp_path: Path, encoder: Encoder) -> None:
    folder = Path(shutil.copytree(EMBEDDED_FOLDER, tmp_path / "model"))
    manifest = (folder / "manifest.json").read_text(encoding="utf-8")
    (folder / "manifest.json").write_text(manifest.replace('"query_prefix": ""', '"query_prefix": "find: "'))
    prefixed = Encoder(folder)
    assert np.array_equal(prefixed.encode_query("harbour"), encoder.encode_query("find: harbour"))
    assert np.array_equal(prefixed.encode_queries(["harbour"])[0], encoder.encode_query("find: harbour"))
    assert np.array_equal(prefixed.encode_passages(["harbour"]), encoder.encode_passages(["harbour"]))


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_damaged_model_file_is_a_plain_error(tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(EMBEDDED_FOLDER, tmp_path / "model"))
    (folder / name).write_bytes(b"not a model")
    with pytest.raises(ModelError) as raised:
        Encoder(folder).encode_query("harbour")
    assert raised.value.fix


def test_making_an_encoder_loads_neither_onnxruntime_nor_a_tokenizer() -> None:
    script = (
        "import sys; from engine.embedding.catalogue import load; load();"
        "print(sorted({'onnxruntime', 'tokenizers', 'fastembed', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_foreign_vectors_are_shipped_for_the_shipped_model(encoder: Encoder) -> None:
    class Unable:
        """Has the files of the embedded model but must not be asked to encode."""

        manifest, folder = encoder.manifest, encoder.folder

        def encode_queries(self, texts: object) -> np.ndarray:
            raise AssertionError("the stored vectors are stale: run `python -m training.export`")

        encode_passages = encode_queries

    vectors = foreign_vectors(Unable())
    assert vectors.shape == (len(foreign_queries()), 384)
    some = [0, 100, len(vectors) - 1]
    exact = encoder.encode_queries([foreign_queries()[place] for place in some])
    assert np.sum(exact * vectors[some], axis=1) == pytest.approx(1.0, abs=1e-3)


def test_the_background_cosine_of_the_manifest_is_the_measured_one(encoder: Encoder) -> None:
    measured = background_cosine(encoder, foreign_vectors(encoder))
    assert measured == pytest.approx(encoder.manifest.background_cosine, abs=1e-3)


def test_foreign_texts_are_many_and_different() -> None:
    assert len(set(foreign_queries())) == len(foreign_queries()) >= 520
    assert len(set(background_passages())) == len(background_passages()) >= 120
    assert all(40 <= len(passage.split()) <= 90 for passage in background_passages())


def test_the_fake_encoder_brings_texts_with_common_words_together() -> None:
    fake = FakeEncoder()
    query = fake.encode_query("red lantern")
    same, other = fake.encode_passages(["Red lantern", "grey harbour wall"])
    assert np.array_equal(query, same) and query @ other < 0.9
    assert fake.token_starts("a red-hot one") == [0, 2, 5, 6, 10]
    assert foreign_vectors(fake).shape == (len(foreign_queries()), 64)
    assert np.linalg.norm(fake.encode_passages(["", "\ud800"]), axis=1) == pytest.approx(1.0)
