"""How good and how fast model files are: one row per (file, threads).

The rows are those of a results file, see `edgefashion.evaluation.results`; what differences are against, see
`edgefashion.evaluation.scores`.
"""

from collections.abc import Sequence
from functools import partial

from edgefashion import benchmarking, device
from edgefashion.benchmarking import (
    BenchmarkOptions,
    Comparable,
    Job,
    Measured,
    Measurement,
    Progress,
    Rooflines,
    Watch,
)
from edgefashion.evaluation import predictions, rows, scores
from edgefashion.evaluation.predictions import Candidate, Predictions
from edgefashion.evaluation.results import Results
from edgefashion.records.values import Dataset as DatasetInfo
from edgefashion.runtimes import pinning
from edgefashion.system.interruption import finishing

Jobs = dict[tuple[int, int], Job]
"""By the number of the subject, and the number of threads."""


def assess(
    subjects: Sequence[Candidate],
    dataset_info: DatasetInfo | None,
    threads: Sequence[int],
    protocol: BenchmarkOptions | None = None,
    progress: Progress | None = None,
    verb: str = "bench",
) -> Results:
    """Measure accuracy (once per artifact, on all cores) and then latency (per number of threads).

    One that fails is a failed row; the others go on. Where the processor is emulated, nothing is timed.
    After Ctrl-C, rows that lack something have the flag `interrupted`. Raises BadInput for CPUs to pin to
    that are not there.
    """
    protocol = protocol or BenchmarkOptions()
    pinning.check(protocol.pin)
    machine = device.describe()
    timed = not machine.emulated
    replies = _replies(subjects, timed, protocol, progress)
    interrupted = len(replies) < len(subjects)
    replies += [Predictions()] * (len(subjects) - len(replies))
    found = [rows.computation(subject.artifact.path) for subject in subjects]
    jobs = _jobs(subjects, replies, threads)
    comparable = [
        partial(Comparable, subject.artifact.format, own.integer, runtime=subject.runtime)
        for subject, own in zip(subjects, found, strict=True)
    ]
    limits = Rooflines(comparable[number](count) for number, count in jobs if found[number].macs)
    if timed and not interrupted:
        measured = benchmarking.measure([*jobs.values(), *limits.jobs], protocol, progress)
    else:
        measured = _untimed(jobs, replies, interrupted)
    with finishing():
        runs = dict(zip(jobs, measured.rows, strict=False))
        limits.take(measured.rows[len(jobs) :])
        results = []
        for number, subject in enumerate(subjects):
            common = _common(subjects, replies, number, found[number])
            for count in threads:
                run = runs.get((number, count)) or _failed(subject, count, replies[number])
                limit = limits.macs_per_s(comparable[number](count))
                flags = benchmarking.flags(run, measured.watch, machine)
                results.append(rows.row(common, run, flags, protocol, limit))
        return Results(
            measured.watch.around(machine),
            dataset_info,
            results,
            verb,
            protocol.describe() if timed else None,
        )


def _replies(
    subjects: Sequence[Candidate], timed: bool, protocol: BenchmarkOptions, progress: Progress | None
) -> list[Predictions]:
    """The predictions of the artifacts, in their order; after Ctrl-C, of those that were done by then."""
    found: list[Predictions] = []
    try:
        for subject in subjects:
            found.append(predictions.predict_or_error(subject, timed, protocol, progress))
    except KeyboardInterrupt:
        if all(reply.logits is None for reply in found):
            raise
    return found


def _jobs(subjects: Sequence[Candidate], replies: Sequence[Predictions], threads: Sequence[int]) -> Jobs:
    """What is to be timed: all that has not failed yet."""
    return {
        (number, count): Job(subject.artifact.path, count, subject.images, subject.runtime)
        for number, subject in enumerate(subjects)
        for count in threads
        if not replies[number].error
    }


def _untimed(jobs: Jobs, replies: Sequence[Predictions], interrupted: bool) -> Measured:
    """Rows without a latency: that of an emulator says nothing, or there was no time for it."""
    found = [
        Measurement(job, replies[number].runtime, replies[number].version, interrupted=interrupted)
        for (number, _), job in jobs.items()
    ]
    return Measured(found, Watch())


def _failed(subject: Candidate, threads: int, reply: Predictions) -> Measurement:
    job = Job(subject.artifact.path, threads, runtime=subject.runtime)
    return Measurement(job, error=reply.error)


def _common(
    subjects: Sequence[Candidate], replies: Sequence[Predictions], number: int, computation: rows.Computation
) -> rows.Common:
    """After all measurements: to compress a file and hash it makes a processor hot."""
    subject, own = subjects[number], replies[number]
    sample, host = subject.sample, None
    if sample and sample.compare_with_host and own.logits is not None:
        host = sample.compare_with_host(subject.artifact, own.logits)
    score = scores.score(subjects, replies, number)
    file = rows.file(subject.artifact)
    return rows.Common(subject.artifact, subject.name, file, computation, score, host, own.note)
