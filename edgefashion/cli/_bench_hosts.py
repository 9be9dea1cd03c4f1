"""The verb `bench` on other machines: results of each as they come, then all beside each other."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from edgefashion import files
from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.cli._hosts import Elsewhere, follow, raise_all, tell_note
from edgefashion.cli._options import ThreadCount
from edgefashion.cli._output import Outputs, deliver, say, show_page, text_of
from edgefashion.cli.compare import draw
from edgefashion.errors import BadInput, HostError, OutputError
from edgefashion.evaluation import results
from edgefashion.evaluation.results import Results
from edgefashion.files import temporary
from edgefashion.hosts.host import Host
from edgefashion.hosts.ssh import Remote
from edgefashion.records.results import Row
from edgefashion.reporting import Progress, Report
from edgefashion.shelf import table
from edgefashion.shelf.asking import Limits
from edgefashion.shelf.expected import misfit
from edgefashion.shelf.messages import Request
from edgefashion.shelf.payload import payload
from edgefashion.shelf.table import HostResults
from edgefashion.shelf.visit import Wanted, visit

RESULTS = "hosts"
"""The folder of results files where none is named."""
THREADS: tuple[ThreadCount, ...] = (1, "all")
"""What is measured where nothing is asked for."""
_WHO = "look who answers there, or leave this host out"
STARTING_S = 600.0
"""Of what the work takes besides its rows."""


def bench_hosts(
    names: Sequence[str],
    elsewhere: Elsewhere,
    threads: tuple[ThreadCount, ...] | None,
    protocol: BenchmarkOptions,
    folder: Path | None,
    outputs: Outputs,
) -> list[Row]:
    """Measure on hosts, and give out what was found; gives all rows of it. Raises HostError in the end where
    a host failed.
    """
    asked = wanted(names, threads, protocol, elsewhere.python)
    benchmark = Benchmark(elsewhere.hosts, folder or Path(RESULTS), asked)
    try:
        benchmark.run()
    except KeyboardInterrupt:
        if benchmark.found:
            _give_out(benchmark, outputs)
        raise
    _give_out(benchmark, outputs)
    if benchmark.unwritten:
        raise benchmark.unwritten[0]
    raise_all(benchmark.failed, len(elsewhere.hosts))
    for _, found in benchmark.found.values():
        found.raise_failures()
    return [row for _, found in benchmark.found.values() for row in found.rows]


def _give_out(benchmark: "Benchmark", outputs: Outputs) -> None:
    """Write and show everything beside each other."""
    found = benchmark.beside()
    comparison = found.comparison
    written = [
        (outputs.json_file, text_of(found.to_json)),
        (outputs.csv_file, text_of(found.to_csv)),
        (outputs.markdown_file, text_of(found.to_markdown)),
        *([(outputs.picture, lambda path: draw(comparison, path))] if comparison else []),
    ]
    deliver(written, lambda: show_page(found.page()))


@dataclass
class Benchmark:
    """A benchmark of the same models on several hosts, whose results are kept in a folder as they come."""

    hosts: Sequence[Host]
    folder: Path
    wanted: Wanted
    found: dict[Host, tuple[Path, Results]] = field(default_factory=dict)
    failed: Sequence[HostError] = ()
    notes: list[tuple[Host, str]] = field(default_factory=list)
    unwritten: list[OutputError] = field(default_factory=list)
    """Of results that are in `found` alone."""

    def __post_init__(self) -> None:
        """Raise OutputError where a results file could not be written."""
        files.make_folder(self.folder)
        self._paths = dict(zip(self.hosts, _file_names(self.hosts), strict=True))
        for name in self._paths.values():
            files.check_writable(self.folder / name)

    def run(self) -> None:
        """Measure on all at once."""
        with temporary.Folder() as reports:

            def work(remote: Remote, tell: Progress, note: Report) -> Path:
                report = reports / self._paths[remote.host]
                visit(remote, self.wanted, report, tell, note)
                return report

            self.failed = follow(self.hosts, work, self._keep, self._note)
        for host in self.hosts:
            path = self.folder / self._paths[host]
            if host not in self.found and path.exists():
                date = datetime.fromtimestamp(path.stat().st_mtime).strftime("%Y-%m-%d %H:%M")
                self._note(host, f"{shlex.quote(str(path))} has its results of {date}, none of now")

    def beside(self) -> HostResults:
        """All that was found, in the order of the hosts."""
        found = {host: self.found[host] for host in self.hosts if host in self.found}
        return table.beside(found, self.failed, self.notes)

    def _note(self, host: Host, line: str) -> None:
        self.notes.append((host, line))
        tell_note(host, line)

    def _keep(self, host: Host, report: Path) -> None:
        """Write what is understood of a report. Raises HostError for one that is none, or of other files."""
        found = self._read(host, report)
        report.unlink()
        path = self.folder / self._paths[host]
        self.found[host] = (path, found)
        try:
            files.write_text(path, found.to_json())
        except OutputError as error:
            self.unwritten.append(error)
            tell_note(host, str(error))
        else:
            say(f"written: {shlex.quote(str(path))}")

    def _read(self, host: Host, report: Path) -> Results:
        try:
            found = results.read(report)
        except BadInput as error:
            why = str(error).replace(str(report), "its answer").removesuffix(f": {results.MEND}")
            raise HostError(host.name, why, _WHO) from None
        if not found.rows:
            raise HostError(host.name, "there are no results in its answer", "try again")
        asked = self.wanted.payload.expected
        if wrong := misfit(found, asked, self.wanted.request.threads or THREADS):
            raise HostError(host.name, f"its answer is not about what was sent: {wrong}", _WHO)
        return found


def wanted(
    models: Sequence[str],
    threads: tuple[ThreadCount, ...] | None,
    protocol: BenchmarkOptions,
    python: str | None,
) -> Wanted:
    """What is asked of each host. Raises what is wrong with a model."""
    sent = payload(models)
    request = Request("bench", tuple(sent.models), threads=threads, options=protocol)
    rows = len(sent.expected) * len(threads or THREADS)
    row_s = protocol.at_most + 60 * protocol.sustained_minutes
    limits = Limits(STARTING_S + 2 * rows * row_s, (1 + rows) * results.PART_BYTES)
    return Wanted(request, sent, python, limits)


def _file_names(hosts: Sequence[Host]) -> list[str]:
    """A name for the results of each: that of the host, in characters that every file system takes."""
    found: dict[str, None] = {}
    for host in hosts:
        stem = re.sub(r"[^A-Za-z0-9@._-]+", "_", host.name).lstrip(".") or "host"
        taken = {name.casefold() for name in found}
        names = (f"{stem}{more}.json" for more in ("", *(f"-{number}" for number in range(2, 10_000))))
        found[next(name for name in names if name.casefold() not in taken)] = None
    return list(found)
