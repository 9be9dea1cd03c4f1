"""What the layers of an int8 TFLite model give."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ai_edge_litert.interpreter import Interpreter

from edgefashion.errors import ArtifactError
from edgefashion.export.debug.probe import Grid, Values, check_found, reshape_to
from edgefashion.export.graph.fused_layers import RESIZE, Step, find_step
from edgefashion.export.tflite import packing
from edgefashion.export.tflite.image_resize import RESIZED
from edgefashion.files import reading
from edgefashion.runtimes.base import Images
from edgefashion.tensorflow import quiet

MOVING = {"QUANTIZE", "RESHAPE", "PAD", "PADV2", "TRANSPOSE"}


class TFLiteProbe:
    """Follows `Probe`. LiteRT keeps every tensor and so gives its operators to XNNPACK one by one."""

    def __init__(self, path: Path, steps: Sequence[Step]) -> None:
        self._path = path
        self.grids: dict[str, Grid] = {}
        self._steps = {step.name: step for step in steps}
        content = reading.read_bytes(path, "a model file", ArtifactError, reading.MODEL_BYTES)
        self._tensors = dict(_tensors(content, steps))
        check_found(path, self._tensors, steps)
        with quiet():
            self._interpreter = Interpreter(model_path=str(path), experimental_preserve_all_tensors=True)
        details = {entry["index"]: entry for entry in self._interpreter.get_tensor_details()}
        for name, index in self._tensors.items():
            scale, zero_point = details[index]["quantization"]
            self.grids[name] = Grid(scale, zero_point, details[index]["dtype"])

    def __call__(self, images: Images) -> dict[str, Values]:
        """See `Probe`."""
        self._run(images)
        return {
            name: reshape_to(
                self._path, self._steps[name], self.grids[name].values(self._interpreter.get_tensor(index))
            )
            for name, index in self._tensors.items()
        }

    def _run(self, images: Images) -> None:
        (image,) = self._interpreter.get_input_details()
        with quiet():
            if tuple(image["shape"]) != images.shape:
                self._interpreter.resize_tensor_input(image["index"], images.shape)
            self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(image["index"], images)
        self._interpreter.invoke()


def _tensors(content: bytes, steps: Sequence[Step]) -> Iterator[tuple[str, int]]:
    """The name of each step that is found, and the numbers of its tensors, the last of which it gives."""
    model = packing.unpack(content)
    graph = model.subgraphs[0]
    for operator in graph.operators:
        kind = packing.operator_kind(model, operator)
        (output, *_) = operator.outputs
        tensor = graph.tensors[output].name.decode()
        name = find_step(tensor, steps)
        if output in graph.outputs:
            name = steps[-1].name
        if kind == "RESIZE_BILINEAR" or tensor == RESIZED:
            yield RESIZE, int(output)
        elif name and kind not in MOVING:
            yield name, int(output)
