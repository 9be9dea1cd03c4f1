"""The predictions of artifacts for labeled images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from edgefashion import device
from edgefashion.artifacts.artifact import Artifact
from edgefashion.benchmarking import BenchmarkOptions, Progress
from edgefashion.data import Subset, Task
from edgefashion.errors import ArtifactError, BadInput, EdgefashionError, RuntimeCrash
from edgefashion.files.stored import ImageSet
from edgefashion.records.results import Host
from edgefashion.runtimes.base import Logits
from edgefashion.runtimes.model import open_model
from edgefashion.runtimes.process import ANSWER_S

LISTED = 3
"""Classes that are named of those that are others than expected."""
Labels = NDArray[np.unsignedinteger[Any]]
Classes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class LabeledImages:
    """Images and their labels, [N], and what these are."""

    images: ImageSet
    labels: Labels
    task: Task
    compare_with_host: Callable[[Artifact, Logits], Host] | None = None
    """How logits float32 [N, classes] of an artifact differ from what another computer got; see `bundle`."""

    @classmethod
    def of(cls, subset: Subset, task: Task) -> Self:
        """Those of a subset of a data set. Raises BadInput for an empty one."""
        return cls(subset.images, subset.labels, task)

    def __post_init__(self) -> None:
        if not len(self.images):
            raise BadInput("there is no test image to measure with: name a data set that has some")


@dataclass(frozen=True, eq=False)
class Candidate:
    """An artifact, what the user calls it, and what it is measured on; on random inputs without a sample."""

    artifact: Artifact
    name: str
    sample: LabeledImages | None = None
    runtime: str | None = None
    """The name of the runtime that runs it; None for the default one of its format."""

    @property
    def images(self) -> ImageSet | None:
        """Those of the sample."""
        return self.sample.images if self.sample else None


@dataclass
class Predictions:
    """The predictions of one artifact for images: logits float32 [N, classes], or why there are none."""

    logits: Logits | None = None
    runtime: str | None = None
    version: str | None = None
    note: str | None = None
    error: EdgefashionError | None = None

    @property
    def classes(self) -> Classes | None:
        """The class of each image, [N]."""
        return None if self.logits is None else self.logits.argmax(axis=1)


def check_shape(artifact: Artifact, images: ImageSet) -> None:
    """Raise ArtifactError for an artifact that says that it takes images of another shape than these."""
    shape, given = artifact.image_shape, images.shape[1:]
    if shape is not None and shape != given:
        taken, ours = ("x".join(map(str, sizes)) for sizes in (shape, given))
        raise ArtifactError(
            f"{artifact.path} says that it takes images of {taken}, and those here are {ours}: measure it by "
            "itself, on the data set that it was trained on"
        )


def check_kind(artifact: Artifact, task: Task) -> None:
    """Raise ArtifactError for an artifact that says that it takes other images than those of `task`, or that
    its classes are others.
    """
    path, labels = artifact.path, artifact.labels
    if labels is not None and labels != task.classes:
        raise ArtifactError(
            f"{path} tells {_listed(labels, task.classes)} apart, and {task.name} has "
            f"{_listed(task.classes, labels)}: name data of its own classes, or another model"
        )
    check_shape(artifact, np.empty((0, *task.image_shape), np.uint8))


def _listed(names: Sequence[str], other: Sequence[str]) -> str:
    """How many classes, and the first of those that are not among the other ones."""
    unlike = [name for name in names if name not in other] or names
    return f"{len(names)} classes ({', '.join(unlike[:LISTED])}{', …' if len(names) > LISTED else ''})"


def predict(
    artifact: Artifact,
    images: ImageSet,
    progress: Progress | None = None,
    in_process: bool = False,
    timeout: float = ANSWER_S,
    memory_mb: float | None = None,
    *,
    classes: int | None = None,
    runtime: str | None = None,
) -> Predictions:
    """Predictions to images uint8 [N, height, width, channels], on all cores, of so many `classes` where
    that is known. Raises ArtifactError and RuntimeCrash.
    """
    check_shape(artifact, images)
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress:
            progress(f"classifying with {artifact.path.name}", done, len(images))

    threads = device.cores()
    with open_model(artifact.path, threads, timeout, None, in_process, memory_mb, runtime) as model:
        logits = model.predict(images, advance, classes)
    if artifact.labels and len(artifact.labels) != logits.shape[1]:
        raise ArtifactError(
            f"{artifact.path} says that it tells {len(artifact.labels)} classes apart: it has to be "
            f"{logits.shape[1]}, since it gives so many logits"
        )
    if bad := int(np.count_nonzero(~np.isfinite(logits).all(axis=1))):
        raise RuntimeCrash(
            f"{artifact.path} returned NaN or infinite logits for {bad} of {len(images)} images"
        )
    return Predictions(logits, model.runtime, model.version, model.note)


def predict_or_error(
    subject: Candidate, timed: bool, protocol: BenchmarkOptions, progress: Progress | None
) -> Predictions:
    """The predictions of the artifact for its sample; without one, whether it runs, unless `timed` later."""
    artifact = subject.artifact
    if artifact.defect:
        return Predictions(error=ArtifactError(artifact.defect))
    try:
        if subject.images is not None and subject.sample is not None:
            check_kind(artifact, subject.sample.task)
            settings = (protocol.in_process, protocol.timeout, protocol.memory_mb)
            classes = len(subject.sample.task.classes)
            return predict(
                artifact, subject.images, progress, *settings, classes=classes, runtime=subject.runtime
            )
        if timed:
            return Predictions()
        limits = (protocol.timeout, None, protocol.in_process, protocol.memory_mb, subject.runtime)
        with open_model(artifact.path, 1, *limits) as model:
            model.warm_up(seconds=0)
        return Predictions(runtime=model.runtime, version=model.version, note=model.note)
    except EdgefashionError as error:
        return Predictions(error=error)
