"""Who teaches another model: a run, or a model file of anybody, which `zoo:NAME` is too.

What they say of the training images is asked for in `taught`.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from edgefashion import device, files, zoo
from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact, is_model
from edgefashion.artifacts.inspection import external
from edgefashion.data import Dataset
from edgefashion.errors import BadInput, RunError
from edgefashion.evaluation.predictions import check_kind
from edgefashion.files import reading
from edgefashion.recipes import Recipe
from edgefashion.reporting import Report, silent
from edgefashion.runtimes.base import Images, Logits
from edgefashion.runtimes.model import open_model
from edgefashion.training import learned, runs
from edgefashion.training.runs import ID_DIGITS, Run

Answer = Callable[[Images], Logits]
"""From images uint8 [N, height, width, channels] to logits float32 [N, classes]."""


@dataclass(frozen=True)
class RunTeacher:
    """A finished run, in float; `name` is what the user calls it."""

    name: str
    run: Run

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where it lies."""
        return (self.run.folder,)

    @property
    def sha256(self) -> str:
        """Of its model."""
        return files.sha256(self.run.model_path)

    @property
    def id(self) -> str:
        """That of the run."""
        return self.run.id

    def check(self, dataset: Dataset, use_validation: bool, report: Report) -> None:
        """Raise BadInput unless it learned from these images, and from those of validation only where its
        pupil does.
        """
        if self.run.info.data.checksums != dataset.checksums:
            others = learned.others(self.run, dataset.checksums)
            raise BadInput(f"the teacher {self.name} was trained on {others}: train it on these")
        if self.run.recipe.use_validation and not use_validation:
            raise _knows_validation(self.name)

    @contextmanager
    def answering(self, classes: int) -> Iterator[Answer]:
        """What answers about images while the block lasts. Raises RunError for a damaged model."""
        from edgefashion.tensorflow import tf
        from edgefashion.training.trained import architecture_of, load_model

        model = load_model(self.run)
        architecture = architecture_of(self.run)
        answer = tf.function(lambda pixels: model(architecture.prepare(pixels), training=False))
        yield lambda images: answer(images).numpy()


@dataclass(frozen=True)
class FileTeacher:
    """A model file, in its runtime, in a process of its own; `name` is what the user calls it."""

    name: str
    artifact: Artifact

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where it lies: its file, and those that its weights are in."""
        return (self.artifact.path, *external.files(self.artifact.path))

    @property
    def sha256(self) -> str:
        """Of its file; of those of one whose weights lie in others."""
        each = [files.sha256(path) for path in self.paths]
        return each[0] if len(each) == 1 else hashlib.sha256("".join(each).encode()).hexdigest()

    @property
    def id(self) -> str:
        """That of its run; where it names none, the first 12 digits of its SHA-256."""
        told = self.artifact.run_id
        return told if told and runs.is_id(told) else self.sha256[:ID_DIGITS]

    def check(self, dataset: Dataset, use_validation: bool, report: Report) -> None:
        """As `RunTeacher.check`, as far as its manifest tells; `report` that none does. Raises ArtifactError
        for other classes, or images of another shape.
        """
        check_kind(self.artifact, dataset.task)
        manifest = self.artifact.manifest
        told = manifest.data.get("checksums") if manifest and manifest.data else None
        if told is None:
            report(
                f"teacher {self.name}: nothing says what it learned from. Where validation or test images "
                "were among that, the accuracy on these is too high"
            )
        elif told != dataset.checksums:
            raise BadInput(
                f"the teacher {self.name} was trained on other data than these, which may include the "
                "validation images: train it on these"
            )
        elif self._knows_validation and not use_validation:
            raise _knows_validation(self.name)

    @property
    def _knows_validation(self) -> bool:
        """Whether it was verified on images that its model knew, as `export` does where no others are."""
        verification = self.artifact.manifest.verification if self.artifact.manifest else None
        return bool(verification and verification.get("split") == "training")

    @contextmanager
    def answering(self, classes: int) -> Iterator[Answer]:
        """As `RunTeacher.answering`, of so many classes. Raises what `ModelProcess` raises."""
        with open_model(self.artifact.path, device.cores()) as model:
            yield lambda images: model.predict(images, None, classes)


Teacher = RunTeacher | FileTeacher


def open_teacher(name: str) -> Teacher:
    """What `zoo:NAME`, a model file or the folder of a run means; of several files, the first.

    Raises RunError, ArtifactError or ZooError where it is missing or damaged.
    """
    if zoo.is_name(name):
        return FileTeacher(name, zoo.open_zoo().artifacts(name)[0])
    if is_model(Path(name)) and not reading.is_folder(Path(name), RunError):
        return FileTeacher(name, artifact.read(name))
    return RunTeacher(name, runs.read(name))


def resolve_teachers(
    recipe: Recipe, dataset: Dataset, report: Report = silent
) -> tuple[Recipe, Sequence[Teacher]]:
    """The recipe with the ids of the teachers that it names, and these.

    Raises BadInput for one that does not fit, and what `open_teacher` raises.
    """
    found = [open_teacher(name) for name in recipe.teachers]
    ids = [each.id for each in found]
    for each, id in zip(found, ids, strict=True):
        if ids.count(id) > 1:
            raise BadInput(f"the teacher {each.name} is there twice: name another, or leave one out")
        each.check(dataset, recipe.use_validation, report)
    if not found:
        return recipe, []
    first, *others = ids
    return replace(recipe, teacher_id=first, other_teacher_ids=tuple(others)), found


def _knows_validation(name: str) -> BadInput:
    return BadInput(
        f"the teacher {name} learned from the validation images too, and would tell of them: take one that "
        "did not, or set use_validation"
    )
