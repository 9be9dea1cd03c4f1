"""Kinds of layers, and the first kernel of a model."""

from edgefashion.tensorflow import keras

MULTIPLYING = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense)
"""Those with a kernel; converters compute them in integers, or leave them in float."""
MOVING = (
    *(keras.layers.ZeroPadding2D, keras.layers.Cropping2D, keras.layers.Flatten),
    *(keras.layers.Reshape, keras.layers.Permute),
)
"""Those that only move values."""
_POOLING = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D, keras.layers.GlobalAveragePooling2D)


def is_depthwise(layer: keras.layers.Layer) -> bool:
    """Whether each of its output channels reads one input channel."""
    return isinstance(layer, keras.layers.DepthwiseConv2D)


def first_kernel(model: keras.Model) -> keras.layers.Layer | None:
    """The layer whose kernel may take over a positive factor of the model's input: all before it only moves
    or pools values. None where there is none, or several layers read the input.
    """
    tensor = model.input
    while True:
        readers = [layer for layer in model.layers if layer.input is tensor and layer.output is not tensor]
        if len(readers) != 1:
            return None
        (layer,) = readers
        if isinstance(layer, MULTIPLYING):
            return layer
        if not isinstance(layer, MOVING + _POOLING):
            return None
        tensor = layer.output
