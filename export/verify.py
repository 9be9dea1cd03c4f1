"""Is the artifact the model? It is run on real images before it is kept."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from edgefashion.data import Subset, stratified_sample
from edgefashion.errors import VerificationError
from edgefashion.runtimes.base import Images, Logits
from edgefashion.runtimes.process import ModelProcess

IMAGES = 1000
MINIMUM_AGREEMENT = {"float32": 0.99, "float16": 0.99, "dynamic": 0.95, "int8": 0.95, "int8-qat": 0.97}
MINIMUM_ENTROPY_SHARE = 0.9
# Quantization-aware training promises its accuracy for the integer model: 0.3 points between them.
MAXIMUM_ACCURACY_DIFFERENCE = {"int8-qat": 0.003}


def verification_images(validation: Subset, quantized: bool) -> Subset:
    """What to compare on: the whole validation split where the accuracy is to be kept, else a part of it."""
    if quantized:
        return validation
    return stratified_sample(validation, min(IMAGES, len(validation)), seed=0)


def verify(
    content: bytes,
    name: str,
    precision: str,
    unseen: Subset,
    expected: Logits,
) -> dict[str, Any]:
    """Run a converted model on the images `unseen` and compare it with the Keras model's logits, `expected`
    float32 [N, 10]. Returns the figures for the manifest.

    `name` is the file name it will have. Raises VerificationError when too few classes agree, when the
    predictions collapse to few classes or, where that is promised, when the accuracy differs; RuntimeCrash
    when the runtime dies.
    """
    logits, runtime = run_content(content, name, unseen.images)
    agreement = float(np.mean(logits.argmax(axis=1) == expected.argmax(axis=1)))
    minimum = MINIMUM_AGREEMENT[precision]
    if agreement < minimum:
        raise VerificationError(
            f"{name} agrees with the Keras model on {agreement:.1%} of {len(unseen)} validation images, "
            f"{minimum:.0%} are required: no file was kept"
        )
    entropies = [class_entropy(answer) for answer in (logits, expected)]
    if entropies[0] < MINIMUM_ENTROPY_SHARE * entropies[1]:
        raise VerificationError(
            f"{name} has collapsed to few classes: {entropies[0]:.2f} bits of entropy over {len(unseen)} "
            f"validation images, the Keras model has {entropies[1]:.2f}: no file was kept"
        )
    accuracies = [float(np.mean(answer.argmax(axis=1) == unseen.labels)) for answer in (logits, expected)]
    _check_accuracy(name, precision, len(unseen), *accuracies)
    return {
        "images": len(unseen),
        "split": "validation",
        "runtime": runtime,
        "agreement": agreement,
        "minimum_agreement": minimum,
        "class_entropy_bits": entropies[0],
        "keras_class_entropy_bits": entropies[1],
        "accuracy": accuracies[0],
        "keras_accuracy": accuracies[1],
        "max_logit_error": float(np.abs(logits - expected).max()),
        "mean_logit_error": float(np.abs(logits - expected).mean()),
    }


def run_content(content: bytes, name: str, images: Images) -> tuple[Logits, str]:
    """Logits float32 [N, 10] of a model that is not a file yet for images uint8 [N, 28, 28, 1], and the
    runtime that gave them. Raises RuntimeCrash when that dies.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        with ModelProcess(path, threads=1) as process:
            return process.predict(images), f"{process.runtime} {process.version}"


def class_entropy(logits: Logits) -> float:
    """Shannon's entropy of how often each class is predicted, in bits: log2(10) for equal shares, 0 when
    every image gets the same class. `logits` are float32 [N, 10].
    """
    shares = np.bincount(logits.argmax(axis=1), minlength=logits.shape[1]) / len(logits)
    present = shares[shares > 0]
    return float(-(present * np.log2(present)).sum())


def _check_accuracy(name: str, precision: str, count: int, found: float, expected: float) -> None:
    """On a few images a single one is more than the difference that is allowed; it is allowed."""
    allowed = max(MAXIMUM_ACCURACY_DIFFERENCE.get(precision, 1.0), 1 / count)
    if abs(found - expected) > allowed + 1e-9:
        raise VerificationError(
            f"{name} has an accuracy of {found:.2%} on {count} validation images, the Keras model "
            f"{expected:.2%}, and {allowed:.2%} of difference is allowed: no file was kept"
        )
