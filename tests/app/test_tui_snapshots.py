"""Pictures of the screen at the smallest size that is promised and at a comfortable one."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import FakeLibrary
from piloting import SIZES, SMALL, WIDE, picture


@pytest.mark.parametrize("size", SIZES)
def test_results(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary(), size, "down", query="path:kitchen starter alive")


@pytest.mark.parametrize("size", SIZES)
def test_explanation(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary(), size, "down", "ctrl+t", query="starter alive")


@pytest.mark.parametrize("size", SIZES)
def test_nothing_relevant(snap_compare: Any, size: tuple[int, int]) -> None:
    library = FakeLibrary()
    library.verdict_none = True
    assert picture(snap_compare, library, size, query="quantum starter")


@pytest.mark.parametrize("size", SIZES)
def test_the_beginning(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary(), size)


@pytest.mark.parametrize("size", SIZES)
def test_an_empty_folder(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary({}), size)


@pytest.mark.parametrize("size", SIZES)
def test_help(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary(), size, "f1", query="starter")


def test_light(snap_compare: Any) -> None:
    assert picture(snap_compare, FakeLibrary(), WIDE, "f4", query="starter alive")


def test_read_only(snap_compare: Any) -> None:
    assert picture(snap_compare, FakeLibrary(read_only=True), SMALL, query="starter")
