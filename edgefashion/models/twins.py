"""Layers that compute the same of the same, merged: NASNet rectifies a tensor once for each that reads it.

Converters merge them too, and a file has the name of one.
"""

from collections.abc import Callable
from typing import Any

from edgefashion.models.batch_norm_folding import rebuild
from edgefashion.tensorflow import keras, tf


def merge_twins(model: keras.Model) -> keras.Model:
    """A model that computes what the flat `model` does; that itself where it has no two such layers."""
    first: dict[str, str] = {}
    twins = {}
    for layer in model.layers:
        if not layer.weights and not isinstance(layer, keras.layers.InputLayer):
            twins[layer.name] = first.setdefault(_told(layer), layer.name)
    if all(name == other for name, other in twins.items()):
        return model
    given: dict[str, Any] = {}

    def make(layer: keras.layers.Layer) -> Callable[[Any], Any]:
        name = twins.get(layer.name, layer.name)
        if name != layer.name:
            return lambda _: given[name]
        copy = type(layer).from_config(layer.get_config())

        def compute(values: Any) -> Any:
            given[name] = copy(values)
            return given[name]

        return compute

    result = rebuild(model, make)
    for layer in result.layers:
        layer.set_weights(model.get_layer(layer.name).get_weights())
    return result


def _told(layer: keras.layers.Layer) -> str:
    """What it is, and what it reads, but for its name."""
    config = {key: value for key, value in layer.get_config().items() if key != "name"}
    return str((type(layer), config, [id(tensor) for tensor in tf.nest.flatten(layer.input)]))
