"""Lets a long sync give way and go on later: tells its parts as one, and says what of it is still wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from engine.events import Committed, Event, FileFailed, Progress, Scanned, SyncFinished, Trouble
from engine.records import Folder
from engine.watching.hints import below

SMALL = 20  # files: a sync of so few, in the midst of another, is over before its progress could be read


class Continued:
    """Tells a sync that comes in parts as one: it begins once and counts on; its end is told by the caller."""

    def __init__(self, on_event: Callable[[Event], None]) -> None:
        self._on_event = on_event
        self._begun = False
        self._before = self._done = 0

    def __call__(self, event: Event) -> None:
        """Pass an event of the present part on."""
        match event:
            case SyncFinished():
                return
            case Scanned():
                if self._begun:
                    return
                self._begun = True
            case Progress():
                self._done = event.files_done
                files = self._before + event.files_done, self._before + event.files_total
                event = replace(event, files_done=files[0], files_total=files[1])
        self._on_event(event)

    def take_up(self, *, anew: bool) -> None:
        """Expect the next part; `anew` where others have told of their work meanwhile, so that it must begin again."""
        self._begun = not anew
        self._before = 0 if anew else self._before + self._done
        self._done = 0


class Aside:
    """Tells a small sync in the midst of another without the figures that would be taken for the other's.

    What it did is told with the end of the other. One that is `large` is told as any.
    """

    def __init__(self, on_event: Callable[[Event], None]) -> None:
        self._on_event = on_event
        self.large = False

    def __call__(self, event: Event) -> None:
        """Pass an event on where it disturbs nobody."""
        if isinstance(event, Scanned):
            self.large = event.to_do > SMALL
        if self.large or isinstance(event, (Committed, FileFailed, Trouble)):
            self._on_event(event)


class Quiet:
    """Tells nothing of a sync that finds nothing to do: the folders are looked at again and again."""

    def __init__(self, on_event: Callable[[Event], None]) -> None:
        self._on_event = on_event
        self.found_nothing = True

    def __call__(self, event: Event) -> None:
        """Pass an event on once there is something to do."""
        if (isinstance(event, Scanned) and event.to_do) or (isinstance(event, SyncFinished) and _changed(event)):
            self.found_nothing = False
        if not (self.found_nothing and isinstance(event, (Scanned, SyncFinished))):
            self._on_event(event)


def _changed(event: SyncFinished) -> bool:
    return bool(event.added or event.updated or event.moved or event.removed)


def still_wanted(paths: Sequence[bytes], before: Sequence[Folder], now: Sequence[Folder]) -> list[bytes]:
    """Leave out the paths in folders that were paused, or are watched no longer, since `before`."""
    ended = {each.path for each in before if each.state != "paused"}
    ended -= {each.path for each in now if each.state != "paused"}
    return [path for path in paths if not any(below(path, root) for root in ended)]
