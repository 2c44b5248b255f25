"""`carrel pick` on a real terminal: what is printed whatever the streams are, and each shell and editor it binds to.

A picker that is shown takes a second of a processor, so a program is started once and shown several things.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from terminal import Screen, Terminal

from app.integrations import FILES, integration

PROGRAM = Path(sys.executable).with_name("carrel")
DROPPED_SECONDS = 5.0  # after which keys count as dropped
PATIENCE_SECONDS = 120.0
ENTER, ESCAPE, TAB, PICK_KEY = "\r", "\x1b", "\t", "\x1b\x0b"  # the last is ctrl+alt+k
HOSTILE = (b"-dash.md", b'it\'s "so" $HOME.md', b"line\nend.md", b"caf\xe9 \x1b[31m.md")

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not PROGRAM.exists(), reason="the program carrel is not installed beside this Python"),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with notes that are found by words, so that no process loads the model for a search."""
    base = tmp_path_factory.mktemp("picker")
    (base / "home/config").mkdir(parents=True)
    (base / "home/config/config.toml").write_text('fusion = "keyword"\nmemory = false\n')
    (base / "notes").mkdir()
    for number in range(1, 4):
        (base / f"notes/quay {number}.md").write_text(f"# Quay {number}\n\nAbout boats.\n\n{'quay ' * (4 - number)}\n")
    for name in HOSTILE:
        (base / "notes" / os.fsdecode(name)).write_bytes(b"# Hostile\n\nA hostile name, %d.\n" % len(name))
    assert run(base, "add", ".").returncode == 0
    assert run(base, "sync", "--wait", "words").returncode == 0
    return base


