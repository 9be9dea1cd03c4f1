"""Reads a classifier in float out of an `.onnx` file, whatever wrote it: as a plan of plain layers.

Nothing of the file is run here. Its operators are followed one by one, in its order; those that cannot be
taken over are counted, and so is, of what hangs on them, what could not be in any case.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from edgefashion.artifacts.inspection.onnx_file import Graph, Operation, Value, read_graph
from edgefashion.errors import ArtifactError, BadInput
from edgefashion.escaping import visible
from edgefashion.files import reading
from edgefashion.importing.curves import Curve
from edgefashion.importing.given import Given, Image, Refused, check_image, ended
from edgefashion.importing.network import Network
from edgefashion.importing.onnx_constants import RULES, Constants
from edgefashion.importing.onnx_layers import LAYERS
from edgefashion.importing.onnx_layout import CHANNELS_FIRST, CHANNELS_LAST, Data
from edgefashion.importing.onnx_moves import PASSING
from edgefashion.importing.onnx_operators import Read
from edgefashion.importing.plan import Array, Unsupported

CHANNELS = (1, 3)
INPUTS = ("float32", "float16", "float64", "uint8", "int8", "int32", "int64")
Missing = Literal["missing"]
"""What an operator gives that cannot be taken over."""
Found = Data | Array | Missing | None


def read(path: Path, size: tuple[int, int] | None = None) -> Given:
    """The classifier in an `.onnx` file; `size` is height and width where the file leaves them open.

    Raises ArtifactError for a damaged file, and BadInput for one that is no classifier in float of images.
    """
    content = reading.map_model(path, ArtifactError)
    try:
        graph = read_graph(content)
        _refuse_quantized(graph)
        value, image = _input(graph, size)
        constants = Constants(path, graph.constants, graph.external, len(content))
        return _Reader(graph, constants, image, value).read()
    except Refused as error:
        raise BadInput(f"{path} {error}") from error
    except (ValueError, MemoryError, KeyError) as error:
        why = visible(str(error)) or "it needs more memory than there is"
        raise ArtifactError(f"{path} is damaged or not an ONNX model ({why}): copy it again") from error


def _refuse_quantized(graph: Graph) -> None:
    for operation in graph.operations:
        kind = operation.kind.removeprefix("com.microsoft.")
        if (
            "QuantizeLinear" in kind
            or kind.startswith(("QLinear", "QGemm", "QAttention"))
            or "Integer" in kind
        ):
            raise Refused(f"is quantized already (it has {visible(operation.kind)}): name the model in float")


def _input(graph: Graph, size: tuple[int, int] | None) -> tuple[Value, Image]:
    if len(graph.inputs) != 1:
        raise Refused(
            f"has {len(graph.inputs)} inputs, not one for a picture: it is no classifier of pictures"
        )
    value = graph.inputs[0]
    shape = value.shape or ()
    if len(shape) != 4 or value.dtype not in INPUTS:
        raise Refused(
            f"takes {visible(value.dtype)} {_shown(shape)}, not pictures: it is no classifier of them"
        )
    first, last = shape[1] in CHANNELS, shape[3] in CHANNELS
    if not first and not last:
        raise Refused(f"takes {_shown(shape)}, not pictures of 1 or 3 channels")
    if first and last:  # a picture of 3 pixels: the first convolution knows
        first = not _reads_last(graph, value.name)
    channels, *edges = (shape[1], *shape[2:]) if first else (shape[3], *shape[1:3])
    return value, check_image(edges, channels, size, value.dtype, channels_first=first, batch=shape[0])


def _reads_last(graph: Graph, name: str) -> bool:
    return any(operation.kind == "Transpose" and name in operation.inputs for operation in graph.operations)


def _shown(shape: tuple[int | str | None, ...]) -> str:
    return visible("[" + ", ".join("?" if edge is None else str(edge) for edge in shape) + "]")


@dataclass
class _Reader:
    """One graph on its way to a plan."""

    graph: Graph
    constants: Constants
    image: Image
    value: Value

    def read(self) -> Given:
        if len(self.graph.outputs) != 1:
            raise Refused(
                f"has {len(self.graph.outputs)} outputs, not one for each class in a row: it is no classifier"
            )
        self.network = Network(self.image.shape)
        axes = CHANNELS_FIRST if self.image.channels_first else CHANNELS_LAST
        self.found: dict[str, Found] = {"": None, self.value.name: Data(Curve.of(self.network.image), axes)}
        self.failed: list[str] = []
        for operation in self._needed():
            for number, name in enumerate(operation.outputs):
                self.found[name] = "missing" if number else None
            self.found[operation.outputs[0]] = self._one(operation)
        if self.failed:
            raise Refused.operators(self.failed)
        return self._given(self._get(self.graph.outputs[0].name))

    def _needed(self) -> list[Operation]:
        """The operators that the output hangs on."""
        names = {self.graph.outputs[0].name}
        needed = []
        for operation in reversed(self.graph.operations):
            if not names.isdisjoint(operation.outputs) and operation.outputs[0]:
                names |= set(operation.inputs)
                needed.append(operation)
        return needed[::-1]

    def _get(self, name: str) -> Found:
        if name not in self.found:
            if name not in self.constants:
                raise ValueError("an operator reads what none before it makes")
            self.found[name] = self.constants.array(name)
        return self.found[name]

    def _one(self, operation: Operation) -> Found:
        try:
            read = [self._get(name) for name in operation.inputs]
            if any(isinstance(each, str) for each in read):
                if operation.kind not in {"Shape", *LAYERS, *RULES}:
                    raise Unsupported
                return "missing"
            return self._made(operation, [each for each in read if not isinstance(each, str)])
        except Unsupported as reason:
            self.failed.append(f"{operation.kind} {reason}".strip())
            return "missing"

    def _made(self, operation: Operation, read: Read) -> Found:
        if operation.kind == "Shape" and read and isinstance(read[0], Data):
            return np.asarray([self.image.batch or 0, *read[0].shape], np.int64)
        if not any(isinstance(each, Data) for each in read):
            given = [each if isinstance(each, np.ndarray) else np.zeros(0) for each in read]
            return self.constants.compute(operation, given)
        if operation.kind not in LAYERS:
            raise Unsupported
        ended_before = any(isinstance(each, Data) and each.ending for each in read)
        if ended_before and operation.kind not in PASSING:
            raise Unsupported("behind a softmax")
        return LAYERS[operation.kind](self.network, operation, read)

    def _given(self, output: Found) -> Given:
        if not isinstance(output, Data) or output.order is not None or output.rank not in (2, 4):
            raise Refused("gives no row of one number a class: it is no classifier")
        if output.rank == 4 and output.shape[1:] != (1, 1) and output.shape[:2] != (1, 1):
            raise Refused(f"gives {_shown(('N', *output.shape))} for a picture, no row of one number a class")
        return ended(self.network, output.curve, output.ending, self.image, "ONNX")
