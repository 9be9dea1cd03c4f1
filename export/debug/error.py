"""How much of a quantized model's error each of its layers causes.

A layer's own error is what it gives in the int8 model less what the float layer gives for the same input,
the int8 model's. Its noise-to-signal ratio alone does not say what it does to the classes: noise in a
channel that later layers amplify counts for more than its size. (In MobileNetV2 the layer that causes a
quarter of the logits' error is among the best sixth by that ratio.) So each layer's error e is carried
to the ten logits as the float model would carry it, to first order: J e, with J the derivative of the
logits by the layer's output, for each image. Its share of the error is

    sum over images of |J e|^2,  divided by the sum of that over all layers.

Layers' errors are nearly independent, so that these squares come to about the squared error found at the
logits; `explained` is their sum divided by that, and near 1 where the shares can be trusted.

Part of a layer's own error is that its output has to lie on a grid of 256 numbers; the rest is its rounded
weights and integer arithmetic. Both are carried the same way, and its share is divided as their squares
are. The first stays where only this one layer is kept in float.

SNR is the signal-to-noise ratio in dB, 10 log10(sum of f^2 / sum of (q - f)^2), over all images, positions
and channels, for a float output f and an int8 output q.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgefashion.benchmarking import Progress
from edgefashion.export.debug.probe import Probe, Values
from edgefashion.export.graph.fused_layers import INPUT, Step
from edgefashion.files.stored import ImageSet
from edgefashion.runtimes.base import Images, Logits
from edgefashion.tensorflow import tf

BATCH = 20


@dataclass(frozen=True)
class LayerError:
    """The error of a layer, averaged over images.

    snr_db: of its output, with all that the layers before it have done; None where nothing is wrong.
    own_snr_db: of what it adds itself; None where it adds nothing.
    share: of the error of the logits, 0 to 1; all layers' come to 1. It is the sum of two parts:
    share_weights: what rounded weights and integer arithmetic do.
    share_output: what the grid of its output does.
    """

    layer: str
    kind: str
    shape: tuple[int, ...]
    snr_db: float | None
    own_snr_db: float | None
    share: float
    share_weights: float
    share_output: float


@dataclass
class _Sums:
    """Sums of squares over images."""

    signal: float = 0.0
    noise: float = 0.0
    own_signal: float = 0.0
    own_noise: float = 0.0
    carried: float = 0.0
    carried_output: float = 0.0
    carried_weights: float = 0.0


@dataclass
class Tally:
    """What is known of one int8 model, image by image."""

    probe: Probe
    steps: Sequence[Step]
    sums: dict[str, _Sums] = field(init=False)
    logits: list[Logits] = field(default_factory=list)
    agreeing: int = 0

    def __post_init__(self) -> None:
        self.sums = {step.name: _Sums() for step in self.steps}

    def add(
        self, images: Images, pixels: Any, exact: Mapping[str, Values]
    ) -> dict[str, tuple[Values, Values]]:
        """Count a batch in, but for what is carried to the logits.

        Gives the own error of each ranked step and the part of it that is the grid of its output, float32
        [N, ...]. `pixels` are normalized, `exact` the outputs of the float model.
        """
        found = self.probe(images)
        last = self.steps[-1].name
        self.logits.append(found[last])
        self.agreeing += int(np.sum(found[last].argmax(axis=1) == exact[last].argmax(axis=1)))
        given: dict[str, Any] = {INPUT: pixels, **found}
        errors = {}
        for step in self.steps:
            own = np.asarray(step(given))
            if step.name not in found:
                given[step.name] = own
                continue
            sums, quantized = self.sums[step.name], found[step.name]
            errors[step.name] = (quantized - own, self.probe.grids[step.name].nearest(own) - own)
            sums.signal += _energy(exact[step.name])
            sums.noise += _energy(quantized - exact[step.name])
            sums.own_signal += _energy(own)
            sums.own_noise += _energy(quantized - own)
        return errors

    def carry(self, errors: Mapping[str, tuple[Values, Values]], slopes: Mapping[str, Values]) -> None:
        """Count in what the errors of a batch do to one logit, whose derivatives are `slopes`."""
        for name, (own, rounding) in errors.items():
            sums, slope = self.sums[name], slopes[name]
            whole, part = (_per_image(slope * error) for error in (own, rounding))
            sums.carried += _energy(whole)
            sums.carried_output += _energy(part)
            sums.carried_weights += _energy(whole - part)

    @property
    def explained(self) -> float | None:
        """The carried errors of all layers, relative to the error of the logits; None where that is 0."""
        noise = self.sums[self.steps[-1].name].noise
        return self._carried / noise if noise else None

    @property
    def _carried(self) -> float:
        return sum(sums.carried for sums in self.sums.values())

    def layers(self) -> list[LayerError]:
        """Those that are ranked, in the order of the model."""
        ranked = [step for step in self.steps if step.name in self.probe.grids]
        return [self._layer(step, self.sums[step.name]) for step in ranked]

    @property
    def unranked(self) -> list[str]:
        """The layers whose output the file does not have: their errors count as those of the layers that read
        it.
        """
        return [step.name for step in self.steps if step.name not in self.probe.grids]

    def _layer(self, step: Step, sums: _Sums) -> LayerError:
        share = sums.carried / (self._carried or 1)
        output = share * sums.carried_output / ((sums.carried_output + sums.carried_weights) or 1)
        return LayerError(
            layer=step.name,
            kind=step.kind,
            shape=step.shape,
            snr_db=_decibels(sums.signal, sums.noise),
            own_snr_db=_decibels(sums.own_signal, sums.own_noise),
            share=share,
            share_weights=share - output,
            share_output=output,
        )


def measure(
    steps: Sequence[Step],
    normalize: Callable[[Any], Any],
    probes: Mapping[str, Probe],
    images: ImageSet,
    progress: Progress | None = None,
) -> dict[str, Tally]:
    """Compare int8 models with the float model of `steps` on images uint8 [N, height, width, channels]."""
    tallies = {name: Tally(probe, steps) for name, probe in probes.items()}
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        pixels = normalize(batch)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(pixels)
            outputs = {INPUT: pixels}
            for step in steps:
                outputs[step.name] = step(outputs)
            logits = tf.unstack(outputs[steps[-1].name], axis=1)
        del outputs[INPUT]
        exact = {name: np.asarray(values) for name, values in outputs.items()}
        errors = {name: tally.add(batch, pixels, exact) for name, tally in tallies.items()}
        for logit in logits:
            slopes = {name: np.asarray(slope) for name, slope in tape.gradient(logit, outputs).items()}
            for name, tally in tallies.items():
                tally.carry(errors[name], slopes)
        if progress:
            progress("comparing layers", start + len(batch), len(images))
    return tallies


def _energy(values: Values) -> float:
    return float(np.sum(np.square(values, dtype=np.float64)))


def _per_image(values: Values) -> Values:
    """Sums of [N, ...] over all but the first axis: float32 [N]."""
    return np.asarray(values.reshape(len(values), -1).sum(axis=1))


def _decibels(signal: float, noise: float) -> float | None:
    return 10 * math.log10(signal / noise) if signal and noise else None
