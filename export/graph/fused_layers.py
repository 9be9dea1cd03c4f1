"""A graph as the steps that a converted model computes one after the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from edgefashion.export.graph.graph import Graph
from edgefashion.export.graph.layers import MOVING
from edgefashion.models.activations import is_clamp
from edgefashion.models.batch_norm_folding import readers_of
from edgefashion.tensorflow import keras, tf

INPUT, RESIZE = "input", "resize"
"""The normalized image, where a step names what it reads, and the step that enlarges it."""


@dataclass(frozen=True)
class Step:
    """A layer that computes, with what a converter may fuse it with: padding before, ReLU behind.

    layers: the names of those in it that compute; its own is that of the first.
    shape: of its output, without the batch.
    sources: the steps it reads, or INPUT.
    compute: their outputs, float32 [N, ...] each, → its own.
    """

    name: str
    kind: str
    layers: frozenset[str]
    shape: tuple[int, ...]
    sources: tuple[str, ...]
    compute: Callable[..., Any]

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """Its output, from the outputs of the steps before it by their names."""
        return self.compute(*(values[source] for source in self.sources))


def steps_of(graph: Graph) -> list[Step]:
    """The steps from normalized images to logits, each after those that it reads."""
    model = graph.deployed
    found = []
    if tuple(model.input_shape[1:]) != graph.task.image_shape:
        shape = tuple(model.input_shape[1:])
        found.append(Step(RESIZE, "Resize", frozenset({RESIZE}), shape, (INPUT,), graph.resize))
    # By the identity of a tensor: the step it comes from, and that step's output, which it may be moved from.
    origins = {id(model.input): (found[0].name if found else INPUT, model.input)}
    rectifiers = _rectifiers(model)
    fused = {layer.name for layer in rectifiers.values()}
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer) or layer.name in fused:
            continue
        inputs = tf.nest.flatten(layer.input)
        if isinstance(layer, MOVING):
            origins[id(layer.output)] = origins[id(inputs[0])]
            continue
        last = rectifiers.get(id(layer.output), layer)
        step, output = _step(layer, last, [origins[id(i)] for i in inputs])
        origins[id(output)] = (step.name, output)
        found.append(step)
    return found


def _rectifiers(model: keras.Model) -> dict[int, keras.layers.Layer]:
    """The ReLU that alone reads what a layer computes, by the id of that."""
    readers = readers_of(model)
    moved = {id(layer.output) for layer in model.layers if isinstance(layer, MOVING)} | {id(model.input)}
    return {
        tensor: layers[0]
        for tensor, layers in readers.items()
        if len(layers) == 1 and is_clamp(layers[0]) and tensor not in moved
    }


def find_step(tensor: str, steps: Sequence[Step]) -> str | None:
    """The step that gives a tensor, from the tensor's name; None where it names no step, or several.

    Converters keep the names of TensorFlow's operations, `model/layer/Operation`, those of fused ones
    separated by semicolons.
    """
    parts = {part for path in tensor.split(";") for part in path.split("/")[1:2]}
    found = [step.name for step in steps if step.layers & parts]
    return found[0] if len(found) == 1 else None


def _step(
    layer: keras.layers.Layer, last: keras.layers.Layer, read: list[tuple[str, Any]]
) -> tuple[Step, Any]:
    """The step from `layer` to `last` and the tensor it gives, from the names and tensors it reads."""
    step = Step(
        name=layer.name,
        kind=type(layer).__name__,
        layers=frozenset({layer.name, last.name}),
        shape=tuple(last.output_shape[1:]),
        sources=tuple(name for name, _ in read),
        compute=partial(_run, keras.Model([tensor for _, tensor in read], last.output)),
    )
    return step, last.output


def _run(model: keras.Model, *inputs: Any) -> Any:
    return model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
