"""What the system does not watch for us, and what a person is told of it."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from engine.paths import display
from engine.watching.coverage import SETTING, Coverage, raising, wanted_limit
from engine.watching.hints import collapsed

INSTANCES = "fs.inotify.max_user_instances"
MANY_INSTANCES = 1024  # the usual limit is 128 programs a person
NOTHING = Coverage()


@dataclass(frozen=True, slots=True)
class Shortfall:
    """`counted` are all folders; of those that nobody tells of, `remote` lie elsewhere and `refused` are whole roots.

    `limit` is how many folders the system lets one person's programs watch, `refusal` what it said of the roots.
    """

    counted: Coverage = NOTHING
    remote: tuple[bytes, ...] = ()
    refused: tuple[bytes, ...] = ()
    limit: int | None = None
    refusal: OSError | None = None

    @property
    def short_of_watches(self) -> bool:
        """Whether the kernel's limit leaves folders unwatched."""
        full = self.refusal is not None and self.refusal.errno == errno.ENOSPC and bool(self.refused)
        return full or bool(self.counted.unwatched) or (self._missing > 0 and not self.remote and not self.refused)

    @property
    def _missing(self) -> int:
        return self.counted.folders - self.counted.watched

    def places(self) -> list[bytes]:
        """Return what is to be looked at from time to time."""
        return collapsed([*self.counted.unwatched, *self.remote, *self.refused], [*self.remote, *self.refused])

    def remark(self, poll_seconds: float) -> str:
        """Say why not all folders are watched, and how often the rest is looked at; "" where all are."""
        if not self._missing and not self.remote:
            return ""
        reasons = []
        if self.short_of_watches:
            limit = f" of {self.limit:,} watches" if self.limit else ""
            reasons.append(f"the system's limit{limit} is reached")
        elif self.refused:
            reasons.append(f"the system refuses to watch {_named(self.refused)}")
        if self.remote:
            reasons.append(f"{_named(self.remote)} may be changed from elsewhere without our hearing of it")
        often = f"the rest is looked at every {_spoken(poll_seconds)}" if poll_seconds else ""
        return "; ".join([*reasons, often] if often else reasons)

    def fix(self) -> str:
        """Say what a person can do about it; "" where there is nothing."""
        if not sys.platform.startswith("linux"):
            return ""
        if self.short_of_watches:
            return f"Raise the limit: {raising(SETTING, wanted_limit(self.counted.folders, self.limit or 0))}"
        if self.refused and self.refusal is not None and self.refusal.errno == errno.EMFILE:
            return f"Raise the number of watching programs: {raising(INSTANCES, MANY_INSTANCES)}"
        return ""


def _named(folders: Sequence[bytes]) -> str:
    return display(folders[0]) if len(folders) == 1 else f"{display(folders[0])} and {len(folders) - 1} more"


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
