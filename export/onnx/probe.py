"""What the layers of an int8 ONNX model give."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from edgefashion.export.debug.probe import Grid, Values, check_found, reshape_to
from edgefashion.export.graph.fused_layers import RESIZE, Step, find_step
from edgefashion.export.graph.graph import INPUT, OUTPUT
from edgefashion.export.onnx.integer_io import RESIZED
from edgefashion.export.onnx.keep_float import MOVING
from edgefashion.runtimes.base import Images
from edgefashion.tensorflow import quiet


class OnnxProbe:
    """Follows `Probe`. What is quantized behind each layer becomes an output of the model; ONNX Runtime's
    integer kernels, which end there, stay as they are. The logits may be float32.
    """

    def __init__(self, path: Path, steps: Sequence[Step]) -> None:
        self._path = path
        self.grids: dict[str, Grid] = {}
        self._steps = {step.name: step for step in steps}
        model = onnx.load(path)
        constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        found = {name: (tensor, parameters) for name, tensor, parameters in _integers(model, steps)}
        check_found(path, found, steps)
        self._outputs: dict[str, str] = {}
        for name, (tensor, parameters) in found.items():
            scale, zero_point = (constants[entry] for entry in parameters)
            self.grids[name] = Grid(float(scale), int(zero_point), zero_point.dtype)
            self._outputs[name] = tensor
            kind = onnx.helper.np_dtype_to_tensor_dtype(zero_point.dtype)
            model.graph.output.append(onnx.helper.make_tensor_value_info(tensor, kind, None))
        if (last := steps[-1].name) not in self.grids:
            self.grids[last], self._outputs[last] = Grid(1.0, 0, np.float32), OUTPUT
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
            if name == RESIZE:
                last = integers.reshape(-1, *self._steps[name].shape)
            given[name] = reshape_to(self._path, self._steps[name], self.grids[name].values(last))
        return given


def _integers(model: onnx.ModelProto, steps: Sequence[Step]) -> Iterator[tuple[str, str, Sequence[str]]]:
    """The name of each step that is found, the tensor of its output, and those of scale and zero point."""
    makers = {name: node for node in model.graph.node for name in node.output}
    last = makers[OUTPUT].input[0]
    for node in model.graph.node:
        if node.output[0] == RESIZED:
            yield RESIZE, RESIZED, node.input[-2:]
        if node.op_type != "QuantizeLinear" or node.input[0] not in makers:
            continue
        name = steps[-1].name if node.output[0] == last else find_step(node.input[0], steps)
        if name and makers[node.input[0]].op_type not in MOVING:
            yield name, node.output[0], node.input[1:]
