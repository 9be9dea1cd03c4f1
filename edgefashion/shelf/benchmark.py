"""The same models measured on several machines at the same time, and their results beside each other."""

import re
import shlex
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import NoneType
from typing import Literal

from edgefashion import files, runtimes
from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.errors import BadInput, HostError, OutputError
from edgefashion.errors.arguments import check, takes
from edgefashion.evaluation import results
from edgefashion.evaluation.results import Results
from edgefashion.files import temporary
from edgefashion.hosts.host import Host, parse_all
from edgefashion.hosts.ssh import Remote
from edgefashion.reporting import Progress, Report
from edgefashion.shelf import shelf, table
from edgefashion.shelf.asking import Limits
from edgefashion.shelf.expected import misfit
from edgefashion.shelf.messages import Request
from edgefashion.shelf.payload import payload
from edgefashion.shelf.shelf import Ended, Note, Tell
from edgefashion.shelf.table import HostResults
from edgefashion.shelf.visit import Wanted, visit

ThreadCount = int | Literal["all"]
THREADS: tuple[ThreadCount, ...] = (1, "all")
"""What is measured where nothing is asked for."""
STARTING_S = 600.0
"""Of what the work takes besides its rows."""
_WHO = "look who answers there, or leave this host out"
_TEXTS, _FOLDER = (str, Path, Sequence), (str, Path, NoneType)
_THREADS, _RUNTIMES = (Sequence, NoneType), (str, Sequence, NoneType)


@takes(
    models=_TEXTS,
    hosts=(str, Sequence),
    threads=_THREADS,
    options=(BenchmarkOptions, NoneType),
    runtime=_RUNTIMES,
    python=(str, NoneType),
    folder=_FOLDER,
)
def benchmark_hosts(
    models: str | Path | Sequence[str | Path],
    hosts: str | Sequence[str],
    *,
    threads: Sequence[ThreadCount] | None = None,
    options: BenchmarkOptions | None = None,
    runtime: str | Sequence[str] | None = None,
    python: str | None = None,
    folder: str | Path | None = None,
    progress: Tell | None = None,
    note: Note | None = None,
    ended: Ended | None = None,
) -> HostResults:
    """Latency, memory and accuracy of bundles, model files, runs and `zoo:NAME` on other machines, over the
    user's own ssh: see `benchmark`. All machines work at the same time; one that fails is among `failed` of
    what is given, and after Ctrl-C that is what came before it.

    `hosts` are called as for ssh: `pi@raspberrypi`. `python` is an interpreter there that has this
    edgefashion; else an environment is made there. `folder` keeps a results file of each machine, written as
    soon as it comes. Called with a machine: `progress` also with what is being done, how much of it is done
    and of how much; `note` with what is to be remembered; `ended` with the HostError where it failed, else
    None. Raises what is wrong with a model, BadInput for what is no host, and OutputError where nothing could
    be written into `folder`; `unwritten` of what is given has what could not be in the end.
    """
    named = [models] if isinstance(models, str | Path) else models
    found = _Benchmark(
        parse_all([hosts] if isinstance(hosts, str) else hosts),
        wanted([*map(str, named)], threads, options or BenchmarkOptions(), runtime, python),
        None if folder is None else Path(folder),
        note or (lambda *_: None),
    )
    return found.run(progress or (lambda *_: None), ended or (lambda *_: None))


