"""What each kind of layer of a Keras file is in the flat model."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from edgefashion.errors import BadInput
from edgefashion.escaping import visible
from edgefashion.importing.keras_activations import activate
from edgefashion.importing.keras_graph import Layer
from edgefashion.importing.keras_nodes import Json
from edgefashion.importing.tracing import Array, Ended, Tracing, Value

Draw = Callable[[Tracing, Layer, Any, list[Array]], Any]
"""What a layer makes of its input, or of a list of them, with its weights."""

_DOING_NOTHING = (
    *("Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "AlphaDropout"),
    *(
        "ActivityRegularization",
        "Identity",
        "RandomFlip",
        "RandomRotation",
        "RandomTranslation",
        "RandomZoom",
    ),
    *("RandomContrast", "RandomBrightness", "RandomColorJitter", "RandomColorDegeneration", "RandomErasing"),
    *("RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective"),
    *("RandomPosterization", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomElasticTransform"),
    *("RandAugment", "MixUp", "CutMix", "AugMix"),
)
"""At inference."""


def _nothing(trace: Tracing, layer: Layer, read: Any, _: list[Array]) -> Any:
    if layer.kind != "Identity":
        trace.left_out[layer.kind] = None
    return read


def _passed(kind: str, *names: str, **fixed: str) -> Draw:
    """A layer of the same kind that is told what the file says of it under these names."""

    def draw(trace: Tracing, layer: Layer, read: Any, weights: list[Array]) -> Any:
        config = {name: layer.config[name] for name in names if name in layer.config}
        renamed = {name: layer.config[old] for name, old in fixed.items() if old in layer.config}
        _check_layout(layer)
        return trace.draw(kind, read, {**config, **renamed}, weights, layer.name)

    return draw


_WINDOW = ("kernel_size", "strides", "padding", "dilation_rate")
_KERNEL_NAMES = {
    "Conv2D": (*_WINDOW, "filters", "groups", "use_bias"),
    "DepthwiseConv2D": (*_WINDOW, "depth_multiplier", "use_bias"),
    "Dense": ("units", "use_bias"),
}


def _kernel(trace: Tracing, layer: Layer, read: Any, weights: list[Array]) -> Any:
    """A layer with a kernel, and its activation behind it where the flat model has that on its own."""
    config: Json = {name: layer.config[name] for name in _KERNEL_NAMES[layer.kind] if name in layer.config}
    _check_layout(layer)
    fused = layer.config.get("activation") == "relu"
    made = trace.draw(
        layer.kind, read, {**config, "activation": "relu" if fused else "linear"}, weights, layer.name
    )
    return made if fused else _activated(trace, layer, made)


def _activated(trace: Tracing, layer: Layer, value: Any) -> Any:
    """What the activation that a layer was told to have makes of a value."""
    found = layer.config.get("activation")
    if isinstance(found, dict) and found.get("class_name") in ACTIVATION_LAYERS:
        inner = Layer(found["class_name"], found["config"], (*layer.path, found["class_name"]))
        return LAYERS[inner.kind](trace, inner, value, [])
    name = f"{layer.name}_activation" if layer.kind != "Activation" else layer.name
    return activate(trace, found or "linear", value, name)


def _separable(trace: Tracing, layer: Layer, read: Any, weights: list[Array]) -> Any:
    """A depthwise convolution and a 1x1 one."""
    depthwise, *others = weights
    config = {name: layer.config[name] for name in (*_WINDOW, "depth_multiplier") if name in layer.config}
    _check_layout(layer)
    name = f"{layer.name}_depthwise"
    inner = trace.draw("DepthwiseConv2D", read, {**config, "use_bias": False}, [depthwise], name)
    one = {"filters": layer.config["filters"], "kernel_size": (1, 1), "use_bias": len(others) > 1}
    return _activated(trace, layer, trace.draw("Conv2D", inner, one, others, layer.name))


def _batch_normalization(trace: Tracing, layer: Layer, read: Value, weights: list[Array]) -> Any:
    axis = layer.config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if axis not in (-1, len(read.shape)):
        raise BadInput(f"{visible(layer.name)} normalizes axis {visible(str(axis))} instead of the channels")
    if layer.config.get("renorm") or layer.config.get("virtual_batch_size"):
        raise BadInput(f"{visible(layer.name)} is a batch normalization of batches inside a batch")
    config: Json = {
        name: layer.config[name] for name in ("epsilon", "center", "scale") if name in layer.config
    }
    return trace.draw("BatchNormalization", read, config, weights, layer.name)


def _rescaling(trace: Tracing, layer: Layer, read: Value, _: list[Array]) -> Any:
    return read.scaled(constant(layer.config["scale"]), constant(layer.config.get("offset", 0.0)))


def _normalization(trace: Tracing, layer: Layer, read: Value, weights: list[Array]) -> Any:
    """(x - mean) / deviation of each channel, a deviation of 1e-7 at least."""
    import numpy as np

    if layer.config.get("invert"):
        raise BadInput(f"{visible(layer.name)} is a Normalization that is inverted")
    mean, variance = (
        weights[:2] if weights else (constant(layer.config[each]) for each in ("mean", "variance"))
    )
    deviation = np.maximum(np.sqrt(np.asarray(variance, np.float32)), 1e-7)
    return read.scaled(1 / deviation, -np.asarray(mean, np.float32) / deviation)


def _resizing(trace: Tracing, layer: Layer, read: Value, _: list[Array]) -> Any:
    """At the beginning it is left to who makes the images; later on it may enlarge by a whole factor."""
    height, width = int(layer.config["height"]), int(layer.config["width"])
    if not isinstance(read, Value) or len(read.shape) < 2:
        raise BadInput(f"{visible(layer.name)} resizes what is no image")
    if read.shape[:2] == (height, width):
        return read
    if read.is_image:
        trace.notes.append(
            f"It resizes its images to {height}x{width} ({visible(str(layer.config.get('interpolation')))}): "
            "here they are given in that size"
        )
        return Value((height, width, *read.shape[2:]), None, read.scale, read.offset, read.bgr)
    size = tuple(
        new // old if old and new % old == 0 else 0
        for new, old in zip((height, width), read.shape, strict=False)
    )
    if not all(size):
        raise BadInput(f"{visible(layer.name)} resizes inside the model by other than whole factors")
    config = {"size": size, "interpolation": layer.config.get("interpolation", "bilinear")}
    return trace.draw("UpSampling2D", read, config, (), layer.name)


def _same_size(trace: Tracing, layer: Layer, read: Value, weights: list[Array]) -> Any:
    """A crop that keeps all, or, of the image, one that is left to who makes the images."""
    if read.is_image and read.shape[:2] != (layer.config["height"], layer.config["width"]):
        raise BadInput(f"{visible(layer.name)} crops its image: leave it out of the model")
    return _nothing(trace, layer, read, weights)


def _relu(trace: Tracing, layer: Layer, read: Any, _: list[Array]) -> Any:
    if float(layer.config.get("threshold") or 0) != 0:
        raise BadInput(f"{visible(layer.name)} is a ReLU with a threshold")
    most, slope = layer.config.get("max_value"), float(layer.config.get("negative_slope") or 0)
    if most == 6 and not slope:
        return activate(trace, "relu6", read, layer.name)
    return trace.draw("ReLU", read, {"max_value": most, "negative_slope": slope}, (), layer.name)


def _leaky_relu(trace: Tracing, layer: Layer, read: Any, _: list[Array]) -> Any:
    slope = layer.told("negative_slope", "alpha", default=0.3)
    return trace.draw("LeakyReLU", read, {"alpha": float(constant(slope))}, (), layer.name)


def _elu(trace: Tracing, layer: Layer, read: Any, _: list[Array]) -> Any:
    if float(layer.config.get("alpha", 1.0)) != 1:
        raise BadInput(f"{visible(layer.name)} is an ELU whose alpha is not 1")
    return activate(trace, "elu", read, layer.name)


def _softmax(trace: Tracing, layer: Layer, read: Value, _: list[Array]) -> Any:
    if layer.config.get("axis", -1) not in (-1, len(read.shape), [-1]):
        raise BadInput(f"{visible(layer.name)} is a softmax over another axis than the last")
    return Ended("softmax", read)


def _flatten(trace: Tracing, layer: Layer, read: Any, _: list[Array]) -> Any:
    if isinstance(read, Ended):  # one row of numbers in either shape
        return Ended(read.ending, _flatten(trace, layer, read.logits, []))
    if len(read.shape) == 1:
        return read
    return trace.draw("Flatten", read, {}, (), layer.name)


def _reshape(trace: Tracing, layer: Layer, read: Any, _: list[Array]) -> Any:
    """The layer, or the operator, whose shape begins with the batch."""
    if "target_shape" in layer.config:
        return reshape(trace, read, tuple(layer.config["target_shape"]), layer.name)
    batch, *shape = constant(layer.told("newshape", "shape"))
    size, count = (math.prod(each) for each in (shape, read.shape if isinstance(read, Value) else (0,)))
    if batch not in (-1, None) or (size != count and -1 not in shape) or (batch == -1 and -1 in shape):
        raise BadInput(f"{visible(layer.name)} reshapes what belongs to several images")
    return reshape(trace, read, tuple(shape), layer.name)


def reshape(trace: Tracing, read: Any, shape: tuple[int, ...], name: str) -> Any:
    """The same numbers in another shape, without the batch."""
    if isinstance(read, Ended):
        return Ended(read.ending, reshape(trace, read.logits, shape, name))
    if read.is_image and len(read.shape) == 2 and shape == (*read.shape, 1):
        return Value(shape, None, read.scale, read.offset)
    if shape == read.shape:
        return read
    return trace.draw("Reshape", read, {"target_shape": shape}, (), name)


def constant(found: Any) -> Any:
    """A number or an array in a configuration, as lists."""
    if isinstance(found, Mapping):
        found = found["config"]["value"]
    return found


def _check_layout(layer: Layer) -> None:
    if layer.config.get("data_format", "channels_last") not in ("channels_last", None):
        raise BadInput(f"{visible(layer.name)} has its channels first: save the model with channels_last")


_POOL = ("pool_size", "strides", "padding")
ACTIVATION_LAYERS: dict[str, Draw] = {
    "ReLU": _relu,
    "LeakyReLU": _leaky_relu,
    "ELU": _elu,
    "Softmax": _softmax,
}
LAYERS: dict[str, Draw] = {
    **dict.fromkeys(_DOING_NOTHING, _nothing),
    **dict.fromkeys(("CenterCrop", "RandomCrop"), _same_size),
    **dict.fromkeys(_KERNEL_NAMES, _kernel),
    **dict.fromkeys(("BatchNormalization", "SyncBatchNormalization"), _batch_normalization),
    **dict.fromkeys(("BatchNormalizationV1", "BatchNormalizationV2"), _batch_normalization),
    **ACTIVATION_LAYERS,
    "SeparableConv2D": _separable,
    "Rescaling": _rescaling,
    "Normalization": _normalization,
    "Resizing": _resizing,
    "Activation": lambda trace, layer, read, _: _activated(trace, layer, read),
    "PReLU": _passed("PReLU", "shared_axes"),
    "ZeroPadding2D": _passed("ZeroPadding2D", "padding"),
    "Cropping2D": _passed("Cropping2D", "cropping"),
    "MaxPooling2D": _passed("MaxPooling2D", *_POOL),
    "AveragePooling2D": _passed("AveragePooling2D", *_POOL),
    "GlobalAveragePooling2D": _passed("GlobalAveragePooling2D", "keepdims"),
    "GlobalMaxPooling2D": _passed("GlobalMaxPooling2D", "keepdims"),
    "UpSampling2D": _passed("UpSampling2D", "size", "interpolation"),
    "Permute": _passed("Permute", "dims"),
    "Average": _passed("Average"),
    "Flatten": _flatten,
    "Reshape": _reshape,
}
