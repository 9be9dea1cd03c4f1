"""What the layers of an int8 ONNX model give."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import onnx
import onnxruntime

from edgefashion.keras import quiet
from edgefashion.runtimes.base import Images
from export.debug.probe import Grid, Values, check_complete, shaped, step_called
from export.debug.steps import RESIZE, Step
from export.graph import INPUT

MOVING = {"Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Pad"}


class OnnxProbe:
    """Follows `Probe`. What is quantized behind each layer becomes an output of the model; ONNX Runtime's
    integer kernels, which end there, stay as they are.
    """

    def __init__(self, path: Path, steps: Sequence[Step]) -> None:
        self._path = path
        self.grids: dict[str, Grid] = {}
        self._steps = {step.name: step for step in steps}
        model = onnx.load(path)
        constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        found = list(_quantizers(model, steps))
        check_complete(path, (name for name, _ in found), steps)
        self._outputs: dict[str, str] = {}
        for name, node in found:
            scale, zero_point = (constants[entry] for entry in node.input[1:])
            self.grids[name] = Grid(float(scale), int(zero_point), zero_point.dtype)
            self._outputs[name] = node.output[0]
            kind = onnx.helper.np_dtype_to_tensor_dtype(zero_point.dtype)
            model.graph.output.append(onnx.helper.make_tensor_value_info(node.output[0], kind, None))
        with quiet():
            self._session = onnxruntime.InferenceSession(
                model.SerializeToString(), providers=["CPUExecutionProvider"]
            )

    def __call__(self, images: Images) -> dict[str, Values]:
        """See `Probe`."""
        found = self._session.run(list(self._outputs.values()), {INPUT: images})
        given = {}
        for name, integers in zip(self._outputs, found, strict=True):
            last = integers.transpose(0, 2, 3, 1) if integers.ndim == 4 else integers
            given[name] = shaped(self._path, self._steps[name], self.grids[name].values(last))
        return given


def _quantizers(model: onnx.ModelProto, steps: Sequence[Step]) -> Iterator[tuple[str, onnx.NodeProto]]:
    """The name of each step that is found, and the QuantizeLinear of its output."""
    makers = {name: node for node in model.graph.node for name in node.output}
    (output,) = model.graph.output
    last = makers[output.name].input[0]
    for node in model.graph.node:
        if node.op_type != "QuantizeLinear" or node.input[0] not in makers:
            continue
        kind = makers[node.input[0]].op_type
        name = step_called(node.input[0], steps)
        if node.output[0] == last:
            name = steps[-1].name
        if kind == "Resize":
            name = RESIZE
        if name and kind not in MOVING:
            yield name, node
