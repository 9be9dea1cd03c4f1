"""Which of several calibrations to keep: measured on the validation split.

What is compared is the mean Kullback-Leibler divergence of the class probabilities of the int8 model from
those of the Keras model. All 5,000 images have a part in it. Agreement, though it is what counts in the
end, is decided by the 20 or 30 images on the verge between two classes: by luck it moves by 5 of them. An
error of the logits counts here as far as it moves probabilities: not where it is the same for all classes,
little where a class is out of the question; the mean logit error counts it all the same.
"""

from collections.abc import Callable
from typing import Any

from edgefashion.artifacts.formats import Variant
from edgefashion.data import Subset
from edgefashion.export.agreement import compare, divergence
from edgefashion.export.converters import calibrations, method_of
from edgefashion.export.options import ExportOptions
from edgefashion.export.source import Source
from edgefashion.runtimes.base import Logits
from edgefashion.runtimes.content import run_content

Figures = dict[str, float]
FIGURES = ("accuracy", "agreement", "max_logit_error", "mean_logit_error")
CRITERION = "kl_divergence_nats"


def convert(
    variant: Variant,
    source: Source,
    options: ExportOptions,
    validation: Subset,
    report: Callable[[str], None],
) -> tuple[bytes, dict[str, Any] | None]:
    """Make an artifact's content with the calibration asked for, or else with each that its variant has, of
    which the best is kept.

    Returns it with what the manifest says of calibration, None where there was none. Raises what the
    conversion raises.
    """
    make = method_of(variant).converter(source, options)
    methods = calibrations(variant, options)
    if not methods:
        return make(options.calibration), None
    if len(methods) == 1:
        why = "the only one" if methods == variant.calibrations else "asked for"
        return make(methods[0]), {**source.representative.manifest, "method": methods[0], "chosen": why}
    made = {method: make(method) for method in methods}
    expected = source.graph.predict(validation.images)
    table = {
        method: measure(content, variant.format, validation, expected) for method, content in made.items()
    }
    best = min(table, key=lambda method: table[method][CRITERION])
    for line in _lines(table, best, len(validation)):
        report(line)
    return made[best], {
        **source.representative.manifest,
        "method": best,
        "chosen": "measured",
        "measured": table,
    }


def measure(content: bytes, format: str, unseen: Subset, expected: Logits) -> Figures:
    """How far a model is from the Keras model, whose logits for `unseen` are `expected`, float32
    [N, classes]. Raises RuntimeCrash when its runtime dies.
    """
    logits, _ = run_content(content, f"candidate.{format}", unseen.images)
    figures = compare(logits, expected, unseen.labels)
    return {**{name: figures[name] for name in FIGURES}, CRITERION: divergence(logits, expected)}


def _lines(table: dict[str, Figures], best: str, images: int) -> list[str]:
    """The table, a line a method."""
    return [
        f"{method} calibration: divergence {figures[CRITERION]:.3g} nats, agrees with float on "
        f"{figures['agreement']:.2%} of {images:,} images" + ("; kept: the least" if method == best else "")
        for method, figures in table.items()
    ]
