"""The settings file: read, changed line by line, refused where it cannot be used."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import Config, load, save
from engine.errors import ConfigError

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
        collapse=None,
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
