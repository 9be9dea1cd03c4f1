"""The fewest layers of an int8 file that have to stay in float for its accuracy: found on validation and,
where that is too little to tell, on training pictures.

Layers are ranked by the error of the logits that they cause (see `export.debug.error`), and so many of the
first are left in float as meet the limit: one, two, four and so on, then halved between.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.formats import Variant
from edgefashion.data import Splits, stratified_sample
from edgefashion.errors import ArtifactError, VerificationError
from edgefashion.evaluation.predictions import Labels
from edgefashion.export import verify
from edgefashion.export.agreement import compare
from edgefashion.export.converters import converters_of
from edgefashion.export.debug import error
from edgefashion.export.drop import Drop, Verdict, drop_of
from edgefashion.export.graph import graph as graphs
from edgefashion.export.graph.fused_layers import steps_of
from edgefashion.export.options import DEBUG_IMAGES, ExportOptions
from edgefashion.export.quantization import calibration_search
from edgefashion.export.quantization.calibration import representative_dataset
from edgefashion.export.quantization.keep_float import multiplying
from edgefashion.export.source import Source
from edgefashion.files import temporary
from edgefashion.reporting import Progress, Report, silent
from edgefashion.runtimes.base import Logits
from edgefashion.runtimes.content import run_content
from edgefashion.training.runs import Run

SLOPES = 4000
"""Derivatives of single logits that ranking takes, at most."""
MOST = 2000
"""Pictures that are asked where those of validation do not tell, with those, at most."""
ALL = Drop(1, 0, 1)
"""What is lost where there is no file."""


@dataclass(frozen=True)
class Tried:
    """An int8 file: how much accuracy it loses, and why it cannot be kept, if it cannot."""

    drop: Drop
    failure: str | None = None

    @property
    def loss(self) -> tuple[bool, float]:
        """What is to be small."""
        return self.failure is not None, self.drop.share

    def verdict(self, limit: float) -> Verdict:
        """Of what it loses, where it can be kept."""
        return "refused" if self.failure else self.drop.verdict(limit)

    def __str__(self) -> str:
        if self.drop is ALL:
            return f"it {self.failure}"
        return f"{self.drop}{f', and it {self.failure}' if self.failure else ''}"


@dataclass(frozen=True)
class Mixed:
    """What was found for a format: an int8 file with these layers in float, which may be none, and this
    calibration; how it and the one without stand to the limit. `unranked` layers had to stay in int8.
    """

    layers: tuple[str, ...]
    options: ExportOptions
    pure: Tried
    tried: Tried
    verdict: Verdict
    unranked: int = 0


class Search:
    """What all tries of a format have in common."""

    def __init__(self, run: Run, splits: Splits, format: str, options: ExportOptions) -> None:
        self.variant, self.splits, self.options = Variant(format, "int8"), splits, options
        self.graph = graphs.build(run)
        self.unranked = 0
        size = options.representative_size(len(splits.train))
        representative = representative_dataset(splits.train, self.graph.task, self.graph.normalization, size)
        self.source = Source(self.graph, representative)
        self._asked = [splits.validation]
        self._expected: list[Logits] = []

    @property
    def expected(self) -> list[Logits]:
        """What the float model says of the pictures that are asked: of validation, and then of training."""
        new = self._asked[len(self._expected) :]
        self._expected += [self.graph.predict(subset.images) for subset in new]
        return self._expected

    def ask_more(self) -> int:
        """Ask training pictures from now on, too: how many."""
        train = self.splits.train
        count = min(MOST - len(self.splits.validation), len(train)) if len(self._asked) == 1 else 0
        if count > 0:
            self._asked.append(stratified_sample(train, count, seed=0))
        return max(count, 0)

    def convert(self, layers: tuple[str, ...]) -> bytes:
        """An int8 file with these layers in float. A calibration that is chosen the first time is kept."""
        options = replace(self.options, keep_float=layers)
        content, told = calibration_search.convert(
            self.variant, self.source, options, self.splits.validation, silent
        )
        self.options = replace(self.options, calibration=(told or {}).get("method") or options.calibration)
        return content

    def measure(self, content: bytes) -> Tried:
        """What a file loses on the pictures that are asked; whether it is the model, validation says."""
        name, labels = f"candidate.{self.variant.format}", [subset.labels for subset in self._asked]
        found = [run_content(content, name, subset.images)[0] for subset in self._asked]
        figures = compare(found[0], self.expected[0], labels[0])
        limits = verify.limits_on(self.variant.precision, self.expected[0])
        drop = drop_of(_right(found, labels), _right(self.expected, labels))
        return Tried(drop, verify.failure(figures, limits, len(labels[0])))

    def attempt(self, layers: tuple[str, ...]) -> Tried:
        """What a file with these layers in float loses: all where it cannot be made."""
        try:
            return self.measure(self.convert(layers))
        except VerificationError as error:
            return Tried(ALL, f"cannot be made: {error}")

    def ranked(self, content: bytes, report: Report, progress: Progress | None) -> list[str]:
        """The layers that can stay in float, those that cause most of the error first, without those whose
        output a converter made one with others'; none, which is said, where it is the file of other layers.
        """
        able = set(multiplying(self.graph))
        try:
            tally = self._compared(content, progress)
        except ArtifactError as unranked:
            report(f"no layer is left in float, since they cannot be ranked: {unranked}")
            return []
        hidden = able & set(tally.unranked)
        self.unranked = len(hidden)
        if hidden:
            report(
                f"int8 {self.variant.format}: {len(hidden)} of {len(able)} layers cannot be ranked, since "
                "the file computes them in one with others: they stay in int8"
            )
        found = sorted(tally.layers(), key=lambda layer: layer.share, reverse=True)
        return [layer.layer for layer in found if layer.layer in able]

    def _compared(self, content: bytes, progress: Progress | None) -> error.Tally:
        validation, format = self.splits.validation, self.variant.format
        images = max(error.BATCH, SLOPES // len(self.graph.task.classes))
        sample = stratified_sample(validation, min(DEBUG_IMAGES, len(validation), images), seed=0)
        steps = steps_of(self.graph)
        with temporary.Folder() as folder:
            path = Path(folder) / f"int8.{format}"
            path.write_bytes(content)
            probes = {format: converters_of(format).probe(path, steps)}
            return error.measure(steps, self.graph.normalization, probes, sample.images, progress)[format]


def _right(logits: Sequence[Logits], labels: Sequence[Labels]) -> list[npt.NDArray[np.bool_]]:
    return [each.argmax(axis=1) == own for each, own in zip(logits, labels, strict=True)]


def search(
    run: Run,
    splits: Splits,
    format: str,
    limit: float,
    options: ExportOptions,
    full: Artifact | None = None,
    report: Report = silent,
    progress: Progress | None = None,
) -> Mixed:
    """The fewest layers to leave in float for an int8 file that is kept and loses `limit` of the accuracy at
    most, a share of the pictures; where that cannot be met, the best that was found. No layers where the file
    without will do, `full`, or None where that could not be kept: a loss counts where it is above the limit
    by more than chance, on validation pictures or, where these do not tell, on training pictures too.

    Raises VerificationError and RuntimeCrash for a model that cannot be converted or run.
    """
    tries = Search(run, splits, format, options)
    if full and full.manifest and full.manifest.calibration:
        tries.options = replace(options, calibration=full.manifest.calibration.method or options.calibration)
    content = full.path.read_bytes() if full else tries.convert(())
    pure = tries.measure(content)
    if pure.verdict(limit) == "not told" and (more := tries.ask_more()):
        report(f"int8 {format}: {pure}, which may be chance: asking {more:,} training pictures too")
        pure = tries.measure(content)
        report(f"int8 {format}: {pure} ({pure.drop.spread})")
    verdict = pure.verdict(limit)
    if full and verdict in ("within", "not told"):
        return Mixed((), tries.options, pure, pure, verdict)
    report(f"int8 {format}: {pure}; looking for the fewest layers to leave in float")
    return _fewest(tries, pure, tries.ranked(content, report, progress), limit, report)


def _fewest(tries: Search, pure: Tried, ranked: list[str], limit: float, report: Report) -> Mixed:
    """The fewest of the ranked layers that meet the limit, or the best that was found."""
    found = {0: pure}
    least = max(limit, 1 / pure.drop.pictures)  # a single picture may be more than the limit

    def attempt(count: int) -> bool:
        if count not in found:
            found[count] = tries.attempt(tuple(ranked[:count]))
            many = f"{count} of {len(ranked)} layers in float"
            report(f"int8 {tries.variant.format}, {many}: {found[count]}")
        return found[count].verdict(least) == "within"

    count = fewest(attempt, len(ranked)) if ranked else None
    best = min(found, key=lambda each: (*found[each].loss, each)) if count is None else count
    verdict = found[best].verdict(limit)
    return Mixed(tuple(ranked[:best]), tries.options, pure, found[best], verdict, tries.unranked)


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
