"""The manifest of a model folder: everything that changes a vector, and the fingerprint that stands for all of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from engine.atomic_files import replace_file
from engine.embedding.multi_vector import MultiVector
from engine.errors import ModelError

if TYPE_CHECKING:
    from engine.embedding.token_pooling import Method

Pooling = Literal["mean", "cls", "last"]
Quantisation = Literal["int8", "none"]

MANIFEST_FILE = "manifest.json"
MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
ADAPTER_FILE = "adapter.npz"
LONGEST_WINDOW = 512  # tokens: memory grows with its square, and no passage is ever cut longer

DEFAULT_PASSAGE_RULES: Mapping[str, int] = {
    "target": 100,
    "window": 256,
    "special": 2,
    "title": 32,
    "headings": 32,
    "version": 1,
}

# Facts about a model that leave its vectors as they are, so that correcting one re-embeds nothing.
_NOT_IN_FINGERPRINT = frozenset({"file", "background_cosine", "language", "license", "source", "training", "late"})
_ONLY_OF_QUERIES = frozenset({"id", "query_prefix", "adapter"})


@dataclass(frozen=True)
class Manifest:
    """The facts of one model: what it is, and how text has to be given to it.

    `window` counts tokens, the special ones included. `background_cosine` is the mean cosine between the shipped
    foreign queries and the background passages under this model. `passage_rules` are those of `engine.chunking`, in
    the model's tokens. `training` is None for a model that Carrel did not train. `adapter` is the sha256 of the file
    whose matrix is applied to the vectors of queries, "" where there is none. `late` is how the token vectors were
    pooled that the model was trained with, "" where they were not. `multi_vector` are the facts of `MultiVector` of a
    model that gives token vectors only, None of all others.
    """

    id: str
    revision: str
    dimension: int
    pooling: Pooling
    normalised: bool
    query_prefix: str
    passage_prefix: str
    window: int
    quantisation: Quantisation
    file_sha256: str
    background_cosine: float
    language: str
    license: str
    source: str
    file: str = MODEL_FILE
    tokenizer_sha256: str = ""
    passage_rules: dict[str, int] = field(default_factory=lambda: dict(DEFAULT_PASSAGE_RULES))
    training: dict[str, Any] | None = None
    adapter: str = ""
    late: str = ""
    multi_vector: dict[str, Any] | None = None

    @property
    def late_pooling(self) -> Method:
        """How its token vectors are pooled: as the model was trained, else by Ward's criterion."""
        return "kmeans" if self.late == "kmeans" else "ward"

    @property
    def fingerprint(self) -> str:
        """The SHA-256, in hex, of all that changes a vector, as canonical JSON."""
        without = _NOT_IN_FINGERPRINT if self.adapter else _NOT_IN_FINGERPRINT | {"adapter"}
        return self._digest(without)

    @property
    def passage_fingerprint(self) -> str:
        """The same of all that changes the vector of a passage: models that agree here can share their vectors."""
        return self._digest(_NOT_IN_FINGERPRINT | _ONLY_OF_QUERIES)

    def cuts_as(self, other: Manifest) -> bool:
        """Whether two models make the same passages of a document, hash for hash."""
        return not self.cutting_differences(other)

    def cutting_differences(self, other: Manifest) -> tuple[str, ...]:
        """Name, in words, what keeps two models from making the same passages; empty where they do."""
        compared = {
            "another prefix before passages": (self.passage_prefix, other.passage_prefix),
            "other rules for passages": (self.passage_rules, other.passage_rules),
            "another tokenizer": (self.tokenizer_sha256, other.tokenizer_sha256),
            f"a window of {other.window} tokens instead of {self.window}": (self.window, other.window),
        }
        return tuple(name for name, (one, two) in compared.items() if one != two)

    def _digest(self, without: frozenset[str]) -> str:
        facts = {name: value for name, value in asdict(self).items() if name not in without}
        if self.multi_vector is None:
            del facts["multi_vector"]  # which older manifests lack
        canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()

    def to_json(self) -> str:
        """Write the manifest as JSON that people can read; the fingerprint stands in it for reference."""
        return json.dumps({**asdict(self), "fingerprint": self.fingerprint}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read what `to_json` wrote; unknown keys are ignored. Raises ModelError where a fact is missing or wrong."""
        try:
            facts = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _unusable(f"It is not JSON: {error}.") from error
        if not isinstance(facts, dict):
            raise _unusable("It is not a JSON object.")
        known = {each.name: facts[each.name] for each in fields(cls) if each.name in facts}
        try:
            manifest = cls(**known)
        except TypeError as error:
            raise _unusable(f"A fact is missing: {error}.") from error
        _check(manifest)
        return manifest

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read the manifest of a model folder. Raises ModelError where there is none or it cannot be used."""
        try:
            text = (folder / MANIFEST_FILE).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(
                f"There is no usable model in {folder}.",
                cause=f"{MANIFEST_FILE} cannot be read: {error}.",
                fix="Install the model again with `carrel models use`, or build it with `carrel models build`.",
            ) from error
        return cls.from_json(text)

    def write(self, folder: Path) -> None:
        """Write the manifest into a model folder, whole or not at all."""
        replace_file(folder / MANIFEST_FILE, self.to_json(), mode=0o666)  # less the umask, as its model


def verify(folder: Path) -> tuple[str, ...]:
    """Hold a model folder's files against the hashes in its manifest; each fault is one sentence, none means sound.

    Reads every byte of the model, so it belongs to `doctor` and not to a start.
    """
    try:
        manifest = Manifest.read(folder)
    except ModelError as error:
        return (str(error),)
    expected = {manifest.file: manifest.file_sha256, TOKENIZER_FILE: manifest.tokenizer_sha256}
    if manifest.adapter:
        expected[ADAPTER_FILE] = manifest.adapter
    return tuple(fault for name, digest in expected.items() if (fault := _fault(folder / name, digest)))


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _fault(path: Path, digest: str) -> str | None:
    try:
        found = file_sha256(path)
    except OSError as error:
        return f"{path.name} cannot be read: {error}."
    return None if not digest or found == digest else f"{path.name} is not the file that the manifest names."


_TEXTS = ("id", "revision", "query_prefix", "passage_prefix", "file_sha256", "language", "license", "source", "file")


def _check(manifest: Manifest) -> None:
    """Hold what a file said against what the encoder and the ranking rely on. Raises ModelError."""
    wrong = [name for name in _TEXTS if not isinstance(getattr(manifest, name), str)]
    wrong += [name for name in ("dimension", "window") if not _is_count(getattr(manifest, name))]
    rules = manifest.passage_rules
    if not isinstance(rules, dict) or any(type(number) is not int or number < 0 for number in rules.values()):
        wrong.append("passage_rules")
    cosine = manifest.background_cosine
    if not isinstance(cosine, (int, float)) or not -1.0 <= cosine < 1.0:  # at 1 the scale would divide by zero
        wrong.append("background_cosine")
    if manifest.pooling not in get_args(Pooling):
        wrong.append("pooling")
    if manifest.quantisation not in get_args(Quantisation):
        wrong.append("quantisation")
    if manifest.multi_vector is not None:
        try:
            MultiVector.of(manifest.multi_vector)
        except ValueError:
            wrong.append("multi_vector")
    if wrong:
        said = ", ".join(f"{name} {getattr(manifest, name)!r}" for name in wrong)
        raise _unusable(f"These facts cannot be right: {said}.")
    if not manifest.id or Path(manifest.file).name != manifest.file:
        raise _unusable("It names no model, or a file outside its folder.")


def _is_count(number: object) -> bool:
    return type(number) is int and number >= 1  # a bool is an int, too


def _unusable(cause: str) -> ModelError:
    return ModelError(
        "The manifest of a model cannot be used.",
        cause=cause,
        fix="Install the model again with `carrel models use`, or build it with `carrel models build`.",
    )