def environment(base: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CARREL", "XDG", "TMUX"))}
    kept.pop("NO_COLOR", None)
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    own = {"CARREL_HOME": os.fspath(base / "home"), "HOME": os.fspath(base / "user"), "PATH": path}
    own["TMPDIR"] = os.fspath(base)  # an editor that is ended leaves what it has there
    return {**kept, **own, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PS1": "$ "}


def run(base: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run `carrel` without any terminal."""
    return subprocess.run(
        [PROGRAM, *arguments], cwd=base / "notes", env=environment(base), stdin=subprocess.DEVNULL,
        capture_output=True, check=False, start_new_session=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip


class Session:
    """A program in a terminal, in the notes' folder, and the files that it leaves."""

    def __init__(self, base: Path, command: list[str], **more: str) -> None:
        (base / "user").mkdir(exist_ok=True)
        inside = ["sh", "-c", f"cd {shlex.quote(os.fspath(base / 'notes'))} && exec {shlex.join(command)}"]
        self.terminal = Terminal(inside, {**environment(base), **more}, columns=100, rows=60)

    def sees(self, text: str) -> None:
        self.until(lambda screen: text in screen.text, text)

    def until(self, seen: Callable[[Screen], bool], what: str = "") -> None:
        assert self.terminal.wait(seen, PATIENCE_SECONDS) is not None, f"{what}\n{self.terminal.screen.text}"

    def press(self, keys: str) -> None:
        self.terminal.press(keys)

    def press_until(self, keys: str, text: str) -> None:
        """Press keys, again where a program may have dropped them, until a text is seen."""
        until = time.monotonic() + PATIENCE_SECONDS
        while self.terminal.wait(lambda screen: text in screen.text, 0.1) is None:
            assert time.monotonic() < until, self.terminal.screen.text
            self.press(keys)
            self.terminal.wait(lambda screen: text in screen.text, DROPPED_SECONDS)

    def written(self, path: Path) -> bytes:
        """Return what stands in a file once a line end, or a NUL, is the last of it."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not (path.exists() and path.read_bytes()[-1:] in (b"\n", b"\0")):
            self.terminal.rest(0.05)
            assert time.monotonic() < until, self.terminal.screen.text
        return path.read_bytes()

    def close(self) -> None:
        os.kill(self.terminal.pid, 9)
        os.waitpid(self.terminal.pid, 0)


@pytest.fixture
def session(base: Path) -> Iterator[Callable[..., Session]]:
    """Return a way to start a program, which ends with the test."""
    started: list[Session] = []

    def start(*command: str, **more: str) -> Session:
        started.append(Session(base, list(command), **more))
        return started[-1]

    yield start
    for each in started:
        each.close()


def needs(program: str) -> str:
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed here")
    return program


def test_marked_rows_reach_stdout_whatever_the_streams_are(session: Callable[..., Session], tmp_path: Path) -> None:
    out, err, code = (tmp_path / name for name in ("out", "err", "code"))
    script = f'echo above; x=$(echo no keys | carrel pick --multi quay 2>{err}); echo $? >{code}; echo "$x" >{out}'
    picker = session("sh", "-c", script)
    picker.sees("Quay 3")
    picker.press(TAB)
    picker.until(lambda screen: "✓Quay 1" in screen.text)
    picker.press(TAB)
    picker.until(lambda screen: "✓Quay 2" in screen.text)
    picker.press(ENTER)
    assert picker.written(out) == b"quay 1.md:1\nquay 2.md:1\n"
    assert code.read_text() == "0\n"
    assert err.read_bytes() == b""  # nothing was drawn there


def test_cancelling_below_the_prompt_ends_with_130_and_no_byte(session: Callable[..., Session], tmp_path: Path) -> None:
    out, code, file = (tmp_path / name for name in ("out", "code", "file"))
    file.write_bytes(b"of before\n")
    picker = session("sh", "-c", f"echo above; carrel pick --height 12 --output {file} quay >{out}; echo $? >{code}")
    picker.until(lambda screen: "Quay 1" in screen.text and "above" in screen.line(0))
    picker.press(ESCAPE)
    assert picker.written(code) == b"130\n"
    assert (out.read_bytes(), file.read_bytes()) == (b"", b"")


def test_without_a_terminal_it_filters_and_says_what_went_wrong(base: Path) -> None:
    filtered = run(base, "pick", "--filter", "--print0", "--format", "{path}", "hostile")
    assert sorted(filtered.stdout.rstrip(b"\0").split(b"\0")) == sorted(
        b"./" + name if name[:1] == b"-" else name for name in HOSTILE
    )
    unseen = run(base, "pick", "quay")
    assert (unseen.returncode, unseen.stdout) == (2, b"") and b"/dev/tty" in unseen.stderr
    assert run(base, "pick", "--filter", "zeppelin").returncode == 1


# --- shells: the key puts quoted places into the command line ---------------------------------------------------------

SHELLS = {
    "zsh": (["zsh", "-f", "-i"], 'eval "$(carrel init zsh)"'),
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(carrel init bash)"'),
    "fish": (["fish", "--no-config", "-i"], "carrel init fish | source"),
}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_gets_every_name_quoted(
    session: Callable[..., Session], base: Path, tmp_path: Path, shell: str
) -> None:
    needs(shell)
    command, binding = SHELLS[shell]
    out = tmp_path / "out"
    terminal = session(*command)
    terminal.until(lambda screen: any(sign in screen.text for sign in "$#>"))
    terminal.press_until(f"{binding}; echo bo''und{ENTER}", "bound")  # zsh drops what comes before it edits the line
    terminal.press("printf '%s\\0' ")
    terminal.press(PICK_KEY)
    terminal.sees("enter pick")
    terminal.press("hostile")
    terminal.until(lambda screen: screen.text.count("Hostile") >= len(HOSTILE))
    for place in range(1, len(HOSTILE) + 1):
        terminal.press(TAB)
        terminal.until(lambda screen, place=place: screen.text.count("✓Hostile") == place)  # type: ignore[misc]
    terminal.press(ENTER)
    terminal.until(lambda screen: "enter pick" not in screen.text and "printf" in screen.text)
    terminal.press(f"> {out}{ENTER}")
    names = [b"./" + name if name[:1] == b"-" else name for name in HOSTILE]
    assert sorted(terminal.written(out).rstrip(b"\0").split(b"\0")) == sorted(name + b":1" for name in names)


# --- editors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("editor", ["vim", "neovim"])
def test_vim_opens_what_was_picked_at_its_line(session: Callable[..., Session], tmp_path: Path, editor: str) -> None:
    program = needs("nvim" if editor == "neovim" else "vim")
    source, out, line = tmp_path / FILES[editor], tmp_path / "out", tmp_path / "line"
    source.write_text(integration(editor))
    plain = ["--clean", "-n", "--cmd", f"source {source}"]
    told = f":call writefile([expand('%:t').' '.line('.')], '{{}}'){ENTER}"
    terminal = session(program, *plain, "quay 2.md:3")
    terminal.until(lambda screen: "Quay 2" in screen.text)
    terminal.press(told.format(line))
    assert terminal.written(line) == b"quay 2.md 3\n"
    terminal.press(f":Carrel quay{ENTER}")
    terminal.sees("enter pick")
    terminal.until(lambda screen: "Quay 3" in screen.text)
    terminal.press(ENTER)
    terminal.until(lambda screen: "enter pick" not in screen.text and "# Quay 1" in screen.text)
    terminal.press(told.format(out))
    assert terminal.written(out) == b"quay 1.md 1\n"


def test_emacs_visits_what_was_picked(session: Callable[..., Session], tmp_path: Path) -> None:
    needs("emacs")
    source, out = tmp_path / FILES["emacs"], tmp_path / "out"
    source.write_text(integration("emacs"))
    told = f'(write-region (format "%s %d\\n" (buffer-name) (line-number-at-pos)) nil "{out}")'
    hook = f"(add-hook 'find-file-hook (lambda () (run-at-time 0 nil (lambda () {told}))))"
    emacs = ["emacs", "-nw", "-Q", "-l", os.fspath(source), "--eval", hook, "--eval", '(carrel-pick "quay")']
    terminal = session(*emacs)
    terminal.until(lambda screen: "Quay 3" in screen.text)
    terminal.press(ENTER)
    assert terminal.written(out) == b"quay 1.md 1\n"


# --- the rest ---------------------------------------------------------------------------------------------------------


def test_tmux_pastes_what_was_picked_in_its_popup(session: Callable[..., Session], tmp_path: Path) -> None:
    needs("tmux")
    config, out = tmp_path / "tmux.conf", tmp_path / "out"
    config.write_text(integration("tmux") + "set -g assume-paste-time 0\n")  # keys that come at once are keys too
    server = tmp_path / "server"
    terminal = session("tmux", "-S", os.fspath(server), "-f", os.fspath(config), "new-session", "sh")
    try:
        terminal.until(lambda screen: any(sign in screen.text for sign in "$#>"))  # before, its folder is tmux's own
        terminal.press("printf '%s\\0' ")
        terminal.sees("printf")
        terminal.press("\x02\x0b")  # the prefix, ctrl+b, then ctrl+k
        terminal.sees("enter pick")
        terminal.press("quay")
        terminal.until(lambda screen: "Quay 3" in screen.text)
        terminal.press(ENTER)
        terminal.until(lambda screen: "enter pick" not in screen.text and "quay 1.md" in screen.text)
        terminal.press(f">{out}{ENTER}")
        assert terminal.written(out) == b"quay 1.md\0"
    finally:
        subprocess.run(["tmux", "-S", os.fspath(server), "kill-server"], check=False, capture_output=True)


def test_what_helix_and_yazi_run_picks_into_their_file_and_their_reveal(
    session: Callable[..., Session], base: Path, tmp_path: Path
) -> None:
    """Neither is in Debian; what they hand to a shell is run by one, with a stand-in for Yazi's `ya`."""
    helix = tomllib.loads(integration("helix"))["keys"]["normal"]["space"]["k"]
    yazi = tomllib.loads(integration("yazi"))["mgr"]["prepend_keymap"][0]["run"]
    picks, opens = helix[0].removeprefix(":insert-output "), helix[2].removeprefix(":open %sh{").removesuffix("}")
    reveals = shlex.split(yazi)[-1]
    out, ya = tmp_path / "out", tmp_path / "bin/ya"
    ya.parent.mkdir()
    ya.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {out}\n')
    ya.chmod(0o755)
    path = f"{ya.parent}{os.pathsep}{environment(base)['PATH']}"
    editor = session("sh", "-c", f"{picks} >/dev/null; {{ {opens}; }} >{out}", XDG_RUNTIME_DIR=os.fspath(tmp_path))
    editor.sees("enter pick")
    editor.press(ENTER)
    assert editor.written(out).endswith(b".md:1\n")
    out.unlink()
    manager = session("sh", "-c", reveals, PATH=path)
    manager.sees("enter pick")
    manager.press(ENTER)
    told = manager.written(out).splitlines()
    assert told[:2] == [b"emit", b"reveal"] and told[2].startswith(os.fsencode(base / "notes"))
