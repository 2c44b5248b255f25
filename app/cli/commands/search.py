"""`carrel search`: the passages that answer a query, with the figures that placed them."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from app.cli.arguments import FUSIONS, format_option, read_weights
from app.cli.query_command import QueryCommand
from app.cli.session import DONE, FAILED, Session, pass_session, print_json

if TYPE_CHECKING:
    from app.word_links import Links
    from engine.library import Library
    from engine.records import Fusion, SearchResult, SearchSettings

MOST_RESULTS = 1000  # what the legs' candidates can fill, near enough
LINKED_ROWS = 20  # whose nearest words stand in the JSON unless --explain asks for all: each costs a run of the model


@click.command(
    "search",
    cls=QueryCommand,
    reports=True,
    examples=(
        ("carrel search how do I keep a starter alive", "Ask in your own words."),
        ("carrel search starter -stove", "Leave out passages that hold a word."),
        ("carrel search '\"sourdough starter\" path:kitchen'", "A phrase, in documents whose path holds kitchen."),
        ("carrel search starter --explain --limit 3", "See why each result stands where it does."),
        ("carrel search --json starter | jq '.results[].path'", "Use the results in a script."),
        ("vim -q <(carrel search --vimgrep starter)", "Walk through the results in vim's quickfix list."),
        ("carrel search --paths -0 starter | xargs -0 wc -w", "Hand the files to another program."),
        ("carrel search --format '{tier}\\t{place}\\t{title}' starter", "Print the fields that you name."),
    ),
)
@click.argument("query", nargs=-1, required=True, metavar="QUERY...")
@click.option("--limit", type=click.IntRange(1, MOST_RESULTS), default=10, metavar="N", help="How many results [10].")
@click.option(
    "--fusion",
    type=click.Choice(FUSIONS),
    metavar="F",
    help="How meaning and words are joined: by their scores (convex, the default), by their ranks (rrf), the same with "
    "the weights that vstash has published (rrf-published); or one alone: vector, keyword.",
)
@click.option("--weights", callback=read_weights, metavar="V,K", help="Weights of meaning and words, as in .8,.2.")
@click.option("--no-feedback", is_flag=True, help="Do not let the first results refine the query.")
@click.option("--no-memory", is_flag=True, help="Pass over what was marked or opened before.")
@click.option("--explain", is_flag=True, help="Show every figure that placed a result.")
@click.option("--plain", is_flag=True, help="Print whole sentences without signs, for a screen reader.")
@click.option("--vimgrep", "shape", flag_value="vimgrep", help="Print PATH:LINE:COLUMN:TEXT, as editors read it.")
@click.option("--paths", "shape", flag_value="paths", help="Print the paths, each once.")
@format_option
@click.option("-0", "--print0", is_flag=True, help="End each path or record with NUL; alone, it prints the paths.")
@pass_session
def command(
    session: Session,
    query: tuple[str, ...],
    limit: int,
    fusion: Fusion | None,
    weights: tuple[float, float] | None,
    no_feedback: bool,
    no_memory: bool,
    explain: bool,
    plain: bool,
    shape: str | None,
    form: str | None,
    print0: bool,
) -> int:
    """Find passages by meaning and by words.

    All words of QUERY are one question. Within it, "a phrase" must stand as it is, -word must not stand, begin* is any
    word that begins so, and path:, type:, tag:, title:, author:, from:, to:, subject:, after: and before: restrict;
    date:own takes the date that a document gives itself. AND, OR and NOT are plain words.
    What can be none of these is searched as typed: --all, -t, -5, a filter without a value. A result's place is
    PATH:LINE, as `carrel open` and `carrel show` take it.

    What is not embedded yet is found by its words and says so; the best of it is embedded first, for 1.5 s at most.

    The exit code is 1 where nothing relevant was found; the nearest passages are listed all the same.

    --explain lists which words of a passage are nearest to those of QUERY, by the model's own token vectors: they tell
    where it answers, and are no share of the score. --json has them for the first 20 results, with --explain for all.

    Other programs get paths byte for byte, from the current folder where they lie below it. One that holds a line end,
    or what stands between the fields of a format, is left out and told of; -0 and --json write it.
    """
    _refuse_two_ways(session, shape, form, plain=plain, print0=print0, explain=explain)
    from app.word_links import links_of
    from engine.library_search import EMBED_SECONDS

    settings = _settings(fusion, weights, no_feedback)
    if no_memory:
        settings = replace(settings, memory=False)
    with session.open() as library:
        result = library.search(" ".join(query), limit=limit, settings=settings, embed_seconds=EMBED_SECONDS)
        _log(library, result)
        if shape or form or print0:
            _write(library, result, shape, form, print0)
        else:
            nearest = links_of(library, result, None if explain else LINKED_ROWS) if explain or session.json else {}
            _show(session, result, nearest, plain=plain, explain=explain)
        if result.awaited:
            library.ask_to_embed(result.awaited)  # behind the rows: it may have to wait for the indexer
    return FAILED if result.verdict == "none" else DONE


def _refuse_two_ways(
    session: Session, shape: str | None, form: str | None, *, plain: bool, print0: bool, explain: bool
) -> None:
    """Raise UsageError where an option could have no effect beside another one."""
    records = [*([f"--{shape}"] if shape else []), *(["--format"] if form else [])]
    records = records or (["--print0"] if print0 else [])
    ways = [*(["--json"] if session.json else []), *(["--plain"] if plain else []), *records]
    if len(ways) > 1:
        raise click.UsageError(f"{ways[0]} and {ways[1]} are two ways to print the results; choose one.")
    if explain and records:
        raise click.UsageError(f"--explain has no place in what {records[0]} prints; --json has every figure.")


def _write(library: Library, result: SearchResult, shape: str | None, form: str | None, print0: bool) -> None:
    """Write the rows as records for another program."""
    from app.cli.row_format import PATH, records_of, row_format, write_records

    wanted = row_format(form or PATH, nul=print0)
    if shape == "vimgrep":
        from app.cli.vimgrep import vimgrep_records

        write_records(vimgrep_records(library, result.hits, wanted.end))
    else:
        write_records(records_of(result.hits, wanted))


def _show(session: Session, result: SearchResult, nearest: Links, *, plain: bool, explain: bool) -> None:
    if session.json:
        from app.json_shapes import search_shape

        print_json(search_shape(result, nearest))
    elif plain:
        from app.cli.search_linear import linear

        click.echo("\n".join(linear(result, explain=explain, nearest=nearest)))
    else:
        _print(result, nearest, explain=explain)


def _settings(fusion: Fusion | None, weights: tuple[float, float] | None, no_feedback: bool) -> SearchSettings:
    """Return the person's own settings, changed by what this call says; weights belong to their fusion."""
    from engine.config import load

    settings = load().search_settings()
    if fusion is not None and fusion != settings.fusion:
        settings = replace(settings, fusion=fusion, weights=None)
    if weights is not None:
        settings = replace(settings, weights=weights)
    return replace(settings, feedback=False) if no_feedback else settings


