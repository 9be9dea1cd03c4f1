"""How far the logits of one artifact may be apart on two computers, and whether they are.

Measured, the largest difference of two logits as a part of the standard deviation of all (5.4 to 7.0): x86
with VNNI against QEMU's Haswell (AVX2 only), Cortex-A72 and Cortex-A76, LiteRT 2.3.0, ONNX Runtime 1.32.0,
100 validation images; `cnn` / `mobilenetv2`, of several files the worst:

                                       Haswell           Cortex-A72            Cortex-A76
    TFLite int8, int8-qat              0 / 0             0 / 0                 0 / 0
    TFLite float32, float16            0 / 0             1.2e-6 / 4.1e-6       1.2e-6 / 4.1e-6
    ONNX float32                       6e-7 / 0          6e-7 / 1.9e-6         6e-7 / 1.9e-6
    TFLite dynamic                     0 / 0             0 / 0.024             6e-7 / 0.025
    ONNX int8, int8-qat                0 / 0             0 / 0.025             0 / 0.025
    layers in float (--keep-float)     0                 0                     0
    ONNX --target x86-vnni             0.40 / 0.98       0 / 0.025             0 / 0.025

Integers are the same everywhere, so an int8 TFLite file must answer the same to the bit. Floats are added
up in another order where vectors have another width: `FLOAT` allows 25 times what was measured. Where a
float is rounded to an integer inside, its last bit can become a whole step: in MobileNetV2's int8 ONNX
files that happens in the addition of a residual branch, in 1 and 5 images of 1,000 (int8, int8-qat;
Cortex-A72), by 0.05 at most; in its `dynamic` file, which rounds the activations of every layer anew, in
986 of 1,000, by as much. On Arm no image got another class. `ROUNDED` allows three times the 0.05, less
than half of what the overflow of an x86-vnni file does on a Haswell.
"""

import numpy as np

from edgefashion.artifacts import targets
from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.formats import FORMATS, INTEGER_PRECISIONS
from edgefashion.records.results import Host
from edgefashion.runtimes.base import Logits

FLOAT, ROUNDED = 1e-4, 0.15
"""What logits may differ by, as parts of the standard deviation of the host's."""


def tolerance(artifact: Artifact, host: Logits, here: str) -> tuple[float | None, str]:
    """What logits of `artifact` may differ by elsewhere from the host's, float32 [N, classes], and why.

    In units of the logits. None where the host's own, on a processor `here` (see `targets`), may be wrong.
    """
    misfit = targets.misfit(artifact.target, here)
    if misfit and artifact.target in targets.WITH_8_BIT_WEIGHTS and here not in targets.WITH_8_BIT_WEIGHTS:
        return None, misfit
    spread = float(host.std())
    bit_exact = FORMATS[artifact.format].bit_exact and not artifact.kept_float
    if artifact.precision in INTEGER_PRECISIONS and bit_exact:
        return 0.0, "integers only, the same on every processor"
    if artifact.precision in ("float32", "float16"):
        return (
            FLOAT * spread,
            f"floats are added up in another order: {FLOAT:g} of the logits' standard deviation",
        )
    return (
        ROUNDED * spread,
        f"floats are rounded to integers inside: {ROUNDED:g} of the logits' standard deviation",
    )


def in_words(tolerance: float | None) -> str:
    """How the logits are to be compared, for people."""
    if tolerance is None:
        return "not to be compared"
    return f"equal within {tolerance:.2g}" if tolerance else "equal to the bit"


def compare(host: Logits, own: Logits, tolerance: float | None) -> Host:
    """How the logits float32 [N, classes] of this computer differ from the host's, of the same images.

    Raises ValueError for arrays of other shapes than each other's.
    """
    if host.shape != own.shape:
        raise ValueError(f"logits {own.shape} cannot be compared with {host.shape}")
    error = float(np.abs(host.astype(np.float64) - own).max(initial=0.0))
    return Host(
        images=len(host),
        differing_classes=int(np.count_nonzero(host.argmax(axis=1) != own.argmax(axis=1))),
        max_logit_error=error if np.isfinite(error) else None,
        tolerance=tolerance,
        equal=None if tolerance is None else error <= tolerance,
    )
