"""Work beside the keys: begun by a screen or a widget, given up with it, and told of where it fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from textual.dom import DOMNode
from textual.worker import Worker

from app.wording.safe_text import one_line
from engine.errors import CarrelError

_log = logging.getLogger("carrel")
Work = Callable[[], Coroutine[Any, Any, object]]


def in_background(
    node: DOMNode, work: Work, group: str, *, exclusive: bool = False, failed: str = "This could not be done"
) -> None:
    """Begin some work of a node; with `exclusive`, what its group still does is given up.

    A CarrelError that the work leaves to others is told as it stands; any other one is logged, and `failed` told.
    """

    async def watched() -> None:
        try:
            await work()
        except CarrelError as error:
            node.app.notify(one_line(str(error)), severity="error", markup=False)
        except Exception:
            _log.exception(failed)
            node.app.notify(f"{failed}. The log says why.", severity="error", markup=False)

    _: Worker[None] = node.run_worker(watched, group=group, name=group, exclusive=exclusive, exit_on_error=False)
