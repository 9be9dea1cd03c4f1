"""Measuring models in rounds, in which they take turns."""

import math
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from edgefashion.benchmarking import budget, energy, sustained
from edgefashion.benchmarking.measurement import Job, Measurement
from edgefashion.benchmarking.options import BLOCK_S, BenchmarkOptions
from edgefashion.benchmarking.room import Room
from edgefashion.benchmarking.watch import Watch
from edgefashion.device import SYSTEM, Machine
from edgefashion.errors import EdgefashionError, OutOfTime
from edgefashion.reporting import Progress
from edgefashion.runtimes import pinning
from edgefashion.runtimes.base import Images
from edgefashion.runtimes.model import Model, open_model
from edgefashion.runtimes.process import peak_memory_mb

ROTATION = 256
"""Images used in turn."""
RESOLVED = 100
"""Steps of the clock that a sample must last: then a step is 1 % of it."""
READINGS = (1000, 1_000_000)
"""Of the clock, to find its step; the more where it is too coarse for the fewer."""
KEPT = 1_000_000
"""Samples kept of a row, about; of more, every second, third, ... is."""
_PROBES = 20
_LOOK_ROUNDS = 10
"""The machine is looked at every 10th round of a row, where that is more often than the options say."""


@dataclass(frozen=True, eq=False)
class Measured:
    """All rows, in the order of the jobs, and the machine around them."""

    rows: list[Measurement]
    watch: Watch


def measure(
    jobs: Sequence[Job],
    protocol: BenchmarkOptions | None = None,
    progress: Progress | None = None,
    sources: Machine = SYSTEM,
) -> Measured:
    """Measure every job.

    One that cannot be measured has its `error` set and no samples; the others go on. Where memory is too
    short for all models at once they are measured in parts, one after the other (`Measurement.part`), and
    only those of one part take turns. Ctrl-C ends the
    measurement, and rows that lack anything then are marked as interrupted.
    Raises BadInput for CPUs to pin to that are not there, EdgefashionError for a clock that stands still.
    """
    protocol = protocol or BenchmarkOptions()
    pinning.check(protocol.pin)
    return _Run(jobs, protocol, progress, sources).measured()


def clock_step_us() -> float:
    """The resolution of the clock in microseconds: the usual step between two readings of the clock.

    Raises EdgefashionError for a clock that stands still.
    """
    clock = time.perf_counter_ns
    for count in READINGS:
        readings = [clock() for _ in range(count)]
        if steps := [after - before for before, after in pairwise(readings) if after > before]:
            return median(steps) / 1e3
    raise EdgefashionError(
        "the monotonic clock stands still here, and nothing can be timed: start this computer again"
    )


