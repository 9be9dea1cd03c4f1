"""Operators of an `.onnx` file that move, join and pad, and those at its end."""

import math
from dataclasses import replace

from edgefashion.artifacts.inspection.onnx_file import Operation
from edgefashion.importing.network import Network
from edgefashion.importing.onnx_constants import axes_of, numbers_of
from edgefashion.importing.onnx_layout import Data, placed, reshape, transpose
from edgefashion.importing.onnx_operators import Layer, Read, constant_of, data_of, named, needed, number_of
from edgefashion.importing.plan import Unsupported


def _concat(network: Network, operation: Operation, read: Read) -> Data:
    first = data_of(read)
    every = [data_of(read, place) for place in range(len(read))]
    if any(each.order is not None for each in every):
        raise Unsupported("of rows that were flattened")
    inputs = [placed(network, each, first.axes) for each in every]
    axis = first.axis(operation.integer("axis"))
    return first.with_curve(network.concatenate(inputs, axis, named(operation)))


def _pad(network: Network, operation: Operation, read: Read) -> Data:
    data = data_of(read)
    pads = operation.integers("pads") or tuple(map(int, needed(read, 1)))
    axes = axes_of(operation, [None, constant_of(read, 3)]) or tuple(range(data.rank))
    value = number_of(read, 2, numbers_of(operation, "value", 0.0))
    if (operation.text("mode") or "constant") != "constant" or value or len(pads) != 2 * len(axes):
        raise Unsupported("with other than zeros")
    ours = {data.axis(axis): (pads[n], pads[n + len(axes)]) for n, axis in enumerate(axes)}
    if any(any(margin) for axis, margin in ours.items() if axis not in (1, 2)) or data.rank != 4:
        raise Unsupported("of other than height and width")
    if min(map(min, ours.values())) < 0:
        raise Unsupported("that cuts")
    return data.with_curve(network.pad(data.curve, (ours.get(1, (0, 0)), ours.get(2, (0, 0)))))


def _reshape(network: Network, operation: Operation, read: Read) -> Data:
    data, (batch, *rest) = data_of(read), [int(edge) for edge in needed(read, 1).reshape(-1)]
    if not operation.integer("allowzero"):
        rest = [
            data.shape[axis] if edge == 0 and axis < data.rank - 1 else edge for axis, edge in enumerate(rest)
        ]
    total, known = math.prod(data.shape), math.prod(edge for edge in rest if edge != -1)
    if not rest or not known or min(rest) < -1 or rest.count(-1) > (batch != -1):
        raise Unsupported("of the batch")
    shape = tuple(total // known if edge == -1 else edge for edge in rest)
    return reshape(network, data, shape, named(operation))


def _flatten(network: Network, operation: Operation, read: Read) -> Data:
    data, axis = data_of(read), operation.integer("axis", 1)
    if axis not in (1, 1 - data.rank):
        raise Unsupported("of the batch")
    return reshape(network, data, (math.prod(data.shape),), named(operation))


def _squeeze(network: Network, operation: Operation, read: Read) -> Data:
    data = data_of(read)
    axes = axes_of(operation, [None, constant_of(read, 1)])
    gone = {axis % data.rank for axis in axes} or {n for n, edge in enumerate(data.shape, 1) if edge == 1}
    kept = tuple(edge for axis, edge in enumerate(data.shape, 1) if axis not in gone)
    if 0 in gone or math.prod(kept) != math.prod(data.shape) or not kept:
        raise Unsupported("of the batch, or of an axis longer than 1")
    return reshape(network, data, kept, named(operation))


def _unsqueeze(network: Network, operation: Operation, read: Read) -> Data:
    data = data_of(read)
    axes = axes_of(operation, [None, constant_of(read, 1)])
    rank = data.rank + len(axes)
    added = {axis % rank for axis in axes}
    if 0 in added or len(added) != len(axes) or rank > 5:
        raise Unsupported("of the batch")
    edges = iter(data.shape)
    return reshape(
        network, data, tuple(1 if axis in added else next(edges) for axis in range(1, rank)), named(operation)
    )


def _softmax(_: Network, operation: Operation, read: Read) -> Data:
    data = data_of(read)
    axis = operation.integer("axis", 1 if data.rank == 2 else -1) % data.rank
    if math.prod(data.shape) != data.shape[axis - 1] or axis == 0:
        raise Unsupported("inside the model")
    return replace(data, ending="softmax" if operation.kind == "Softmax" else "log_softmax")


def _same(_: Network, operation: Operation, read: Read) -> Data:
    return data_of(read)


def _cast(_: Network, operation: Operation, read: Read) -> Data:
    if operation.integer("to") not in (1, 10, 11):
        raise Unsupported("to integers")
    return data_of(read)


def _transpose(_: Network, operation: Operation, read: Read) -> Data:
    return transpose(data_of(read), operation.integers("perm"))


MOVES: dict[str, Layer] = {
    **{"Concat": _concat, "Pad": _pad, "Transpose": _transpose, "Softmax": _softmax, "LogSoftmax": _softmax},
    **{"Reshape": _reshape, "Flatten": _flatten, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze},
    **{"Identity": _same, "Dropout": _same, "Cast": _cast},
}
PASSING = {"Identity", "Cast", "Flatten", "Reshape", "Squeeze"}
"""What may follow a softmax."""