def _log(library: Library, result: SearchResult) -> None:
    """Write the search down where the person wants a log; one that cannot be written is no reason to fail."""
    from engine.config import load
    from engine.errors import LibraryError

    if load().search_log and result.query.meaning:
        with suppress(LibraryError):
            library.log_search(result)


def _print(result: SearchResult, nearest: Links, *, explain: bool) -> None:
    """Print the verdict and how the query was read to stderr, the rows and what was left out to stdout."""
    from app.cli.hyperlinks import links_shown
    from app.cli.search_explained import explained
    from app.cli.search_rows import row, verdict_line
    from app.explanation import decimals_of
    from app.wording.remarks import left_out_said, reading_notes

    columns, links = shutil.get_terminal_size().columns, links_shown()
    click.echo(verdict_line(result, columns) if result.hits else _nothing(result), err=True)
    for note in reading_notes(result):
        click.echo(note, err=True)
    best, decimals = max((hit.score for hit in result.hits), default=0.0), decimals_of(result.fusion)
    for place, hit in enumerate(result.hits):
        if place:
            click.echo()
        click.echo("\n".join(row(hit, best, columns, decimals, links=links)))
        if explain:
            click.echo("\n".join(explained(hit, result, nearest.get(hit.passage_id, ()))))
    if result.left_out:
        left = "\n".join(map(left_out_said, result.left_out))
        click.echo(("\n" if result.hits else "") + click.style(left, dim=True))


def _nothing(result: SearchResult) -> str:
    """Say why there is no row at all."""
    if not result.passages:
        return "The library holds no text yet. `carrel add FOLDER`, then `carrel sync`."
    if result.query.filters:
        return "No passage is left within these filters."
    if result.so_far:
        from engine.figures import percent

        return f"Nothing was found so far: {percent(result.embedded)} of the passages are embedded by now."
    return "Nothing was found."
