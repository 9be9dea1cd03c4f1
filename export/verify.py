"""Is the artifact the model? It is run on real images before it is kept."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgefashion.errors import VerificationError
from edgefashion.runtimes.process import ModelProcess

IMAGES = 1000
MINIMUM_AGREEMENT = {"float32": 0.99, "float16": 0.99, "dynamic": 0.95, "int8": 0.95}


def verify(
    content: bytes,
    name: str,
    precision: str,
    images: npt.NDArray[np.uint8],
    expected: npt.NDArray[np.float32],
) -> dict[str, Any]:
    """Run a converted model on `images`, uint8 [N, 28, 28, 1], and compare it with the Keras model's
    logits, float32 [N, 10]. Returns the figures for the manifest.

    `name` is the file name it will have. Raises VerificationError when too few classes agree, RuntimeCrash
    when the runtime dies.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        with ModelProcess(path, threads=1) as process:
            logits = process.predict(images)
            runtime = f"{process.runtime} {process.version}"
    agreement = float(np.mean(logits.argmax(axis=1) == expected.argmax(axis=1)))
    minimum = MINIMUM_AGREEMENT[precision]
    if agreement < minimum:
        raise VerificationError(
            f"{name} agrees with the Keras model on {agreement:.1%} of {len(images)} validation images, "
            f"{minimum:.0%} are required: no file was kept"
        )
    return {
        "images": len(images),
        "split": "validation",
        "runtime": runtime,
        "agreement": agreement,
        "minimum_agreement": minimum,
        "max_logit_error": float(np.abs(logits - expected).max()),
        "mean_logit_error": float(np.abs(logits - expected).mean()),
    }
