"""Starts Carrel with its own packages, whatever lies on Python's search path.

`app`, `engine` and `training` are names that other folders bear, too: one on PYTHONPATH would be taken for Carrel's.
This module bears a name that no one else has, and imports nothing of Carrel before its finder stands first.
"""

from __future__ import annotations

import atexit
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec
from types import ModuleType

PACKAGES = ("app", "engine", "training")
HOME = os.path.dirname(os.path.abspath(__file__))
BAD_USAGE = 2  # the exit code of everything that a person has to set right before Carrel can start


class OwnPackages:
    """Finds Carrel's packages beside this file, before the search path is asked."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return where one of Carrel's packages is; None leaves every other name to the finders that follow."""
        return importlib.machinery.PathFinder.find_spec(name, [HOME], target) if name in PACKAGES else None


def main() -> int:
    """Run the command line and return its exit code: what the `carrel` command calls."""
    if not _secured():
        return BAD_USAGE
    _rest_idle_threads()
    from app.cli import main as run

    code = run()
    _leave(code)
    return code


def _leave(code: int) -> None:
    """End the process at once, unless a thread goes on: taking numpy and the model apart first takes 50 ms."""
    if sys.modules.get("threading") and sys.modules["threading"].active_count() > 1:
        return
    atexit._run_exitfuncs()
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError, ValueError):  # whoever read it has gone, which was said where it mattered
            stream.flush()
    os._exit(code)


def run_module() -> int:
    """Run one of Carrel's modules as a process of its own: `python carrel_launcher.py -m MODULE ARGUMENTS`."""
    if not _secured():
        return BAD_USAGE
    _rest_idle_threads()
    import runpy  # 3 ms that the command line does without

    del sys.argv[:2]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    return 0


def _rest_idle_threads() -> None:
    """Let OpenBLAS's threads sleep as soon as a product is done, before numpy loads it.

    By default each turns on its core for 2**26 cycles more, some 26 ms: half the processor time of a search.
    """
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")  # a power of two cycles, the least there is


def _secured() -> bool:
    """Let Carrel's packages be found first; say what stands in the way where they cannot be."""
    trouble = next((found for found in map(_trouble, PACKAGES) if found), "")
    if trouble:
        shown = "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in trouble)
        print(f"carrel: {shown}", file=sys.stderr)
        return False
    if not any(isinstance(finder, OwnPackages) for finder in sys.meta_path):
        sys.meta_path.insert(0, OwnPackages())
    return True


def _trouble(name: str) -> str:
    """Return why a package cannot be Carrel's own and how to get out, "" where it can."""
    own = OwnPackages.find_spec(name)
    if own is None or own.origin is None:
        return f"its package `{name}` is missing from {HOME}.\nInstall Carrel anew: `pipx install --force carrel`."
    loaded = sys.modules.get(name)
    if loaded is None or (loaded.__spec__ is not None and loaded.__spec__.origin == own.origin):
        return ""
    other = getattr(loaded, "__file__", None) or ", ".join(getattr(loaded, "__path__", ["an unknown place"]))
    return (
        f"another package named `{name}`, {other}, was loaded before it and stands in front of its own.\n"
        "Start Carrel without it, `env -u PYTHONPATH carrel`, or install it apart from others: `pipx install carrel`."
    )


if __name__ == "__main__":
    sys.exit(run_module() if sys.argv[1:2] == ["-m"] and len(sys.argv) > 2 else main())
