"""A model file that answers: to images, and to pictures of any size."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgefashion.api.names import KINDS, Named, find_one
from edgefashion.artifacts.artifact import Artifact
from edgefashion.benchmarking import Progress
from edgefashion.errors import ArtifactError, BadInput
from edgefashion.errors.arguments import PATH, TEXT, check, takes
from edgefashion.evaluation import predictions
from edgefashion.pictures import convert
from edgefashion.prediction import Guess, Prediction, Shown, text
from edgefashion.tables import Page
from edgefashion.tables.presentable import Presentable
from edgefashion.task import Task

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, eq=False, repr=False)
class Classification(Presentable):
    """The predictions of a model for pictures: of each, in their order, the likeliest classes."""

    images: tuple[Shown, ...]
    """The pictures as the model sees them."""
    prediction: Prediction

    def __repr__(self) -> str:
        return f"<Classification of {len(self)} by {self.prediction.artifact.path}; .table() shows it>"

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, number: int) -> list[Guess]:
        """The likeliest classes of a picture, the first one first."""
        return self.prediction.top(range(len(self))[number])

    def page(self) -> Page:
        """A row for each picture."""
        return text.page(self.images, [self.prediction])

    def to_dict(self) -> dict[str, Any]:
        """All of it, with the logits."""
        return text.to_dict(self.images, [self.prediction])


@dataclass(frozen=True)
class Model:
    """A model file and what it is for. Every call runs it in a process of its own, unless `in_process`."""

    artifact: Artifact
    task: Task
    in_process: bool = False

    def __repr__(self) -> str:
        return f"<Model {self.artifact.path}: {self.task.name}, {len(self.task.classes)} classes>"

    @takes(images=np.ndarray)
    def predict(self, images: NDArray[np.uint8], *, progress: Progress | None = None) -> Prediction:
        """Its predictions for images uint8 [N, height, width, channels] of its task, float32 [N, classes].

        Raises BadInput for other images, ArtifactError and RuntimeCrash where it cannot be run.
        """
        shape = ", ".join(map(str, self.task.image_shape))
        if images.dtype != np.uint8 or images.shape[1:] != self.task.image_shape or not len(images):
            found = f"{images.dtype} {list(images.shape)}"
            raise BadInput(f"{self.artifact.path} takes images uint8 [N, {shape}], and these are {found}")
        answers = predictions.predict(
            self.artifact, images, progress, self.in_process, classes=len(self.task.classes)
        )
        return Prediction(self.artifact, answers, self.task)

    def classify(
        self,
        pictures: "str | Path | Image | Sequence[str | Path | Image]",
        *,
        invert: bool | None = None,
        progress: Progress | None = None,
    ) -> Classification:
        """Its predictions for a picture file, or a Pillow image, or several, converted as its task says.

        `invert` says whether clothing is dark on bright; by default its border decides. Answers are in the
        order of the pictures, so all of these must be good: raises PictureError for the first that cannot be
        used, before any is classified; MissingExtra without Pillow, and what `predict` raises.
        """
        several = list(
            pictures if isinstance(pictures, Iterable) and not isinstance(pictures, TEXT) else [pictures]
        )
        for each in several:
            check("a picture", each, _picture_kinds())
        found = [convert(each, self.task, invert) for each in several]
        if not found:
            raise BadInput("there is nothing to classify: name a picture")
        images = tuple(Shown(str(each.path), each.pixels, each.steps, each.details) for each in found)
        pixels = np.stack([each.pixels for each in images])
        return Classification(images, self.predict(pixels, progress=progress))


def _picture_kinds() -> tuple[type, ...]:
    """Pillow's images too, where Pillow has been imported: before that, nobody has one."""
    pillow = sys.modules.get("PIL.Image")
    return (*PATH, pillow.Image) if pillow else PATH


@takes(named=KINDS, task=(Task, NoneType))
def load_model(named: Named, *, task: Task | None = None, in_process: bool = False) -> Model:
    """A model file, `zoo:NAME`, or a run or its folder; of several files the first int8 one, TFLite first.

    `task` is for a file that does not name its own. Raises ArtifactError for a file that cannot be used,
    BadInput for one without a task.
    """
    chosen = find_one(named)
    if chosen.defect:
        raise ArtifactError(chosen.defect)
    if (meant := chosen.task or task) is None:
        raise BadInput(f"{chosen.path} does not say what it is for: give its task")
    return Model(chosen, meant, in_process)
