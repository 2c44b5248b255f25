"""The command that adds an extra is the one that works in the installation at hand."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from engine.installation import Installation, command_for


def noted(path: Path, **more: object) -> str:
    return json.dumps({"url": path.as_uri(), **more})


@pytest.mark.parametrize(
    ("files", "has_pip", "managed", "installer"),
    [
        ((), True, False, "{python} -m pip install"),
        ((), True, True, "{python} -m pip install --break-system-packages"),
        ((), False, False, "uv pip install --python {python}"),
        (("pipx_metadata.json",), True, False, "pipx runpip carrel install"),
    ],
    ids=["venv", "system", "uv", "pipx"],
)
def test_each_kind_of_installation_has_its_own_installer(
    tmp_path: Path, files: tuple[str, ...], has_pip: bool, managed: bool, installer: str
) -> None:
    prefix = tmp_path / "carrel"
    prefix.mkdir()
    for name in files:
        (prefix / name).write_text("{}")
    here = Installation(prefix, f"{prefix}/bin/python", has_pip, managed=managed)
    assert here.command_for("training") == f"{installer} 'carrel[training]'".format(python=here.python)


def test_what_was_installed_from_a_folder_is_taken_from_there_again(tmp_path: Path) -> None:
    folder = tmp_path / "my carrel"
    folder.mkdir()
    kept = Installation(tmp_path, "python", True, noted(folder, dir_info={"editable": True}))
    assert shlex.split(kept.command_for("web"))[4:] == ["-e", f"{folder}[web]"]
    copied = Installation(tmp_path, "python", True, noted(folder, dir_info={}))
    assert shlex.split(copied.command_for("web"))[4:] == [f"{folder}[web]"]
    gone = Installation(tmp_path, "python", True, noted(tmp_path / "gone", dir_info={}))
    assert shlex.split(gone.command_for("web"))[4:] == ["carrel[web]"]
    origin = json.dumps({"url": "https://host/carrel", "vcs_info": {"vcs": "git"}})
    cloned = Installation(tmp_path, "python", True, origin)
    assert shlex.split(cloned.command_for("web"))[4:] == ["carrel[web] @ git+https://host/carrel"]


def test_the_command_of_this_installation_starts_an_installer_that_is_there() -> None:
    words = shlex.split(command_for("training"))
    assert words[-1].endswith("[training]")
    installer = words[: words.index("install")]
    assert subprocess.run([*installer, "--version"], capture_output=True, check=False).returncode == 0
