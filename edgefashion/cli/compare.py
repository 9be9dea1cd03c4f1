"""The verb that lays results beside each other."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgefashion.cli._options import OUTPUT, PATH, PICTURE
from edgefashion.cli._output import deliver, following, keep_inputs, say, show_page, text_of
from edgefashion.errors import BadInput
from edgefashion.errors.wording import few
from edgefashion.installation import is_installed

if TYPE_CHECKING:
    from edgefashion.report.compare.join import Comparison


@click.command()
@click.argument("paths", metavar="RESULTS.json...", nargs=-1, required=True, type=PATH)
@click.option(
    "--against",
    metavar="DEVICE|FILE|NUMBER",
    help="What ratios are to: a column's title or part of it, its file, or its number. Default: the first.",
)
@click.option(
    "--plot", "picture", type=PICTURE, help="Draw accuracy against latency and size: .png, .svg, .pdf."
)
@click.option("--json", "json_file", type=OUTPUT, help="Write the comparison as JSON.")
@click.option("--csv", "csv_file", type=OUTPUT, help="Write it as CSV, a row for each artifact and device.")
@click.option("--markdown", "markdown_file", type=OUTPUT, help="Write the table as Markdown.")
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
    from edgefashion.report import compare as comparing

    keep_inputs(paths, (picture, json_file, csv_file, markdown_file))
    found = comparing.read_all(paths)
    sources = comparing.name_all(found.files)
    comparison = comparing.compare(sources, comparing.choose(sources, against))
    unreadable = found.unreadable if len(found.unreadable) > 1 else []
    for line in (*found.repeated, *unreadable):
        say(f"left out: {line}")
    outputs = [
        (json_file, text_of(comparison.to_json)),
        (csv_file, text_of(comparison.to_csv)),
        (markdown_file, text_of(comparison.to_markdown)),
        (picture, lambda path: draw(comparison, path)),
    ]
    deliver(outputs, lambda: show_page(comparison.page()))
    if unreadable:
        raise BadInput(f"{len(unreadable)} of {len(paths)} files are left out: see above")
    if found.unreadable:
        raise BadInput(found.unreadable[0])
    if not picture and is_installed("matplotlib"):
        following(f"edgefashion compare {shlex.join(map(str, paths))} --plot compare.png")


def draw(comparison: "Comparison", path: Path) -> None:
    """Draw it, and say what is not in the picture."""
    from edgefashion.report.compare.plot import NAMED, plot

    not_drawn = plot(comparison, path)
    if len(comparison.lines) > NAMED:
        say(f"at most {NAMED} artifacts are named in the picture, the most accurate; --csv has all")
    if not_drawn:
        say(f"not in it, without accuracy on the same images: {few(not_drawn, NAMED)}")
