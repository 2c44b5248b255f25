"""The settings screen, the keys screen, and the themes: by keys, on a settings file of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeIndexer, FakeLibrary, ports
from piloting import SIZES, SMALL, WIDE, picture, pressed, settle, told, typed, written
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from app.tui.app import CarrelApp
from app.tui.screens.search.screen import SearchScreen
from app.tui.screens.settings.keys_screen import KeysScreen
from app.tui.screens.settings.screen import SettingsScreen
from app.tui.screens.settings.setting_list import fault, settings
from app.tui.settings_file import SettingsFile
from app.tui.theme import CARREL_THEMES, DARK, LIGHT, ThemeChoice
from app.tui.theme_colors import READABLE, TERMINAL_THEMES, contrast, inks
from engine.config import Config, load, save

TEXT_INKS = ("lead", "quiet", "bright", "mark", "meaning", "alarm", "good")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "config.toml"


def app_with(file: Path | None, config: Config | None = None) -> CarrelApp:
    return CarrelApp(replace(ports(FakeLibrary(), FakeIndexer()), settings=SettingsFile(file, config)))


async def test_a_theme_is_chosen_and_kept(file: Path) -> None:
    app = app_with(file)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pressed(pilot, "f5", "enter", *"contrast", "enter")
        assert app.theme == "carrel-contrast"
        assert load(file).theme == "carrel-contrast"
        await pressed(pilot, "right")
        assert app.theme == load(file).theme != "carrel-contrast"
        await pressed(pilot, "delete")
        assert app.theme == DARK.name and load(file).theme == ""
        await pressed(pilot, "escape")
        assert isinstance(app.screen, SearchScreen)


async def test_the_key_of_the_settings_leads_back_from_them() -> None:
    app = app_with(None)
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pressed(pilot, "f5")
        assert isinstance(app.screen, SettingsScreen)
        await pressed(pilot, "f5")
        assert isinstance(app.screen, SearchScreen) and app.focused is app.screen.query_line
        await pressed(pilot, "f5", "f5", "f5")
        assert isinstance(app.screen, SettingsScreen)
        await pressed(pilot, "up", "enter", "f5")  # a list over the settings keeps the key from them
        assert not isinstance(app.screen, SearchScreen)


async def test_ranking_is_changed_and_searched_by_at_once(file: Path) -> None:
    app = app_with(file)
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pressed(pilot, "f5", "down", "right", "down", "enter", *".6 .4", "enter", "down", "enter")
        assert load(file) == Config(fusion="rrf", weights=(0.6, 0.4), feedback=False)
        assert app.config == load(file)
        search: Any = app.screen_stack[0]
        assert search.parts.search.settings == load(file).search_settings()
        assert "meaning .60, words .40" in written(pilot)


async def test_what_cannot_be_is_told_where_it_is_typed(file: Path) -> None:
    app = app_with(file)
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pressed(pilot, "f5", "down", "down", "enter", *"a lot", "enter")
        assert "These are no numbers. Write them as .8 or 0.8." in written(pilot)
        await pressed(pilot, "escape")
        assert not file.exists()


async def test_history_is_deleted_when_it_is_switched_off(file: Path) -> None:
    app = app_with(file)
    app.ports.history.remember("one")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pressed(pilot, "f5", *["down"] * 9, "enter")
        assert load(file).history is False and app.ports.history.entries() == ()
        assert told(pilot) == ["History is off: 1 search forgotten; nothing is remembered from now on."]


async def test_a_broken_file_is_told_at_the_start_and_never_written_over(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("fusion = 'best'\n")
    app = app_with(file)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        assert "It must be one of convex" in told(pilot)[0]
        await pressed(pilot, "f5", "down", "down", "down", "enter")
        assert "cannot be used" in told(pilot)[1]
        assert file.read_text() == "fusion = 'best'\n" and app.config == Config()


@pytest.mark.parametrize("line", ["weights = [nan, 1]", "cutoff = 1979-05-27", "keys = [[]]", "hold_back = 1e999"])
async def test_a_value_of_an_odd_type_is_told_with_the_way_out_and_the_screen_goes_on(file: Path, line: str) -> None:
    file.parent.mkdir()
    file.write_text(f"{line}\n")
    app = app_with(file)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        assert "It must " in told(pilot)[0] and "Correct that line, or remove it" in told(pilot)[0]
        await pressed(pilot, "f5", *["down"] * 10, "enter")
        assert "cannot be used" in told(pilot)[1]
        file.write_text("")
        await pressed(pilot, "enter")
        assert load(file) == Config(hold_back=False)


async def test_a_hand_on_the_file_meanwhile_is_not_undone(file: Path) -> None:
    app = app_with(file)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        file.parent.mkdir()
        file.write_text('editor = "hx"\n')
        assert app.change_config(feedback=False)
        assert load(file) == Config(editor="hx", feedback=False)


async def test_a_setting_is_changed_by_mouse(file: Path) -> None:
    app = app_with(file)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pressed(pilot, "f5")
        await pilot.click("SettingRows", offset=(4, 9))
        await settle(pilot)
        assert load(file).feedback is False


async def test_the_editor_of_the_settings_opens_notes(file: Path) -> None:
    config = Config(editor="hx {path}:{line}")
    app = app_with(None, config)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        pilot.app.screen.query_one("#query").value = "hungry"  # type: ignore[attr-defined]
        await settle(pilot)
        await pressed(pilot, "enter")
        editor: Any = app.ports.edit
        assert editor.commands[0].arguments[0] == b"hx"


@pytest.mark.parametrize(("name", "text", "wrong"), [
    ("weights", ".8, .2", False),
    ("weights", "", False),
    ("weights", "1", True),
    ("weights", "-1 2", True),
    ("collapse", "0", False),
    ("collapse", ".9", False),
    ("collapse", "2", True),
    ("collapse", "", False),
    ("editor", "", False),
    ("ocr", "deu+eng", False),
    ("ocr", "", False),
    ("ocr", "deu, eng", True),
    ("weights", "nan 1", True),
    ("weights", "1e999 1", True),
    ("weights", "0 0", True),
    ("collapse", "nan", True),
    ("collapse", "-inf", True),
    ("editor", "code 'x", True),
    ("editor", "vim\0", True),
])  # fmt: skip
def test_what_is_typed_is_checked(name: str, text: str, wrong: bool) -> None:
    (setting,) = (each for each in settings([]) if each.name == name)
    assert bool(fault(setting, text)) is wrong


def test_every_setting_has_a_value_in_words() -> None:
    odd = Config(theme="nord", weights=(0.33, 0.67), collapse=0.333, diversity=0.6, cutoff=1.6, editor="vim")
    for config in (Config(), odd):
        assert all(setting.shown(config) for setting in settings([("nord", True)]))
    for setting in settings([("nord", True)]):
        if setting.values:
            assert setting.stepped(odd, 1) != getattr(odd, setting.name)


async def test_scanned_pages_are_grey_with_the_reason_where_tesseract_is_not_installed(file: Path) -> None:
    save(Config(ocr="deu"), file)
    app = app_with(file)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pressed(pilot, "f5", "end", "up")
        assert "Tesseract is not installed" in written(pilot) and "Languages in which" not in written(pilot)
        await pressed(pilot, "enter")
        assert "Tesseract is not installed" in told(pilot)[-1] and isinstance(app.screen, SettingsScreen)
        await pressed(pilot, "delete")
        assert load(file).ocr == ""


async def test_the_languages_of_scanned_pages_are_typed(file: Path) -> None:
    app = CarrelApp(replace(app_with(file).ports, which=lambda name: f"/usr/bin/{name}"))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pressed(pilot, "f5", "end", "up", "enter", *"deu+eng", "enter")
        assert load(file).ocr == "deu+eng"
        assert "Languages in which Tesseract reads" in written(pilot)


async def test_comparing_with_a_model_beside_goes_with_the_search_log(file: Path) -> None:
    app = app_with(file)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pressed(pilot, "f5", "end", "up", "up", "enter")
        assert load(file) == Config(shadow=True, search_log=True)
        assert told(pilot)[-1].endswith("and the search log is on with it.")
        await pressed(pilot, "enter")
        assert load(file) == Config(search_log=True) and "carrel shadow --empty" in told(pilot)[-1]
        await pressed(pilot, "enter")
        await pressed(pilot, "home", *["down"] * 5, "enter")
        assert load(file) == Config()


async def test_rows_of_a_note_and_the_cut_off_are_stepped_through(file: Path) -> None:
    app = app_with(file)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pressed(pilot, "f5", *["down"] * 7, "right", "right", "down", "left")
        assert (load(file).diversity, load(file).cutoff) == (0.7, 1.15)
        await pressed(pilot, "delete")
        assert load(file).cutoff is None


async def test_a_key_is_changed_by_pressing_it(file: Path) -> None:
    app = app_with(file)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        await pressed(pilot, "f5", "end", "enter")
        assert isinstance(app.screen, KeysScreen)
        screen: Any = app.screen
        at = next(i for i, action in enumerate(screen._actions) if action and action.id == "search.explain")
        screen.rows.highlighted = at
        await pressed(pilot, "enter", "ctrl+b")
        assert load(file).keys == {"search.explain": "ctrl+b,e"}
        await pressed(pilot, "enter", "z")
        assert load(file).keys == {"search.explain": "ctrl+b,z"}
        await pressed(pilot, "enter", "f1")
        assert "“Help: keys and query language” has it. Nothing was changed." in told(pilot)[-1]
        await pressed(pilot, "enter", "escape", "escape", "escape")
        await pressed(pilot, "ctrl+b")
        search: Any = app.screen
        assert search.pane.explaining
        await pressed(pilot, "f5", "end", "enter")
        screen = app.screen
        screen.rows.highlighted = at
        await pressed(pilot, "delete")
        assert load(file).keys == {}


async def test_keys_that_clash_in_the_file_are_told_at_the_start(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('[keys]\n"search.explain" = "f1"\n')
    app = app_with(file)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await settle(pilot)
        assert "has it." in told(pilot)[0]
        await pressed(pilot, "ctrl+t")
        search: Any = app.screen
        assert search.pane.explaining


async def test_every_theme_has_every_ink() -> None:
    names = sorted(BUILTIN_THEMES)
    for name in names:
        chosen = app_with(None, Config(theme=name))
        assert chosen.theme == name
        assert set(inks(chosen.current_theme)) <= set(chosen.theme_variables), name
    app = app_with(None, Config(theme=names[-1]))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter -stove")
        for name in names:
            app.theme = name
            await settle(pilot)
            assert "starter" in written(pilot), name


def test_the_inks_are_those_of_the_themes_of_ones_own() -> None:
    for theme in CARREL_THEMES:
        own = {name for name in theme.variables if not name.startswith(("scrollbar", "input", "screen"))}
        assert own == set(inks(theme))


def test_scroll_bars_have_no_colour_of_their_own_in_sixteen_colours() -> None:
    for theme in TERMINAL_THEMES:
        used = {value for name, value in theme.variables.items() if name.startswith("scrollbar")}
        assert used <= {*inks(theme).values(), "ansi_default"}, theme.name


@pytest.mark.parametrize("theme", [*CARREL_THEMES, *BUILTIN_THEMES.values()], ids=lambda theme: theme.name)
def test_text_can_be_read_in_every_theme(theme: Any) -> None:
    if theme.ansi:
        return
    painted = {**inks(theme), **theme.variables}
    ground = Color.parse(theme.to_color_system().generate()["background"])
    for name in TEXT_INKS:
        assert contrast(Color.parse(painted[name]), ground) >= READABLE - 0.05, name
    least = 7.0 if theme.name == "carrel-contrast" else 1.0
    assert contrast(Color.parse(painted["quiet"]), ground) >= least


def test_the_theme_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.tui.theme.few_colours", lambda: False)
    choice = ThemeChoice()
    known = {theme.name: theme for theme in (*CARREL_THEMES, *BUILTIN_THEMES.values())}
    assert choice.wanted("", known) == (DARK.name, "")
    assert choice.wanted("nord", known) == ("nord", "")
    name, trouble = choice.wanted("nrod", known)
    assert name == DARK.name and "nrod" in trouble
    monkeypatch.setenv("TEXTUAL_THEME", "dracula")
    assert choice.wanted("nord", known) == ("dracula", "")
    monkeypatch.delenv("TEXTUAL_THEME")
    monkeypatch.setenv("COLORFGBG", "0;15")
    assert choice.wanted("", known) == (LIGHT.name, "")


async def test_f4_changes_between_the_persons_theme_and_the_other_ground() -> None:
    app = app_with(None, Config(theme="nord"))
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        themes = []
        for _ in range(3):
            themes.append(app.theme)
            await pressed(pilot, "f4")
        assert themes == ["nord", LIGHT.name, "nord"]


async def test_the_keys_stand_in_a_column_of_their_own() -> None:
    async with app_with(None).run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pressed(pilot, "f5", "end", "enter")
        places = [
            line.index(f"  {key}")
            for line in written(pilot).splitlines()
            for key in ("f3  alt+l", "f9  alt+r", "shift+tab")
            if f"  {key}" in line
        ]
        assert len(places) == 3 and len(set(places)) == 1


# --- pictures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_the_settings(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary(), size, "f5", "down", config=Config(fusion="rrf"))


@pytest.mark.parametrize("size", SIZES)
def test_the_keys(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(
        snap_compare, FakeLibrary(), size, "f5", "end", "enter", config=Config(keys={"search.explain": "ctrl+b,e"})
    )


@pytest.mark.parametrize("size", SIZES)
def test_a_setting_that_is_typed(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary(), size, "f5", "down", "down", "enter", "x", "enter")


def test_high_contrast(snap_compare: Any) -> None:
    assert picture(snap_compare, FakeLibrary(), WIDE, config=Config(theme="carrel-contrast"), query="starter -stove")
