"""The catalogue of models: which are there, where they lie, and how one is installed or removed."""

from __future__ import annotations

import mmap
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.atomic_files import exclusive
from engine.embedding.manifest import (
    MANIFEST_FILE,
    MODEL_FILE,
    TOKENIZER_FILE,
    Manifest,
    Quantisation,
    file_sha256,
    verify,
)
from engine.embedding.multi_vector_input import refuse_for_meaning
from engine.errors import ModelError
from engine.figures import MEGABYTE, size
from engine.paths import places, private_folder
from engine.scratch_folders import scratch_folder

if TYPE_CHECKING:
    from engine.embedding.encoder import Encoder
    from engine.embedding.fastembed_models import FastembedModel

__all__ = [
    "EMBEDDED",
    "EMBEDDED_FOLDER",
    "adopt",
    "available",
    "available_late",
    "folder_of",
    "install",
    "installed",
    "load",
    "place_of",
    "remove",
]

EMBEDDED = "all-MiniLM-L6-v2"
EMBEDDED_FOLDER = Path(__file__).parent / "weights"
_UNFIT_FOR_A_FILE = re.compile(r"[^\w.-]+")


def load(name: str = EMBEDDED, *, sessions: int = 1) -> Encoder:
    """Return an encoder for an installed model; its files are read on first use. Raises ModelError."""
    from engine.embedding.encoder import Encoder  # numpy

    return Encoder(folder_of(name), sessions=sessions)


def folder_of(name: str) -> Path:
    """Return the folder of the embedded or an installed model. Raises ModelError where it is not installed."""
    if name.lower() == EMBEDDED.lower():
        return EMBEDDED_FOLDER
    folder = place_of(name)
    if not os.path.isfile(folder / MANIFEST_FILE):
        raise ModelError(
            f"The model {name} is not installed.",
            cause=f"There is no model in {folder}.",
            fix=f"Run `carrel models use {name}` to fetch it, or `carrel models build DIR` for a local directory.",
        )
    return folder


def available() -> list[FastembedModel]:
    """Return the models for search by meaning that can be installed by name."""
    from engine.embedding import fastembed_models

    return fastembed_models.available()


def available_late() -> list[FastembedModel]:
    """Return the models for late interaction that can be installed by name."""
    from engine.embedding import fastembed_models

    return fastembed_models.available_late()


def place_of(name: str) -> Path:
    """Return the folder where a model of that name is, or would be, installed."""
    slug = _UNFIT_FOR_A_FILE.sub("--", name.lower()).strip(".-")
    if not slug:
        raise ModelError(f"{name!r} is no name for a model.", fix="Give a name with a letter or a digit in it.")
    return places().models / slug


def installed() -> list[Manifest]:
    """Return the manifests of the embedded model and then of the installed ones by name; broken ones are left out."""
    found = []
    for path in sorted(places().models.glob(f"*/{MANIFEST_FILE}")):
        if path.parent.name.startswith("."):
            continue
        try:
            found.append(Manifest.read(path.parent))
        except ModelError:
            continue
    return [Manifest.read(EMBEDDED_FOLDER), *sorted(found, key=lambda manifest: manifest.id.lower())]


def install(name: str, on_progress: Callable[[str], None] = lambda stage: None, *, late: bool = False) -> Manifest:
    """Install one of the `available` models and return its manifest; `on_progress` is told each stage in words.

    With `late`, one of those for late interaction, which are refused without it. A model that is installed already is
    left as it is, unless its files are not those of its manifest. Raises ModelError where the name is unknown, the
    files cannot be had, or the model cannot be run.
    """
    from engine.embedding.fastembed_models import fastembed_model, fetch, fetched  # a search does without: 6 ms

    faults: tuple[str, ...] = ()
    if name.lower() == EMBEDDED.lower() or os.path.isfile(place_of(name) / MANIFEST_FILE):
        faults = () if (folder := folder_of(name)) == EMBEDDED_FOLDER else verify(folder)
        if not faults:
            manifest = Manifest.read(folder)
            if not late:
                refuse_for_meaning(manifest)
            return manifest
    try:
        model = fastembed_model(name, late=late)
    except ModelError as error:
        raise (_damaged(name, faults) if faults else error) from None
    on_progress(f"fetching {model.name}, {size(model.megabytes * MEGABYTE)}")
    folder = fetch(model, on_progress)
    on_progress("trying it" if model.late else "measuring its scale")
    manifest = adopt(folder, model)
    shutil.rmtree(fetched(model), ignore_errors=True)  # what was copied is not kept twice
    return manifest


