"""What a Keras model is made of: layers, output shapes, parameters, multiply-accumulates."""

import math
import re
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from edgefashion.models.architecture import unwrapped
from edgefashion.tables import Column, Page, Row, Table
from edgefashion.tensorflow import keras

MOST_LINES = 30
"""Layers, of more of which the table has a line a block."""


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


def page(layers: list[LayerSummary], title: str = "Layers") -> Page:
    """The layers as a table, with the sums in its last row; of many, a row for those of a block."""
    notes = []
    if len(layers) > MOST_LINES:
        blocks = _by_block(layers)
        notes = ["A line of several layers is named after the last of them."] * (len(blocks) < len(layers))
        layers = blocks
    sums = {name: sum(getattr(layer, name) for layer in layers) for name in ("parameters", "macs")}
    rows = [asdict(layer) for layer in layers]
    total = {"name": "total", "kind": "", "output_shape": (), **sums}
    return Page([], [Table(title, _COLUMNS, [*rows, total])], notes)


def _by_block(layers: list[LayerSummary]) -> list[LayerSummary]:
    """Layers in a row whose names have the same beginning, up to a number, as one: `block_4_add` for all of
    `block_4_…`.
    """
    blocks = [list(own) for _, own in groupby(layers, lambda each: re.split(r"(?<=[0-9])_", each.name)[0])]
    return [
        LayerSummary(
            name=own[-1].name,
            kind=own[0].kind if len(own) == 1 else f"{len(own)} layers",
            output_shape=own[-1].output_shape,
            parameters=sum(each.parameters for each in own),
            macs=sum(each.macs for each in own),
        )
        for own in blocks
    ]


_COLUMNS: tuple[Column[Row], ...] = (
    Column("layer", lambda row: row["name"], number=False),
    Column("kind", lambda row: row["kind"], number=False, importance=4),
    Column("output", lambda row: "x".join(map(str, row["output_shape"])), importance=3),
    Column("parameters", lambda row: f"{row['parameters']:,}"),
    Column("MACs", lambda row: f"{row['macs']:,}"),
)


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
