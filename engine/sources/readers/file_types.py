"""Which reader a file goes to by its name, which suffixes have none, and the version of every reader.

A library keeps the versions that read its files; the sync after an update reads again what an older one read.
"""

from __future__ import annotations

import os
import re

_TEXT_SUFFIXES = (
    ".txt .text .log .asc .ini .cfg .conf .properties .textile .wiki .mediawiki .creole .pod .diff .patch .gmi .me "
    ".nfo .dtd"
)
_XML_SUFFIXES = (
    ".xml .xsl .xslt .xsd .svg .plist .rss .atom .opml .fb2 .dbk .docbook .rdf .kml .gpx .tei .dita .ditamap .xlf "
    ".xliff .tmx .resx .wsdl .ttml .musicxml .xspf"
)
_JSON_SUFFIXES = (
    ".json .jsonl .ndjson .ldjson .json5 .jsonc .jsonld .canvas .excalidraw .webmanifest .code-workspace .har"
)
_KINDS_BY_SUFFIX: dict[str, str] = {
    **dict.fromkeys(
        (".md", ".markdown", ".mdown", ".mkd", ".mkdn", ".mdwn", ".mdx", ".qmd", ".rmd", ".livemd"), "markdown"
    ),
    **dict.fromkeys(_TEXT_SUFFIXES.split(), "text"),
    **dict.fromkeys((".rst", ".rest"), "rst"),
    ".org": "org",
    ".bib": "bibtex",
    ".enex": "enex",
    **dict.fromkeys((".html", ".htm", ".xhtml", ".xht", ".shtml"), "html"),
    **dict.fromkeys((".mhtml", ".mht"), "mhtml"),
    ".webarchive": "webarchive",
    ".pdf": "pdf",
    **dict.fromkeys((".docx", ".docm", ".dotx", ".dotm"), "docx"),
    **dict.fromkeys((".pptx", ".pptm", ".ppsx", ".ppsm", ".potx", ".potm"), "pptx"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xltx", ".xltm"), "xlsx"),
    **dict.fromkeys((".xls", ".xlt", ".xlsb"), "xls"),
    **dict.fromkeys((".odt", ".ott", ".fodt"), "odt"),
    **dict.fromkeys((".ods", ".ots", ".fods"), "ods"),
    **dict.fromkeys((".odp", ".otp", ".fodp"), "odp"),
    **dict.fromkeys((".odg", ".otg", ".fodg"), "odg"),
    ".rtf": "rtf",
    ".epub": "epub",
    **dict.fromkeys((".eml", ".emlx"), "email"),
    **dict.fromkeys((".mbox", ".mbx"), "mbox"),
    **dict.fromkeys((".ics", ".ical", ".ifb"), "calendar"),
    **dict.fromkeys((".vcf", ".vcard"), "contacts"),
    **dict.fromkeys((".msg", ".oft"), "msg"),
    ".ipynb": "notebook",
    **dict.fromkeys((".csv", ".tsv"), "csv"),
    **dict.fromkeys((".srt", ".vtt"), "subtitles"),
    **dict.fromkeys((".tex", ".ltx", ".latex"), "latex"),
    **dict.fromkeys((".adoc", ".asciidoc"), "asciidoc"),
    **dict.fromkeys(_JSON_SUFFIXES.split(), "json"),
    **dict.fromkeys(_XML_SUFFIXES.split(), "xml"),
    **dict.fromkeys((".yaml", ".yml"), "yaml"),
    ".toml": "toml",
}

LANGUAGES: dict[str, str] = {
    suffix: language
    for language, suffixes in {
        "ada": ".adb .ads",
        "assembly": ".asm .s",
        "awk": ".awk",
        "batch": ".bat .cmd",
        "bazel": ".bzl .bazel",
        "c": ".c .h",
        "clojure": ".clj .cljs .cljc .edn",
        "cmake": ".cmake",
        "coffeescript": ".coffee",
        "cpp": ".cc .cpp .cxx .hh .hpp .hxx .ino .ipp",
        "crystal": ".cr",
        "csharp": ".cs .csx",
        "css": ".css .scss .sass .less",
        "cuda": ".cu .cuh",
        "d": ".d",
        "dart": ".dart",
        "elisp": ".el",
        "elixir": ".ex .exs",
        "elm": ".elm",
        "erlang": ".erl .hrl",
        "fish": ".fish",
        "fortran": ".f .f90 .f95 .f03 .for",
        "fsharp": ".fs .fsi .fsx",
        "gleam": ".gleam",
        "glsl": ".glsl .vert .frag .comp",
        "go": ".go",
        "graphql": ".graphql .gql",
        "groovy": ".groovy .gradle",
        "haskell": ".hs .lhs",
        "hcl": ".hcl .tf .tfvars",
        "java": ".java",
        "javascript": ".js .jsx .mjs .cjs",
        "jinja": ".j2 .jinja .jinja2",
        "julia": ".jl",
        "just": ".just",
        "kotlin": ".kt .kts",
        "lisp": ".lisp .lsp .cl",
        "lua": ".lua",
        "makefile": ".mk .mak",
        "nim": ".nim .nims",
        "nix": ".nix",
        "objective-c": ".m .mm",
        "ocaml": ".ml .mli",
        "odin": ".odin",
        "pascal": ".pas .pp .dpr",
        "perl": ".pl .pm",
        "php": ".php",
        "powershell": ".ps1 .psm1 .psd1",
        "prolog": ".pro .plg",
        "protobuf": ".proto",
        "puppet": ".epp",
        "python": ".py .pyi .pyx .pxd .pyw",
        "r": ".r",
        "racket": ".rkt",
        "ruby": ".rb .rake .gemspec",
        "rust": ".rs",
        "scala": ".scala .sc .sbt",
        "scheme": ".scm .ss .sld",
        "shell": ".sh .bash .zsh .ksh",
        "smalltalk": ".st",
        "solidity": ".sol",
        "sql": ".sql .ddl .psql",
        "starlark": ".star",
        "svelte": ".svelte",
        "swift": ".swift",
        "tcl": ".tcl",
        "typescript": ".ts .tsx .mts .cts",
        "typst": ".typ",
        "vala": ".vala",
        "verilog": ".v .sv .svh",
        "vhdl": ".vhd .vhdl",
        "vim": ".vim .vimrc",
        "visual-basic": ".vb .vbs .bas",
        "vue": ".vue",
        "wgsl": ".wgsl",
        "zig": ".zig",
    }.items()
    for suffix in suffixes.split()
}

LANGUAGES_BY_NAME: dict[str, str] = {
    "makefile": "makefile",
    "gnumakefile": "makefile",
    "dockerfile": "dockerfile",
    "containerfile": "dockerfile",
    "justfile": "just",
    "rakefile": "ruby",
    "gemfile": "ruby",
    "vagrantfile": "ruby",
    "brewfile": "ruby",
    "jenkinsfile": "groovy",
    "cmakelists.txt": "cmake",
    "build.bazel": "bazel",
    "meson.build": "meson",
    "sconstruct": "python",
}

_TEXT_NAMES_WRITTEN = (
    "readme license licence copying copyright changelog changes news authors contributors contributing notice todo "
    "install history credits thanks maintainers codeowners description"
)
_TEXT_NAMES = frozenset(_TEXT_NAMES_WRITTEN.split())

_UNREADABLE = (
    # documents that no reader is made for
    ".geojson .pages .numbers .key .pst .mobi "
    ".azw .azw3 .djvu .chm .xps .one .map .p7s .p7m .p7c "
    # pictures, sound, film
    ".png .jpg .jpeg .gif .bmp .tif .tiff .webp .heic .heif .avif .ico .icns .psd .ai .eps .ps .raw .cr2 .nef .dng "
    ".xcf .sketch .fig .indd .mp3 .wav .flac .ogg .oga .opus .m4a .aac .wma .aiff .mid .midi .mp4 .m4v .mkv .mov "
    ".avi .wmv .webm .mpg .mpeg .flv .3gp .blend .stl .obj .fbx .gltf .glb .dwg .dxf "
    # archives, images of disks, packages
    ".zip .gz .tgz .bz2 .tbz .xz .txz .zst .lz4 .br .7z .rar .tar .cab .iso .img .dmg .vmdk .qcow2 .deb .rpm .apk "
    ".jar .war .whl .egg .crate .gem .nupkg .xpi .crx "
    # programs, compiled code, databases, models, fonts, keys
    ".exe .dll .so .dylib .a .o .lib .pyc .pyo .class .wasm .bin .dat .elf .pdb .node .db .db3 .sqlite .sqlite3 "
    ".mdb .accdb .parquet .arrow .feather .orc .avro .h5 .hdf5 .npy .npz .pkl .pickle .joblib .pt .pth .ckpt "
    ".onnx .safetensors .gguf .tflite .pb .mat .rds .rda .rdata .sav .dta .ttf .otf .woff .woff2 .eot .pfb "
    ".pem .crt .cer .der .p12 .pfx .gpg .pgp .kdbx .carrel"
)
_OLD_BINARY = {".doc": ".docx", ".dot": ".dotx", ".ppt": ".pptx", ".pps": ".ppsx"}
_NO_READER = frozenset((*_UNREADABLE.split(), *_OLD_BINARY))
_SHARED_READERS = {
    **dict.fromkeys(("odt", "ods", "odp", "odg"), "opendocument"),
    "xls": "binary_workbook",
    **dict.fromkeys(("json", "yaml", "toml"), "keyed"),
}

_BY_SUFFIX = {
    os.fsencode(suffix): kind for suffix, kind in {**dict.fromkeys(LANGUAGES, "code"), **_KINDS_BY_SUFFIX}.items()
}
_BY_NAME = {
    os.fsencode(name): kind
    for name, kind in {**dict.fromkeys(_TEXT_NAMES, "text"), **dict.fromkeys(LANGUAGES_BY_NAME, "code")}.items()
}


# A message in a Maildir: the second, a number that is unique on its host, the host, and perhaps flags.
_MAILDIR = re.compile(
    rb"\d{9,11}\.(?=[^./]*\d)[\dA-Za-f_#]{1,80}\.[^/]{1,200}|\d{9,11}\.[^/]{1,200}[:!;]2,[A-Za-z]{0,30}$"
)
_HEAD_BYTES = 4096  # of a file, in which it is looked for headers
_MESSAGE = re.compile(rb"[A-Z][A-Za-z0-9-]{1,60}:[ \t][^\n]{0,2000}\n(?:[ \t][^\n]{0,2000}\n|[A-Z][A-Za-z0-9-]{1,60}:)")
_TOLD = re.compile(rb"^(?:Message-I[Dd]|Received|MIME-Version|Return-Path|Delivered-To):", re.MULTILINE)
_PACKED = (b".gz", b".bz2", b".xz")


def suffix_of(name: bytes) -> bytes:
    """Return the suffix of a file name in lower case with its dot, or b"" where there is none."""
    dot = name.rfind(b".")
    return name[dot:].lower() if dot > 0 else b""


def kind_of(name: bytes) -> str | None:
    """Return the kind of document that a file name promises, or None where only the content could tell."""
    if _MAILDIR.match(name):
        return "email"
    if (inner := unpacked_name(name)) is not None:
        return kind_of(inner)
    return _BY_NAME.get(name.lower()) or _BY_SUFFIX.get(suffix_of(name))


def unpacked_name(name: bytes) -> bytes | None:
    """Return the name of a packed file as it was before, as `note.md` of `note.md.gz`; None where it is not packed.

    Only a file that a reader takes by its name is unpacked, and only once: archives of many files are none.
    """
    if not name.lower().endswith(_PACKED):
        return None
    inner = name[: name.rfind(b".")]
    return inner if _BY_SUFFIX.get(suffix_of(inner)) else None


def reader_by_content(raw: bytes) -> str:
    """Return the module that reads a file whose name promises nothing: mail is known by its first lines."""
    if raw.startswith(b"From ") and _MESSAGE.match(raw[raw.find(b"\n") + 1 :][:_HEAD_BYTES]):
        return "mbox"
    return "email" if _MESSAGE.match(raw[:_HEAD_BYTES]) and _TOLD.search(raw[:_HEAD_BYTES]) else "text"


def reader_of(name: bytes) -> str:
    """Return the module that reads a file of this name; one whose name promises nothing is read as plain text."""
    kind = kind_of(name) or "text"
    return _SHARED_READERS.get(kind, kind)


def language_of(name: bytes) -> str | None:
    """Return the programming language that a file name promises, or None."""
    name = unpacked_name(name) or name
    return LANGUAGES_BY_NAME.get(os.fsdecode(name).lower()) or LANGUAGES.get(os.fsdecode(suffix_of(name)))


def has_no_reader(name: bytes) -> str | None:
    """Say why a file of this name cannot be read whatever is in it, as "no reader for .mp3", else None."""
    suffix = os.fsdecode(suffix_of(name))
    if suffix in _OLD_BINARY:
        return f"old binary format: save as {_OLD_BINARY[suffix]}"
    return f"no reader for {suffix}" if suffix in _NO_READER else None


_LINE_BY_LINE = "markdown text rst org latex bibtex asciidoc code csv subtitles json yaml toml"
OWN_LINES = frozenset(_LINE_BY_LINE.split())
"""Kinds whose text has the lines of its file. The reader of another kind maps them, or the text stands on none; so does
one of these where it sets a file out anew (`Document.line_map`)."""

READER_VERSIONS: dict[str, int] = {
    "asciidoc": 3,
    "bibtex": 1,
    "binary_workbook": 1,
    "calendar": 3,
    "code": 2,
    "contacts": 2,
    "csv": 2,
    "docx": 6,
    "email": 8,
    "enex": 5,
    "epub": 8,
    "html": 10,
    "keyed": 7,
    "latex": 5,
    "markdown": 3,
    "mbox": 6,
    "mhtml": 6,
    "msg": 7,
    "notebook": 6,
    "opendocument": 5,
    "org": 3,
    "pdf": 7,
    "pptx": 5,
    "rst": 4,
    "rtf": 6,
    "subtitles": 3,
    "text": 6,
    "webarchive": 6,
    "xlsx": 5,
    "xml": 3,
}
"""By module; raise one where its reader gives another document for the same bytes, so that files are read again."""
