"""The encoder of a sync: loaded when the first file needs it, held against the library's model, run in short steps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import apsw

from engine.errors import CarrelError, ModelError
from engine.indexing.stop_signal import Signal
from engine.records import Cutting
from engine.typing_priority import Wait

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.embedding.manifest import Manifest
    from engine.records import Document, Passage

STEP_SECONDS = 0.3  # how long one step aims to take: an order to stop is heard within a second on a slow machine too
FIRST_STEP = 8  # texts, before the machine's speed is known
LARGEST_STEP = 512


class PassageEncoder(Protocol):
    """What a sync asks of an encoder, `engine.embedding.encoder.Encoder`."""

    @property
    def manifest(self) -> Manifest:
        """What the model is."""

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of texts, shape (n, dimension)."""

    def token_starts(self, text: str) -> Sequence[int]:
        """Return where each token starts."""


@runtime_checkable
class OfAFolder(Protocol):
    """An encoder whose tokenizer is a file of its model's folder, so that another process can use it."""

    folder: Path
    manifest: Manifest


class GaveWay(CarrelError):
    """A step was broken off between two texts, since something more urgent came."""


@runtime_checkable
class BetweenTexts(Protocol):
    """An encoder that can be broken off between two texts."""

    before_each: Wait | None


@contextmanager
def broken_off_by(stop: Signal, encoder: object) -> Iterator[None]:
    """Let an encoder raise GaveWay before its next text once `stop` is set, as far as it can be broken off."""
    if not isinstance(encoder, BetweenTexts):
        yield
        return
    before = encoder.before_each

    def check(stopped: Callable[[], bool] = stop.is_set) -> None:
        if before is not None and not stopped():
            before(stopped)  # who waits there hears of a saved note, too
        if stopped():
            raise GaveWay("The embedding gave way.")

    encoder.before_each = check
    try:
        yield
    finally:
        encoder.before_each = before


@contextmanager
def faults_told(model: str) -> Iterator[None]:
    """Raise ModelError where a model fails on a text: what runs it raises anything, and that would end an indexer."""
    try:
        yield
    except CarrelError:
        raise
    except Exception as error:
        raise ModelError(
            f"The model {model} could not embed a text.",
            cause=f"{type(error).__name__}: {str(error)[:200]}.",
            fix="Install it again, or use another one: `carrel models`.",
        ) from error


def cutting(encoder: object) -> Cutting | None:
    """Say how the process that reads a file is to cut it; None for an encoder without a folder, which cuts here."""
    if not isinstance(encoder, OfAFolder):
        return None
    manifest = encoder.manifest
    return Cutting(str(encoder.folder), tuple(manifest.passage_rules.items()), manifest.passage_prefix)


def passages_of(
    document: Document, encoder: PassageEncoder, check: Callable[[], None] = lambda: None
) -> Sequence[Passage]:
    """Return the passages that a document was cut into where it was read, or cut it here.

    `check` is called again and again meanwhile, and may raise to end it.
    """
    from engine.chunking import PassageRules, cut

    if document.passages is not None:
        return document.passages

    def token_starts(text: str) -> Sequence[int]:
        check()
        return encoder.token_starts(text)

    manifest = encoder.manifest
    return cut(document, token_starts, PassageRules.from_dict(manifest.passage_rules), manifest.passage_prefix)


class Embedder:
    """Embeds texts in steps short enough to stop between them, sized by the speed of the step before."""

    def __init__(self, encode: Callable[[Sequence[str]], NDArray[np.float32]], stop: Signal) -> None:
        self._encode = encode
        self._stop = stop
        self.size = FIRST_STEP
        """How many texts the next step takes."""

    def embed(self, texts: Mapping[bytes, str]) -> Iterator[list[tuple[bytes, NDArray[np.float32]]]]:
        """Give the vectors of `texts`, by their hash, one step at a time; ends early where `stop` is set."""
        left = list(texts.items())
        while left and not self._stop.is_set():
            step, left = left[: self.size], left[self.size :]
            yield self.step(step)

    def step(self, texts: Sequence[tuple[bytes, str]]) -> list[tuple[bytes, NDArray[np.float32]]]:
        """Return the vectors of texts, each with its hash, and learn how many fit into a step."""
        started = time.monotonic()
        vectors = self._encode([text for _, text in texts])
        self._learn(len(texts), time.monotonic() - started)
        return [(digest, vectors[place]) for place, (digest, _) in enumerate(texts)]

    def _learn(self, texts: int, seconds: float) -> None:
        wanted = int(texts * STEP_SECONDS / max(seconds, 1e-6))
        self.size = max(2, min(wanted, 2 * self.size, LARGEST_STEP))


class LazyEncoder:
    """Makes an encoder when it is first asked for; safe to ask from two threads."""

    def __init__(self, make: Callable[[], PassageEncoder], check: Callable[[PassageEncoder], None]) -> None:
        self._make = make
        self._check = check
        self._lock = threading.Lock()
        self._encoder: PassageEncoder | None = None

    def get(self) -> PassageEncoder:
        """Return the encoder. Raises ModelError where it is not the library's."""
        with self._lock:
            if self._encoder is None:
                encoder = self._make()
                self._check(encoder)
                self._encoder = encoder
            return self._encoder

    def cutting(self) -> Cutting | None:
        """Load what cutting needs, so that a model that cannot be used is told, and say how to cut elsewhere."""
        self.get().token_starts("")
        return cutting(self.get())

    def cut(self, document: Document, check: Callable[[], None] = lambda: None) -> Sequence[Passage]:
        """Cut a document by the rules of this model, as `passages_of` does."""
        return passages_of(document, self.get(), check)


def ensure_model(conn: apsw.Connection, make: Callable[[], PassageEncoder]) -> tuple[int, str]:
    """Return the id and the fingerprint of the active model; in a new library the encoder's model becomes it."""
    from engine.store import models

    found = models.active(conn)
    if found is not None:
        return found.id, found.fingerprint
    manifest = make().manifest
    return models.write_down(conn, manifest, state="active"), manifest.fingerprint


def refuse_other(fingerprint: str) -> Callable[[PassageEncoder], None]:
    """Return a check that an encoder is the one that made the library's vectors."""

    def check(encoder: PassageEncoder) -> None:
        if encoder.manifest.fingerprint != fingerprint:
            raise ModelError(
                f"The model {encoder.manifest.id} is not the one that made the library's vectors.",
                cause="Vectors of two models cannot be compared.",
                fix="Build the library for this model with `carrel models use`.",
            )

    return check
