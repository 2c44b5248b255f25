"""The encoders that an indexer works with, kept from one task to the next, and the tiers that it fits by them."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from engine.paths import places
from engine.typing_priority import waits_for_typing

if TYPE_CHECKING:
    from engine.embedding.out_of_domain import DescribedEncoder
    from engine.indexing.passage_encoder import PassageEncoder
    from engine.store.library_connection import LibraryConnection
    from engine.store.models import StoredModel

EncoderOf = Callable[[str | None], "PassageEncoder"]


class Encoders:
    """Gives encoders by their name in the catalogue, and keeps the last two.

    A model stays loaded between syncs, and beside it the one that is being built.
    """

    def __init__(self) -> None:
        self._kept: dict[str, PassageEncoder] = {}

    def __call__(self, name: str | None) -> PassageEncoder:
        """Return the encoder of a model, of the embedded one for None. Raises ModelError."""
        from engine.embedding import catalogue

        wanted = name or catalogue.EMBEDDED
        encoder = self._kept.pop(wanted, None)
        if encoder is None:
            loaded = catalogue.load(wanted, sessions=os.cpu_count() or 1)
            loaded.before_each = waits_for_typing(places().state)
            encoder = loaded
        self._kept = {**dict(list(self._kept.items())[-1:]), wanted: encoder}
        return encoder


def refit(
    conn: LibraryConnection, encoder: PassageEncoder, stopped: Callable[[], bool], beside: StoredModel | None = None
) -> None:
    """Fit the tiers of the active model, or of one `beside` it, and from where its words count as linked.

    `encoder` is that model's. That is some hundred searches, a second of work, of which none begins while one types.
    """
    from engine.indexing.passage_encoder import GaveWay, broken_off_by
    from engine.retrieval import tier_calibration, word_link_calibration  # numpy, 0.1 s, for a sync that has work

    wait = waits_for_typing(places().state)

    def stopped_once_nobody_types() -> bool:
        wait(stopped)
        return stopped()

    described = cast("DescribedEncoder", encoder)
    # The questions that both are fitted by are embedded first where their vectors lie nowhere: 20 s with a large model.
    with suppress(GaveWay), broken_off_by(_Asked(stopped), encoder):
        tier_calibration.refit(conn, described, stopped_once_nobody_types, beside)
        word_link_calibration.fit(conn, described, stopped_once_nobody_types, beside)


class _Asked:
    """A signal that is asked for by calling."""

    def __init__(self, stopped: Callable[[], bool]) -> None:
        self.is_set = stopped
