"""How to export, beyond format and precision."""

from dataclasses import dataclass

from edgefashion.artifact import CALIBRATION_IMAGES
from edgefashion.targets import ANY


@dataclass(frozen=True)
class Settings:
    """calibration_images: the size of the representative dataset.
    target: the processor that int8 ONNX files are made for, one of `targets.TARGETS`.
    """

    calibration_images: int = CALIBRATION_IMAGES
    target: str = ANY
