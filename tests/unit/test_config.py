"""The settings file: read, changed line by line, refused where it cannot be used."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import MOST_BYTES, Config, from_mapping, load, save
from engine.effective_settings import effective
from engine.errors import ConfigError
from engine.paths import places

WRITTEN = """\
# My settings
theme = "nord"   # like the rest of my desk
fusion = 'rrf'

# kept low on purpose
collapse = 0.9

[keys]
# vi habits
"search.explain" = "ctrl+b,e"

[saved]
bread = "path:kitchen starter"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "config.toml"


def test_no_file_means_the_defaults(file: Path) -> None:
    assert load(file) == Config()


def test_what_is_saved_is_loaded(file: Path) -> None:
    config = Config(
        editor='code --goto "{path}:{line}"',
        theme="carrel-contrast",
        fusion="vector",
        weights=(0.7, 0.3),
        feedback=False,
        collapse=0.0,
        diversity=0.5,
        cutoff=1.3225,
        history=False,
        keys={"search.sort": "f11,s"},
        saved={"the [odd] one = #1": 'a "phrase" -x\\', "é": "tag:été"},
    )
    save(config, file)
    assert load(file) == config
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["config.toml"]


def test_comparing_that_was_switched_on_by_hand_has_the_log_on_with_it_unless_that_is_off_by_name(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("shadow = true\n")
    assert load(file) == Config(shadow=True, search_log=True)
    file.write_text("shadow = true\nsearch_log = false\n")
    assert load(file) == Config()
    file.write_text("search_log = true\nshadow = true\n")
    assert load(file) == Config(shadow=True, search_log=True)


def test_comments_stay_when_a_setting_changes(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(WRITTEN)
    config = load(file)
    save(replace(config, theme="dracula", fusion="convex", history=False, saved={}), file)
    text = file.read_text()
    assert 'theme = "dracula"   # like the rest of my desk' in text
    assert "fusion" not in text and "# kept low on purpose\ncollapse = 0.9" in text
    assert "# vi habits" in text and "history = false" in text and "bread" not in text
    assert text.index("history") < text.index("[keys]")
    assert load(file) == replace(config, theme="dracula", fusion="convex", history=False, saved={})


def test_saving_what_stands_there_changes_nothing(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(WRITTEN)
    save(load(file), file)
    assert file.read_text() == WRITTEN


def test_a_file_that_is_written_otherwise_keeps_its_layout(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('  weights = [\n  0.6,\n  0.4,\n]  # mine\nkeys = { "search.sort" = "f11" }  # in one line\n')
    save(replace(load(file), weights=(0.5, 0.5), theme="nord"), file)
    assert load(file) == Config(weights=(0.5, 0.5), theme="nord", keys={"search.sort": "f11"})
    assert file.read_text() == (
        '  weights = [0.5, 0.5]  # mine\nkeys = { "search.sort" = "f11" }  # in one line\ntheme = "nord"\n'
    )


@pytest.mark.parametrize(
    "written",
    [
        'keys."search.sort" = "f11"  # dotted\ntheme = "nord"\n',
        '[keys]\n"search.sort" = "f11"\n\n[saved]\n# mine\nbread = "starter"\n',
        'theme = "nord"\r\n# a Windows file\r\n[keys]\r\n"search.sort" = "f11"\r\n',
        "# only a comment",
    ],
)
def test_one_setting_changes_one_line(file: Path, written: str) -> None:
    file.parent.mkdir()
    file.write_bytes(written.encode())
    config = Config(theme="dracula", keys={"search.sort": "f12"})
    save(config, file)
    assert load(file) == config
    assert [line for line in written.splitlines() if "#" in line and line.split("#")[1] not in file.read_text()] == []


def test_what_no_file_can_hold_is_refused(file: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        save(Config(saved={"half": "\ud800"}), file)
    assert not file.exists()


def test_a_broken_file_is_not_written_over(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("theme = nord")
    with pytest.raises(ConfigError, match="cannot be read"):
        save(Config(theme="nord"), file)
    assert file.read_text() == "theme = nord"


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file where a folder should be")
    with pytest.raises(ConfigError):
        save(Config(theme="nord"), tmp_path / "config" / "config.toml")


def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text('theme = "nord"\n')
    link = tmp_path / "config.toml"
    link.symlink_to(real)
    save(Config(theme="dracula"), link)
    assert link.is_symlink() and load(real).theme == "dracula"


@pytest.mark.parametrize(
    "text",
    [
        "keys = 3",
        "[keys]\nexplain = 3",
        'history = "yes"',
        "saved = []",
        "colour = 'red'",
        "weights = [0, 0]",
        "weights = [nan, 1]",
        "weights = [inf, 1]",
        'weights = ["1", "2"]',
        "weights = [true, 1]",
        "weights = [1, 2, 3]",
    ],
)
def test_a_setting_that_cannot_be_used_is_named(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"keys|history|saved|colour|weights"):
        load(file)


names = st.text(min_size=1, max_size=12).filter(lambda name: name.isprintable())


searches = st.text(st.characters(codec="utf-8"), max_size=20)


@given(st.dictionaries(names, searches, max_size=3), st.sampled_from(["", WRITTEN]))
def test_any_name_and_any_search_can_be_kept(
    tmp_path_factory: pytest.TempPathFactory, saved: dict[str, str], before: str
) -> None:
    file = tmp_path_factory.mktemp("config") / "config.toml"
    file.write_text(before)
    config = replace(load(file), saved=saved)
    save(config, file)
    text = file.read_text(encoding="utf-8")
    assert load(file) == config
    assert all(line in text for line in before.split("\n") if line.startswith("#"))
    save(config, file)
    assert file.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("value", ["[" * 5_000 + "]" * 5_000, "9" * 5_000], ids=["deep", "long"])
def test_a_value_too_deep_or_too_long_is_told_as_a_broken_file(file: Path, value: str) -> None:
    file.parent.mkdir()
    file.write_text(f"backups = {value}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(file)


def test_what_is_no_file_of_settings_is_told_and_not_waited_for(file: Path) -> None:
    file.parent.mkdir()
    os.mkfifo(file)
    with pytest.raises(ConfigError, match="no file of settings"):
        load(file)
    file.unlink()
    file.write_text("#" * (MOST_BYTES + 1))
    with pytest.raises(ConfigError, match=r"larger than 1\.0 MB"):
        load(file)


# --- values of odd types ----------------------------------------------------------------------------------------------

NAMES = tuple(each.name for each in fields(Config))
ODD = (
    "true", "false", "0", "1", "-1", "-0.0", "0.5", "1.5", "nan", "-nan", "inf", "-inf", "1e999", "5e-324", "1e308",
    "9" * 400, "-" + "9" * 400, "9223372036854775808", "0xffffffffffffffffffff", '""', '"x"', '" "', '"true"', '"0.5"',
    '"\\u0000"', '"\\u001b[31m"', '"a\\nb"', '"\\u202e"', '"it\'s"', "'''\n'''", '"' + "x" * 9000 + '"', "[]", "[[]]",
    "[0.5]", "[0.5, 0.5]", "[1, 2, 3]", "[nan, 1]", "[1e308, 1e308]", "[0, 0]", "[true, false]", '["a", "b"]', "[{}]",
    "{}", "{ a = 1 }", '{ a = "b" }', '{ "" = "" }', "{ a = { b = [1] } }", "1979-05-27", "07:32:00",
    "1979-05-27T07:32:00Z",
    "[" * 60 + "]" * 60,
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_value_of_any_kind_is_used_or_refused_in_plain_words(file: Path, name: str) -> None:
    file.parent.mkdir()
    for value in ODD:
        file.write_text(f"{name} = {value}\n", encoding="utf-8")
        try:
            config = load(file)
        except ConfigError as error:
            assert f"“{name}” in {file}" in error.message, value
            assert error.cause.startswith("It must ") and error.cause.endswith("."), value
            assert error.fix == "Correct that line, or remove it for the default.", value
        else:
            json.dumps(config.search_settings().weights, allow_nan=False)
            save(config, file)
            assert load(file) == config, value


scalars = (
    st.booleans() | st.integers() | st.integers(-(10**400), 10**400) | st.floats() | st.text(max_size=6)
    | st.dates() | st.times() | st.datetimes()
)  # fmt: skip
odd_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


@given(st.sampled_from(NAMES), odd_values)
def test_no_value_of_a_setting_ends_in_anything_but_its_sentence(name: str, value: object) -> None:
    try:
        from_mapping({name: value}, "config.toml")
    except ConfigError as error:
        assert f"“{name}” in config.toml" in error.message and error.cause.startswith("It must ")


def test_an_unknown_name_of_any_length_is_repeated_in_a_line(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(f"{'a' * 9000} = 1\n")
    with pytest.raises(ConfigError, match=r"unknown setting “a{60}…”\. ") as caught:
        load(file)
    assert "hold_back" in caught.value.fix


def test_a_process_that_works_on_goes_by_the_last_settings_that_could_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path))
    file = places().settings
    file.parent.mkdir()
    file.write_text("hold_back = 3\n")
    assert effective() == Config()
    file.write_text("hold_back = false\n")
    assert effective().hold_back is False
    file.write_text("hold_back = [\n")
    assert effective().hold_back is False
    file.unlink()
    assert effective() == Config()
