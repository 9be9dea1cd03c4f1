"""The representative dataset: the images that show a quantizer which values occur inside the model."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.artifacts.formats import CALIBRATION_IMAGES
from edgefashion.data import Subset, Task, stratified_sample
from edgefashion.errors import BadInput
from edgefashion.errors.wording import setting
from edgefashion.files.stored import ImageSet
from edgefashion.models import Normalization

SEED = 0
BATCH = 250


@dataclass(frozen=True, eq=False)
class RepresentativeDataset:
    """The images as pixels, uint8 [N, height, width, channels], and normalized, float32, and where they
    came from.
    """

    pixels: npt.NDArray[np.uint8]
    images: npt.NDArray[np.float32]
    manifest: dict[str, Any]


def representative_dataset(
    source: Subset,
    task: Task,
    normalization: Normalization,
    count: int = CALIBRATION_IMAGES,
    seed: int = SEED,
    split: str = "train",
) -> RepresentativeDataset:
    """Draw `count` images of `source`, equal numbers of each class, and normalize them.

    `source` is the training split, which cannot overlap validation or test, or images of the user's own;
    `split` is what the manifest calls it. Raises BadInput for what no quantizer can learn ranges from.
    """
    check(source, task, count)
    sample = stratified_sample(source, count, seed)
    pixels = _of_all_brightnesses(np.asarray(sample.images))
    images = np.asarray(normalization(pixels))
    manifest = {
        "split": split,
        "count": len(sample),
        "seed": seed,
        "indices_sha256": hashlib.sha256(np.sort(sample.indices).tobytes()).hexdigest(),
        "class_counts": np.bincount(sample.labels, minlength=len(task.classes)).tolist(),
        "pixels": _statistics(pixels),
        "normalised": _statistics(images),
    }
    return RepresentativeDataset(pixels, images, manifest)


def _of_all_brightnesses(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The same images; where no pixel is 0, or none 255, two of the first image are: a pixel is its own
    quantized value where a quantizer sees all of them.
    """
    if images.min() == 0 and images.max() == 255:
        return images
    completed = images.copy()
    completed[0].flat[:2] = 0, 255
    return completed


def check(source: Subset, task: Task, count: int) -> None:
    """Raise BadInput unless `count` images that show what occurs in a model can be drawn of `source`."""
    images, labels = source.images, np.asarray(source.labels)
    if len(images) == 0:
        raise BadInput(f"there are no images to calibrate with: give {count} or more")
    if images.shape[1:] != task.image_shape or labels.shape != images.shape[:1]:
        raise BadInput(
            f"the images to calibrate with have the shape {images.shape} and their labels {labels.shape}: "
            f"give images [N, {', '.join(map(str, task.image_shape))}] and labels [N]"
        )
    low, high = _range(images)
    if images.dtype != np.uint8:
        raise BadInput(
            f"the images to calibrate with are {images.dtype} from {low:g} to {high:g}: give raw pixels, "
            "uint8 from 0 to 255; the normalization is part of the model"
        )
    if low == high:
        raise BadInput(f"every pixel of the images to calibrate with is {low}: give others")
    classes = np.unique(labels)
    if len(classes) == 1:
        raise BadInput(
            f"the {len(images)} images to calibrate with are all of class {classes[0]}: give images of "
            "every class"
        )
    if not 1 <= count <= len(images):
        raise BadInput(
            f"{count} images to calibrate with cannot be drawn out of {len(images)}: ask for 1 to "
            f"{len(images)} with {setting('--calibration-images')}, or give more"
        )


def _range(images: ImageSet) -> tuple[Any, Any]:
    """The least and the largest value of the images, of uint8 among the first that have two."""
    low, high = images[0].min(), images[0].max()
    for start in range(0, len(images), BATCH):
        if low < high and images.dtype == np.uint8:
            break
        part = images[start : start + BATCH]
        low, high = min(low, part.min()), max(high, part.max())
    return low, high


def _statistics(values: npt.NDArray[Any]) -> dict[str, float]:
    return {name: round(float(getattr(values, name)()), 6) for name in ("min", "max", "mean", "std")}
