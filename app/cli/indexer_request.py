"""Does what needs the indexer lock: in this process where it gets the lock, else by asking the process that has it.

An order is filed in the library and followed, so that a person sees the same progress and the same outcome.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from app.cli.interruption import stop_on_signal
from app.cli.progress_line import progress
from engine.errors import CarrelError, LibraryBusy, WorkerError
from engine.event_log.lock_holder import HolderTail
from engine.events import Event, Preparing

if TYPE_CHECKING:
    from engine.library import Library

POLL_SECONDS = 0.1  # well below what a person notices, and a poll is one indexed row

Done = TypeVar("Done")
OnEvent = Callable[[Event], None]
Order = tuple[str, str]  # what the indexer is to do, and to what
Outcome = dict[str, Any]


def done_or_asked(
    library: Library, do: Callable[[], Done], orders: Sequence[Order], *, on_event: OnEvent, stop: threading.Event
) -> Done | list[Outcome] | None:
    """Return what `do` returns, or the outcomes of `orders` where another process holds the lock and carries them out.

    A holder that leaves without an answer, or takes no orders, is waited for and then replaced. None where `stop` came
    first. What nobody has taken by then is withdrawn. Raises WorkerError where an order failed.
    """
    numbers: list[int] = []  # of the orders, once they are filed; a holder that comes after another finds them too
    holder = HolderTail(library.path, from_now=True)
    try:
        while True:
            try:
                done = do()
            except LibraryBusy:
                outcomes = _asked(library, orders, numbers, holder, on_event, stop)
            else:
                return done
            if outcomes is not None:
                numbers.clear()
                return outcomes
            if stop.is_set():
                return None
    finally:
        holder.close()
        with suppress(CarrelError):
            # What is done here, was called off, or came after a failure, is not to be done behind the person's back.
            for number in numbers:
                library.withdraw_request(number)


def _asked(
    library: Library,
    orders: Sequence[Order],
    numbers: list[int],
    holder: HolderTail,
    on_event: OnEvent,
    stop: threading.Event,
) -> list[Outcome] | None:
    """Ask the process that holds the lock and follow it.

    None where it has left, was writing for so long that no order could be filed, or `stop` is set.
    """
    writer = library.status().writer
    if writer is None:
        return None
    on_event(Preparing(what=f"asking process {writer.pid}, which works on this library ({writer.task})"))
    if not numbers:
        holder.read()  # to follow it from before the orders are filed
    try:
        for kind, argument in orders[len(numbers) :]:
            numbers.append(library.file_request(kind, argument))
    except LibraryBusy:  # the holder has been writing for seconds
        return None
    return _answered(library, numbers, holder, on_event, stop)


def _answered(
    library: Library, numbers: Sequence[int], holder: HolderTail, on_event: OnEvent, stop: threading.Event
) -> list[Outcome] | None:
    """Tell what the holder of the lock does until all orders are answered; None where nobody is left who would."""
    outcomes: list[Outcome] = []
    while not stop.wait(POLL_SECONDS):
        for event in holder.read():
            on_event(event)
        state = library.request_state(numbers[len(outcomes)])
        if state.done:
            outcomes.append(_succeeded(state.outcome))
            if len(outcomes) == len(numbers):
                return outcomes
        elif library.status().writer is None:
            return None
    return None


def _succeeded(outcome: Outcome | None) -> Outcome:
    """Return an outcome that is none of failure. Raises WorkerError with what the indexer says of it."""
    outcome = outcome or {}
    if outcome.get("error"):
        message = outcome.get("message") or outcome["error"]
        raise WorkerError(message, cause=outcome.get("cause", ""), fix=outcome.get("fix", ""))
    return outcome


def carry_out(
    library: Library, do: Callable[..., object], order: Order, *, on_event: OnEvent, stop: threading.Event
) -> None:
    """Call `do`, a method of the library, with what the order names, or have the holder of the lock carry it out."""
    done_or_asked(library, lambda: do(order[1], on_event=on_event, stop=stop), [order], on_event=on_event, stop=stop)


def switch_model(library: Library, model: str) -> bool:
    """Make an installed model the library's and show how far it is; False where it was interrupted."""
    show = progress()
    with closing(show), stop_on_signal() as stop:
        carry_out(library, library.use_model, ("use_model", model), on_event=show, stop=stop)
        if not stop.is_set():
            from app.cli.embedding_wait import until_embedded

            until_embedded(library, show, stop)
        return not stop.is_set()


def switch_late(library: Library, order: str) -> bool:
    """Switch late interaction as `Library.switch_late` does, and show how far it is; False where it was interrupted."""
    show = progress()
    with closing(show), stop_on_signal() as stop:
        carry_out(library, library.switch_late, ("late", order), on_event=show, stop=stop)
        return not stop.is_set()
