"""What the exit code of `carrel` says to a script; CarrelError carries its own."""

from __future__ import annotations

DONE = 0  # files that could not be read do not change that
FAILED = 1  # nothing relevant found, a check failed, or something went wrong
USAGE = 2  # usage or bad input
INTERRUPTED = 130  # 128 + SIGINT, as shells report it
