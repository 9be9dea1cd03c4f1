"""The verb that measures on any computer."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgefashion.cli import _resolve
from edgefashion.cli._hosts import Elsewhere, forget_hosts, takes_hosts
from edgefashion.cli._next_step import after_benchmark
from edgefashion.cli._options import (
    FOLDER,
    PICTURE,
    Cpus,
    Finite,
    ThreadCount,
    ThreadCounts,
    limit_options,
    options,
    output_options,
    runs_option,
    runtime_option,
    seconds_option,
)
from edgefashion.cli._output import Outputs, following, give_out, keep_inputs, say
from edgefashion.cli._progress import Bar
from edgefashion.errors import BadInput, Untrusted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgefashion.benchmarking import BenchmarkOptions
    from edgefashion.records.results import Row

MOST_MINUTES = 10_000
protocol_options = options(
    click.option("--threads", type=ThreadCounts(), help="Comma-separated; default: 1,all."),
    click.option("--pin", type=Cpus(), help="Keep the models on these CPUs, like 3 or 2-3."),
    seconds_option,
    click.option("--full", "is_full", is_flag=True, help="MLPerf's single-stream rules: 600 s for each row."),
    click.option(
        "--sustained",
        metavar="MINUTES",
        type=Finite(MOST_MINUTES),
        help="Then run each row for so long without a pause: what heat does.",
    ),
    click.option(
        "--plot",
        "picture",
        type=PICTURE,
        help="Draw --sustained, or the table of --host, into a .png, .svg or .pdf file.",
    ),
    limit_options,
    click.option("--strict", is_flag=True, help="Exit with 1 where a row cannot be trusted."),
)


@click.command()
@click.argument("names", metavar="[BUNDLE|FILE|RUN|zoo:NAME]...", nargs=-1)
@runtime_option
@protocol_options
@takes_hosts
@click.option(
    "--results",
    "folder",
    type=FOLDER,
    help="Of --host: the folder for a results file of each, written as soon as it comes. Default: hosts.",
)
@click.option("--forget", is_flag=True, help="Of --host: only remove the environments and files sent there.")
@runs_option
@output_options
def bench(
    names: tuple[str, ...],
    runtime: tuple[str, ...],
    threads: tuple[ThreadCount, ...] | None,
    elsewhere: Elsewhere,
    folder: Path | None,
    forget: bool,
    picture: Path | None,
    strict: bool,
    root: Path,
    json_file: Path | None,
    csv_file: Path | None,
    markdown_file: Path | None,
    **settings: Any,
) -> None:
    """Measure latency and memory of model files, on any computer.

    Any .tflite or .onnx file is measured on random inputs. The files of a bundle (see edgefashion bundle) are
    measured on its images, with their accuracy, and their answers are compared with those on the computer
    that made it. The shipped models, zoo:NAME, are measured on the shipped test images, with their
    accuracy. Default: all shipped models. --host measures on other machines, all at the same time.

    Example: edgefashion bench cnn.zip --host pi@raspberrypi.local
    """
    from edgefashion.cli._protocol import protocol_for

    elsewhere.need_hosts(results=folder, forget=forget)
    if forget:
        forget_hosts(elsewhere, names)
        return
    names = tuple(_resolve.run_or_file(name, root) for name in names)
    outputs = Outputs(json_file, csv_file, markdown_file, picture)
    protocol = protocol_for(**settings)
    keep_inputs(names, outputs)
    if elsewhere.hosts:
        from edgefashion.cli._bench_hosts import bench_hosts

        rows: Sequence[Row] = bench_hosts(
            names or _all_of_the_zoo(), elsewhere, runtime, threads, protocol, folder, outputs
        )
    else:
        rows = _bench_here(names, runtime, threads, protocol, outputs)
    if strict:
        check_trusted(rows)


def _bench_here(
    names: tuple[str, ...],
    runtime: tuple[str, ...],
    threads: tuple[ThreadCount, ...] | None,
    protocol: "BenchmarkOptions",
    outputs: Outputs,
) -> "Sequence[Row]":
    """Measure on this computer, and give out what was found."""
    from edgefashion.api.measure import benchmark, threads_for
    from edgefashion.runtimes import pinning

    pinning.check(protocol.pin)
    counts = threads_for(protocol, threads)
    if outputs.picture and not protocol.sustained_minutes:
        raise BadInput("--plot draws latency over minutes: add --sustained MINUTES")
    models = names or _all_of_the_zoo()
    with Bar() as progress:
        found = benchmark(models, threads=counts, options=protocol, runtime=runtime, progress=progress)
    give_out(found, *outputs)
    if found.interrupted:
        raise KeyboardInterrupt
    if steps := after_benchmark(names, found, outputs.json_file):
        following(*steps)
    found.raise_failures()
    return found.rows


def _all_of_the_zoo() -> list[str]:
    """The names of all shipped models. Raises ZooError if there are none."""
    from edgefashion import zoo

    names = [f"{zoo.PREFIX}{name}" for name in zoo.open_zoo().names]
    say(f"no file is named: measuring the shipped models, {', '.join(names)}")
    return names


def check_trusted(rows: "Sequence[Row]") -> None:
    """Raise Untrusted where a row has a flag, or answers that differ from the host's."""
    flagged = sum(bool(row.flags) for row in rows)
    differing = {row.path for row in rows if row.host and row.host.equal is False}
    if flagged:
        raise Untrusted(f"--strict: {flagged} of {len(rows)} rows are flagged; the reasons are above")
    if differing:
        raise Untrusted(f"--strict: {len(differing)} files do not answer as on the host: {min(differing)}")
