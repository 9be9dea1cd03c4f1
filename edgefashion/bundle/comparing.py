"""How far the logits of one artifact may be apart on two computers, and whether they are.

Integers are the same everywhere, and so are the answers of an int8 TFLite file, to the bit: one bit more is
an error of the runtime. Floats are added up in another order where vectors have another width. Where a float
is then rounded to an integer, a difference in its last bit can become a whole step.
"""

from typing import Any

import numpy as np

from edgefashion import targets
from edgefashion.artifact import INTEGER_PRECISIONS, Artifact
from edgefashion.runtimes.base import Logits

FLOAT, ROUNDED = 1e-4, 0.1
"""What logits may differ by, as parts of the standard deviation of the host's."""


def tolerance(artifact: Artifact, host: Logits, here: str) -> tuple[float | None, str]:
    """What the logits of `artifact` may differ by elsewhere from those of the host, float32 [N, 10], and why.

    In units of the logits. None where the host's own, on a processor `here` (see `targets`), may be wrong.
    """
    misfit = targets.misfit(artifact.target, here)
    if misfit and artifact.target in targets.WITH_8_BIT_WEIGHTS and here not in targets.WITH_8_BIT_WEIGHTS:
        return None, misfit
    spread = float(host.std())
    if artifact.precision in INTEGER_PRECISIONS and artifact.format == "tflite" and not artifact.kept_float:
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


def compare(host: Logits, own: Logits, tolerance: float | None) -> dict[str, Any]:
    """How the logits float32 [N, 10] of this computer differ from the host's, of the same images, as JSON.

        images             N
        differing_classes  of how many of them the highest logit is another
        max_logit_error    the largest difference of two logits; null where one is no number
        tolerance          what it may be; null where the host's are not to be trusted
        equal              whether it is no more than that; null without a tolerance

    Raises ValueError for arrays of other shapes than each other's.
    """
    if host.shape != own.shape:
        raise ValueError(f"logits {own.shape} cannot be compared with {host.shape}")
    error = float(np.abs(host.astype(np.float64) - own).max(initial=0.0))
    return {
        "images": len(host),
        "differing_classes": int(np.count_nonzero(host.argmax(axis=1) != own.argmax(axis=1))),
        "max_logit_error": error if np.isfinite(error) else None,
        "tolerance": tolerance,
        "equal": None if tolerance is None else error <= tolerance,
    }
