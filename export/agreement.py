"""How far the logits of one model are from those of another, on the same images."""

import numpy as np
from numpy.typing import NDArray

from edgefashion.evaluation.predictions import Labels
from edgefashion.runtimes.base import Logits
from edgefashion.stats import log_softmax, paired


def compare(logits: Logits, expected: Logits, labels: Labels) -> dict[str, float]:
    """What sets logits apart from those expected, both float32 [N, classes]; `labels` are [N]."""
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
        "mcnemar_p": paired(classes == labels, expected_classes == labels),
    }


def divergence(logits: Logits, expected: Logits) -> float:
    """The mean Kullback-Leibler divergence of softmax(logits) from softmax(expected), both float32
    [N, classes], in nats.
    """
    found, wanted = log_softmax(logits), log_softmax(expected)
    return float(np.mean(np.sum(np.exp(wanted) * (wanted - found), axis=1)))


def class_entropy(logits: Logits) -> float:
    """Shannon's entropy of how often each class is predicted, in bits: log2(classes) for equal shares, 0 when
    every image gets the same class. `logits` are float32 [N, classes].
    """
    return entropy(np.bincount(logits.argmax(axis=1), minlength=logits.shape[1]))


def entropy(counts: NDArray[np.intp]) -> float:
    """That of how often each of several things is there, in bits."""
    present = counts[counts > 0] / counts.sum()
    return float((present * np.log2(1 / present)).sum())
