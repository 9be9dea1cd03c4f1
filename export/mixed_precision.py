"""The fewest layers of an int8 file that have to stay in float for its accuracy: found on validation.

Layers are ranked by the error of the logits that they cause (see `export.debug.error`), and so many of the
first are left in float as meet the limit: one, two, four and so on, then halved between.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.formats import Variant
from edgefashion.data import Splits, stratified_sample
from edgefashion.errors import ArtifactError, VerificationError
from edgefashion.export import verify
from edgefashion.export.agreement import compare
from edgefashion.export.converters import converters_of
from edgefashion.export.debug import error
from edgefashion.export.graph import graph as graphs
from edgefashion.export.graph.fused_layers import steps_of
from edgefashion.export.options import DEBUG_IMAGES, ExportOptions
from edgefashion.export.quantization import calibration_search
from edgefashion.export.quantization.calibration import representative_dataset
from edgefashion.export.quantization.keep_float import multiplying
from edgefashion.files import temporary
from edgefashion.reporting import Progress, Report, silent
from edgefashion.runtimes.base import Logits
from edgefashion.runtimes.content import run_content
from edgefashion.training.runs import Run

SLOPES = 4000
"""Derivatives of single logits that ranking takes, at most."""


@dataclass(frozen=True)
class Tried:
    """An int8 file on validation: how much accuracy it loses, as a share of the images, and why it cannot be
    kept, if it cannot.
    """

    drop: float
    failure: str | None

    @property
    def loss(self) -> tuple[bool, float]:
        """What is to be small."""
        return self.failure is not None, self.drop

    def meets(self, limit: float) -> bool:
        """Whether it can be kept and loses no more than that."""
        return self.failure is None and self.drop <= limit

    def __str__(self) -> str:
        return f"{100 * self.drop:.2f} points lost" + (f", and it {self.failure}" if self.failure else "")


@dataclass(frozen=True)
class Mixed:
    """What was found for a format: an int8 file with these layers in float and this calibration; `met` says
    whether it loses no more than the limit.
    """

    layers: tuple[str, ...]
    options: ExportOptions
    tried: Tried
    met: bool


class Search:
    """What all tries of a format have in common."""

    def __init__(self, run: Run, splits: Splits, format: str, options: ExportOptions) -> None:
        self.variant, self.splits, self.options = Variant(format, "int8"), splits, options
        self.graph = graphs.build(run)
        size = options.representative_size(len(splits.train))
        self.representative = representative_dataset(
            splits.train, self.graph.task, self.graph.normalization, size
        )

    @cached_property
    def expected(self) -> Logits:
        """What the float model says of the validation images."""
        logits: Logits = self.graph.predict(self.splits.validation.images)
        return logits

    def convert(self, layers: tuple[str, ...]) -> bytes:
        """An int8 file with these layers in float. A calibration that is chosen the first time is kept."""
        options = replace(self.options, keep_float=layers)
        content, told = calibration_search.convert(
            self.variant, self.graph, self.representative, options, self.splits.validation, silent
        )
        self.options = replace(self.options, calibration=(told or {}).get("method") or options.calibration)
        return content

    def measure(self, content: bytes) -> Tried:
        """What a file loses."""
        validation = self.splits.validation
        logits, _ = run_content(content, f"candidate.{self.variant.format}", validation.images)
        figures = compare(logits, self.expected, validation.labels)
        limits = verify.limits_on(self.variant.precision, self.expected)
        drop = figures["keras_accuracy"] - figures["accuracy"]
        return Tried(drop, verify.failure(figures, limits, len(validation)))

    def attempt(self, layers: tuple[str, ...]) -> Tried:
        """What a file with these layers in float loses: all where it cannot be made."""
        try:
            return self.measure(self.convert(layers))
        except VerificationError as error:
            return Tried(1.0, f"cannot be made: {error}")

    def ranked(self, content: bytes, report: Report, progress: Progress | None) -> list[str]:
        """The layers that can stay in float, those that cause most of the error first; none, which is said,
        where a converter left layers out or made several of one.
        """
        try:
            return self._ranked(content, progress)
        except ArtifactError as unranked:
            report(f"no layer is left in float, since they cannot be ranked: {unranked}")
            return []

    def _ranked(self, content: bytes, progress: Progress | None) -> list[str]:
        validation, format = self.splits.validation, self.variant.format
        images = max(error.BATCH, SLOPES // len(self.graph.task.classes))
        sample = stratified_sample(validation, min(DEBUG_IMAGES, len(validation), images), seed=0)
        steps = steps_of(self.graph)
        with temporary.Folder() as folder:
            path = Path(folder) / f"int8.{format}"
            path.write_bytes(content)
            probes = {format: converters_of(format).probe(path, steps)}
            normalization = self.graph.normalization
            tally = error.measure(steps, normalization, probes, sample.images, progress)[format]
        able = set(multiplying(self.graph))
        found = sorted(tally.layers(), key=lambda layer: layer.share, reverse=True)
        return [layer.layer for layer in found if layer.layer in able]


def search(
    run: Run,
    splits: Splits,
    format: str,
    limit: float,
    options: ExportOptions,
    full: Artifact | None = None,
    report: Report = silent,
    progress: Progress | None = None,
) -> Mixed | None:
    """The fewest layers to leave in float for an int8 file that is kept and loses `limit` of the accuracy at
    most, a share of the validation images, or where that cannot be met the best that was found; None where
    the file without such layers will do: `full`, or None where that could not be kept.

    Raises VerificationError and RuntimeCrash for a model that cannot be converted or run.
    """
    tries = Search(run, splits, format, options)
    if full and full.manifest and full.manifest.calibration:
        tries.options = replace(options, calibration=full.manifest.calibration.method or options.calibration)
    content = full.path.read_bytes() if full else tries.convert(())
    pure, validation = tries.measure(content), len(splits.validation)
    limit = max(limit, 1 / validation) + 1e-9  # a single image may be more than the limit
    if full and pure.meets(limit):
        return None
    report(
        f"int8 {format}: {pure} on {validation:,} validation images; looking for the fewest layers to leave "
        "in float"
    )
    return _fewest(tries, pure, tries.ranked(content, report, progress), limit, report)


def _fewest(tries: Search, pure: Tried, ranked: list[str], limit: float, report: Report) -> Mixed:
    """The fewest of the ranked layers that meet the limit, or the best that was found."""
    found = {0: pure}

    def attempt(count: int) -> bool:
        if count not in found:
            found[count] = tries.attempt(tuple(ranked[:count]))
            many = f"{count} of {len(ranked)} layers in float"
            report(f"int8 {tries.variant.format}, {many}: {found[count]}")
        return found[count].meets(limit)

    count = fewest(attempt, len(ranked)) if ranked else None
    best = min(found, key=lambda each: (*found[each].loss, each)) if count is None else count
    return Mixed(tuple(ranked[:best]), tries.options, found[best], count is not None)


def fewest(attempt: Callable[[int], bool], most: int) -> int | None:
    """The least count, 1 to `most`, that `attempt` is content with, if it is with all larger ones; None where
    it is not with `most` either.
    """
    low, high = 0, 1
    while not attempt(min(high, most)):
        if high >= most:
            return None
        low, high = high, 2 * high
    high = min(high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if attempt(middle) else (middle, high)
    return high
