"""Lets any thread give up a search, as a newer key press makes the search before it worthless."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from engine.run_end import RunEnd, RunEnded

if TYPE_CHECKING:
    from concurrent.futures import Future

    from engine.store.store_connection import StoreConnection

_Found = TypeVar("_Found")


class SearchCancelled(Exception):
    """The search was given up; nobody wants its result."""


class Cancellation:
    """A handle on one search. `cancel` may be called from any thread, at any time, more than once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: StoreConnection | None = None
        self._scan: Future[Any] | None = None
        self._runs = RunEnd()
        self._cancelled = False

    def cancel(self) -> None:
        """Give the search up: the statement and the model that run for it now end, and a scan that waits is dropped."""
        self._cancelled = True
        self._runs.end()
        with self._lock:
            if self._scan is not None:
                self._scan.cancel()
            if self._connection is not None:
                self._connection.interrupt()

    def check(self) -> None:
        """Raise SearchCancelled if the search was given up."""
        if self._cancelled:
            raise SearchCancelled

    @contextmanager
    def guarding(self, connection: StoreConnection) -> Iterator[None]:
        """Let `cancel` interrupt `connection`, and end what a model computes in this thread, inside this block only.

        So a connection that is used again is never hit.
        """
        with self._lock:
            if self._cancelled:
                raise SearchCancelled
            self._connection = connection
        connection.heed(lambda: self._cancelled)
        try:
            with self._runs.ending():
                yield
        except RunEnded:
            raise SearchCancelled from None
        except Exception as error:
            if connection.was_interrupted(error):
                raise SearchCancelled from None
            raise
        finally:
            connection.heed(None)
            with self._lock:
                self._connection = None

    @contextmanager
    def dropping(self, scan: Future[_Found]) -> Iterator[Future[_Found]]:
        """Let `cancel` drop a scan that still waits for a thread; it is dropped however the block ends."""
        from concurrent.futures import CancelledError

        with self._lock:
            self._scan = scan
            if self._cancelled:
                scan.cancel()
        try:
            yield scan
        except CancelledError:
            raise SearchCancelled from None
        finally:
            with self._lock:
                self._scan = None
            scan.cancel()
