"""How to export, beyond format and precision."""

from dataclasses import dataclass

from edgefashion.artifacts.formats import AUTO, CALIBRATION_IMAGES
from edgefashion.artifacts.targets import ANY

DEBUG_IMAGES = 200
"""Validation images that the layers of int8 models are compared on."""


@dataclass(frozen=True)
class ExportOptions:
    """calibration_images: the size of the representative dataset; None: `CALIBRATION_IMAGES`, or all training
        images where there are fewer.
    calibration: how the ranges of activations are found, one of `formats.CALIBRATION_METHODS`, for the
        variants that have it; `auto` is what proves best on the validation split.
    target: the processor that int8 ONNX files are made for, one of `targets.TARGETS`.
    keep_float: the layers that int8 files compute in float, by their names.
    """

    calibration_images: int | None = None
    calibration: str = AUTO
    target: str = ANY
    keep_float: tuple[str, ...] = ()

    def representative_size(self, images: int) -> int:
        """The size of the representative dataset where it is drawn out of so many images."""
        return min(CALIBRATION_IMAGES, images) if self.calibration_images is None else self.calibration_images
