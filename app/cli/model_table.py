"""The models that can be chosen: embedded, installed and offered, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from app.wording.cells import table

if TYPE_CHECKING:
    from engine.embedding.fastembed_models import FastembedModel
    from engine.embedding.manifest import Manifest

MEGABYTE = 1_000_000  # as the offered sizes are given
State = Literal["embedded", "installed", "offered"]


@dataclass(frozen=True, slots=True)
class Model:
    """One model: whether it is here, whether the library uses it, and what a person chooses by."""

    name: str
    state: State
    active: bool
    dimension: int
    window: int
    megabytes: int
    language: str
    license: str


def models(active: str) -> list[Model]:
    """Return all models: the embedded one, the installed ones, then what can be fetched by name."""
    from engine.embedding import catalogue

    here = [_installed(manifest, active) for manifest in catalogue.installed()]
    names = {model.name.lower() for model in here}
    offered = [_offered(model, active) for model in catalogue.available() if model.name.lower() not in names]
    return here + offered


def _installed(manifest: Manifest, active: str) -> Model:
    from engine.embedding import catalogue

    embedded = manifest.id == catalogue.EMBEDDED
    folder = catalogue.folder_of(manifest.id)
    octets = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    return Model(
        name=manifest.id,
        state="embedded" if embedded else "installed",
        active=manifest.id.lower() == active.lower(),
        dimension=manifest.dimension,
        window=manifest.window,
        megabytes=round(octets / MEGABYTE),
        language=manifest.language,
        license=manifest.license,
    )


def _offered(model: FastembedModel, active: str) -> Model:
    return Model(
        name=model.name,
        state="offered",
        active=model.name.lower() == active.lower(),
        dimension=model.dimension,
        window=model.window,
        megabytes=model.megabytes,
        language=model.language,
        license=model.license,
    )


def shape(all_models: Sequence[Model], active: str) -> dict[str, Any]:
    """Return the models as JSON."""
    return {"active": active, "models": [asdict(model) for model in all_models]}


def lines(all_models: Sequence[Model]) -> Iterator[str]:
    """Yield the models as a table with headings; `●` and the word `active` mark the one in use."""
    rows = [("", "model", "state", "dimensions", "MB", "language", "licence")]
    rows += [
        (
            "●" if model.active else "",
            model.name,
            "active" if model.active else model.state,
            str(model.dimension),
            str(model.megabytes),
            model.language,
            model.license,
        )
        for model in all_models
    ]
    yield from table(rows, right=(3, 4))
