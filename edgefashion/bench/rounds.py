"""Measuring models in rounds, in turns."""

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from edgefashion.bench import energy, sustained
from edgefashion.bench.measurement import Job, Measurement
from edgefashion.bench.protocol import BLOCK_S, Protocol
from edgefashion.bench.watch import Watch
from edgefashion.device import SYSTEM, Sources, memory_is_short
from edgefashion.errors import EdgefashionError
from edgefashion.runtimes import pinning
from edgefashion.runtimes.base import Images
from edgefashion.runtimes.model import Model, open_model
from edgefashion.runtimes.process import peak_memory_mb

Progress = Callable[[str, int, int], None]
"""Called with what is being done, and how many steps of how many are done."""

ROTATION = 256
"""Images used in turn."""
RESOLVED = 100
"""Steps of the clock that a sample must last: then a step is 1 % of it."""
KEPT = 1_000_000
"""Samples kept of a row, about; of more, every second, third, ... is."""
_PROBES = 20
_LOOK_ROUNDS = 10
"""The machine is looked at every 10th round of a row, where that is more often than `Protocol.looks`."""


@dataclass(frozen=True, eq=False)
class Measured:
    """All rows, in the order of the jobs, and the machine around them."""

    rows: list[Measurement]
    watch: Watch


def measure(
    jobs: Sequence[Job],
    protocol: Protocol | None = None,
    progress: Progress | None = None,
    sources: Sources = SYSTEM,
) -> Measured:
    """Measure every job.

    One that cannot be measured has its `error` set and no samples; the others go on. Where memory is too
    short for all models at once they are measured in parts, one after the other (`Measurement.part`), and
    only those of one part take turns. Ctrl-C ends the
    measurement, and rows that lack anything then are marked as interrupted.
    Raises BadInput for CPUs to pin to that are not there.
    """
    protocol = protocol or Protocol()
    pinning.check(protocol.pin)
    return _Run(jobs, protocol, progress, sources).measured()


def clock_step_us() -> float:
    """The least time that can be told, in microseconds: the usual step between two readings of the clock."""
    clock = time.perf_counter_ns
    readings = [clock() for _ in range(1000)]
    steps = [after - before for before, after in pairwise(readings) if after > before]
    return median(steps) / 1e3 if steps else 0.0


class _Run:
    def __init__(
        self, jobs: Sequence[Job], protocol: Protocol, progress: Progress | None, sources: Sources
    ) -> None:
        self._protocol, self._progress = protocol, progress
        self._rows = [Measurement(job) for job in jobs]
        self._sources = sources
        self._watch = Watch(sources)
        self._models: dict[int, Model] = {}
        self._step_us = clock_step_us()
        self._per_row = 1 + protocol.expected_rounds
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
            self._measure_memory()
        except KeyboardInterrupt:
            for index, row in enumerate(self._rows):
                row.interrupted = not row.error and index not in self._complete
        self._watch.finish()
        self._report("measured", len(self._rows) * self._per_row)
        return Measured(self._rows, self._watch)

    @contextmanager
    def _failing(self, index: int) -> Iterator[None]:
        """Turn an error into the row's."""
        try:
            yield
        except EdgefashionError as error:
            self._rows[index].fail(error)

    def _start(self, stack: ExitStack, waiting: list[int], part: int) -> list[int]:
        """Load models while there is memory, at least one; give those that have to wait."""
        for place, index in enumerate(waiting):
            if self._models and memory_is_short(self._sources):
                return waiting[place:]
            row = self._rows[index]
            row.part = part
            self._report_rounds(f"warming up {row.job.path.name}")
            with self._failing(index):
                model = stack.enter_context(self._open(row.job))
                self._watch.meter.pids.add(model.pid)
                row.runtime, row.version, row.load_ms = model.runtime, model.version, model.load_ms
                model.warm_up(_rotation(row.job), self._protocol.warm_up_seconds)
                row.first_inference_us = model.first_inference_us
                self._calibrate(row, model)
                self._models[index] = model
        return []

    def _open(self, job: Job) -> Model:
        protocol = self._protocol
        return open_model(job.path, job.threads, protocol.timeout, protocol.pin, protocol.in_process)

    def _calibrate(self, row: Measurement, model: Model) -> None:
        """Find how many inferences a sample needs, and how many samples can be kept."""
        inference_us = median(model.measure(_PROBES, 0, BLOCK_S))
        row.loops = max(1, math.ceil(RESOLVED * self._step_us / inference_us))
        samples = self._protocol.seconds * 1e6 / (inference_us * row.loops)
        row.kept_every = max(1, math.ceil(samples / KEPT))

    def _run_rounds(self) -> None:
        order = random.Random(self._protocol.seed)
        number = 0
        while pending := [index for index in self._models if not self._is_done(index)]:
            order.shuffle(pending)
            for index in pending:
                self._run_block(index, number)
            number += 1
            self._report_rounds(f"round {number}")

    def _run_block(self, index: int, number: int) -> None:
        row, protocol = self._rows[index], self._protocol
        with self._failing(index):
            samples = 1 if row.job.latency_only else protocol.block_samples
            block = self._models[index].measure(samples, protocol.block_seconds, BLOCK_S, row.loops)
            row.add(block)
            if number % max(1, min(protocol.expected_rounds // protocol.looks, _LOOK_ROUNDS)) == 0:
                row.states.append(self._watch.look_at(self._models[index]))

    def _is_done(self, index: int) -> bool:
        row, protocol = self._rows[index], self._protocol
        enough = len(row.round_samples) >= protocol.rounds and (
            row.job.latency_only
            or (row.timed_seconds >= protocol.seconds and row.timed_samples >= protocol.samples)
        )
        return row.error is not None or enough or row.timed_seconds >= protocol.at_most

    def _run_extras(self) -> None:
        """What each model does alone after all rounds: energy, then minutes without a pause."""
        for index, model in self._models.items():
            row, minutes = self._rows[index], self._protocol.sustained_minutes
            if row.error or row.job.latency_only:
                continue
            with self._failing(index):
                row.energy_mj = energy.measure(model, self._watch)
                if minutes:
                    row.sustained = []
                    sustained.run(model, minutes, self._watch, row.sustained, self._report_rounds)

    def _measure_memory(self) -> None:
        """In processes of their own; then all of a row is there."""
        protocol = self._protocol
        for index, row in enumerate(self._rows):
            job = row.job
            if not (row.error or job.latency_only or protocol.in_process):
                self._report(f"memory of {job.path.name}", len(self._rows) * self._per_row)
                with self._failing(index):
                    row.peak_rss_mb = peak_memory_mb(
                        job.path, job.threads, _rotation(job), timeout=protocol.timeout, pin=protocol.pin
                    )
            self._complete.add(index)

    def _report_rounds(self, what: str) -> None:
        done = sum(1 + min(len(row.round_samples), self._per_row - 1) for row in self._rows)
        self._report(what, done)

    def _report(self, what: str, done: int) -> None:
        if self._progress:
            self._progress(what, done, len(self._rows) * self._per_row)


def _rotation(job: Job) -> Images | None:
    return None if job.images is None else job.images[:ROTATION]
