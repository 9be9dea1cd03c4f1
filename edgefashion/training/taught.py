"""What teachers say of the training images, from which another model learns; each is asked once."""

import time
from collections.abc import Iterator, Sequence
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
from edgefashion.reporting import Report
from edgefashion.training.input_pipeline import Array
from edgefashion.training.teacher import Teacher

BATCH_SIZE = 250
TELL_S = 10.0
"""How often it is said how far the asking is."""


def cache_folder() -> Path:
    """The folder in the user's cache that holds the logits of teachers."""
    return user_cache_path("edgefashion") / "teachers"


def mean_logits(teachers: Sequence[Teacher], splits: Splits, cache: Path, report: Report) -> Array | None:
    """The mean of the `logits` of all teachers, None of none."""
    if not teachers:
        return None
    found = sum(logits(each, splits, cache, report) for each in teachers)
    return np.asarray(found / np.float32(len(teachers)))


def logits(teacher: Teacher, splits: Splits, cache: Path, report: Report) -> Array:
    """Its logits of every training image and of their mirror images: float32 [2, N, classes].

    They are kept in the folder `cache` under the SHA-256 of the teacher's model and a digest of the images.
    Raises BadInput for logits that are no numbers, and what `Teacher.answering` raises.
    """
    images, classes = splits.train.images, len(splits.task.classes)
    path = cache / f"{teacher.sha256}-{_digest(images)}.npy"
    if (kept := _read(path, len(images), classes)) is not None:
        report(f"teacher {teacher.name}: what it says of {len(images):,} images is in {path}")
        return kept
    report(f"teacher {teacher.name}: asked about {len(images):,} images, and their mirror images")
    found = _ask(teacher, images, classes, report)
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


def _ask(teacher: Teacher, images: ImageSet, classes: int, report: Report) -> Array:
    found, told = [], time.monotonic()
    with teacher.answering(classes) as answer:
        for part in _parts(images):
            found.append((answer(part), answer(part[:, :, ::-1])))
            if time.monotonic() - told > TELL_S:
                told = time.monotonic()
                report(f"teacher {teacher.name}: {len(found) * BATCH_SIZE:,} of {len(images):,} images")
    logits = np.stack([np.concatenate(side) for side in zip(*found, strict=True)])
    if not np.isfinite(logits).all():
        raise BadInput(f"the teacher {teacher.name} gives logits that are no numbers: take another")
    return logits


def _read(path: Path, count: int, classes: int) -> Array | None:
    wanted = np.broadcast_to(np.float32(0), (2, count, classes))
    try:
        content = read_bytes(path, "what a teacher said", BadInput, wanted.nbytes + arrays.MOST_HEADER)
        found = arrays.from_bytes(content, wanted.dtype, wanted.shape)
        arrays.check_finite(path.name, found)
    except (BadInput, ValueError):
        return None
    return found
