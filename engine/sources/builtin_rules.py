"""What is left out of every folder without being asked: other programs' machinery, caches, and editors' leavings."""

from __future__ import annotations

VERSION_CONTROL = frozenset(b".git .hg .svn .bzr .jj .pijul _darcs CVS".split())
MACHINERY = VERSION_CONTROL | frozenset(
    (
        b"node_modules bower_components jspm_packages site-packages "
        b"__pycache__ .mypy_cache .pytest_cache .ruff_cache .hypothesis .ipynb_checkpoints .tox .nox .eggs "
        b".cache .venv .gradle .terraform .parcel-cache .next .nuxt .svelte-kit .bundle .stack-work .dart_tool "
        b".Trash .Trashes .Spotlight-V100 .fseventsd __MACOSX $RECYCLE.BIN"
    ).split()
)
_PACKAGE_RECORDS = (b".egg-info", b".dist-info")
ENVIRONMENT_MARKS = {b"pyvenv.cfg": "virtual environment", b"conda-meta": "conda environment"}
CACHE_MARK = b"CACHEDIR.TAG"  # https://bford.info/cachedir/: "this folder can be made again"

_LEAVING_ENDS = (
    b"~",
    b".swp",
    b".swo",
    b".swn",
    b".swx",
    b".tmp",
    b".temp",
    b".bak",
    b".orig",
    b".part",
    b".crdownload",
)
_LEAVING_STARTS = (b"~$", b".#", b".~lock.")
_GENERATED = (b".min.js", b".min.css", b".min.mjs")
_LOCK_FILES = frozenset(
    b"package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml composer.lock Cargo.lock poetry.lock uv.lock "
    b"Pipfile.lock Gemfile.lock flake.lock go.sum".split()
)


def folder_reason(name: bytes) -> str | None:
    """Say why a folder of this name is left out by a built-in rule, or None."""
    if name in MACHINERY or name.endswith(_PACKAGE_RECORDS):
        return f"inside {name.decode('utf-8', 'replace')} (built-in rule)"
    return None


def contents_reason(names: frozenset[bytes]) -> str | None:
    """Say why a folder that holds these names is left out by a built-in rule, or None."""
    for mark, what in ENVIRONMENT_MARKS.items():
        if mark in names:
            return f"inside a {what} (built-in rule)"
    return "inside a cache folder (built-in rule)" if CACHE_MARK in names else None


def file_reason(name: bytes) -> str | None:
    """Say why a file of this name is left out by a built-in rule, or None."""
    if name.endswith(_LEAVING_ENDS) or name.startswith(_LEAVING_STARTS) or (name[:1] == name[-1:] == b"#"):
        return "editor's temporary file (built-in rule)"
    if name in _LOCK_FILES:
        return "lock file of packages (built-in rule)"
    return "minified (built-in rule)" if name.endswith(_GENERATED) else None
