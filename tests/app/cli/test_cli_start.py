"""How `carrel` starts, what it does with words that are no command, and how it ends when something goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_fakes import Call, FakeLibrary

from app.cli import factories
from app.cli.commands import COMMANDS
from engine.errors import ConfigError, LibraryBusy, LibraryDamaged
from engine.paths import places

HEAVY = ("textual", "rich", "numpy", "apsw", "onnxruntime", "tokenizers", "fastembed", "torch", "engine.library")


def modules_after(*arguments: str) -> set[str]:
    program = f"import sys; from app.cli import main; main({list(arguments)!r}); print(*sys.modules, file=sys.stderr)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(ended.stderr.split())


def test_version_loads_not_even_the_command_line_library() -> None:
    assert not modules_after("--version") & {*HEAVY, "click"}


@pytest.mark.parametrize("arguments", [["--help"], ["search", "--help"], ["models", "--help"], ["completion", "bash"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    assert not modules_after(*arguments) & set(HEAVY)


def test_the_overview_names_every_command(carrel: Call) -> None:
    ended = carrel("--help")

    assert ended.code == 0
    for name, meaning in COMMANDS.items():
        assert name in ended.out
        assert meaning in ended.out


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself_with_examples(carrel: Call, name: str) -> None:
    ended = carrel(name, "--help")

    assert ended.code == 0
    assert f"Usage: carrel {name}" in ended.out
    assert f"$ carrel {name}" in ended.out


def test_a_misspelt_command_gets_a_suggestion(carrel: Call) -> None:
    ended = carrel("serch", "starter")

    assert ended.code == 2
    assert "Did you mean `carrel search`?" in ended.err
    assert ended.out == ""


def test_a_word_like_no_command_is_offered_as_a_search(carrel: Call) -> None:
    assert "`carrel search xylophone`" in carrel("xylophone").err


def test_a_file_is_not_taken_for_a_folder(carrel: Call) -> None:
    Path("note.md").write_text("x")

    ended = carrel("note.md")

    assert ended.code == 2
    assert "note.md is a file" in ended.err


def test_a_missing_path_is_named(carrel: Call) -> None:
    ended = carrel("./nowhere")

    assert (ended.code, ended.err.splitlines()[0]) == (2, "carrel: There is no folder ./nowhere.")


def test_a_commands_name_wins_over_a_folders(carrel: Call, library: FakeLibrary) -> None:
    Path("search").mkdir()

    assert "QUERY" in carrel("search").err
    assert library.asked == []

    carrel("./search")
    assert library.of("add") == [Path.cwd() / "search"]


@pytest.mark.parametrize(
    "arguments", [("--library", "/l", "--json", "status"), ("status", "--library", "/l", "--json")]
)
def test_global_options_count_before_and_after_the_command(
    carrel: Call, library: FakeLibrary, arguments: tuple[str, ...]
) -> None:
    ended = carrel(*arguments)

    assert library.of("open") == [(Path("/l"), False)]
    assert ended.json["format"] == 1


def test_the_environment_names_a_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CARREL_LIBRARY", str(tmp_path / "named.carrel"))
    environment = {**os.environ, "CARREL_HOME": str(tmp_path)}

    ended = subprocess.run(
        [sys.executable, "-m", "app.cli", "status"], env=environment, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 2
    assert "named.carrel" in ended.stderr


def test_an_unknown_option_is_bad_usage(carrel: Call) -> None:
    ended = carrel("status", "--full")

    assert ended.code == 2
    assert "See `carrel status --help`." in ended.err


def test_an_error_says_what_why_and_what_to_do_on_stderr(carrel: Call, library: FakeLibrary) -> None:
    library.refusals["search"] = [LibraryDamaged("The file is damaged.", cause="A page is torn.", fix="Repair it.")]

    ended = carrel("search", "starter")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "carrel: The file is damaged. A page is torn.\nRepair it.\n"


def test_errors_stay_plain_text_beside_json(carrel: Call, library: FakeLibrary) -> None:
    library.refusals["search"] = [ConfigError("A weight is negative.")]

    ended = carrel("search", "--json", "starter")

    assert (ended.code, ended.out, ended.err) == (2, "", "carrel: A weight is negative.\n")


def test_a_lock_that_another_holds_is_exit_code_three(carrel: Call, library: FakeLibrary) -> None:
    library.refusals["check"] = [LibraryBusy("Another process works on the library.")]

    assert carrel("doctor", "--repair").code == 3


def test_a_traceback_goes_to_the_log_that_the_message_names(
    carrel: Call, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path | None, *, create: bool = False) -> FakeLibrary:
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr(factories, "open_library", fail)

    ended = carrel("status")

    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert str(places().log) in ended.err
    assert "ZeroDivisionError: surprise" in places().log.read_text()


def test_an_interruption_is_exit_code_130(carrel: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(path: Path | None, *, create: bool = False) -> FakeLibrary:
        raise KeyboardInterrupt

    monkeypatch.setattr(factories, "open_library", interrupted)

    assert carrel("status").code == 130


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)

    ended = subprocess.run(
        [sys.executable, "-m", "app.cli", "--help"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_characters_that_the_terminal_lacks_are_replaced(tmp_path: Path) -> None:
    program = (
        "import sys; from app.cli import main, factories; from cli_fakes import FakeLibrary\n"
        "factories.open_library = lambda path, create=False: FakeLibrary()\n"
        "sys.exit(main(['search', 'starter']))"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "CARREL_HOME": str(tmp_path)}

    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=Path(__file__).parent, capture_output=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    assert b"Sourdough ? Care" in ended.stdout


@pytest.mark.parametrize("arguments", [("--no-color", "search", "x"), ("search", "--no-color", "x"), ("search", "x")])
def test_a_pipe_gets_no_escape_codes(carrel: Call, arguments: tuple[str, ...]) -> None:
    assert "\x1b" not in carrel(*arguments).out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shells_completion_script_asks_carrel(carrel: Call, shell: str) -> None:
    ended = carrel("completion", shell)

    assert ended.code == 0
    assert f"_CARREL_COMPLETE={shell}_complete" in ended.out


def test_an_unknown_shell_is_bad_usage(carrel: Call) -> None:
    assert carrel("completion", "tcsh").code == 2


def completed(words: str, monkeypatch: pytest.MonkeyPatch, carrel: Call) -> list[str]:
    monkeypatch.setenv("_CARREL_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    return carrel().out.split()


def test_commands_complete_by_their_beginning(carrel: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_so = ["plain,search", "plain,show", "plain,shadow", "plain,sync", "plain,status", "plain,serve"]
    assert completed("carrel s", monkeypatch, carrel) == begin_so


def test_options_of_a_command_complete(carrel: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    assert completed("carrel search --fu", monkeypatch, carrel) == ["plain,--fusion"]


@pytest.mark.parametrize(
    ("words", "kind"), [("carrel open no", "file"), ("carrel show no", "file"), ("carrel add no", "dir")]
)
def test_a_path_completes_as_what_the_command_takes(
    carrel: Call, monkeypatch: pytest.MonkeyPatch, words: str, kind: str
) -> None:
    assert completed(words, monkeypatch, carrel) == [f"{kind},no"]


def test_what_is_no_command_completes_as_a_folder(carrel: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    assert completed("carrel ./no", monkeypatch, carrel)[0].startswith("dir,")
