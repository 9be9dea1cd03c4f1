"""Is the artifact the model? It is run on real images before it is kept.

The limits are made for IMAGES. On fewer, chance alone is more often beyond them: there as many may disagree
as chance exceeds as rarely as the limit on IMAGES, see `stats.as_rarely_exceeded`; the entropy of the classes
may be what so many make of it; and accuracy may differ by what chance explains in more than one case in a
hundred (exact McNemar). A mean over all logits moves too little to matter.
"""

from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from edgefashion.artifacts import targets
from edgefashion.data import Splits, Subset, stratified_sample
from edgefashion.errors import VerificationError
from edgefashion.evaluation import rejection
from edgefashion.export.agreement import compare, entropy
from edgefashion.runtimes.base import Logits
from edgefashion.runtimes.content import run_content
from edgefashion.stats import as_rarely_exceeded

IMAGES, LEAST_IMAGES = 1000, 50
CHANCE = 0.01
VALIDATION = "validation"


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


def verification_images(splits: Splits, quantized: bool, learned: bool = False) -> tuple[Subset, str]:
    """What to compare on, and of which splits it is: the whole validation split where the accuracy is to be
    kept, else a part of it; with training images up to LEAST_IMAGES where it has fewer. They are training
    images to a model that `learned` from them.
    """
    validation, train = splits.validation, splits.train
    split = "training" if learned else VALIDATION
    missing = min(LEAST_IMAGES - len(validation), len(train))
    if missing > 0:
        more = stratified_sample(train, missing, seed=0)
        return _joined(validation, more), "training" if learned else "validation and training"
    if quantized:
        return validation, split
    return stratified_sample(validation, min(IMAGES, len(validation)), seed=0), split


def _joined(one: Subset, other: Subset) -> Subset:
    images, labels, indices = (
        np.concatenate([np.asarray(getattr(each, name)) for each in (one, other)])
        for name in ("images", "labels", "indices")
    )
    return Subset(images, labels, indices)


def limits_on(precision: str, expected: Logits) -> Limits:
    """The limits of a precision on images that the Keras model gives the logits `expected`, [N, classes]."""
    usual, count = LIMITS[precision], len(expected)
    if count >= IMAGES:
        return usual
    apart = _apart(usual.agreement, count)
    sizes = np.sort(np.bincount(expected.argmax(axis=1), minlength=expected.shape[1]))
    left = np.maximum(sizes - np.maximum(apart - (np.cumsum(sizes) - sizes), 0), 0)
    left[-1] = count - left[:-1].sum()  # those of the rarest classes all become the most frequent one
    known = entropy(sizes)
    kept = entropy(left) / known if known else 1.0
    return replace(usual, agreement=1 - apart / count, entropy=min(usual.entropy, kept))


@cache
def _apart(agreement: float, count: int) -> int:
    """How many of so many images may be of another class."""
    return as_rarely_exceeded(round((1 - agreement) * IMAGES), IMAGES, count, 1 - CHANCE)


def verify(
    content: bytes,
    name: str,
    precision: str,
    unseen: Subset,
    expected: Logits,
    split: str = VALIDATION,
    imported: bool = False,
) -> dict[str, Any]:
    """Run a converted model on the images `unseen`, of the `split`, and compare it with the Keras model's
    logits, `expected` float32 [N, classes]. Returns what the manifest says of that: `verification`, the
    figures, their limits among them, and `rejection`, where all images are of the validation split.

    `name` is the file name it will have; an `imported` model was trained elsewhere. Raises VerificationError
    for a figure beyond its limit, RuntimeCrash when the runtime dies.
    """
    logits, runtime = run_content(content, name, unseen.images)
    figures = compare(logits, expected, unseen.labels)
    limits = limits_on(precision, expected)
    if reason := failure(figures, limits, len(unseen)):
        raise VerificationError(
            f"{name} {reason} (compared with the run's model on {len(unseen)} {split} images): "
            f"no file was kept{_remedy(precision, imported)}"
        )
    verification = {
        "images": len(unseen),
        "split": split,
        "runtime": runtime,
        "machine": targets.of_this_machine(),
        **figures,
        "limits": asdict(limits),
    }
    found = rejection.measure(logits, split) if split == VALIDATION else None
    return {"verification": verification, **({"rejection": found.to_dict()} if found else {})}


def _remedy(precision: str, imported: bool) -> str:
    """What can be done about a file that is not the model. Fewer calibration images made it worse, and layers
    in float are measured against this very file.
    """
    if precision == "int8-qat":
        return "; what may help is edgefashion train --qat with more --epochs, or more validation pictures"
    trained = "edgefashion train --qat of the same run, which learns to live with rounding"
    longer = "" if imported else ", or training for longer"
    return f"; what helps is {trained}{longer}" if precision == "int8" else ""


def describe(verification: dict[str, Any]) -> str:
    """The figures of `verify` that tell most, and their limits, on a line."""
    limits = verification["limits"]
    error = verification["mean_logit_error"] / verification["keras_logit_deviation"]
    return (
        f"agrees with float on {verification['agreement']:.2%} of {verification['images']:,} "
        f"{verification['split']} images (>= {limits['agreement']:.0%}), "
        f"logit error {error:.2%} (<= {limits['mean_logit_error']:.1%})"
    )


def failure(figures: dict[str, float], limits: Limits, count: int) -> str | None:
    """Which figure, of `count` images, is beyond its limit, in words."""
    if figures["agreement"] < limits.agreement:
        return f"agrees on {figures['agreement']:.1%} of images; at least {limits.agreement:.0%} is required"
    error = figures["mean_logit_error"], figures["keras_logit_deviation"]
    if error[0] > limits.mean_logit_error * error[1]:
        found = f"{error[0] / error[1]:.1%} of the deviation of its logits" if error[1] else f"{error[0]:.3g}"
        return f"has a mean logit error of {found}; at most {limits.mean_logit_error:.1%} is allowed"
    entropies = figures["class_entropy_bits"], figures["keras_class_entropy_bits"]
    if entropies[0] < limits.entropy * entropies[1]:
        return (
            f"predicts too few of the classes: {entropies[0]:.2f} bits of entropy, the run's model "
            f"{entropies[1]:.2f}; at least {limits.entropy:.0%} of that is required"
        )
    # On a few images a single one is more than the difference that is allowed; it is allowed.
    allowed, chance = max(limits.accuracy, 1 / count), count < IMAGES and figures["mcnemar_p"] >= CHANCE
    if abs(figures["accuracy"] - figures["keras_accuracy"]) > allowed + 1e-9 and not chance:
        return (
            f"has an accuracy of {figures['accuracy']:.2%}, the run's model {figures['keras_accuracy']:.2%}; "
            f"a difference of at most {allowed:.2%} is allowed"
        )
    return None
