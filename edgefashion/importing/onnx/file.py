"""Reads a classifier in float out of an `.onnx` file, whatever wrote it: as a plan of plain layers.

Nothing of the file is run here: its operators are followed one by one, in its order.
"""

from collections.abc import Sequence
from pathlib import Path

from edgefashion.artifacts.inspection.onnx_file import Graph, Operation, Value, read_graph
from edgefashion.errors import ArtifactError
from edgefashion.escaping import visible
from edgefashion.files import reading
from edgefashion.importing.network.given import Given, Image, Refused, image_of, naming, single
from edgefashion.importing.network.plan import Array
from edgefashion.importing.network.walk import Walk
from edgefashion.importing.onnx.constants import RULES, Constants
from edgefashion.importing.onnx.layers import LAYERS
from edgefashion.importing.onnx.moves import PASSING


def read(path: Path, size: tuple[int, int] | None = None) -> Given:
    """The classifier in an `.onnx` file; `size` is height and width where the file leaves them open.

    Raises ArtifactError for a damaged file, and BadInput for one that is no classifier in float of images.
    """
    content = reading.map_model(path, ArtifactError)
    with naming(path, "ONNX"):
        graph = read_graph(content)
        _refuse_quantized(graph)
        value, image = _input(graph, size)
        constants = Constants(path, graph.constants, graph.external, len(content))
        reader = _Reader(image, value.name, constants)
        output = single(graph.outputs, "output").name
        for operation in _needed(graph, output):
            reader.step(operation, operation.inputs, operation.outputs)
        return reader.given(output, "ONNX")


def _refuse_quantized(graph: Graph) -> None:
    for operation in graph.operations:
        kind = operation.kind.removeprefix("com.microsoft.")
        if (
            "uantizeLinear" in kind
            or kind.startswith(("QLinear", "QGemm", "QAttention"))
            or "Integer" in kind
        ):
            raise Refused(f"is quantized already (it has {visible(operation.kind)}): name the model in float")


def _input(graph: Graph, size: tuple[int, int] | None) -> tuple[Value, Image]:
    value = single(graph.inputs, "input")
    last = any(each.kind == "Transpose" and value.name in each.inputs for each in graph.operations)
    return value, image_of(value.shape or (), value.dtype, size, last)


class _Reader(Walk[str, Operation]):
    """One graph on its way to a plan; a tensor's key is its name."""

    layers, computed, passing = LAYERS, RULES, PASSING
    sizes, open_batch = "Shape", 0

    def __init__(self, image: Image, source: str, constants: Constants) -> None:
        super().__init__(image, source, left_out="")
        self._constants = constants

    def constant(self, key: str) -> Array:
        if key not in self._constants:
            raise ValueError("an operator reads what none before it makes")
        return self._constants.array(key)

    def compute(self, operator: Operation, read: Sequence[Array]) -> Array:
        return self._constants.compute(operator, read)


def _needed(graph: Graph, output: str) -> list[Operation]:
    """The operators that the output hangs on."""
    names, needed = {output}, []
    for operation in reversed(graph.operations):
        if not names.isdisjoint(operation.outputs) and operation.outputs[0]:
            names |= set(operation.inputs)
            needed.append(operation)
    return needed[::-1]
