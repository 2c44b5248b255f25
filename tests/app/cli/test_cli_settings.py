"""Settings that cannot be used, as the command line tells of them."""

from __future__ import annotations

from dataclasses import fields

import pytest
from cli_fakes import Call

from engine.config import Config
from engine.paths import places

ODD = ("nan", "1e999", "9" * 400, "-1", "1979-05-27", "[[]]", "{ a = { b = 1 } }", '"\\u0000"')


@pytest.mark.parametrize("name", [each.name for each in fields(Config)])
def test_a_search_tells_in_one_sentence_what_is_wrong_with_a_setting(carrel: Call, name: str) -> None:
    file = places().settings
    file.parent.mkdir(parents=True)
    refused = 0
    for value in ODD:
        file.write_text(f"{name} = {value}\n", encoding="utf-8")
        ended = carrel("search", "bread")
        if ended.code == 2:
            refused += 1
            assert ended.err.startswith(f"carrel: The setting “{name}” in {file} cannot be used. It must ")
            assert "Correct that line, or remove it for the default." in ended.err
        assert "unexpected" not in ended.err
    assert refused >= len(ODD) - 1, "hardly any of them is a value of any setting"


def test_a_broken_file_is_told_with_its_line(carrel: Call) -> None:
    file = places().settings
    file.parent.mkdir(parents=True)
    for text in ("fusion = ", "fusion = 'rrf", "a = 1\na = 2", "\x00", "a = " + "[" * 9000, "[a]\n[a]\n"):
        file.write_text(text)
        ended = carrel("search", "bread")
        assert ended.code == 2
        assert f"The settings in {file} cannot be read." in ended.err
        assert "Mend or remove the file." in ended.err