class _Run:
    def __init__(
        self, jobs: Sequence[Job], protocol: BenchmarkOptions, progress: Progress | None, sources: Machine
    ) -> None:
        self._protocol, self._progress = protocol, progress
        self._rows = [Measurement(job) for job in jobs]
        self._sources = sources
        self._watch = Watch(sources)
        self._models: dict[int, Model] = {}
        self._step_us = clock_step_us()
        self._complete: set[int] = set()

    def measured(self) -> Measured:
        """Do all of it."""
        try:
            waiting, part = list(range(len(self._rows))), 1
            while waiting:
                with ExitStack() as stack:
                    waiting = self._start(stack, waiting, part)
                    self._run_rounds()
                    self._run_extras()
                self._models.clear()
                part += 1
            self._finish()
        except KeyboardInterrupt:
            for index, row in enumerate(self._rows):
                row.interrupted = not row.error and index not in self._complete
        self._watch.finish()
        self._report("measured")
        return Measured(self._rows, self._watch)

    @contextmanager
    def _working(self, index: int) -> Iterator[None]:
        """Turn an error into the row's, and time into what it has spent."""
        row, begin = self._rows[index], time.monotonic()
        try:
            yield
        except EdgefashionError as error:
            row.fail(error)
        finally:
            row.spent_seconds += time.monotonic() - begin

    def _start(self, stack: ExitStack, waiting: list[int], part: int) -> list[int]:
        """Load models while there is memory, at least one; give those that have to wait."""
        room = Room(self._sources)
        for place, index in enumerate(waiting):
            if self._models and room.is_taken(model.pid for model in self._models.values()):
                return waiting[place:]
            row = self._rows[index]
            row.part = part
            self._report(
                "measuring what the processor can do"
                if row.job.latency_only
                else f"warming up {row.job.path.name}"
            )
            with self._working(index):
                begin = time.monotonic()
                model = stack.enter_context(self._open(row.job))
                row.ready_seconds = time.monotonic() - begin
                self._watch.meter.pids.add(model.pid)
                row.runtime, row.version, row.load_ms = model.runtime, model.version, model.load_ms
                self._warm_up(row, model)
                self._models[index] = model
        return []

    def _open(self, job: Job) -> Model:
        protocol = self._protocol
        return open_model(
            job.path,
            job.threads,
            protocol.timeout,
            protocol.pin,
            protocol.in_process,
            protocol.memory_mb,
            job.runtime,
        )

    def _warm_up(self, row: Measurement, model: Model) -> None:
        """Run until all is warm, and find how many inferences a sample needs, how many samples are kept."""
        begin, seconds = time.monotonic(), self._protocol.warm_up_seconds
        model.warm_up(_rotation(row.job), seconds)
        row.first_inference_us = row.inference_us = model.first_inference_us or 0.0
        row.ready_seconds += row.inference_us / 1e6
        if time.monotonic() - begin < seconds + BLOCK_S:  # else each inference takes too long for more
            row.inference_us = median(model.measure(_PROBES, 0, BLOCK_S))
        # A coarse clock may see no time pass.
        row.inference_us = max(row.inference_us, self._step_us / RESOLVED)
        row.loops = max(1, math.ceil(RESOLVED * self._step_us / row.inference_us))
        samples = self._protocol.seconds * 1e6 / (row.inference_us * row.loops)
        row.kept_every = max(1, math.ceil(samples / KEPT))

    def _run_rounds(self) -> None:
        order = random.Random(self._protocol.seed)
        number = 0
        while pending := [index for index in self._models if not self._is_done(index)]:
            order.shuffle(pending)
            number += 1
            for index in pending:
                self._report(f"round {number}")
                self._run_block(index, number - 1)

    def _run_block(self, index: int, number: int) -> None:
        row, protocol, begin = self._rows[index], self._protocol, time.monotonic()
        with self._working(index):
            samples = 1 if row.job.latency_only else protocol.block_samples
            row.add(self._models[index].measure(samples, protocol.block_seconds, BLOCK_S, row.loops))
            took = time.monotonic() - begin
            row.block_seconds += took
            row.longest_block_seconds = max(row.longest_block_seconds, took)
            every = max(1, min(protocol.expected_rounds // protocol.looks, _LOOK_ROUNDS))
            if number % every == 0 and budget.has_time(row, protocol, row.inference_us / 1e6):
                row.states.append(self._watch.look_at(self._models[index]))

    def _is_done(self, index: int) -> bool:
        row, protocol = self._rows[index], self._protocol
        if row.error or budget.is_enough(row, protocol):
            return True
        if budget.has_time(row, protocol, budget.longest_seconds(row)):
            return False
        row.cut_at = protocol.at_most
        if not row.raw_us:
            row.fail(
                OutOfTime(
                    f"{row.job.path}: starting, loading and warming up took {row.spent_seconds:.1f} s, "
                    f"which leaves no time for another of the {protocol.at_most:g} s of a row"
                )
            )
        return True

    def _run_extras(self) -> None:
        """What each model does alone after all rounds: energy, then minutes without a pause."""
        for index, model in self._models.items():
            row, minutes = self._rows[index], self._protocol.sustained_minutes
            if row.error or row.job.latency_only:
                continue
            with self._working(index):
                row.energy_mj = energy.measure(model, self._watch)
                if minutes:
                    row.sustained = []
                    sustained.run(model, minutes, self._watch, row.sustained, self._report)

    def _finish(self) -> None:
        """Measure memory, in processes of their own; then all of a row is there."""
        for index, row in enumerate(self._rows):
            apart = not (row.error or row.job.latency_only or self._protocol.in_process)
            if apart and budget.has_time(row, self._protocol, 0):
                self._report(f"memory of {row.job.path.name}")
                with self._working(index):
                    row.peak_rss_mb = self._peak_memory_mb(row.job)
            self._complete.add(index)

    def _peak_memory_mb(self, job: Job) -> float | None:
        protocol = self._protocol
        return peak_memory_mb(
            job.path,
            job.threads,
            _rotation(job),
            timeout=protocol.timeout,
            pin=protocol.pin,
            memory_mb=protocol.memory_mb,
            runtime=job.runtime,
        )

    def _report(self, what: str) -> None:
        """Say what is done, how many blocks of how many are behind, and how long the rest takes about."""
        if not self._progress:
            return
        done = sum(
            (row.runtime is not None or row.error is not None) + len(row.round_samples) for row in self._rows
        )
        left = sum(
            (row.runtime is None and row.error is None) + budget.blocks_left(row, self._protocol)
            for row in self._rows
        )
        seconds = sum(
            budget.seconds_left(row, self._protocol)
            for index, row in enumerate(self._rows)
            if index not in self._complete
        )
        self._progress(f"{what}, about {seconds:.0f} s left" if seconds >= 1 else what, done, done + left)


def _rotation(job: Job) -> Images | None:
    return None if job.images is None else job.images[:ROTATION]
