"""Is the artifact the model? It is run on real images before it is kept."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgefashion.artifacts import targets
from edgefashion.data import Subset, stratified_sample
from edgefashion.errors import VerificationError
from edgefashion.evaluation.predictions import Labels
from edgefashion.files import temporary
from edgefashion.runtimes.base import Images, Logits
from edgefashion.runtimes.process import ModelProcess

IMAGES = 1000


@dataclass(frozen=True)
class Limits:
    """What an artifact must keep to, against the Keras model.

    agreement: images given the same class, at least, in 0..1.
    mean_logit_error: at most; in standard deviations of the Keras model's logits.
    entropy: of the predicted classes, at least; in parts of the Keras model's. Less is a collapse.
    accuracy: how far it may differ, in 0..1.
    """

    agreement: float
    mean_logit_error: float
    entropy: float = 0.9
    accuracy: float = 1.0


LIMITS = {
    "float32": Limits(0.99, 0.001),
    "float16": Limits(0.99, 0.01),
    "dynamic": Limits(0.95, 0.1),
    "int8": Limits(0.95, 0.1),
    # Quantization-aware training promises its accuracy for the integer model.
    "int8-qat": Limits(0.97, 0.1, accuracy=0.003),
}


def verification_images(validation: Subset, quantized: bool) -> Subset:
    """What to compare on: the whole validation split where the accuracy is to be kept, else a part of it."""
    if quantized:
        return validation
    return stratified_sample(validation, min(IMAGES, len(validation)), seed=0)


def verify(content: bytes, name: str, precision: str, unseen: Subset, expected: Logits) -> dict[str, Any]:
    """Run a converted model on the images `unseen` and compare it with the Keras model's logits, `expected`
    float32 [N, 10]. Returns the figures for the manifest, the limits among them.

    `name` is the file name it will have. Raises VerificationError for a figure beyond its limit,
    RuntimeCrash when the runtime dies.
    """
    logits, runtime = run_content(content, name, unseen.images)
    figures = compare(logits, expected, unseen.labels)
    limits = LIMITS[precision]
    if reason := failure(figures, limits, len(unseen)):
        raise VerificationError(
            f"{name} {reason}, on {len(unseen)} validation images against the Keras model: no file was kept"
        )
    return {
        "images": len(unseen),
        "split": "validation",
        "runtime": runtime,
        "machine": targets.of_this_machine(),
        **figures,
        "limits": asdict(limits),
    }


def compare(logits: Logits, expected: Logits, labels: Labels) -> dict[str, float]:
    """What sets logits apart from those expected, both float32 [N, 10]; `labels` are uint8 [N]."""
    classes, expected_classes = logits.argmax(axis=1), expected.argmax(axis=1)
    return {
        "agreement": float(np.mean(classes == expected_classes)),
        "max_logit_error": float(np.abs(logits - expected).max()),
        "mean_logit_error": float(np.abs(logits - expected).mean()),
        "keras_logit_deviation": float(expected.std()),
        "class_entropy_bits": class_entropy(logits),
        "keras_class_entropy_bits": class_entropy(expected),
        "accuracy": float(np.mean(classes == labels)),
        "keras_accuracy": float(np.mean(expected_classes == labels)),
    }


def describe(verification: dict[str, Any]) -> str:
    """The figures of `verify` and their limits, on a line."""
    limits = verification["limits"]
    error = verification["mean_logit_error"] / verification["keras_logit_deviation"]
    entropies = verification["class_entropy_bits"], verification["keras_class_entropy_bits"]
    return (
        f"agrees with Keras on {verification['agreement']:.2%} of {verification['images']} validation "
        f"images (>= {limits['agreement']:.0%}), mean logit error {error:.2%} "
        f"(<= {limits['mean_logit_error']:.1%}), class entropy {entropies[0]:.2f} of {entropies[1]:.2f} bits "
        f"(>= {limits['entropy']:.0%})"
    )


def failure(figures: dict[str, float], limits: Limits, count: int) -> str | None:
    """Which figure, of `count` images, is beyond its limit, in words."""
    if figures["agreement"] < limits.agreement:
        return f"agrees on {figures['agreement']:.1%}, {limits.agreement:.0%} are required"
    most = limits.mean_logit_error * figures["keras_logit_deviation"]
    if figures["mean_logit_error"] > most:
        return f"has a mean logit error of {figures['mean_logit_error']:.3g}, at most {most:.3g} is allowed"
    entropies = figures["class_entropy_bits"], figures["keras_class_entropy_bits"]
    if entropies[0] < limits.entropy * entropies[1]:
        return (
            f"has collapsed to few classes, {entropies[0]:.2f} bits of entropy instead of {entropies[1]:.2f}"
        )
    # On a few images a single one is more than the difference that is allowed; it is allowed.
    allowed = max(limits.accuracy, 1 / count)
    if abs(figures["accuracy"] - figures["keras_accuracy"]) > allowed + 1e-9:
        return (
            f"has an accuracy of {figures['accuracy']:.2%} instead of {figures['keras_accuracy']:.2%}, "
            f"{allowed:.2%} of difference is allowed"
        )
    return None


def run_content(content: bytes, name: str, images: Images) -> tuple[Logits, str]:
    """Logits float32 [N, 10] of a model that is not a file yet for images uint8 [N, 28, 28, 1], and the
    runtime that gave them. Raises RuntimeCrash when that dies.
    """
    with temporary.Folder() as folder:
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
    return float((present * np.log2(1 / present)).sum())
