"""The verb that measures model files on the data set."""

from pathlib import Path
from typing import Any

import click

from edgefashion.cli import _judging, _resolve
from edgefashion.cli._data import Chosen, takes_data
from edgefashion.cli._next_step import after_evaluation
from edgefashion.cli._options import (
    COUNT,
    limit_options,
    output_options,
    runs_option,
    runtime_option,
    seconds_option,
    threads_option,
)
from edgefashion.cli._output import following, give_out, keep_inputs
from edgefashion.cli._progress import Bar


@click.command()
@click.argument("names", metavar="[RUN|FILE]...", nargs=-1)
@runtime_option
@threads_option
@seconds_option
@limit_options
@click.option("--limit", type=COUNT, help="Use so many test images only.")
@output_options
@runs_option
@takes_data()
def evaluate(
    names: tuple[str, ...],
    runtime: tuple[str, ...],
    threads: tuple[int, ...],
    limit: int | None,
    json_file: Path | None,
    csv_file: Path | None,
    markdown_file: Path | None,
    root: Path,
    chosen: Chosen,
    **settings: Any,
) -> None:
    """Measure accuracy, size, latency and memory.

    Takes model files, the shipped models (zoo:NAME), and runs, with all their exports. Default: all runs,
    or, if there are none, all shipped models, on the shipped test images unless the data set is at hand.

    Example: edgefashion evaluate runs/cnn model.onnx --json results.json
    """
    from edgefashion.api.measure import evaluate as measure
    from edgefashion.cli._protocol import protocol_for

    keep_inputs(names, (json_file, csv_file, markdown_file))
    protocol = protocol_for(**settings)
    artifacts = _resolve.named_artifacts(names, root)
    dataset = _judging.for_artifacts(artifacts, chosen)
    with Bar() as progress:
        found = measure(
            artifacts,
            dataset,
            threads=threads,
            limit=limit,
            options=protocol,
            runtime=runtime,
            progress=progress,
        )
    give_out(found, json_file, csv_file, markdown_file)
    if found.interrupted:
        raise KeyboardInterrupt
    if steps := after_evaluation(artifacts, found):
        following(*steps)
    found.raise_failures()
