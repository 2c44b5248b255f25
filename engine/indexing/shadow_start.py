"""Lets a model run beside the one in use: which can, and what keeps the others from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.embedding.manifest import Manifest
from engine.embedding.multi_vector_input import refuse_for_meaning
from engine.errors import ModelError, UsageError
from engine.store import models, shadow_log
from engine.store.transactions import transaction

if TYPE_CHECKING:
    import apsw


def refuse(conn: apsw.Connection, name: str, manifest: Manifest) -> models.StoredModel:
    """Return the model in use, beside which this one may run.

    Raises ModelError where it makes other passages than the one in use, or gives no vectors of texts, UsageError where
    it is in use or another one runs beside.
    """
    refuse_for_meaning(manifest)
    active, beside = models.active(conn), models.shadow(conn)
    if active is None:
        raise UsageError("Nothing is indexed yet, so there is nothing to compare.", fix="`carrel add FOLDER` first.")
    if active.fingerprint == manifest.fingerprint:
        raise UsageError(f"{name} is in use already.", fix="`carrel models` lists the others.")
    if beside is not None and beside.fingerprint != manifest.fingerprint:
        raise UsageError(
            f"{beside.name} runs beside {active.name} already, and only one can.",
            fix="`carrel shadow stop` ends that; its vectors are kept.",
        )
    _refuse_other_passages(active, name, manifest)
    return active


def start(conn: apsw.Connection, name: str, manifest: Manifest) -> None:
    """Let a model run beside the one in use; the indexer makes its vectors when nothing else is due.

    The caller holds the indexer lock. Raises as `refuse` does.
    """
    active, beside = refuse(conn, name, manifest), models.shadow(conn)
    if beside is not None:
        return
    known = next((each.id for each in models.every(conn) if each.fingerprint == manifest.fingerprint), None)
    with transaction(conn):
        if known is None:
            known = models.add(
                conn,
                name=name,
                manifest=manifest.to_json(),
                fingerprint=manifest.fingerprint,
                dimension=manifest.dimension,
            )
        models.start_shadow(conn, known)
        shadow_log.note(conn, "shadow_started", name, {"beside": active.name})


def _refuse_other_passages(active: models.StoredModel, name: str, manifest: Manifest) -> None:
    differences = Manifest.from_json(active.manifest).cutting_differences(manifest)
    if differences:
        raise ModelError(
            f"{name} cannot run beside {active.name}: it makes other passages of a document.",
            cause=f"It has {', '.join(differences)}.",
            fix=f"It can only take over: `carrel models use {name}` cuts and embeds every document anew.",
        )
