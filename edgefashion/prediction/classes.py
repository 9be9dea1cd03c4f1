"""The predictions of artifacts for images: the likeliest classes and their probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.formats import INTEGER_PRECISIONS
from edgefashion.artifacts.targets import ANY
from edgefashion.errors import ArtifactError, EdgefashionError
from edgefashion.evaluation.predictions import Predictions, predict
from edgefashion.evaluation.rejection import is_rejected
from edgefashion.runtimes.base import Logits
from edgefashion.stats import log_softmax
from edgefashion.task import Task

if TYPE_CHECKING:
    from edgefashion.benchmarking import Progress

TOP = 3


@dataclass(frozen=True, eq=False)
class Shown:
    """An image as the models see it."""

    name: str
    """What the user calls it."""
    pixels: NDArray[np.uint8]
    """uint8 [height, width, channels]"""
    remark: str
    """Where it comes from or what was done to it, for people."""
    details: dict[str, Any]
    """The same, as JSON."""


@dataclass(frozen=True)
class Guess:
    """A class and the probability that the model gives it, in 0..1."""

    label: int
    probability: float
    name: str
    """The name of the class."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """The predictions of an artifact for images, or why there are none."""

    artifact: Artifact
    answers: Predictions
    task: Task
    """What the images are for."""

    @property
    def logits(self) -> Logits | None:
        """float32 [N, classes], of int8 TFLite files dequantized; None where it failed."""
        return self.answers.logits

    @property
    def labels(self) -> tuple[str, ...]:
        """What the classes are called: what the artifact says, else what those of the images are."""
        return self.artifact.labels or self.task.classes

    @cached_property
    def rejected(self) -> NDArray[np.bool_] | None:
        """Of which images the artifact says that no class fits, [N]; None where it cannot say or failed."""
        known = self.artifact.rejection
        return None if known is None or self.logits is None else is_rejected(self.logits, known)

    def none_of_these(self, number: int) -> bool | None:
        """Whether no class fits image `number`; None where nothing says so, see `rejected`."""
        return None if self.rejected is None else bool(self.rejected[number])

    def top(self, number: int) -> list[Guess]:
        """The likeliest classes of image `number`, the first one first: three, or all where there are two."""
        assert self.logits is not None
        shares = probabilities(self.logits[number])
        order = np.argsort(-shares, kind="stable")[:TOP]
        return [Guess(int(label), float(shares[label]), self.labels[label]) for label in order]


def classify(
    artifacts: Sequence[Artifact],
    images: Sequence[Shown],
    task: Task,
    progress: "Progress | None" = None,
    in_process: bool = False,
) -> list[Prediction]:
    """The predictions of each artifact for images of a task. One that fails says why; the others go on."""
    pixels = np.stack([image.pixels for image in images])
    found = []
    for each in artifacts:
        try:
            if each.defect:
                raise ArtifactError(each.defect)
            classes = None if each.labels else len(task.classes)
            answers = predict(each, pixels, progress, in_process, classes=classes)
        except EdgefashionError as error:
            answers = Predictions(error=error)
        found.append(Prediction(each, answers, task))
    return found


def side_by_side(artifacts: Sequence[Artifact]) -> list[Artifact]:
    """The artifacts, each with its float32 or int8 counterpart from the same folder, run and format.

    Without those for one processor or with layers in float, unless they are all there is.
    """
    found: dict[Any, Artifact] = {}
    for own in artifacts:
        others = [artifact.inspect(path) for path in artifact.find(own.path.parent)] if own.run_id else []
        pair = [own, *(other for other in others if _counterparts(own, other))]
        found |= {each.path: each for each in sorted(pair, key=lambda each: each.precision != "float32")}
    plain = [each for each in found.values() if each.target == ANY and not each.kept_float]
    return plain if len(artifacts) > 1 and plain else list(found.values())


def task_of(artifacts: Sequence[Artifact], otherwise: Task) -> Task:
    """What the artifacts are for, as the first that names a task does; else what they are taken for."""
    return next((each.task for each in artifacts if each.task), otherwise)


def probabilities(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Softmax over the last axis."""
    shares: NDArray[np.float64] = np.exp(log_softmax(logits))
    return shares


def _counterparts(one: Artifact, other: Artifact) -> bool:
    """Whether one is the float32 and the other the int8 file of the same run and format."""
    integers = [each.precision in INTEGER_PRECISIONS for each in (one, other)]
    floats = [each.precision == "float32" for each in (one, other)]
    return (
        (one.run_id, one.format) == (other.run_id, other.format)
        and other.target == ANY
        and not other.kept_float
        and any(integers)
        and any(floats)
    )
