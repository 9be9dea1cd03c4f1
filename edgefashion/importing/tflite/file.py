"""Reads a classifier in float out of a `.tflite` file, whatever wrote it: as a plan of plain layers.

Nothing of the file is run here, see `importing.onnx.file`.
"""

from collections.abc import Sequence
from pathlib import Path

from edgefashion.artifacts.flatbuffer import Flatbuffer
from edgefashion.artifacts.inspection.tflite_file import (
    Buffer,
    Tensor,
    at_most,
    buffer_of,
    item_at,
    operator_kind,
    tensor_of,
)
from edgefashion.errors import ArtifactError
from edgefashion.files import reading
from edgefashion.importing.network.given import Given, Image, Refused, image_of, naming, single
from edgefashion.importing.network.plan import Array
from edgefashion.importing.network.walk import Walk
from edgefashion.importing.tflite.constants import RULES, array, compute
from edgefashion.importing.tflite.layers import LAYERS, PASSING
from edgefashion.importing.tflite.operators import Operator

OPEN = -1
INTEGERS = ("int8", "uint8", "int16", "int4")


def read(path: Path, size: tuple[int, int] | None = None) -> Given:
    """The classifier in a `.tflite` file; `size` is height and width where the file leaves them open.

    Raises ArtifactError for a damaged file, BadInput for one that is no classifier in float of images, and
    MissingExtra without LiteRT's package, which has the names of operators.
    """
    content = reading.map_model(path, ArtifactError)
    with naming(path, "TFLite"):
        return _read(content, size)


def _read(content: memoryview, size: tuple[int, int] | None) -> Given:
    model = Flatbuffer(content).root()
    graphs = model.tables(2)
    if not graphs:
        raise ValueError("it holds no graph")
    codes = [operator_kind(code) for code in model.tables(1)]
    buffers = [buffer_of(number, table, len(content)) for number, table in enumerate(model.tables(4))]
    tensors = [tensor_of(table) for table in at_most(graphs[0].tables(0), "tensors")]
    for tensor in tensors:
        if tensor.dtype in INTEGERS and any(tensor.scales):
            raise Refused("is quantized already: name the model in float")
    number = single(graphs[0].integers(1), "input")
    source = item_at(tensors, number)
    shape = [None if edge == OPEN else edge for edge in source.shape]
    image = image_of(shape, source.dtype, size, channels_last=True)
    reader = _Reader(image, number, tensors, buffers)
    for table in at_most(graphs[0].tables(3), "operators"):
        kind = item_at(codes, table.integer(0, "I"))
        outputs = table.integers(2)
        name = item_at(tensors, outputs[0]).name if outputs else ""
        reader.step(Operator(kind, table.table(4), name.split(";")[0]), table.integers(1), outputs)
    return reader.given(single(graphs[0].integers(2), "output"), "TFLite")


class _Reader(Walk[int, Operator]):
    """One graph on its way to a plan; a tensor's key is its number."""

    layers, computed, passing = LAYERS, RULES, PASSING
    sizes, open_batch = "SHAPE", OPEN

    def __init__(self, image: Image, source: int, tensors: list[Tensor], buffers: list[Buffer]) -> None:
        super().__init__(image, source, left_out=-1)
        self._tensors, self._buffers = tensors, buffers

    def constant(self, key: int) -> Array:
        tensor = item_at(self._tensors, key)
        buffer = item_at(self._buffers, tensor.buffer)
        if not buffer.size:
            raise ValueError("an operator reads what none before it makes")
        return array(tensor, buffer)

    def compute(self, operator: Operator, read: Sequence[Array]) -> Array:
        return compute(operator, read)
