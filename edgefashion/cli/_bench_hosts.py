"""The verb `bench` on other machines: each that ends is said at once, then all are shown side by side."""

from collections.abc import Sequence
from pathlib import Path

from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.cli._hosts import Elsewhere, following_all, raise_all, tell_note
from edgefashion.cli._options import ThreadCount
from edgefashion.cli._output import Outputs, deliver, show_page, text_of
from edgefashion.cli.compare import draw
from edgefashion.records.results import Row
from edgefashion.shelf.benchmark import benchmark_hosts
from edgefashion.shelf.table import HostResults

RESULTS = "hosts"
"""The folder of results files where none is named."""


def bench_hosts(
    names: Sequence[str],
    elsewhere: Elsewhere,
    runtime: tuple[str, ...],
    threads: tuple[ThreadCount, ...] | None,
    protocol: BenchmarkOptions,
    folder: Path | None,
    outputs: Outputs,
) -> list[Row]:
    """Measure on hosts, and give out what was found; gives all rows of it. Raises HostError in the end where
    a host failed.
    """
    hosts = [host.name for host in elsewhere.hosts]
    with following_all(elsewhere.hosts) as (tell, ended):
        found = benchmark_hosts(
            names,
            hosts,
            threads=threads,
            options=protocol,
            runtime=runtime,
            python=elsewhere.python,
            folder=folder or RESULTS,
            progress=tell,
            note=tell_note,
            ended=ended,
        )
    if not found.interrupted or found.results:
        _give_out(found, outputs)
    if found.interrupted:
        raise KeyboardInterrupt
    if found.unwritten:
        raise found.unwritten[0]
    raise_all(found.failed, len(hosts))
    for each in found.results.values():
        each.raise_failures()
    return [row for each in found.results.values() for row in each.rows]


def _give_out(found: HostResults, outputs: Outputs) -> None:
    """Write and show everything beside each other."""
    comparison = found.comparison
    written = [
        (outputs.json_file, text_of(found.to_json)),
        (outputs.csv_file, text_of(found.to_csv)),
        (outputs.markdown_file, text_of(found.to_markdown)),
        *([(outputs.picture, lambda path: draw(comparison, path))] if comparison else []),
    ]
    deliver(written, lambda: show_page(found.page()))
