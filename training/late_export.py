"""Exports a model for late interaction as a model folder: a graph that gives token vectors, and how it is to be asked.

Lengths, prompts, the tokens that fill a question up and those without a vector stand in several files of several ages.
What counts is what sentence-transformers makes of them, so it opens the directory, and is asked. Its vectors of texts
are then held against those of the new file, token by token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.embedding.encoder import Encoder
from engine.embedding.manifest import LONGEST_WINDOW, TOKENIZER_FILE, Manifest
from engine.embedding.multi_vector import MOST_SKIPPED, NONE, MultiVector
from engine.embedding.out_of_domain import background_passages, foreign_queries
from engine.errors import ModelError
from engine.figures import decimal
from engine.scratch_folders import scratch_folder
from training import onnx_graph
from training.late_source import MASK, LateSource, not_opened, read_late_source
from training.model_folder import Named, manifest_of, put_in_place, said_by, write_license, write_model_graph
from training.source_model import refused
from training.source_tokenizer import TOLD_APART_BY
from training.vector_head import dense_layers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_PARITY = {"int8": 0.99, "none": 0.9999}  # mean cosine to sentence-transformers' token vectors
COMPARED = 16  # shipped texts of each kind on which the vectors are compared, beside those of other scripts
LONG = 12  # passages in one text, which is longer than any window


@dataclass(frozen=True, slots=True)
class _Asking:
    """How a model is to be asked: `window` counts the tokens of the longer of question and passage.

    `prefixes` stand before questions and before passages.
    """

    how: MultiVector
    window: int
    prefixes: tuple[str, str]


def export_late(folder: Path, out: Path, name: str, *, quantise: bool) -> Manifest:
    """Build the model folder `out` of the directory of a MultiVectorEncoder, and return its manifest.

    It is written in 8 bits, or, where `quantise` is not set or its token vectors would change too much, in 32.
    Raises ModelError where the directory is unusable or the vectors differ.
    """
    source = read_late_source(folder)
    opened = _opened(source)
    asking = _asking(source, opened)
    out.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(out.parent, "export") as draft:
        _write_tokenizer(opened, draft / TOKENIZER_FILE)
        theirs = _their_vectors(source, opened)
        model = onnx_graph.load_transformer(source.transformer)
        head = dense_layers(source.dense) if source.dense else None
        for in_8_bits in (True, False) if quantise else (False,):
            write_model_graph(model, draft, quantise=in_8_bits, head=head, by_token=True)
            manifest = manifest_of(
                draft,
                source,
                Named(name, str(source.folder)),
                dimension=theirs[0][0].shape[1],
                pooling="mean",  # of no use: it gives no vector of a text
                prefixes=asking.prefixes,
                window=asking.window,
                quantised=in_8_bits,
                multi_vector=asking.how.facts(),
            )
            manifest.write(draft)
            parity = _parity(draft, theirs)
            if parity >= LEAST_PARITY[manifest.quantisation]:
                break
        else:
            raise ModelError(
                "The exported model is too far from the original.",
                cause=f"The mean cosine between their token vectors is {decimal(parity, 4)}, at least "
                f"{LEAST_PARITY['none']} is required.",
            )
        write_license(draft, manifest.license)
        put_in_place(draft, out)
    return manifest


def _opened(source: LateSource) -> Any:
    """Return the model as sentence-transformers opens it."""
    try:
        with onnx_graph.quiet():
            from sentence_transformers import MultiVectorEncoder  # 5 s

            opened = MultiVectorEncoder(
                str(source.folder), device="cpu", local_files_only=True, trust_remote_code=False
            ).float()
    except Exception as error:  # the libraries' errors share no base but Exception
        raise not_opened(source.folder, said_by(error)) from error
    return opened.eval()


def _asking(source: LateSource, opened: Any) -> _Asking:
    """Return how a model is to be asked; windows longer than Carrel's are shortened, in the model too."""
    transformer = opened[0]
    expansion = transformer.query_expansion or {}
    filled = int(expansion.get("length", 0))
    if filled > LONGEST_WINDOW:
        raise refused(source.folder, f"Its questions are filled up to {filled} tokens, more than {LONGEST_WINDOW}.")
    own = int(opened.max_seq_length or LONGEST_WINDOW)
    passage = min(int(transformer.document_length or own), LONGEST_WINDOW)
    question = filled if expansion.get("strategy") == "fixed" else _longest_question(transformer, own, filled)
    transformer.document_length = passage
    transformer.query_length = None if expansion.get("strategy") == "fixed" else question
    window = max(passage, question)
    skipped, of = _skipped(source, opened)
    how = MultiVector(
        mask=_filling(opened.tokenizer, expansion) if filled else NONE,
        query_length=filled,
        query_window=question if question < window else 0,
        passage_window=passage if passage < window else 0,
        attends_mask=bool(expansion.get("attend")),
        skips_questions="query" in of,
        skipped=skipped,
    )
    return _Asking(how, window, _prompts(opened.prompts))


