"""The verb that lays results beside each other: see verbs.py."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from edgefashion import files
from edgefashion.cli.options import FILE, PATH
from edgefashion.cli.steps import following, say
from edgefashion.errors import BadInput


@click.command()
@click.argument("paths", metavar="RESULTS.json...", nargs=-1, required=True, type=PATH)
@click.option(
    "--against",
    metavar="DEVICE|FILE|NUMBER",
    help="What ratios are to: a column's title or part of it, its file, or its number. Default: the first.",
)
@click.option(
    "--plot", "picture", type=FILE, help="Draw accuracy against latency and size: .png, .svg, .pdf."
)
@click.option("--json", "json_file", type=FILE, help="Write the comparison as JSON.")
@click.option("--csv", "csv_file", type=FILE, help="Write it as CSV, a row for each artifact and device.")
@click.option("--markdown", "markdown_file", type=FILE, help="Write the table as Markdown.")
def compare(
    paths: tuple[Path, ...],
    against: str | None,
    picture: Path | None,
    json_file: Path | None,
    csv_file: Path | None,
    markdown_file: Path | None,
) -> None:
    """Lay results of several devices and dates beside each other.

    Of files that evaluate or bench wrote with --json. Says which differences are larger than their spread,
    and what must not be compared. Files that cannot be read are left out and named, and the exit code is 2.

    Example: edgefashion compare laptop.json pi4.json pi5.json --against pi4.json --plot devices.png
    """
    from edgefashion import compare as comparing
    from edgefashion import drawing, tables
    from edgefashion.compare import page, records

    _keep_results(paths, (picture, json_file, csv_file, markdown_file))
    if picture:
        drawing.check(picture)
    found = comparing.read_all(paths)
    sources = comparing.name_all(found.files)
    comparison = comparing.compare(sources, comparing.choose(sources, against))
    for line in (*found.repeated, *found.unreadable):
        say(f"left out: {line}")
    content = page.page(comparison)
    tables.print_page(content)
    for path, write in ((json_file, records.to_json), (csv_file, records.to_csv)):
        if path:
            files.write_text(path, write(comparison))
            say(f"written: {path}")
    if markdown_file:
        files.write_text(markdown_file, tables.to_markdown(content))
        say(f"written: {markdown_file}")
    if picture:
        from edgefashion.compare.plot import plot

        not_drawn = plot(comparison, picture)
        say(f"drawn: {picture}")
        if not_drawn:
            say(f"not in it, without accuracy on the same images: {', '.join(not_drawn)}")
    if found.unreadable:
        raise BadInput("; ".join(found.unreadable))
    if not picture:
        following(f"edgefashion compare {shlex.join(map(str, paths))} --plot compare.png")


def _keep_results(paths: Sequence[Path], outputs: Sequence[Path | None]) -> None:
    """Raise BadInput for an output that would replace one of the results files."""
    measured = {path.resolve() for path in paths}
    for path in outputs:
        if path and path.resolve() in measured:
            raise BadInput(f"{path} is one of the files to compare: write to another, or it is lost")
