"""The logits of a trained model for the training images, from which another model learns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

from edgefashion import files
from edgefashion.data import Splits
from edgefashion.errors import BadInput
from edgefashion.files import arrays
from edgefashion.files.reading import read_bytes
from edgefashion.files.stored import ImageSet
from edgefashion.recipes import Recipe
from edgefashion.tensorflow import tf
from edgefashion.training import learned, runs
from edgefashion.training.input_pipeline import Array
from edgefashion.training.runs import Run
from edgefashion.training.trained import architecture_of, load_model

BATCH_SIZE = 250


def cache_folder() -> Path:
    """The folder in the user's cache that holds the logits of teachers."""
    return user_cache_path("edgefashion") / "teachers"


def resolve_teachers(recipe: Recipe, checksums: dict[str, str]) -> tuple[Recipe, list[Run]]:
    """The recipe with the ids of the teachers that it names, and their runs.

    Raises RunError for a run that is missing, unfinished or damaged, BadInput for one that does not fit.
    """
    found = [runs.read(Path(folder)) for folder in recipe.teachers]
    ids = [run.id for run in found]
    for run in found:
        if ids.count(run.id) > 1:
            raise BadInput(f"the teacher {run.folder} is there twice: name another, or leave one out")
        if run.info.data.checksums != checksums:
            others = learned.others(run, checksums)
            raise BadInput(f"the teacher {run.folder} was trained on {others}: train it on these")
        if run.recipe.use_validation and not recipe.use_validation:
            raise BadInput(
                f"the teacher {run.folder} learned from the validation images too, and would tell of them: "
                "take one that did not, or set use_validation"
            )
    if not found:
        return recipe, []
    first, *others_ids = ids
    return replace(recipe, teacher_id=first, other_teacher_ids=tuple(others_ids)), found


def mean_logits(
    teachers: Sequence[Run], splits: Splits, cache: Path, report: Callable[[str], None]
) -> Array | None:
    """The mean of the `logits` of all teachers, None of none."""
    if not teachers:
        return None
    found = sum(logits(each, splits, cache, report) for each in teachers)
    return np.asarray(found / np.float32(len(teachers)))


def logits(teacher: Run, splits: Splits, cache: Path, report: Callable[[str], None]) -> Array:
    """Its logits of every training image and of their mirror images: float32 [2, N, classes].

    They are kept in the folder `cache` under the SHA-256 of the teacher's model and a digest of the images.
    Raises RunError for a model that cannot be read.
    """
    images = splits.train.images
    path = cache / f"{files.sha256(teacher.model_path)}-{_digest(images)}.npy"
    if (kept := _read(path, len(images), len(splits.task.classes))) is not None:
        report(f"teacher {teacher.folder}: what it says of {len(images):,} images is in {path}")
        return kept
    report(f"teacher {teacher.folder}: asked about {len(images):,} images, and their mirror images")
    found = _ask(teacher, images)
    files.make_folder(cache)
    with files.replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, found)
    return found


def _digest(images: ImageSet) -> str:
    digest = sha256()
    for part in _parts(images):
        digest.update(part.tobytes())
    return digest.hexdigest()[:12]


def _parts(images: ImageSet) -> Iterator[Array]:
    return (images[start : start + BATCH_SIZE] for start in range(0, len(images), BATCH_SIZE))


def _ask(teacher: Run, images: ImageSet) -> Array:
    model = load_model(teacher)
    architecture = architecture_of(teacher)
    answer = tf.function(lambda pixels: model(architecture.prepare(pixels), training=False))
    found = [(answer(part), answer(part[:, :, ::-1])) for part in _parts(images)]
    return np.stack([np.concatenate(side) for side in zip(*found, strict=True)])


def _read(path: Path, count: int, classes: int) -> Array | None:
    wanted = np.broadcast_to(np.float32(0), (2, count, classes))
    try:
        content = read_bytes(path, "what a teacher said", BadInput, wanted.nbytes + arrays.MOST_HEADER)
        found = arrays.from_bytes(content, wanted.dtype, wanted.shape)
        arrays.check_finite(path.name, found)
    except (BadInput, ValueError):
        return None
    return found
