"""What a Keras model is made of: layers, output shapes, parameters, multiply-accumulates."""

import math
from dataclasses import dataclass
from typing import Any

from edgefashion.keras import keras
from edgefashion.models.base import unwrapped


@dataclass(frozen=True)
class LayerSummary:
    """One layer. `macs` are the multiply-accumulates for one image; layers that only move or compare
    values have none, and a BatchNormalization counts none because inference folds it away.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    macs: int


def summarize(model: keras.Model) -> list[LayerSummary]:
    """One entry a layer, in the order of the model; shapes without the batch dimension."""
    return [
        LayerSummary(
            name=layer.name,
            kind=type(unwrapped(layer)).__name__,
            output_shape=tuple(layer.output_shape[1:]),
            parameters=_parameters(layer),
            macs=_macs(unwrapped(layer), layer.output_shape),
        )
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer)
    ]


def table(layers: list[LayerSummary]) -> str:
    """The layers as lines of text, with the sums in the last."""
    lines = [f"{'layer':32}{'kind':24}{'output':>16}{'parameters':>14}{'MACs':>14}"]
    for layer in layers:
        shape = "x".join(map(str, layer.output_shape))
        lines.append(f"{layer.name:32}{layer.kind:24}{shape:>16}{layer.parameters:>14,}{layer.macs:>14,}")
    parameters, macs = sum(layer.parameters for layer in layers), sum(layer.macs for layer in layers)
    lines.append(f"{'total':72}{parameters:>14,}{macs:>14,}")
    return "\n".join(lines)


def _parameters(layer: keras.layers.Layer) -> int:
    """Those of the deployed layer: the ranges that a wrapper learns are none."""
    if isinstance(layer, keras.layers.Wrapper):
        return sum(math.prod(weight.shape) for weight in layer.trainable_weights)
    return int(layer.count_params())


def _macs(layer: keras.layers.Layer, output_shape: Any) -> int:
    """Each weight of a kernel is used once for every position of the output's height and width."""
    kernel = getattr(layer, "depthwise_kernel", None)
    if kernel is None:
        kernel = getattr(layer, "kernel", None)
    if kernel is None:
        return 0
    return int(math.prod(kernel.shape) * math.prod(output_shape[1:-1]))
