"""How a person logs in to a team library: the password comes from libpq's own password file or from the keyring.

It stands in no setting, no argument and no log: it goes from the keyring, or from the person's typing, to libpq.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from engine.paths import is_team_address
from engine.team.address import checked, distant, effective, place

SERVICE = "carrel"  # under which the keyring holds the passwords


def connection_string(address: str, password: str | None = None) -> str:
    """Return what psycopg connects with: the address, and the password where the keyring has one or it is given.

    Holds a secret: it is to be handed to psycopg and to nothing else. Such a string itself comes back as it is. Raises
    UsageError as `checked` does.
    """
    if not is_team_address(address):
        return address
    from psycopg.conninfo import make_conninfo

    parts = effective(checked(address))
    secret = password if password is not None else stored_password(address)
    said: dict[str, str] = {"password": secret} if secret else {}
    if any(distant(parts)):
        said["sslmode"] = "verify-full"  # whatever the environment says when the connection is made
    return make_conninfo(address, **said)


def stored_password(address: str) -> str | None:
    """Return the password that the keyring holds for an address, None where it has none or there is no keyring."""
    if (keyring := _keyring()) is None:
        return None
    with suppress(Exception):  # a keyring that is locked, or whose service is away, is one without the password
        found: str | None = keyring.get_password(SERVICE, place(address))
        return found
    return None


def keep_password(address: str, password: str) -> bool:
    """Put a password into the keyring; False where this machine has none that keeps secrets."""
    if (keyring := _keyring()) is None:
        return False
    with suppress(Exception):
        keyring.set_password(SERVICE, place(address), password)
        return bool(keyring.get_password(SERVICE, place(address)) == password)
    return False


def forget_password(address: str) -> bool:
    """Take the password out of the keyring; False where none was in it."""
    if (keyring := _keyring()) is None:
        return False
    with suppress(Exception):
        keyring.delete_password(SERVICE, place(address))
        return True
    return False


def password_line(address: str) -> str:
    """Return the line of a password file for an address, with PASSWORD where the password belongs."""
    parts = effective(address)
    host = parts.get("host", "") or "localhost"
    fields = (
        "localhost" if host.startswith("/") else host,
        parts.get("port", "5432"),
        parts.get("dbname") or parts.get("user", ""),
        parts.get("user", ""),
    )
    return ":".join([*(each.replace("\\", "\\\\").replace(":", "\\:") for each in fields), "PASSWORD"])


def _keyring() -> Any:
    """Return the library `keyring` where it is installed and has a place that keeps secrets, else None."""
    try:
        import keyring
        from keyring.backends import fail, null
    except ImportError:
        return None
    with suppress(Exception):
        backend = keyring.get_keyring()
        weak = isinstance(backend, (fail.Keyring, null.Keyring)) or backend.priority < 1
        return None if weak else keyring
    return None
