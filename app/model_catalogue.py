"""The models that can be chosen: embedded, installed and offered, with what a person chooses by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine.figures import MEGABYTE
from engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from engine.embedding.fastembed_models import FastembedModel
    from engine.embedding.manifest import Manifest

State = Literal["embedded", "installed", "offered"]
Kind = Literal["meaning", "late"]  # what it can be used for: late interaction only, or all


@dataclass(frozen=True, slots=True)
class Model:
    """One model: whether it is here, whether the library uses it, and what a person chooses by.

    `window` is in tokens; `seconds` is about how long embedding the library would take here, None where it holds
    nothing yet; `remark` says what it was not made for. One of the kind `late` is never the model in use.
    """

    name: str
    state: State
    active: bool
    dimension: int
    window: int
    megabytes: int
    language: str
    license: str
    remark: str = ""
    seconds: float | None = None
    kind: Kind = "meaning"


def models(active: str, passages: int = 0) -> list[Model]:
    """Return all models: the embedded one, the installed ones, then what can be fetched by name.

    With `passages`, how many the library has, this machine is timed for half a second, and each model says how long
    it would take.
    """
    from engine.embedding import catalogue
    from engine.embedding.embedding_cost import ModelSize, measured_rate, size_of
    from engine.embedding.manifest import Manifest

    here = {manifest.id: manifest for manifest in catalogue.installed()}
    octets = {name: _octets(catalogue.folder_of(name)) for name in here}
    sizes = {name: size_of(manifest, octets[name] / MEGABYTE) for name, manifest in here.items()}
    fetchable = [*catalogue.available(), *catalogue.available_late()]
    offered = [each for each in fetchable if each.name.lower() not in {name.lower() for name in here}]
    many = {each.name: each.language.startswith("multilingual") for each in offered}
    sizes |= {each.name: ModelSize(each.megabytes, each.bits, each.dimension, many[each.name]) for each in offered}
    of_one = 0.0  # seconds for the library, for a model that costs 1
    if passages:
        embedded = size_of(Manifest.read(catalogue.EMBEDDED_FOLDER), _octets(catalogue.EMBEDDED_FOLDER) / MEGABYTE)
        of_one = passages / measured_rate(catalogue.EMBEDDED_FOLDER) / embedded.cost
    took = {name: size.cost * of_one if passages else None for name, size in sizes.items()}
    return [
        *(_installed(manifest, active, octets[name], took[name]) for name, manifest in here.items()),
        *(_offered(model, active, took[model.name]) for model in offered),
    ]


def _octets(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())


def _installed(manifest: Manifest, active: str, octets: int, seconds: float | None) -> Model:
    from engine.embedding import catalogue
    from engine.embedding.fastembed_models import FOR_LATE, remark

    return Model(
        name=manifest.id,
        state="embedded" if manifest.id == catalogue.EMBEDDED else "installed",
        active=manifest.id.lower() == active.lower(),
        dimension=manifest.dimension,
        window=manifest.window,
        megabytes=round(octets / MEGABYTE),
        language=manifest.language,
        license=manifest.license,
        remark=remark(manifest.id) if manifest.multi_vector is None else FOR_LATE,
        seconds=seconds,
        kind="meaning" if manifest.multi_vector is None else "late",
    )


def _offered(model: FastembedModel, active: str, seconds: float | None) -> Model:
    return Model(
        name=model.name,
        state="offered",
        active=model.name.lower() == active.lower(),
        dimension=model.dimension,
        window=model.window,
        megabytes=model.megabytes,
        language=model.language,
        license=model.license,
        remark=model.remark,
        seconds=seconds,
        kind="meaning" if model.late is None else "late",
    )
