"""The one encoder for every model: onnxruntime and a tokenizer, loaded on first use.

Every run holds exactly one text. Dynamic int8 takes its scales from the whole batch, so batch mates would change a
vector; alone, a vector depends on its text and the model file only. Several threads share one session, each running
on its own core, since a session of one thread runs where it is called and lets go of Python's lock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.embedding.adapter import Adapter
from engine.embedding.manifest import ADAPTER_FILE, Manifest, Pooling
from engine.embedding.multi_vector import MultiVector
from engine.embedding.multi_vector_input import passage, question, refuse_for_meaning
from engine.embedding.token_vectors import TokenVectors
from engine.embedding.tokenization import Tokens
from engine.errors import ModelError
from engine.run_end import run
from engine.typing_priority import Wait

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

KEPT_CHARACTERS, KEPT_QUERIES = (
    2_000,
    256,
)  # a key asks twice for the same text, and for the sentences of the row that it found before
KEPT_TOKEN_QUERIES = 16  # the rows of one search are looked at one after the other; some 20 kB each
_INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})


class Encoder:
    """Turns texts into vectors of unit length with the model in `folder`. Safe to use from several threads.

    `sessions` is how many passages are encoded at once, each on one core. Raises ModelError where the folder holds
    no usable model: at once for its manifest, on first use for its files.
    """

    def __init__(self, folder: Path, *, sessions: int = 1) -> None:
        self.manifest = Manifest.read(folder)
        self.folder = folder
        self.before_each: Wait | None = None
        """Called before each passage, in the thread that encodes it: a caller that gives way to others waits there."""
        self._multi_vector = MultiVector.of(self.manifest.multi_vector) if self.manifest.multi_vector else None
        self._parallel = max(1, sessions)
        self._loading = threading.Lock()
        self._loading_tokens = threading.Lock()  # of its own: the tokenizer is loaded beside the model
        self._tokens: Tokens | None = None
        self._session: InferenceSession | None = None
        self._inputs: tuple[str, ...] = ()
        self._adapter: Adapter | None = None
        self._known = lru_cache(KEPT_QUERIES)(self._timed_query)
        self._known_tokens = lru_cache(KEPT_TOKEN_QUERIES)(self._query_tokens)

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a query, shape (dimension,), of unit length; the query prefix is added here.

        One that was asked lately is not encoded again. The array is for reading. Within `RunEnd.ending` a thread may
        meet RunEnded.
        """
        return self._query(text)[0]

    def query_ms(self, text: str) -> float:
        """Return the milliseconds of a core that encoding a query took, when it was encoded last; it is, where not yet.

        What other programs took of that core meanwhile does not count, nor does loading the model.
        """
        return self._query(text)[1]

    def _query(self, text: str) -> tuple[NDArray[np.float32], float]:
        return (self._known if len(text) <= KEPT_CHARACTERS else self._timed_query)(text)

    def _timed_query(self, text: str) -> tuple[NDArray[np.float32], float]:
        refuse_for_meaning(self.manifest)
        self._tokenizer()  # loaded, as the model is, before the clock runs
        if text:
            self._model()
        began = time.thread_time()  # a session of one thread runs where it is called
        vector = self._encode(self.manifest.query_prefix + text)
        found = self._adapted(vector[np.newaxis])[0] if self.manifest.adapter else vector
        found.setflags(write=False)
        return found, (time.thread_time() - began) * 1e3

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of queries, shape (n, dimension), in order; the query prefix is added here."""
        vectors = self._encode_all([self.manifest.query_prefix + text for text in texts])
        return self._adapted(vectors) if self.manifest.adapter else vectors

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of passages, shape (n, dimension), in order.

        The texts are `Passage.embedded`, so their prefix is already inside. A repeated text is encoded once.
        """
        return self._encode_all(texts)

    def encode_query_tokens(self, text: str) -> TokenVectors | None:
        """Return the vectors of a query's tokens; None where the model gives one vector for a whole text.

        The query prefix is added here, and its tokens are left out. An adapter is not applied: it was made for the
        mean. Of a text longer than the window, the tokens within it. A model for late interaction says itself which
        tokens count; those that stand for no part of the text have an empty span.
        """
        return self._known_tokens(text) if len(text) <= KEPT_CHARACTERS else self._query_tokens(text)

    def encode_passage_tokens(self, text: str) -> TokenVectors | None:
        """Return the vectors of a passage's tokens as `encode_query_tokens` does, with the prefix of passages."""
        return self._encode_tokens(self.manifest.passage_prefix, text, asked=False)

    def _query_tokens(self, text: str) -> TokenVectors | None:
        return self._encode_tokens(self.manifest.query_prefix, text, asked=True)

    def token_starts(self, text: str) -> list[int]:
        """Return the code point at which each token of the whole text starts: chunking's `TokenStarts`."""
        return self._tokenizer().starts(text)

    def reads(self, text: str) -> bool:
        """Whether the model can read the writing of a text; where it cannot, its vector says nothing."""
        return self._tokenizer().reads(text)

    def load_ahead(self) -> None:
        """Begin to load the model, beside what the caller does meanwhile; who needs it waits, or meets its error."""

        def load() -> None:
            with suppress(ModelError):
                self._tokenizer()
                self._model()

        threading.Thread(target=load, name="load-model").start()

    def close(self) -> None:
        """Let go of the model's memory; the next use loads it again."""
        with self._loading, self._loading_tokens:
            self._tokens = self._session = None

    def _adapted(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        adapter = self._adapter
        if adapter is None:
            with self._loading:
                adapter = self._adapter = self._adapter or Adapter.read(self.folder / ADAPTER_FILE)
        return adapter.apply(vectors)

    def _encode_all(self, texts: Sequence[str]) -> NDArray[np.float32]:
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        vectors = np.empty((len(places), self.manifest.dimension), dtype=np.float32)
        if self._parallel == 1 or len(places) < 2:
            rows = map(self._encode_passage, places)
            for place, row in enumerate(rows):
                vectors[place] = row
        else:
            from concurrent.futures import ThreadPoolExecutor  # with `logging` 12 ms, and a search encodes one text

            with ThreadPoolExecutor(min(self._parallel, len(places)), thread_name_prefix="encode") as pool:
                for place, row in enumerate(pool.map(self._encode_passage, places)):
                    vectors[place] = row
        return vectors if len(places) == len(texts) else vectors[[places[text] for text in texts]]

    def _encode_passage(self, text: str) -> NDArray[np.float32]:
        if self.before_each is not None:
            self.before_each()
        return self._encode(text)

    def _encode(self, text: str) -> NDArray[np.float32]:
        refuse_for_meaning(self.manifest)
        ids = self._tokenizer().ids(text)
        if not ids:
            return unit(np.zeros(self.manifest.dimension, dtype=np.float32))
        vector = pooled(self._run(ids), self.manifest.pooling)
        if vector.shape != (self.manifest.dimension,):
            raise _other_shape(self.manifest, vector.size)
        return unit(vector)

    def _encode_tokens(self, prefix: str, text: str, *, asked: bool) -> TokenVectors | None:
        if self._multi_vector is not None:
            return self._multi_vectors(self._multi_vector, prefix, text, asked=asked)
        ids, spans = self._tokenizer().ids_and_spans(prefix + text)
        before = len(prefix)
        own = [place for place, span in enumerate(spans) if span is not None and span[1] > max(span[0], before)]
        states = self._run(ids) if own else np.empty((0, self.manifest.dimension), dtype=np.float32)
        if states.ndim != 2:
            return None
        return _token_vectors(states[own], [span for place in own if (span := spans[place])], before)

    def _multi_vectors(self, how: MultiVector, prefix: str, text: str, *, asked: bool) -> TokenVectors:
        given = (question if asked else passage)(self._tokenizer(), how, prefix + text) if text.strip() else None
        if given is None:
            return _token_vectors(np.empty((0, self.manifest.dimension), dtype=np.float32), [], 0)
        states = self._run(given.ids, given.attention)
        if states.ndim != 2 or states.shape[1] != self.manifest.dimension:
            raise _other_shape(self.manifest, states.shape[-1])
        return _token_vectors(states[given.kept], given.spans, len(prefix))

    def _run(self, ids: list[int], attention: list[int] | None = None) -> NDArray[np.float32]:
        """Return what the model makes of tokens: their states (tokens, n), or one vector (n,).

        `attention` is 0 for each token that the others do not look at; None where they look at all.
        """
        row = np.array([ids], dtype=np.int64)
        looked = np.ones_like(row) if attention is None else np.array([attention], dtype=np.int64)
        given = {"input_ids": row, "attention_mask": looked, "token_type_ids": np.zeros_like(row)}
        session = self._model()
        output = run(session, {name: given[name] for name in self._inputs})
        states: NDArray[np.float32] = output[0].astype(np.float32, copy=False)
        return states

    def _tokenizer(self) -> Tokens:
        tokens = self._tokens
        if tokens is None:
            with self._loading_tokens:
                window = self.manifest.window - (self._multi_vector.reserved if self._multi_vector else 0)
                tokens = self._tokens = self._tokens or Tokens(self.folder, window)
        return tokens

    def _model(self) -> InferenceSession:
        session = self._session
        if session is None:
            with self._loading:
                if self._session is None:
                    loaded = _open(self.folder / self.manifest.file)
                    self._inputs = tuple(each.name for each in loaded.get_inputs())
                    self._session = loaded
                session = self._session
        return session


def pooled(states: NDArray[np.float32], pooling: Pooling) -> NDArray[np.float32]:
    """Reduce the states of all tokens, shape (tokens, dimension), to one vector; one that is pooled already stays."""
    if states.ndim == 1:
        return states
    vector: NDArray[np.float32] = {"mean": states.mean(axis=0), "cls": states[0], "last": states[-1]}[pooling]
    return vector


def _token_vectors(states: NDArray[np.float32], spans: Sequence[tuple[int, int]], before: int) -> TokenVectors:
    """Return states (n, dimension) at unit length, with their spans in the text behind a prefix `before` it."""
    vectors = np.nan_to_num(states, posinf=0.0, neginf=0.0)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found = np.array(spans, dtype=np.int64).reshape(-1, 2) - before
    return TokenVectors(np.maximum(found, 0), vectors / np.maximum(lengths, np.float32(1e-12)))


def unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale a vector to length 1. One without a direction becomes the diagonal, since cosine knows no zero vector."""
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length < 1e-12:
        return np.full(vector.shape, vector.shape[0] ** -0.5, dtype=np.float32)
    scaled: NDArray[np.float32] = vector / np.float32(length)
    return scaled


def _other_shape(manifest: Manifest, found: int) -> ModelError:
    return ModelError(
        f"The model {manifest.id} is not what its manifest says.",
        cause=f"It gives vectors of {found} numbers, the manifest says {manifest.dimension}.",
        fix="Install the model again with `carrel models use`, or build it with `carrel models build`.",
    )


def _open(path: Path) -> InferenceSession:
    import onnxruntime  # 0.12 s

    try:
        session = onnxruntime.InferenceSession(str(path), _options(), providers=["CPUExecutionProvider"])
    except Exception as error:  # the library's errors share no base but Exception
        raise ModelError(
            f"The model in {path.parent} cannot be loaded.",
            cause=f"{error}",
            fix="Install the model again with `carrel models use`, or build it with `carrel models build`.",
        ) from error
    unknown = {each.name for each in session.get_inputs()} - _INPUTS
    if unknown:
        raise ModelError(
            f"The model in {path.parent} cannot be used.",
            cause=f"It asks for inputs that Carrel does not know: {', '.join(sorted(unknown))}.",
            fix="Choose another model from `carrel models list`.",
        )
    return session


def _options() -> object:
    """Return session options: one thread a run, no spinning, and no memory kept for shapes that do not come back."""
    from onnxruntime import ExecutionMode, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = False  # patterns are kept for each length of text seen
    options.log_severity_level = 3  # errors only: warnings would be drawn over the screen
    return options
