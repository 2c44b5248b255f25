"""The address of a team library: what counts as one, where it leads, and what is demanded of the way there.

An address is a `postgresql://` URL as libpq takes it, and libpq itself takes it apart. It never holds a password, and
whatever leads off this machine goes through TLS under a certificate that is checked (`sslmode=verify-full`).
"""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import re
from collections.abc import Iterator, Mapping

from engine.errors import UsageError
from engine.paths import is_team_address

SECRETS = ("password", "sslpassword")
_IN_PLACE = re.compile(r"^(postgres(?:ql)?://[^:@/?#]*):.*@", re.DOTALL)  # up to the last @: a password may hold some
_IN_QUERY = re.compile(r"([?&;\s](?:ssl)?password=)[^&\s]*", re.IGNORECASE)
HOW_VERIFIED = (
    "Add `sslmode=verify-full` to the address: postgresql://ada@team.example/notes?sslmode=verify-full. Where the"
    " server's certificate is signed by your own authority, `&sslrootcert=FILE` names it; by a public one,"
    " `&sslrootcert=system`."
)


def without_password(text: str) -> str:
    """Return a text with what stands where an address has its password replaced by stars: for errors and logs."""
    if not is_team_address(text):
        return text
    return _IN_QUERY.sub(r"\1***", _IN_PLACE.sub(r"\1:***@", text))


def checked(text: str) -> str:
    """Return an address that may be used. Raises UsageError where it holds a password, or leads off without TLS."""
    if not is_team_address(text):
        raise UsageError(
            "This is no address of a team library.", fix="One looks so: postgresql://ada@team.example/notes"
        )
    if without_password(text) != text:
        raise UsageError(
            f"The address holds a password: {without_password(text)}.",
            cause="Whoever sees your shell's history, or the list of processes, would see it too.",
            fix="Leave it out. `carrel team join ADDRESS` asks for it once; PGPASSFILE is read as well.",
        )
    needs_extra()
    parts = effective(text)
    if parts.get("service"):
        raise UsageError(
            "An address with `service` is not taken.", cause="It may lead anywhere.", fix="Write host and database out."
        )
    far = next(distant(parts), "")
    if far and parts.get("sslmode") != "verify-full":
        raise UsageError(
            f"The way to {far} is to be encrypted, and its certificate checked.",
            cause=f"sslmode is {parts.get('sslmode') or 'not set'}: whoever stands between could read along.",
            fix=HOW_VERIFIED,
        )
    return text


def needs_extra() -> None:
    """Raise UsageError where the team extra is not installed, with the command that installs it here."""
    if importlib.util.find_spec("psycopg") is not None:
        return
    from engine.installation import command_for

    raise UsageError(
        "A team library needs the team extra, which is not installed.",
        fix=f"Install it: {command_for('team')}",
    )


def effective(text: str) -> dict[str, str]:
    """Return what libpq would connect with: the address over its environment and defaults. Raises UsageError."""
    from psycopg import Error, pq

    found = {each.keyword.decode(): each.val for each in pq.Conninfo.get_defaults()}
    try:
        written = pq.Conninfo.parse(text.encode())
    except Error as error:  # its own words may repeat the whole address
        raise UsageError(
            "The address of the team library cannot be read.",
            fix="One looks so: postgresql://ada@team.example:5432/notes?sslmode=verify-full",
        ) from error
    found |= {each.keyword.decode(): each.val for each in written if each.val is not None}
    return {name: value.decode() for name, value in found.items() if value is not None}


def distant(parts: Mapping[str, str]) -> Iterator[str]:
    """Yield the hosts that are neither a socket nor the loopback; one counts by its name and by where it leads."""
    hosts, leads = parts.get("host", "").split(","), parts.get("hostaddr", "").split(",")
    for number in range(max(len(hosts), len(leads))):
        host = hosts[number] if number < len(hosts) else ""
        lead = leads[number] if number < len(leads) else ""
        if not (_is_near(host) and _is_near(lead)):
            yield host or lead


def _is_near(host: str) -> bool:
    """Return whether a host is this machine: a socket's folder, the loopback, or nothing, which is the socket."""
    if not host or host.startswith(("/", "@")) or host.lower() in ("localhost", "localhost."):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def place(text: str) -> str:
    """Return who logs in where, always written the same: `ada@team.example:5432/notes`, as a keyring names it."""
    parts = effective(text)
    user = parts.get("user", "")
    return f"{user}@{parts.get('host', '')}:{parts.get('port', '')}/{parts.get('dbname') or user}"


def named_by_environment() -> str:
    """Return the address in CARREL_LIBRARY, "" where none or a file stands there."""
    named = os.environ.get("CARREL_LIBRARY", "")
    return named if is_team_address(named) else ""
