"""Opens connections to a team's server with the settings that everything here relies on, and tells errors in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from engine.errors import CarrelError, LibraryBusy, LibraryDamaged, LibraryFull, TeamAway, TeamError, TeamRefused
from engine.team.address import HOW_VERIFIED
from engine.team.login import connection_string

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 8  # a server that does not answer is away; the person's own folders are searched meanwhile
STATEMENT_SECONDS = 60  # no file takes so long to write; what hangs gives its connection back
SEARCH_SECONDS = 10  # of a statement of a search: others wait for the same server
IDLE_SECONDS = 600  # in a transaction: whoever helps with vectors embeds a batch in one
KEEPALIVE = {"keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
ENDED = "57014"  # a statement that took too long, or was cancelled
BUSY = ("55P03", ENDED)  # a lock that was not to be had, a statement that was ended
PASSING = ("starting up", "shutting down", "recovery", "too many", "connection slots")  # a refusal to all, for a moment
AGAIN = ("40001", "40P01")  # serialization failure, deadlock: the same may succeed a moment later


def settings(schema: str, seconds: int = STATEMENT_SECONDS) -> str:
    """Return the options with which a session begins; nobody else's objects can stand in for the library's.

    No plan is kept: plans for lists of any length are made for each, which costs a millisecond.
    """
    return " ".join(
        f"-c {name}={value}"
        for name, value in (
            ("search_path", f"{schema},pg_temp"),
            ("statement_timeout", f"{seconds}s"),
            ("idle_in_transaction_session_timeout", f"{IDLE_SECONDS}s"),
            ("jit", "off"),
            ("plan_cache_mode", "force_custom_plan"),
            ("hnsw.iterative_scan", "strict_order"),
        )
    )


def connect(url: str, schema: str) -> psycopg.Connection:
    """Open a connection in autocommit mode. Raises TeamAway, TeamRefused."""
    import psycopg

    with translated():
        return psycopg.connect(connection_string(url), autocommit=True, **arguments(schema))


def arguments(schema: str, seconds: int = STATEMENT_SECONDS) -> dict[str, Any]:
    """Return what every connection is opened with beside its URL; no statement takes more than so many seconds."""
    return {
        "options": settings(schema, seconds),
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "carrel",
        "prepare_threshold": None,
        **KEEPALIVE,
    }


def one(conn: psycopg.Connection, sql: str, values: Sequence[object] = ()) -> Any:
    """Return the first value of the first row, None where there is no row."""
    row = conn.execute(sql, values or None).fetchone()
    return row[0] if row else None


@contextmanager
def translated(*, of_search: bool = False) -> Iterator[None]:
    """Turn errors of the server and of the way to it into those of this program."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise explained(error, of_search=of_search) from error


def explained(error: psycopg.Error, *, of_search: bool = False) -> CarrelError:
    """Return an error of the server in words; of its own text no more than one line, and never a row's content."""
    import psycopg

    said = (error.diag.message_primary or str(error).strip().split("\n")[0]).rstrip(".") + "."
    state = error.sqlstate or ""
    if isinstance(error, psycopg.OperationalError) and not state and (refused := _not_let_in(said)):
        return refused
    if state.startswith("28"):
        return TeamRefused("The server did not let you in.", cause=said, fix="See `carrel team join`.")
    if state in ("42501", "42P01", "3F000"):
        return TeamRefused(
            "The server does not allow that to this login.", cause=said, fix="Ask whoever keeps the team's library."
        )
    if of_search and state == ENDED:
        return TeamError(
            f"The server gave this search up after {SEARCH_SECONDS} seconds.",
            cause="No search may keep it busy for longer, since others wait for it.",
            fix="Ask for fewer words, for rarer ones, or for a shorter phrase.",
        )
    if state in (*AGAIN, *BUSY):
        return LibraryBusy("The team's library is busy.", cause=said, fix="Try again.")
    if state in ("53100", "53200", "53300", "53400"):
        return LibraryFull("The team's server has no room left.", cause=said, fix="Tell whoever keeps it.")
    if state.startswith("XX"):
        return LibraryDamaged("The server found its own data damaged.", cause=said, fix="Tell whoever keeps it.")
    if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)) or state[:2] in ("08", "57"):
        return TeamAway(
            "The team's server does not answer.",
            cause=said,
            fix="Try again; an open browser or an indexer that runs does so by itself.",
        )
    return TeamError("The team's server refused a statement.", cause=said, fix="See `carrel doctor`.")


def _not_let_in(said: str) -> TeamRefused | None:
    """Return what is told where a server was reached and will not have this login; libpq gives no code for that.

    A server that starts, stops, or has all its connections taken is one that is away for a moment.
    """
    if "certificate" in said or "does not support SSL" in said:
        return TeamRefused("The server is not the one that it should be.", cause=said, fix=HOW_VERIFIED)
    if "password" in said or ("FATAL" in said and not any(each in said for each in PASSING)):
        return TeamRefused("The server did not let you in.", cause=said, fix="See `carrel team join`.")
    return None
