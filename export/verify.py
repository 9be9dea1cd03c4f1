"""Is the artifact the model? It is run on real images before it is kept."""

from dataclasses import asdict, dataclass
from typing import Any

from edgefashion.artifacts import targets
from edgefashion.data import Subset, stratified_sample
from edgefashion.errors import VerificationError
from edgefashion.export.agreement import compare
from edgefashion.runtimes.base import Logits
from edgefashion.runtimes.content import run_content

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
    float32 [N, classes]. Returns the figures for the manifest, the limits among them.

    `name` is the file name it will have. Raises VerificationError for a figure beyond its limit,
    RuntimeCrash when the runtime dies.
    """
    logits, runtime = run_content(content, name, unseen.images)
    figures = compare(logits, expected, unseen.labels)
    limits = LIMITS[precision]
    if reason := failure(figures, limits, len(unseen)):
        raise VerificationError(
            f"{name} {reason} (compared with the Keras model on {len(unseen)} validation images): "
            "no file was kept"
        )
    return {
        "images": len(unseen),
        "split": "validation",
        "runtime": runtime,
        "machine": targets.of_this_machine(),
        **figures,
        "limits": asdict(limits),
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
        return f"agrees on {figures['agreement']:.1%} of images; at least {limits.agreement:.0%} is required"
    most = limits.mean_logit_error * figures["keras_logit_deviation"]
    if figures["mean_logit_error"] > most:
        return f"has a mean logit error of {figures['mean_logit_error']:.3g}; at most {most:.3g} is allowed"
    entropies = figures["class_entropy_bits"], figures["keras_class_entropy_bits"]
    if entropies[0] < limits.entropy * entropies[1]:
        return (
            f"predicts too few of the classes: {entropies[0]:.2f} bits of entropy, the Keras model "
            f"{entropies[1]:.2f}; at least {limits.entropy:.0%} of that is required"
        )
    # On a few images a single one is more than the difference that is allowed; it is allowed.
    allowed = max(limits.accuracy, 1 / count)
    if abs(figures["accuracy"] - figures["keras_accuracy"]) > allowed + 1e-9:
        return (
            f"has an accuracy of {figures['accuracy']:.2%}, the Keras model {figures['keras_accuracy']:.2%}; "
            f"a difference of at most {allowed:.2%} is allowed"
        )
    return None
