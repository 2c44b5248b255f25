"""The candidate: the model that training leaves in the folder of its run, to be built, judged and installed."""

from __future__ import annotations

import dataclasses
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.embedding import catalogue, out_of_domain
from engine.embedding.adapter import Adapter
from engine.embedding.encoder import Encoder
from engine.embedding.manifest import ADAPTER_FILE, MANIFEST_FILE, Manifest, file_sha256
from engine.paths import private_folder
from training.weights import SOURCE_FOLDER

BUILT_FOLDER = "model"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tuned model; `share` of what was learnt is in it, 0: it is the base, and nothing was written.

    One that is `late` was trained for late interaction, and is judged as that.
    """

    folder: Path
    share: float
    late: bool = False

    @property
    def source(self) -> Path:
        """Its sentence-transformers directory; an adapter has none."""
        return self.folder / SOURCE_FOLDER

    @property
    def built(self) -> Path:
        """Its model folder, as the encoder reads it."""
        return self.folder / BUILT_FOLDER

    def encoder(self, name: str, base: Encoder, facts: dict[str, Any]) -> Encoder:
        """Return its encoder; the model folder is built first, where that was not done. Raises ModelError."""
        if not (self.built / MANIFEST_FILE).exists():
            if (self.folder / ADAPTER_FILE).exists():
                _with_adapter(self.folder / ADAPTER_FILE, self.built, name, base, facts)
            else:
                from training.export import export

                quantise = base.manifest.quantisation == "int8"
                export(self.source, self.built, quantise=quantise, name=name, training=facts)
                if self.late:
                    dataclasses.replace(Manifest.read(self.built), late="kmeans").write(self.built)
        return Encoder(self.built, sessions=os.cpu_count() or 1)


def _with_adapter(adapter: Path, out: Path, name: str, base: Encoder, facts: dict[str, Any]) -> None:
    """Build a model folder of the base's files and an adapter; the manifest comes last, since it vouches for them."""
    draft = out.with_name(f".{out.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(base.folder, draft, ignore=shutil.ignore_patterns("foreign.*", MANIFEST_FILE))
    learnt = Adapter.read(adapter)
    if base.manifest.adapter:
        learnt = learnt.after(Adapter.read(base.folder / ADAPTER_FILE))
    learnt.write(draft / ADAPTER_FILE)
    manifest = dataclasses.replace(
        base.manifest, id=name, adapter=file_sha256(draft / ADAPTER_FILE), training=facts, source=base.manifest.source
    )
    manifest.write(draft)
    out_of_domain.measure(draft, sessions=os.cpu_count() or 1)
    os.replace(draft, out)


def install(candidate: Candidate, name: str) -> str:
    """Put a built model among the installed ones and return its name; it can be trained further from there."""
    place = catalogue.place_of(name)
    draft = place.with_name(f".{place.name}.new")
    private_folder(place.parent)
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(candidate.built, draft)
    if candidate.source.is_dir():
        shutil.copytree(candidate.source, draft / SOURCE_FOLDER, dirs_exist_ok=True)
    if place.exists():
        shutil.rmtree(place)
    os.replace(draft, place)
    return name
