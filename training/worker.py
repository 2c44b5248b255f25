"""The process of a run: `python -P -m training.worker FOLDER`.

It holds the lock of the run's folder, takes up a killed run behind its last checkpoint, and always says how it ended.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from engine.errors import CarrelError
from training.protocol import Failed, Finished
from training.run_channel import Cancelled, Teller
from training.runs import Run

OTHERS = 0o077  # what a run writes comes from the person's notes, and is theirs alone
NICENESS = 10  # the person's own programs come first


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the process and return its exit code."""
    (folder,) = sys.argv[1:] if arguments is None else arguments
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    os.umask(OTHERS)  # also for what libraries write
    run = Run(Path(folder))
    with suppress(OSError):
        os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's ctrl+c is for the process that watches
    return work(run)


def work(run: Run) -> int:
    """Carry out what is left of a run in this process and return its exit code."""
    try:
        with run.held():
            return _carried_out(run)
    except CarrelError as error:  # another process is at work on it
        print(error, file=sys.stderr)
        return error.exit_code


def _carried_out(run: Run) -> int:
    teller = Teller(run)
    try:
        if run.record().plan.how.kind == "fusion":
            from training.fusion_run import FusionRun

            FusionRun(run, teller).carry_out()
        else:
            from training.pipeline import Pipeline  # torch, seconds

            Pipeline(run, teller).carry_out()
    except Cancelled:
        run.clear()
        seconds = run.update(state="cancelled", seconds=run.worked()).seconds
        teller.tell(Finished(outcome="cancelled", model=None, seconds=seconds))
    except CarrelError as error:
        logging.warning("the run ends", exc_info=True)
        _fail(run, teller, f"{error.message} {error.cause}".strip(), error.fix)
        return error.exit_code
    except MemoryError:
        logging.exception("the run ran out of memory")
        _fail(run, teller, "The memory of this machine did not suffice.", "Choose a smaller budget, or the adapter.")
        return 1
    except Exception:
        logging.exception("the run failed")
        _fail(run, teller, "Something unexpected went wrong.", f"The details are in {run.folder / 'log'}.")
        return 1
    finally:
        teller.close()
    return 0


def _fail(run: Run, teller: Teller, message: str, fix: str) -> None:
    if run.record().state == "running":  # else it was judged, and only its end could not be told, as on a full disk
        run.update(state="failed", seconds=run.worked())
    teller.tell(Failed(message=message, fix=fix))


if __name__ == "__main__":
    sys.exit(main())
