"""The verb that packs artifacts for another computer."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgefashion.cli import _judging, _resolve
from edgefashion.cli._data import Chosen, takes_data
from edgefashion.cli._options import COUNT, OUTPUT, runs_option
from edgefashion.cli._output import following, keep_inputs, say, show
from edgefashion.cli._progress import Bar

if TYPE_CHECKING:
    from edgefashion.bundle.write import Made

ALL = "all"


class Images(click.ParamType[int | str]):
    """A number of images, or `all`."""

    name = "images"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """How --help shows it."""
        return f"N|{ALL}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """The number, or `all` itself."""
        return ALL if value == ALL else COUNT.convert(value, param, ctx)


@click.command()
@click.argument("names", metavar="[RUN|FILE]...", nargs=-1)
@click.option("-o", "--output", type=OUTPUT, required=True, help="The bundle to write, a .zip file.")
@click.option(
    "--images",
    type=Images(),
    help="How many test images go with it; default: 1000, or all if there are fewer.",
)
@runs_option
@takes_data()
def bundle(
    names: tuple[str, ...], output: Path, images: int | str | None, root: Path, chosen: Chosen
) -> None:
    """Pack model files for a Raspberry Pi, with labeled images and the predictions made here.

    Takes model files, the shipped models (zoo:NAME), and runs, with all their exports. Default: all runs,
    or, if there are none, all shipped models. `edgefashion bench` opens the bundle there and needs neither
    the runs nor the data set.

    Example: edgefashion bundle runs/cnn -o cnn.zip
    """
    from edgefashion.api.bundles import check_name, make_bundle

    check_name(output)
    keep_inputs(names, [output])
    artifacts = _resolve.named_artifacts(names, root)
    dataset = _judging.for_artifacts(artifacts, chosen)
    count = len(dataset.test) if images == ALL else None if images is None else int(images)
    with Bar() as progress:
        made = make_bundle(artifacts, dataset, output, images=count, progress=progress)
    say(f"written: {shlex.quote(str(output))}")
    show(text(made))
    following(
        f"edgefashion bench {shlex.quote(str(output))} --host pi@raspberrypi.local  # over your own ssh"
    )


def text(made: "Made") -> str:
    """What was written: what all artifacts share, then a line for each of them."""
    from edgefashion.bundle import comparing, layout

    def size(name: str) -> str:
        return f"{made.members[name].size_bytes:12,}  {name}"

    lines = [
        f"{made.size_bytes:12,}  {made.path}, {len(made.members) + 1} members, SHA-256 {made.sha256}",
        f"{size(layout.IMAGES)}, {made.images:,} {made.measured}, and {layout.LABELS}",
    ]
    for entry in made.entries:
        elsewhere = comparing.in_words(entry.info.tolerance)
        accuracy = f"accuracy {100 * entry.accuracy:.2f} %"
        lines.append(f"{size(layout.artifact(entry.artifact.path.name))}, {accuracy}; elsewhere {elsewhere}")
    return "\n".join(lines)