def adopt(folder: Path, model: FastembedModel) -> Manifest:
    """Make an installed model of the files in `folder` and return its manifest; one of the same name is replaced.

    The files are copied, the model is run once over the shipped texts, and only then takes its place. Raises
    ModelError where a file is missing or the model does not give what `model` promises.
    """
    place = place_of(model.name)
    models = private_folder(place.parent)
    try:
        with scratch_folder(models, "adopt") as scratch:
            draft = scratch / "model"
            draft.mkdir()
            _copy_files(folder, model, draft)
            manifest = _multi_vector(folder, draft, model) if model.late else _measured(draft, model)
            with exclusive(models):
                if place.exists():
                    place.rename(scratch / "former")
                draft.rename(place)
    except OSError as error:
        raise ModelError(
            f"The model {model.name} cannot be installed.",
            cause=f"Its files cannot be copied: {error}.",
            fix=f"Check the free space and the rights of {models}, and try again.",
        ) from error
    return manifest


def remove(name: str) -> None:
    """Delete an installed model's folder, or what is left of one. Raises ModelError for the embedded, and for none."""
    if name.lower() == EMBEDDED.lower():
        raise ModelError(f"{EMBEDDED} cannot be removed.", cause="It is part of Carrel.")
    folder = place_of(name)
    if not os.path.isdir(folder):
        folder_of(name)  # raises
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise ModelError(
            f"The model {name} cannot be removed.", cause=f"{error}.", fix=f"Check the rights of {folder}."
        ) from error


def _damaged(name: str, faults: tuple[str, ...]) -> ModelError:
    return ModelError(
        f"The installed model {name} is damaged.",
        cause=" ".join(faults),
        fix="It was made here: build it again with `carrel models build`, or retrain. Until then, use another.",
    )


def _copy_files(folder: Path, model: FastembedModel, draft: Path) -> None:
    from engine.embedding.tokenization import plain_tokenizer

    shutil.copyfile(folder / model.model_file, draft / MODEL_FILE)
    for name in model.files:  # weights outside the graph, which names them by their file name
        shutil.copyfile(folder / name, draft / Path(name).name)
    plain_tokenizer(folder / TOKENIZER_FILE).save(str(draft / TOKENIZER_FILE), pretty=False)


def _multi_vector(folder: Path, draft: Path, model: FastembedModel) -> Manifest:
    """Write the manifest of a model for late interaction, once it was tried. Raises ModelError."""
    from engine.embedding.late_installation import multi_vector_of, require_runs

    assert model.late is not None
    how = multi_vector_of(folder / TOKENIZER_FILE, model.late)
    manifest = replace(_described(draft, model), multi_vector=how.facts())
    manifest.write(draft)
    require_runs(draft)
    return manifest


def _measured(draft: Path, model: FastembedModel) -> Manifest:
    from engine.embedding.out_of_domain import measure

    _described(draft, model).write(draft)
    return measure(draft, sessions=os.cpu_count() or 1)


def _described(draft: Path, model: FastembedModel) -> Manifest:
    from engine.embedding.tokenization import passage_rules

    return Manifest(
        id=model.name,
        revision=model.source,
        dimension=model.dimension,
        pooling=model.pooling,
        normalised=True,
        query_prefix=model.query_prefix,
        passage_prefix=model.passage_prefix,
        window=model.window,
        quantisation=_quantisation(draft / MODEL_FILE),
        file_sha256=file_sha256(draft / MODEL_FILE),
        tokenizer_sha256=file_sha256(draft / TOKENIZER_FILE),
        passage_rules=passage_rules(draft, model.window),
        background_cosine=0.0,
        language=model.language,
        license=model.license,
        source=f"fastembed, {model.source}",
    )


def _quantisation(model_file: Path) -> Quantisation:
    """Tell a dynamically quantised graph by its operators, whose names stand in the file as they are."""
    with model_file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return "int8" if content.find(b"DynamicQuantize") >= 0 else "none"
