"""What holds for every test: examples that never change, long tests only when asked for, signals as at a terminal."""

from __future__ import annotations

import os
import signal

import properties
import pytest

LONG_TESTS = "CARREL_SLOW"
PROCESSES_A_CORE = 2  # tests of the screen and of processes wait more than they work
MOST_PROCESSES = 8  # of 300 to 900 MB each


def pytest_configure() -> None:
    """Heed the signals that `nohup` and background jobs ignore, as the processes that tests interrupt must."""
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
    properties.load_profile()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name no test after bytes: an archive made a second later is another one, and each process makes its own."""
    return argname if isinstance(val, bytes) else None


def pytest_xdist_auto_num_workers() -> int:
    """Return over how many processes the tests are spread where nobody says."""
    return min(PROCESSES_A_CORE * (os.cpu_count() or 1), MOST_PROCESSES)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that compare pictures, and skip those marked `slow` unless the variable asks for them."""
    for item in items:
        if "snap_compare" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.picture)
        if "slow" in item.keywords and not os.environ.get(LONG_TESTS):
            item.add_marker(pytest.mark.skip(reason=f"takes minutes; set {LONG_TESTS}=1 to run it"))
