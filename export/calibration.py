"""The representative dataset: the images that show a quantizer which values occur inside the model."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.artifact import CALIBRATION_IMAGES
from edgefashion.data import Splits, stratified_sample
from edgefashion.models import Normalisation

SEED = 0


@dataclass(frozen=True)
class RepresentativeDataset:
    """The images as pixels, uint8 [N, 28, 28, 1], and normalised, float32 [N, 28, 28, 1], and where they
    came from.
    """

    pixels: npt.NDArray[np.uint8]
    images: npt.NDArray[np.float32]
    manifest: dict[str, Any]


def representative_dataset(
    splits: Splits, normalisation: Normalisation, count: int = CALIBRATION_IMAGES, seed: int = SEED
) -> RepresentativeDataset:
    """Draw `count` images of the training split, equal numbers of each class, and normalise them.

    They come from `splits.train` and nothing else, so they cannot overlap validation or test.
    Raises BadInput when there are fewer images than `count`.
    """
    sample = stratified_sample(splits.train, count, seed)
    images = np.asarray(normalisation(sample.images))
    manifest = {
        "split": "train",
        "count": len(sample),
        "seed": seed,
        "indices_sha256": hashlib.sha256(np.sort(sample.indices).tobytes()).hexdigest(),
        "class_counts": np.bincount(sample.labels, minlength=10).tolist(),
        "pixels": _statistics(sample.images),
        "normalised": _statistics(images),
    }
    return RepresentativeDataset(sample.images, images, manifest)


def _statistics(values: npt.NDArray[Any]) -> dict[str, float]:
    return {name: round(float(getattr(values, name)()), 6) for name in ("min", "max", "mean", "std")}
