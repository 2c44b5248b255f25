"""How Carrel is installed here, so that what a person is told to run works as it stands in this very installation."""

from __future__ import annotations

import importlib.util
import json
import shlex
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from engine.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Installation:
    """One environment: its folder, its Python, whether pip is in it, and where Carrel came from.

    `origin` is what an installer noted of it (direct_url.json), "" for a package index. `managed`: whether the system
    keeps other installers out (PEP 668).
    """

    prefix: Path
    python: str
    has_pip: bool
    origin: str = ""
    managed: bool = False

    def command_for(self, extra: str) -> str:
        """Return the command, to be typed in a shell, that adds an extra of Carrel to this environment."""
        source, editable = _source(self.origin)
        what = [*(["-e"] if editable else []), source.replace("carrel", f"carrel[{extra}]", 1)]
        if not source.startswith("carrel"):
            what[-1] = f"{source}[{extra}]"
        return shlex.join([*self._installer(), *what])

    def _installer(self) -> list[str]:
        if (self.prefix / "pipx_metadata.json").exists():
            return ["pipx", "runpip", self.prefix.name, "install"]
        if not self.has_pip:  # as in environments that uv has made
            return ["uv", "pip", "install", "--python", self.python]
        return [self.python, "-m", "pip", "install", *(["--break-system-packages"] if self.managed else [])]


def this_installation() -> Installation:
    """Return what this process runs in."""
    import sysconfig  # 1 ms, and asked for where something is missing only
    from importlib import metadata

    origin = ""
    with suppress(metadata.PackageNotFoundError):
        origin = metadata.distribution("carrel").read_text("direct_url.json") or ""
    apart = sys.prefix != sys.base_prefix
    marker = Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED"
    return Installation(
        Path(sys.prefix),
        sys.executable,
        importlib.util.find_spec("pip") is not None,
        origin,
        not apart and marker.exists(),
    )


def command_for(extra: str) -> str:
    """Return the command that adds an extra of Carrel to this installation."""
    return this_installation().command_for(extra)


def _source(origin: str) -> tuple[str, bool]:
    """Return what an installer takes as Carrel, and whether as a folder that stays where it is (editable)."""
    try:
        noted = json.loads(origin) if origin else {}
    except ValueError:
        noted = {}
    address = str(noted.get("url", ""))
    if "vcs_info" in noted:
        return f"carrel @ {noted['vcs_info'].get('vcs', 'git')}+{address}", False
    path = unquote(urlsplit(address).path) if address.startswith("file:") else ""
    if path and Path(path).exists():
        return path, bool(noted.get("dir_info", {}).get("editable"))
    return ("carrel" if not address or path else f"carrel @ {address}"), False
