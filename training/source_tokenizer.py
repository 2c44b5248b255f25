"""The tokenizer of a sentence-transformers directory, as the library that made the model uses it, in one file.

Its settings stand in up to three files, and what the library makes of them is what counts. Where that gives the same
tokens as `tokenizer.json` alone, this file is taken as it is, so that models of one tokenizer share their passages.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.embedding.manifest import TOKENIZER_FILE
from engine.embedding.tokenization import plain_tokenizer
from engine.errors import ModelError
from training.onnx_graph import quiet
from training.source_model import SourceModel

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOLD_APART_BY = (
    "The Quick Brown Fox, 42.5 % (UPPER case) don't\n\n  two  spaces",
    "Crème Brûlée, naïve Straße, İstanbul ŁÓDŹ",
    "Съешь ещё этих мягких французских булок",
    "我能吞下玻璃而不伤身体。日本語のテキスト 한국어",
    "حروف عربية and ไทย 🍕 ﬁ ① Ⅷ",
)


def write_tokenizer(source: SourceModel, target: Path) -> None:
    """Write the tokenizer of a model as one file. Raises ModelError where it cannot be read."""
    effective = _effective(source)
    file = source.transformer / TOKENIZER_FILE
    if file.is_file():
        plain = plain_tokenizer(file)
        if all(plain.encode(text).ids == effective.encode(text).ids for text in TOLD_APART_BY):
            effective = plain
    effective.save(str(target), pretty=False)


def _effective(source: SourceModel) -> Tokenizer:
    from transformers import AutoTokenizer

    try:
        with quiet():
            loaded = AutoTokenizer.from_pretrained(source.transformer, local_files_only=True, trust_remote_code=False)
            tokenizer: Tokenizer = loaded.backend_tokenizer
    except Exception as error:  # the libraries' errors share no base but Exception
        raise ModelError(
            f"The tokenizer of the model in {source.transformer} cannot be used.",
            cause=f"{error}".splitlines()[0][:300] + "." if str(error) else type(error).__name__,
            fix="Save the model again with sentence-transformers, which writes tokenizer.json.",
        ) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if source.lowercases:
        _put_into_small_letters(tokenizer)
    return tokenizer


def _put_into_small_letters(tokenizer: Tokenizer) -> None:
    from tokenizers import normalizers

    before = [tokenizer.normalizer] if tokenizer.normalizer is not None else []
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *before])
