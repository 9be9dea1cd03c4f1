"""The results file of `evaluate` and `bench`: one row per (model file, runtime, threads)."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from msgspec import Meta

from edgefashion.records.values import Amount, Count, Dataset, Difference, Name, Positive, Share, Time

Samples = list[Time]


class Latency(TypedDict, total=False):
    """Of single inferences, in microseconds; all null where nothing was timed."""

    p50: Time | None
    p90: Time | None
    p99: Time | None
    """Null below 1,000 samples."""
    mean: Time | None
    samples: Count


class Host(TypedDict, total=False):
    """The answers beside those that the bundle's maker got, see `bundle.compare`."""

    equal: bool | None
    tolerance: Amount | None
    images: Count
    differing_classes: Count
    max_logit_error: Amount | None
    runtime: Name
    """What answered there; the row has what answered here."""
    runtime_version: Name


class Flag(TypedDict):
    """What makes the figures untrustworthy."""

    flag: Name
    why: str


class Point(TypedDict):
    """Latency at a time of a load of minutes."""

    at_s: Amount
    p50_us: Time
    temperature_c: float | None
    mhz: float | None


class Row(TypedDict):
    """A model file with a number of threads."""

    model: Name
    format: Name
    precision: Name | None
    """Null where nothing tells it."""
    target: NotRequired[Name]
    """The processor that the file is made for, see `targets`."""
    kept_float: NotRequired[list[Name]]
    """The layers that an int8 file computes in float."""
    runtime: Name | None
    """Null where it did not start, like its version."""
    runtime_version: NotRequired[Name | None]
    threads: Positive
    path: Name
    """As the user gave it."""
    pinned: NotRequired[list[Count] | None]
    """The CPUs that the measured process was kept on; null for any."""
    in_process: NotRequired[bool]
    """Whether it was measured without a process of its own."""
    size_bytes: NotRequired[Count | None]
    gzip_bytes: NotRequired[Count | None]
    """Of the file compressed by gzip, level 9: what an update of it transfers."""
    sha256: NotRequired[Name | None]
    """Of the file; of one with weights in other files, over the bytes of it and then of those, by name."""
    small_run: NotRequired[bool]
    """Whether the model was trained on a part of the data only."""
    images: NotRequired[Positive | None]
    """Number of test images; null, like the next five, without data."""
    accuracy: Share | None
    accuracy_ci95: NotRequired[Annotated[list[Share], Meta(min_length=2, max_length=2)] | None]
    """Its 95 % Wilson interval."""
    accuracy_delta: NotRequired[Difference | None]
    """Accuracy minus the reference's."""
    agreement: NotRequired[Share | None]
    """Part of the images given the same class as by the reference."""
    mcnemar_p: NotRequired[Share | None]
    """How likely luck alone explains so uneven a set of differences."""
    host: NotRequired[Host | None]
    """Null without a bundle."""
    latency_us: Latency
    inferences_per_s: NotRequired[Amount | None]
    """1e6 / mean."""
    p90_bound_us: NotRequired[Time | None]
    """MLPerf's estimate of p90, see `statistics.early_stopping_bound`; null unless measured by its rules."""
    loops: NotRequired[Positive]
    """Inferences in a row that a sample is the mean of."""
    kept_every: NotRequired[Positive]
    """2 where every second sample was kept, because there were so many."""
    round_samples: NotRequired[list[Positive]]
    """How many samples each round gave, in order."""
    load_ms: NotRequired[Amount | None]
    """Once, in a fresh process; the first inference likewise."""
    first_inference_us: NotRequired[Amount | None]
    peak_rss_mb: NotRequired[Amount | None]
    """Of a process that ran single inferences and was not timed, in MiB."""
    macs: NotRequired[Count | None]
    """Multiply-accumulates of one inference; null where shapes do not tell."""
    macs_per_s: NotRequired[Amount | None]
    """macs / p50."""
    limit_macs_per_s: NotRequired[Amount | None]
    """What a matrix product of the same number type reached in the same runtime, threads and run; null
    where it was not measured.
    """
    energy_mj: NotRequired[Amount | None]
    """Millijoules per inference; null where no power could be read."""
    sustained: NotRequired[list[Point] | None]
    """Latency over minutes; null where not asked for."""
    flags: NotRequired[list[Flag]]
    instructions_per_inference: NotRequired[dict[str, Any] | None]
    """Of an emulated processor, by its name; null where not counted."""
    status: Literal["ok", "failed"]
    error: NotRequired[str | None]
    """Why it failed."""
    bad_file: NotRequired[bool]
    """Whether it failed because the file cannot be loaded."""
    note: NotRequired[str | None]
    """What was unusual about the run."""


class State(TypedDict, total=False):
    """What is read of `device.state`."""

    throttled: list[str] | None


class Device(TypedDict, total=False):
    """What is read of `device.describe`, and the states around the measurement."""

    machine: Name | None
    board: Name | None
    cpu: Name | None
    cores: Positive | None
    isa: list[Name] | None
    memory_mb: Count | None
    os: Name | None
    date: Name | None
    emulated: Name | None
    before: State | None
    during: list[State] | None
    after: State | None


class Protocol(TypedDict, total=False):
    """What is read of `benchmarking.options.BenchmarkOptions.describe`."""

    summary: str


class Results(TypedDict):
    """All of it but the rows."""

    schema: int
    edgefashion: NotRequired[Name | None]
    """The version that measured."""
    verb: NotRequired[Name]
    """`evaluate` or `bench`."""
    device: Device
    dataset: Dataset | None
    """Null where only latency was measured."""
    protocol: NotRequired[Protocol | None]
    """How latency was measured; null where it was not."""
