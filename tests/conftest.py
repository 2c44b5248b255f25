"""What holds for every test: long ones run only when they are asked for."""

from __future__ import annotations

import os

import pytest

LONG_TESTS = "CARREL_SLOW"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked `slow` unless the variable asks for them."""
    if os.environ.get(LONG_TESTS):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason=f"takes minutes; set {LONG_TESTS}=1 to run it"))
