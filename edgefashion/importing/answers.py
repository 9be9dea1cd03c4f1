"""The given file in its own runtime, and whether what was read of it answers the same."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.artifacts.inspection import external
from edgefashion.errors import VerificationError
from edgefashion.importing.network.given import Given
from edgefashion.importing.network.imported import Imported
from edgefashion.runtimes.allowance import COPIES, usual_mb
from edgefashion.runtimes.process import ModelProcess

LARGEST_ERROR = 1e-3
"""Mean difference of logits, in standard deviations of the file's own, that rounding explains."""
SECONDS = 300.0
"""That loading a file of others and each answer may take: it may be large."""
_TINY = 1e-30
_SMALLEST = 1e-6
"""Probability from which on a logarithm is exact enough to compare."""
Images = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Answers:
    """The outputs of a file's own runtime, in a child process, as they end in the file.

    Called with images float32 [N, height, width, channels] in the form that the model that was read takes:
    what the file does before that is undone. Raises what `ModelProcess` raises.
    """

    path: Path
    given: Given

    def __call__(self, images: Images) -> npt.NDArray[np.float32]:
        """Outputs float32 [N, outputs]."""
        image = self.given.image
        inputs = np.asarray(images, np.float64)
        if before := self.given.preprocessing:
            inputs = (inputs - np.asarray(before.offset)) / np.asarray(before.scale)
        dtype = np.dtype(image.dtype)
        if np.issubdtype(dtype, np.integer):
            inputs = np.clip(np.rint(inputs), np.iinfo(dtype).min, np.iinfo(dtype).max)
        height, width, channels = image.shape
        sizes = (1, channels, height, width) if image.channels_first else (1, *image.shape)
        order = (0, 3, 1, 2) if image.channels_first else (0, 1, 2, 3)
        beside = sum(file.stat().st_size for file in external.files(self.path)) / 2**20
        memory_mb = usual_mb(self.path, 1) + COPIES * beside
        with ModelProcess(self.path, 1, SECONDS, memory_mb=memory_mb, sizes=sizes) as model:
            outputs = model.run(np.ascontiguousarray(inputs.transpose(order), dtype))
        found = np.asarray(outputs, np.float32).reshape(len(images), -1)
        return np.exp(found) if self.given.log else found


def check_reading(imported: Imported, images: Images) -> float | None:
    """How far what was read of a file is from the file in its own runtime, for images float32
    [N, height, width, channels] in the form that the model takes: the mean difference of their logits, in
    standard deviations of the file's.

    None where the file has no runtime here. Raises VerificationError where it is more than LARGEST_ERROR.
    """
    if imported.answers is None:
        return None
    wanted = _logits(np.asarray(imported.answers(images), np.float64), imported.ending)
    found = np.asarray(imported.model.predict(images, batch_size=16, verbose=0), np.float64)
    if imported.ending == "softmax":  # logits are known but for a constant
        top = np.argmax(wanted, axis=1)[:, None]
        wanted, found = (each - np.take_along_axis(each, top, 1) for each in (wanted, found))
    both = np.isfinite(wanted)
    deviation = float(np.std(wanted[both]))
    error = float(np.mean(np.abs(found - wanted)[both])) / max(deviation, _TINY)
    if not error <= LARGEST_ERROR:
        raise VerificationError(
            f"what was read of the {imported.format} file does not answer as the file does: logits differ "
            f"by {error:.2%} of their standard deviation, and rounding explains {LARGEST_ERROR:.1%}"
        )
    return error


def _logits(outputs: npt.NDArray[Any], ending: str) -> npt.NDArray[np.float64]:
    """What the file gives, as logits; infinite where it is too close to 0 or 1 to tell."""
    with np.errstate(divide="ignore"):
        if ending == "softmax":
            return np.where(outputs > _SMALLEST, np.log(outputs), -np.inf)
        if ending == "sigmoid":
            known = (outputs > _SMALLEST) & (outputs < 1 - _SMALLEST)
            outputs = np.where(known, np.log(outputs) - np.log1p(-outputs), np.inf)
    return np.concatenate([-outputs / 2, outputs / 2], axis=1) if outputs.shape[1] == 1 else outputs
