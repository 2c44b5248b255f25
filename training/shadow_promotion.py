"""What is done with the model beside the one in use: it takes its place, goes back to it, or runs beside it no longer.

Who calls this has the indexer change the models then; the roles are exchanged there, in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from engine.errors import ModelError, UsageError
from engine.records import ShadowSearch, ShadowState
from training import promotion, runs
from training.burn_in import broken
from training.shadow_agreement import AgreementReport
from training.shadow_standing import ShadowLibrary, Standing, standing


class ChangedLibrary(ShadowLibrary, Protocol):
    """The part of a library that keeps what was decided."""

    def keep_shadow_cut(self, cut: Mapping[str, Any]) -> None:
        """Keep the candidate's cut, and what it was fitted on."""

    def note_shadow(
        self, kind: Literal["shadow_accepted", "shadow_refused", "burn_in_passed"], detail: Mapping[str, Any]
    ) -> None:
        """Write down what became of it."""

    def stop_shadow(self) -> str:
        """Let nothing run beside the model in use, and return the name of what did."""


class KnowingLibrary(Protocol):
    """The part of a library that knows what runs beside the model in use."""

    def shadow_state(self) -> ShadowState | None:
        """Return how it stands; None where nothing does."""


class AskedLibrary(KnowingLibrary, Protocol):
    """The part of a library that passes orders on to the indexer."""

    def file_request(self, kind: str, argument: str = "") -> int:
        """File an order."""


def named_beside(library: KnowingLibrary, name: str) -> str | None:
    """Return the model that runs beside the one in use where a name is its own, or that of its run; else None."""
    state = library.shadow_state()
    if state is None:
        return None
    names = {run.name for run in runs.every() if run.record().model == state.shadow.name}
    return state.shadow.name if name in names | {state.shadow.name} else None


def accept(library: ChangedLibrary, now: float, *, knowingly: bool = False) -> str:
    """Write down that the candidate is taken into use, with the cut that was fitted for it, and return its name.

    Raises UsageError where the decision does not allow it; `knowingly` overrules a verdict, and never what is missing.
    """
    found = _standing(library, now)
    decision, name, active = found.decision, found.state.shadow.name, found.state.active.name
    if found.state.former_since is not None:
        raise UsageError(
            f"{name} was in use before {active}, and is kept beside it to go back to.",
            fix="`carrel rollback` takes it into use again.",
        )
    if decision.missing:
        raise UsageError(
            f"{name} cannot be taken into use yet.",
            cause=f"It lacks {'; '.join(decision.missing)}.",
            fix="`carrel shadow --replay` sends the log of searches through both models.",
        )
    if not decision.promotable and not knowingly:
        raise UsageError(
            f"{name} is not accepted: {decision.verdict}.",
            cause=decision.reason,
            fix=f"Go on with `carrel shadow review`, or, to use it all the same: `carrel promote {name} --anyway`.",
        )
    _keep_cut(library, found.report)
    library.note_shadow("shadow_accepted", {"verdict": decision.verdict, "reason": decision.reason})
    for run in runs.every():
        if run.record().model == name:
            promotion.promoted(run, active)
    return name


def former(library: KnowingLibrary) -> str | None:
    """Return the model beside the one in use that was in use before it; None where there is none such."""
    state = library.shadow_state()
    return state.shadow.name if state is not None and state.former_since is not None else None


def go_back_if_broken(library: AskedLibrary, search: ShadowSearch) -> tuple[str, str] | None:
    """Have the indexer go back where the model that was taken into use is broken; return the one before, and why.

    None where it is sound, and where none was in use before it.
    """
    reason = broken(search)
    name = former(library) if reason else None
    if name is None:
        return None
    library.file_request("use_model", name)
    return name, reason


def stop(library: ChangedLibrary, now: float) -> str:
    """Let the model beside the one in use run no longer, with what became of it, and return its name."""
    found = _standing(library, now)
    if found.burn_in is None and found.decision.verdict == "refused":
        library.note_shadow("shadow_refused", {"reason": found.decision.reason})
    elif found.burn_in is not None and found.burn_in.standing == "passed":
        library.note_shadow("burn_in_passed", {"rows": found.burn_in.rows})
    return library.stop_shadow()


def _standing(library: ShadowLibrary, now: float) -> Standing:
    found = standing(library, now)
    if found is None:
        raise ModelError(
            "No model runs beside the one in use.", fix="`carrel shadow MODEL` lets one run beside the one in use."
        )
    return found


def _keep_cut(library: ChangedLibrary, report: AgreementReport) -> None:
    if (curve := report.curve) is not None:
        library.keep_shadow_cut(
            {
                "cut": curve.fitted.cut,
                "reference": curve.reference,
                "carried": curve.carried.agreement,
                "fitted": curve.fitted.agreement,
                "kappa": curve.fitted.kappa,
                "pairs": report.overall.pairs,
                "queries": report.queries,
            }
        )
