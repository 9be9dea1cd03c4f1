"""How large an ONNX model's tensors are for a batch of one.

Most files tell the shapes of inputs and weights only; the rest follows from each operator's definition.
What follows from no rule, or hangs on a size that is open, stays unknown.
"""

from edgefashion.artifacts.inspection import onnx_rules, onnx_runtime_rules
from edgefashion.artifacts.inspection.base import Shape, checked_shape
from edgefashion.artifacts.inspection.onnx_file import Graph, Operation, Value
from edgefashion.artifacts.inspection.onnx_rules import Shapes

RULES = {**onnx_rules.RULES, **onnx_runtime_rules.RULES}
packed_weights = onnx_runtime_rules.packed_weights


def infer(graph: Graph) -> Shapes:
    """The shapes of all tensors for which there is one."""
    shapes: Shapes = {name: tensor.shape for name, tensor in graph.constants.items()}
    batches = set()
    for value in graph.inputs:
        if value.shape and not isinstance(value.shape[0], int):
            batches.add(value.shape[0])
        _settle(value, shapes, {*batches, None})
    for value in graph.between + graph.outputs:
        _settle(value, shapes, batches - {None})
    for operation in graph.operations:
        for name, shape in _made(operation, shapes, graph):
            if name:
                shapes.setdefault(name, shape)
    return shapes


def _made(operation: Operation, shapes: Shapes, graph: Graph) -> list[tuple[str, Shape]]:
    """The outputs, and the shapes of those for which there is a rule."""
    if not operation.outputs or all(name in shapes for name in operation.outputs):
        return []
    try:
        if operation.kind == "Split":
            found = onnx_rules.split(operation, shapes, graph)
        else:
            found = [RULES[operation.kind](operation, shapes, graph)]
        if operation.kind == "DynamicQuantizeLinear":
            found += [(), ()]
        whole = [checked_shape(shape) for shape in found if all(size >= 0 for size in shape)]
    except (LookupError, ArithmeticError, ValueError):  # an operand is unknown, or against the rules
        return []
    return list(zip(operation.outputs, whole, strict=False)) if len(whole) == len(found) else []


def _settle(value: Value, shapes: Shapes, batches: set[str | None]) -> None:
    """Take the shape that the file tells, with 1 for the batch, if that leaves nothing open."""
    if value.shape is None:
        return
    first = [1 if size in batches else size for size in value.shape[:1]]
    sizes = [size for size in (*first, *value.shape[1:]) if isinstance(size, int)]
    if len(sizes) == len(value.shape):
        shapes.setdefault(value.name, tuple(sizes))
