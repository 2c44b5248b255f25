"""What holds for every test: examples that never change, long tests only when asked for, signals as at a terminal."""

from __future__ import annotations

import os
import signal

import properties
import pytest

LONG_TESTS = "CARREL_SLOW"


def pytest_configure() -> None:
    """Heed the signals that `nohup` and background jobs ignore, as the processes that tests interrupt must."""
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
    properties.load_profile()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked `slow` unless the variable asks for them."""
    if os.environ.get(LONG_TESTS):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason=f"takes minutes; set {LONG_TESTS}=1 to run it"))