def _longest_question(transformer: Any, own: int, filled: int) -> int:
    """Return the tokens to which a question is cut, at least those to which it is filled up."""
    return max(min(int(transformer.query_length or own), LONGEST_WINDOW), filled)


def _filling(tokenizer: Any, expansion: dict[str, Any]) -> int:
    """Return the token that fills questions up: the one that is named, else the mask, else the end."""
    if (named := expansion.get("token")) is not None:
        return int(tokenizer.convert_tokens_to_ids(named))
    return int(tokenizer.eos_token_id if tokenizer.mask_token_id is None else tokenizer.mask_token_id)


def _skipped(source: LateSource, opened: Any) -> tuple[tuple[int, ...], frozenset[str]]:
    """Return the tokens that have no vector, and of which texts that is: of passages at least, or there are none."""
    masks = [each for each in opened if type(each).__name__ == MASK]
    found = [(_numbers(opened.tokenizer, each.skiplist_words), frozenset(each.skiplist_tasks)) for each in masks]
    lists = [(ids, of) for ids, of in found if ids and of & {"query", "document"}]
    if not lists:
        return (), frozenset()
    if len(lists) > 1 or "document" not in lists[0][1]:
        raise refused(source.folder, "It has a list of tokens without a vector for questions only, or several lists.")
    if len(lists[0][0]) > MOST_SKIPPED:
        raise refused(source.folder, f"More than {MOST_SKIPPED} tokens have no vector in it.")
    return lists[0]


def _numbers(tokenizer: Any, words: Sequence[str]) -> tuple[int, ...]:
    """Return the numbers of words that are one token; the token of unknown words only where it is named itself."""
    told = {word: tokenizer.convert_tokens_to_ids(word) for word in words}
    return tuple(
        sorted({each for word, each in told.items() if each != tokenizer.unk_token_id or word == tokenizer.unk_token})
    )


def _prompts(prompts: dict[str, str]) -> tuple[str, str]:
    """Return what stands before questions and passages, as `encode_query` and `encode_document` take it."""
    passage = next((prompts[each] for each in ("document", "passage", "corpus") if each in prompts), "")
    return prompts.get("query") or "", passage or ""


def _write_tokenizer(opened: Any, target: Path) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(opened.tokenizer.backend_tokenizer.to_str())  # one of its own: the model goes on
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(target), pretty=False)


def _compared() -> list[list[str]]:
    """Return the questions and the passages on which vectors are compared; the last of each is longer than a window."""
    passages = background_passages()
    long = " ".join(passages[:LONG])
    return [[*foreign_queries()[:COMPARED], *TOLD_APART_BY, long], [*passages[:COMPARED], *TOLD_APART_BY, long]]


def _their_vectors(source: LateSource, opened: Any) -> list[list[NDArray[np.float32]]]:
    """Return the token vectors of the compared questions and passages as sentence-transformers gives them."""
    options = {"batch_size": 1, "convert_to_numpy": True, "normalize_embeddings": True, "show_progress_bar": False}
    try:
        with onnx_graph.quiet():
            encoders = (opened.encode_query, opened.encode_document)
            return [encode(texts, **options) for encode, texts in zip(encoders, _compared(), strict=True)]
    except Exception as error:  # the libraries' errors share no base but Exception
        raise not_opened(source.folder, said_by(error)) from error


def _parity(draft: Path, theirs: Sequence[Sequence[NDArray[np.float32]]]) -> float:
    """Return the mean cosine between the token vectors of a draft and the original's.

    A text of which Carrel reads no word has no vectors here, and is left out. Raises ModelError where the tokens are
    others.
    """
    import numpy as np

    encoder = Encoder(draft)
    cosines: list[NDArray[np.float32]] = []
    pairs = zip((encoder.encode_query_tokens, encoder.encode_passage_tokens), _compared(), theirs, strict=True)
    for encode, texts, wanted in pairs:
        found = [(encode(text), original) for text, original in zip(texts, wanted, strict=True)]
        held = [(ours.vectors, original) for ours, original in found if ours is not None and len(ours.vectors)]
        if len(held) < len(texts) // 2 or any(ours.shape != original.shape for ours, original in held):
            raise ModelError(
                "The exported model does not read texts as the original does.",
                cause="For the same text it gives another number of token vectors.",
                fix="Save the model again with sentence-transformers, which writes tokenizer.json.",
            )
        cosines += [np.sum(ours * original, axis=1) for ours, original in held]
    encoder.close()
    return float(np.mean(np.concatenate(cosines)))
