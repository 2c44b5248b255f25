"""Makes sure of a model for late interaction before it is installed: its tokens are known, and it runs."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from engine.embedding.encoder import Encoder
from engine.embedding.multi_vector import MultiVector
from engine.embedding.tokenization import read_tokenizer
from engine.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from engine.embedding.fastembed_models import FastembedLate

_PADS = ("[PAD]", "<pad>")  # of a tokenizer file that does not say it
_TRIED = "a word, and another"


def multi_vector_of(tokenizer_file: Path, late: FastembedLate) -> MultiVector:
    """Return how a model is asked, in the numbers of its tokenizer. Raises ModelError where that lacks the mask."""
    tokenizer = read_tokenizer(tokenizer_file)
    mask = tokenizer.token_to_id(late.mask)
    if mask is None:
        raise _unfit(f"Its tokenizer has no token {late.mask}, by which questions are filled up.")
    padding = tokenizer.padding
    tokenizer.no_padding()
    pads = [padding["pad_id"]] if padding else [tokenizer.token_to_id(each) for each in _PADS]
    skipped = {each for each in pads if each is not None}
    if not late.keeps_punctuation:
        first = (tokenizer.encode(each, add_special_tokens=False).ids[:1] for each in string.punctuation)
        skipped |= {each for ids in first for each in ids}
    return MultiVector(
        query_marker=late.query_marker,
        passage_marker=late.passage_marker,
        mask=mask,
        query_length=late.query_length,
        attends_mask=late.attends_mask,
        skipped=tuple(sorted(skipped)),
    )


def require_runs(folder: Path) -> None:
    """Run a model on a question and a passage. Raises ModelError where it does not give what its manifest says."""
    encoder = Encoder(folder)
    try:
        found = encoder.encode_query_tokens(_TRIED), encoder.encode_passage_tokens(_TRIED)
    except ModelError:
        raise
    except Exception as error:  # of onnxruntime, whose errors share no base but Exception
        raise _unfit(f"It cannot be run: {error}") from error
    finally:
        encoder.close()
    if any(each is None or not len(each.vectors) for each in found):
        raise _unfit("It gives no token vectors of a plain text.")


def _unfit(cause: str) -> ModelError:
    return ModelError(
        "The model cannot be used for late interaction.", cause=cause, fix="Choose another from `carrel models list`."
    )