class _Benchmark:
    """What has come so far."""

    def __init__(self, hosts: Sequence[Host], wanted: Wanted, folder: Path | None, note: Note) -> None:
        self.hosts, self.wanted, self._tell_note = hosts, wanted, note
        self.folder = folder
        self.found, self.failed = dict[Host, tuple[Path, Results]](), dict[Host, HostError]()
        self.notes, self.unwritten = list[tuple[Host, str]](), list[OutputError]()
        names = _file_names(hosts) if folder else [host.name for host in hosts]
        self.paths = {host: (folder or Path()) / name for host, name in zip(hosts, names, strict=True)}
        if folder:
            files.make_folder(folder)
            for path in self.paths.values():
                files.check_writable(path)

    def run(self, tell: Tell, ended: Ended) -> HostResults:
        """Measure on all at once."""
        places = {host: f"{number}.json" for number, host in enumerate(self.hosts)}

        def end(host: Host, error: HostError | None) -> None:
            if error:
                self.failed[host] = error
            ended(host, error)

        interrupted = True
        with temporary.Folder() as reports, suppress(KeyboardInterrupt):

            def work(remote: Remote, progress: Progress, note: Report) -> Path:
                report = reports / places[remote.host]
                visit(remote, self.wanted, report, progress, note)
                return report

            shelf.gather(self.hosts, work, self._keep, tell, self._note, end)
            interrupted = False
        if self.folder and not interrupted:
            self._note_older()
        return table.beside(
            {host: self.found[host] for host in self.hosts if host in self.found},
            [self.failed[host] for host in self.hosts if host in self.failed],
            self.notes,
            tuple(self.unwritten),
            interrupted,
        )

    def _note(self, host: Host, line: str) -> None:
        self.notes.append((host, line))
        self._tell_note(host, line)

    def _note_older(self) -> None:
        """Say where a results file is not of this benchmark."""
        for host, path in self.paths.items():
            if host not in self.found and path.exists():
                date = datetime.fromtimestamp(path.stat().st_mtime).strftime("%Y-%m-%d %H:%M")
                self._note(host, f"{shlex.quote(str(path))} has its results of {date}, none of now")

    def _keep(self, host: Host, report: Path) -> None:
        """Take what is understood of a report. Raises HostError for one that is none, or of other files."""
        found = understood(host, report, self.wanted)
        report.unlink()
        path = self.paths[host]
        self.found[host] = (path, found)
        if self.folder:
            try:
                files.write_text(path, found.to_json())
            except OutputError as error:
                self.unwritten.append(error)
                self._tell_note(host, str(error))
            else:
                self._tell_note(host, f"written: {shlex.quote(str(path))}")


def understood(host: Host, report: Path, wanted: Wanted) -> Results:
    """The results in the report of a machine. Raises HostError for what is none, or of something else."""
    try:
        found = results.read(report)
    except BadInput as error:
        why = str(error).replace(str(report), "its answer").removesuffix(f": {results.MEND}")
        raise HostError(host.name, why, _WHO) from None
    if not found.rows:
        raise HostError(host.name, "there are no results in its answer", "try again")
    asked = wanted.request
    if wrong := misfit(found, wanted.payload.expected, asked.threads or THREADS, asked.runtime):
        raise HostError(host.name, f"its answer is not about what was sent: {wrong}", _WHO)
    return found


def wanted(
    models: Sequence[str],
    threads: Sequence[ThreadCount] | None,
    protocol: BenchmarkOptions,
    runtime: str | Sequence[str] | None,
    python: str | None,
) -> Wanted:
    """What is asked of each machine. Raises what is wrong with a model, and BadInput for no threads and for
    what is no runtime of these models.
    """
    for each in threads or ():
        check("a number of threads", each, (int, str))
        if each != "all" and (isinstance(each, str) or each < 1):
            raise BadInput(f"{each!r} is not a number of threads: give 1 or more, or all")
    sent = payload(models)
    counts = tuple(threads) if threads else None
    names = runtimes.chosen(runtime, [each.format for each in sent.expected.values()])
    rows = sum(max(1, len(names[each.format])) for each in sent.expected.values()) * len(counts or THREADS)
    row_s = protocol.at_most + 60 * protocol.sustained_minutes
    limits = Limits(STARTING_S + 2 * rows * row_s, (1 + rows) * results.PART_BYTES)
    asked = tuple(dict.fromkeys(name for own in names.values() for name in own))
    request = Request("bench", tuple(sent.models), threads=counts, options=protocol, runtime=asked)
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
