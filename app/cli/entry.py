"""Runs the command line and turns whatever ends it into one exit code and one plain message on stderr.

0 done; 1 nothing relevant found, or a check failed; 2 usage or bad input; 3 the lock is held by another process;
130 interrupted. A traceback never reaches the person: it goes to the log, and the message names the log.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
import traceback
from collections.abc import Sequence

import click

from app.cli.root import root
from app.cli.session import DONE, FAILED, INTERRUPTED, USAGE
from engine.errors import CarrelError
from engine.log_file import append, private_log
from engine.paths import places, private_folder

PROGRAM = "carrel"
COMPLETION_VARIABLE = "_CARREL_COMPLETE"  # set by the script that `carrel completion` prints


def run(arguments: Sequence[str]) -> int:
    """Run one command and return the exit code; nothing but a test's own interruption is raised."""
    if os.name == "nt":
        _say("Carrel runs on Linux and macOS, not on Windows.", "Under WSL it works.")
        return USAGE
    _never_fail_on_characters()
    instruction = os.environ.get(COMPLETION_VARIABLE)
    if instruction:
        from click.shell_completion import shell_complete

        return shell_complete(root, {}, PROGRAM, COMPLETION_VARIABLE, instruction)
    try:
        code = _invoke(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, `head` for one, has seen enough
        _drop_output()
        return DONE
    return code


def _invoke(arguments: Sequence[str]) -> int:
    """Run one command; every end but a broken pipe becomes a code and a message."""
    try:
        with root.make_context(PROGRAM, list(arguments)) as context:
            outcome = root.invoke(context)
            return outcome if isinstance(outcome, int) else DONE
    except click.exceptions.Exit as left:
        return left.exit_code
    except click.UsageError as error:
        _say(error.format_message(), _help_for(error))
        return error.exit_code
    except click.ClickException as error:
        _say(error.format_message())
        return error.exit_code
    except CarrelError as error:
        _say(" ".join(part for part in (error.message, error.cause) if part), error.fix)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt, EOFError):
        _say("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        _say(f"Something unexpected went wrong ({type(error).__name__}).", _record(error, arguments))
        return FAILED


def _say(message: str, fix: str = "") -> None:
    """Print a message, and what to do about it, to stderr."""
    with contextlib.suppress(BrokenPipeError):
        click.echo(f"{PROGRAM}: {message}", err=True)
        if fix:
            click.echo(fix, err=True)


def _help_for(error: click.UsageError) -> str:
    """Return the line that names the help page of the command which was called wrongly."""
    command = error.ctx.command_path if error.ctx else PROGRAM
    return f"See `{command} --help`."


def _record(error: Exception, arguments: Sequence[str]) -> str:
    """Append the traceback to the log and return the sentence that says where it is."""
    log = places().log
    heading = f"{time.strftime('%Y-%m-%d %H:%M:%S')} carrel {' '.join(map(repr, arguments))}\n"
    try:
        private_folder(log.parent)
        append(private_log(log), heading + "".join(traceback.format_exception(error)) + "\n")
    except OSError as failure:
        return f"The log {log} could not be written either: {failure.strerror}."
    return f"The details are in {log}."


def _never_fail_on_characters() -> None:
    """Let a terminal that lacks a character show a replacement instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _drop_output() -> None:
    """Point stdout at nothing, so that the interpreter's last flush does not fail a second time."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
