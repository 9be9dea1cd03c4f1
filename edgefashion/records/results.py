"""The results file of `evaluate` and `bench`: one row per (model file, runtime, threads).

What a row says is `Row` and nothing else: its defaults complete the rows of older files, its types check what
is read, its order is that of the JSON and of the columns of the CSV.
"""

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

from msgspec import to_builtins

from edgefashion.records.device import Device
from edgefashion.records.values import (
    Amount,
    Count,
    Dataset,
    Difference,
    Name,
    Pooled,
    Positive,
    Record,
    Share,
    Time,
)

Samples = list[Time]
Interval = tuple[Share, Share]
IMBALANCED = 3
"""A largest class of more than so many times the smallest decides what accuracy is."""
UNEVEN = 1.5
"""A largest class of more than so many times the smallest can hide how often a model is right on that: one of
two classes that is never found costs less than two fifths of accuracy."""


class Latency(Record, frozen=True, kw_only=True):
    """Of single inferences, in microseconds; all null where nothing was timed."""

    p50: Time | None = None
    p90: Time | None = None
    p99: Time | None = None
    """Null below 1,000 samples."""
    mean: Time | None = None
    samples: Count = 0


class Host(Record, frozen=True, kw_only=True):
    """The answers beside those that the bundle's maker got, see `bundle.compare`."""

    images: Count | None = None
    differing_classes: Count | None = None
    """Of how many images the highest logit is another."""
    max_logit_error: Amount | None = None
    """The largest difference of two logits; null where one is not a number."""
    tolerance: Amount | None = None
    """What it may be; null where the host's logits are not to be trusted."""
    equal: bool | None = None
    """Whether it is no more than that; null without a tolerance."""
    runtime: Name | None = None
    """What answered there; the row has what answered here."""
    runtime_version: Name | None = None


class Recall(Record, frozen=True, kw_only=True):
    """How often the images of a class are given it."""

    name: Name
    """Of the class."""
    images: Count
    right: Count
    recall: Share | None
    """right / images; null, like the next, of a class without test images."""
    ci95: Interval | None
    """Its 95 % Wilson interval."""


class Flag(Record, frozen=True, kw_only=True):
    """Why the figures of a row cannot be trusted."""

    flag: Name
    """A name, like "throttled" or "other load"."""
    why: str
    """One line with the figures."""


class Point(Record, frozen=True, kw_only=True):
    """Latency at a time of a load of minutes."""

    at_s: Amount
    p50_us: Time
    temperature_c: float | None
    mhz: float | None


