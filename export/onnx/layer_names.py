"""Names of layers for what tf2onnx has new names for: the outputs of convolutions, mostly depthwise, whose
bias it moves into them and that no ReLU follows.
"""

from collections.abc import Iterator, Sequence

import onnx

from edgefashion.export.graph.fused_layers import Step, find_step, steps_of
from edgefashion.export.graph.graph import OUTPUT, Graph
from edgefashion.export.onnx.keep_float import MOVING

CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D")


def restore_names(model: onnx.ModelProto, graph: Graph) -> None:
    """Call the output of each convolution of a float model made from `graph` after its layer, where what it
    reads and what reads it leaves no doubt.
    """
    steps = steps_of(graph)
    computing = [node for node in model.graph.node if node.op_type not in MOVING]
    named = {find_step(node.output[0], steps) for node in computing}
    unnamed = [step for step in steps if step.name not in named and step.kind in CONVOLUTIONS]
    owners: dict[str, str | None] = {}
    for node in model.graph.node:
        (output, *_) = node.output
        source, own = owners.get(node.input[0]), find_step(output, steps)
        if node.op_type == "Conv" and own is None and output != OUTPUT:
            readers = set(_readers(model, output, steps))
            fitting = [
                step
                for step in unnamed
                if source in (None, *step.sources)
                and all(step.name in reader.sources for reader in steps if reader.name in readers)
            ]
            if len(fitting) == 1:
                (step,) = fitting
                unnamed.remove(step)
                own = step.name
                _rename(model, output, f"{graph.deployed.name}/{own}/BiasAdd:0")
        owners[node.output[0]] = source if node.op_type in MOVING else own


def _readers(model: onnx.ModelProto, tensor: str, steps: Sequence[Step]) -> Iterator[str | None]:
    """The steps that read a tensor, as far as names say it."""
    for node in model.graph.node:
        if tensor in node.input:
            if node.op_type in MOVING:
                yield from _readers(model, node.output[0], steps)
            else:
                yield find_step(node.output[0], steps)


def _rename(model: onnx.ModelProto, tensor: str, name: str) -> None:
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = [name if each == tensor else each for each in names]
    for value in model.graph.value_info:
        if value.name == tensor:
            value.name = name
