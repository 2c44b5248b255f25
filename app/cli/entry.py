"""Runs the command line and turns whatever ends it into one exit code and one plain message on stderr.

0 done; 1 nothing relevant found, a check failed, or something went wrong; 2 usage or bad input; 3 another process holds
the lock; 130 interrupted. Of `carrel pick` 1 says that nothing matched and nothing else: whatever goes wrong there is
2. A traceback never reaches the person: it goes to the log, and the message names the log.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import click

from app.cli.commands import ONE_IS_NO_MATCH
from app.cli.output import OutputError
from app.cli.root import root
from app.cli.session import DONE, FAILED, INTERRUPTED, USAGE
from app.wording.safe_text import cleaned
from engine.errors import CarrelError
from engine.paths import places, private_folder

PROGRAM = "carrel"
COMPLETION_VARIABLE = "_CARREL_COMPLETE"  # set by the script that `carrel completion` prints


def run(arguments: Sequence[str]) -> int:
    """Run one command and return the exit code; nothing but a test's own interruption is raised."""
    if os.name == "nt":
        _say("Carrel runs on Linux and macOS, not on Windows.", "Under WSL it works.")
        return USAGE
    instruction = os.environ.get(COMPLETION_VARIABLE)
    return _complete(instruction) if instruction else _invoke(arguments)


def _complete(instruction: str) -> int:
    """Print what a shell asks for, `bash_complete` for one: click's own way would write past the safe streams."""
    from click.shell_completion import get_completion_class

    shell, _, wanted = instruction.partition("_")
    kind = get_completion_class(shell)
    if kind is None or wanted not in ("complete", "source"):
        return FAILED
    completion = kind(root, {}, PROGRAM, COMPLETION_VARIABLE)
    click.echo(completion.complete() if wanted == "complete" else completion.source())
    return DONE


def _invoke(arguments: Sequence[str]) -> int:
    """Run one command; every end but output that is refused becomes a code and a message."""
    context: click.Context | None = None
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
        return _failed(context, error.exit_code)
    except (click.Abort, KeyboardInterrupt, EOFError):
        _say("Interrupted.")
        return INTERRUPTED
    except (BrokenPipeError, OutputError):
        raise
    except OSError as error:
        _say(_refused(error), _record(error, arguments))
        return FAILED
    except Exception as error:
        _say(f"Something unexpected went wrong ({type(error).__name__}).", _record(error, arguments))
        return _failed(context, FAILED)


def _failed(context: click.Context | None, code: int) -> int:
    """Return the code of a command that went wrong, where it would end with `code`."""
    return USAGE if context is not None and context.invoked_subcommand in ONE_IS_NO_MATCH else code


def _say(message: str, fix: str = "") -> None:
    """Print a message, and what to do about it, to stderr."""
    click.echo(cleaned(f"{PROGRAM}: {message}"), err=True)
    if fix:
        click.echo(cleaned(fix), err=True)


def _refused(error: OSError) -> str:
    """Say what the system refused, and for which file: a full disk, a folder of another person's, a name too long."""
    name = error.filename.decode("utf-8", "replace") if isinstance(error.filename, bytes) else error.filename
    of = f"{name}: " if isinstance(name, str) else ""
    return f"{of}{error.strerror or error}."


def _help_for(error: click.UsageError) -> str:
    """Return the line that names the help page of the command which was called wrongly."""
    command = error.ctx.command_path if error.ctx else PROGRAM
    return f"See `{command} --help`."


def _record(error: Exception, arguments: Sequence[str]) -> str:
    """Append the traceback to the log and return the sentence that says where it is."""
    import traceback

    from engine.log_file import append, private_log
    from engine.team.address import without_password

    log = places().log
    said = " ".join(repr(without_password(each)) for each in arguments)
    heading = f"{time.strftime('%Y-%m-%d %H:%M:%S')} carrel {said}\n"
    try:
        private_folder(log.parent)
        append(private_log(log), heading + "".join(traceback.format_exception(error)) + "\n")
    except OSError as failure:
        return f"The log {log} could not be written either: {failure.strerror}."
    return f"The details are in {log}."