class Row(Record, frozen=True, kw_only=True):
    """A model file with a number of threads."""

    model: Name
    format: Name
    precision: Name | None
    """Null where nothing tells it."""
    target: Name = "any"
    """The processor that the file is made for, see `targets`."""
    kept_float: tuple[Name, ...] = ()
    """The layers that an int8 file computes in float."""
    path: Name
    """As the user gave it."""
    small_run: bool = False
    """Whether the model was trained on a part of the data only."""
    size_bytes: Count | None = None
    gzip_bytes: Count | None = None
    """Of the file compressed by gzip, level 9: what an update of it transfers."""
    sha256: Name | None = None
    """Of the file; of one with weights in other files, over the bytes of it and then of those, by name."""
    images: Positive | None = None
    """Number of test images; null, like the next five, without data."""
    accuracy: Share | None
    accuracy_ci95: Interval | None = None
    """Its 95 % Wilson interval."""
    accuracy_delta: Difference | None = None
    """Accuracy minus the reference's."""
    agreement: Share | None = None
    """Part of the images given the same class as by the reference."""
    mcnemar_p: Share | None = None
    """How likely luck alone explains so uneven a set of differences."""
    balanced_accuracy: Share | None = None
    """The mean of the recalls of those classes that the test images show."""
    balanced_accuracy_ci95: Interval | None = None
    """Its 95 % interval, see `stats.mean_interval`."""
    balanced_accuracy_delta: Difference | None = None
    """Balanced accuracy minus the reference's."""
    balanced_p: Share | None = None
    """As mcnemar_p, of the balanced accuracies: see `stats.paired_balanced`."""
    pooled: Pooled | None = None
    """What models of folds, of the same recipe and precision, made of pictures that they did not see."""
    recalls: tuple[Recall, ...] = ()
    """Of each class, in the order of the task's; none of older files."""
    host: Host | None = None
    """Null without a bundle."""
    note: str | None = None
    """What was unusual about the run."""
    runtime: Name | None
    """Null where it did not start, like its version."""
    runtime_version: Name | None = None
    threads: Positive
    pinned: tuple[Count, ...] | None = None
    """The CPUs that the measured process was kept on; null for any."""
    in_process: bool = False
    """Whether it was measured without a process of its own."""
    latency_us: Latency
    p90_bound_us: Time | None = None
    """MLPerf's estimate of p90, see `stats.early_stopping_bound`; null unless measured by its rules."""
    inferences_per_s: Amount | None = None
    """1e6 / mean."""
    loops: Positive = 1
    """Inferences in a row that a sample is the mean of."""
    kept_every: Positive = 1
    """2 where every second sample was kept, because there were so many."""
    round_samples: tuple[Positive, ...] = ()
    """How many samples each round gave, in order."""
    load_ms: Amount | None = None
    """Once, in a fresh process; the first inference likewise."""
    first_inference_us: Amount | None = None
    peak_rss_mb: Amount | None = None
    """Of a process that ran single inferences and was not timed, in MiB."""
    energy_mj: Amount | None = None
    """Millijoules per inference; null where no power could be read."""
    sustained: tuple[Point, ...] | None = None
    """Latency over minutes; null where not asked for."""
    macs: Count | None = None
    """Multiply-accumulates of one inference; null where shapes do not tell."""
    macs_per_s: Amount | None = None
    """macs / p50."""
    limit_macs_per_s: Amount | None = None
    """What a matrix product of the same number type reached in the same runtime, threads and run; null
    where it was not measured.
    """
    flags: tuple[Flag, ...] = ()
    """What makes the figures untrustworthy."""
    status: Literal["ok", "failed"]
    error: str | None = None
    """Why it failed."""
    bad_file: bool = False
    """Whether it failed because the file cannot be loaded."""
    instructions_per_inference: dict[str, Any] | None = None
    """Of an emulated processor, by its name; null where not counted."""
    raw_us: Sequence[float] = ()
    """All samples, in microseconds."""

    @property
    def imbalance(self) -> float | None:
        """How many times the test images of the smallest class those of the largest are; None without any."""
        sizes = [each.images for each in self.recalls if each.images]
        return max(sizes) / min(sizes) if sizes else None

    @property
    def is_imbalanced(self) -> bool:
        """Whether accuracy weighs some classes clearly more: balanced accuracy belongs beside it."""
        return (self.imbalance or 0) > UNEVEN

    @property
    def share_of_limit(self) -> float | None:
        """What macs_per_s is of limit_macs_per_s; above 1 where the matrix product was disturbed."""
        own, limit = self.macs_per_s, self.limit_macs_per_s
        return own / limit if own and limit else None

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON."""
        fields: dict[str, Any] = to_builtins(self, enc_hook=_plain)
        return fields


def _plain(value: Any) -> Any:
    """An array or a number of numpy, or an array of samples, as JSON."""
    return value.tolist()


class Protocol(TypedDict, total=False):
    """What is read of `benchmarking.options.BenchmarkOptions.describe`."""

    summary: str


class Results(Record, frozen=True, kw_only=True):
    """All of it but the rows."""

    schema: int
    edgefashion: Name | None = None
    """The version that measured."""
    verb: Name = "evaluate"
    """`evaluate` or `bench`."""
    device: Device
    dataset: Dataset | None
    """Null where only latency was measured."""
    protocol: Protocol | None = None
    """How latency was measured; null where it was not."""
