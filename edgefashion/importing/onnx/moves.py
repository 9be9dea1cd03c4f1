"""Operators of an `.onnx` file that move, join and pad, and those at its end."""

import itertools

from edgefashion.artifacts.inspection.onnx_file import Operation
from edgefashion.importing.network import moves
from edgefashion.importing.network.layout import Data, transpose
from edgefashion.importing.network.network import Network
from edgefashion.importing.network.operands import Read, constant_of, data_of, needed, number_of, same
from edgefashion.importing.network.plan import Unsupported
from edgefashion.importing.onnx.constants import axes_of, numbers_of
from edgefashion.importing.onnx.operators import Layer, named

FLOATS = (1, 10, 11)
"""The numbers of float32, float16 and float64."""


def _concat(network: Network, operation: Operation, read: Read) -> Data:
    every = [data_of(read, place) for place in range(len(read))]
    return moves.concatenate(network, every, operation.integer("axis"), named(operation))


def _split(network: Network, operation: Operation, read: Read) -> tuple[Data, ...]:
    data, axis, count = data_of(read), operation.integer("axis"), len(operation.outputs)
    given = constant_of(read, 1)
    edge = data.shape[axis % data.rank - 1]
    sizes = operation.integers("split") if given is None else tuple(map(int, given.reshape(-1)))
    if not sizes:
        step = -(-edge // count)
        sizes = tuple(min(step, edge - step * number) for number in range(count))
    if len(sizes) != count or min(sizes) < 1 or sum(sizes) != edge:
        raise ValueError("a Split does not come to its input")
    ends = list(itertools.accumulate(sizes, initial=0))
    return tuple(
        moves.part(network, data, axis, range(*each), f"{named(operation)}_{number}")
        for number, each in enumerate(itertools.pairwise(ends))
    )


def _slice(network: Network, operation: Operation, read: Read) -> Data:
    data = data_of(read)
    starts, ends = (
        operation.integers(name) or tuple(map(int, needed(read, place).reshape(-1)))
        for place, name in enumerate(("starts", "ends"), 1)
    )
    axes = axes_of(operation, [None, constant_of(read, 3)]) or tuple(range(len(starts)))
    steps = constant_of(read, 4)
    every = (1,) * len(starts) if steps is None else tuple(map(int, steps.reshape(-1)))
    for axis, start, end, step in zip(axes, starts, ends, every, strict=True):
        edge = data.shape[axis % data.rank - 1] if axis % data.rank else 0
        places = range(edge)[slice(start, end, step)]
        if not places:
            raise Unsupported("of nothing, or the batch")
        if places != range(edge):
            data = moves.part(network, data, axis, places, named(operation))
    return data


def _pad(network: Network, operation: Operation, read: Read) -> Data:
    data = data_of(read)
    pads = operation.integers("pads") or tuple(map(int, needed(read, 1).reshape(-1)))
    axes = axes_of(operation, [None, constant_of(read, 3)]) or tuple(range(data.rank))
    value = number_of(read, 2, numbers_of(operation, "value", 0.0))
    if (operation.text("mode") or "constant") != "constant" or value or len(pads) != 2 * len(axes):
        raise Unsupported("with other than zeros")
    return moves.pad(network, data, {axis: (pads[n], pads[n + len(axes)]) for n, axis in enumerate(axes)})


def _reshape(network: Network, operation: Operation, read: Read) -> Data:
    data, (batch, *rest) = data_of(read), [int(edge) for edge in needed(read, 1).reshape(-1)]
    if not operation.integer("allowzero"):
        rest = [
            data.shape[axis] if edge == 0 and axis < data.rank - 1 else edge for axis, edge in enumerate(rest)
        ]
    return moves.resized(network, data, batch, rest, named(operation))


def _flatten(network: Network, operation: Operation, read: Read) -> Data:
    return moves.flatten(network, data_of(read), operation.integer("axis", 1), named(operation))


def _squeeze(network: Network, operation: Operation, read: Read) -> Data:
    axes = axes_of(operation, [None, constant_of(read, 1)])
    return moves.squeeze(network, data_of(read), axes, named(operation))


def _unsqueeze(network: Network, operation: Operation, read: Read) -> Data:
    axes = axes_of(operation, [None, constant_of(read, 1)])
    return moves.unsqueeze(network, data_of(read), axes, named(operation))


def _softmax(_: Network, operation: Operation, read: Read) -> Data:
    data = data_of(read)
    axis = operation.integer("axis", 1 if data.rank == 2 else -1)
    return moves.softmax(data, axis, log=operation.kind == "LogSoftmax")


def _cast(_: Network, operation: Operation, read: Read) -> Data:
    if operation.integer("to") not in FLOATS:
        raise Unsupported("to integers")
    return data_of(read)


def _transpose(_: Network, operation: Operation, read: Read) -> Data:
    return transpose(data_of(read), operation.integers("perm"))


MOVES: dict[str, Layer] = {
    **{"Split": _split, "Slice": _slice},
    **{"Concat": _concat, "Pad": _pad, "Transpose": _transpose, "Softmax": _softmax, "LogSoftmax": _softmax},
    **{"Reshape": _reshape, "Flatten": _flatten, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze},
    **{"Identity": same, "Dropout": same, "Cast": _cast},
}
PASSING = {"Identity", "Cast", "Flatten", "Reshape", "Squeeze"}
"""What may follow a softmax."""
