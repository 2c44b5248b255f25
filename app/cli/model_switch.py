"""Has the library take another installed model, in this process or by asking the one that indexes."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from app.cli.indexer_request import done_or_asked
from app.cli.interruption import stop_on_signal
from app.cli.progress_line import progress

if TYPE_CHECKING:
    from engine.library import Library


def switch(library: Library, model: str) -> bool:
    """Make an installed model the library's and show how far it is; False where it was interrupted."""
    show = progress()
    with closing(show), stop_on_signal() as stop:
        done_or_asked(
            library,
            lambda: library.use_model(model, on_event=show, stop=stop),
            [("use_model", model)],
            on_event=show,
            stop=stop,
        )
        return not stop.is_set()
