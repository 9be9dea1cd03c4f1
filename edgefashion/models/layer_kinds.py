"""The kinds of layers that a model of somebody else's may have here, and what each may be told.

A layer is made from what its kind names below and from nothing else that a file says of it: no initializer,
constraint or module of a stranger's choosing is looked up.
"""

import math
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, ValidationError, convert, structs

from edgefashion.errors import BadInput
from edgefashion.escaping import visible
from edgefashion.files.parsers import first_line
from edgefashion.models.activations import HardSigmoid, HardSwish
from edgefashion.tensorflow import keras

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]*\Z", max_length=200)]
Size = Annotated[int, Meta(ge=1, le=1 << 24)]
Margin = Annotated[int, Meta(ge=0, le=1 << 16)]
Pair = tuple[Size, Size]
Margins = tuple[tuple[Margin, Margin], tuple[Margin, Margin]]
Padding = Literal["valid", "same"]
Last = Literal["channels_last"]
Slope = Annotated[float, Meta(ge=-1e6, le=1e6)]


class Layer(Struct, frozen=True, kw_only=True):
    """What every layer is told."""

    name: Name


class _Image(Layer, frozen=True, kw_only=True):
    data_format: Last = "channels_last"


class _Kernel(Layer, frozen=True, kw_only=True):
    use_bias: bool = True
    activation: Literal["linear", "relu"] = "linear"


class _Convolution(_Kernel, frozen=True, kw_only=True):
    kernel_size: Pair
    strides: Pair = (1, 1)
    padding: Padding = "valid"
    dilation_rate: Pair = (1, 1)
    data_format: Last = "channels_last"


class Conv2D(_Convolution, frozen=True, kw_only=True):
    """Convolution, in groups of channels too."""

    filters: Size
    groups: Size = 1


class DepthwiseConv2D(_Convolution, frozen=True, kw_only=True):
    """One filter, or several, for each channel."""

    depth_multiplier: Size = 1


class Dense(_Kernel, frozen=True, kw_only=True):
    """A product with a matrix, along the last axis."""

    units: Size


class BatchNormalization(Layer, frozen=True, kw_only=True):
    """Of the last axis."""

    epsilon: Annotated[float, Meta(ge=0, le=1)] = 1e-3
    center: bool = True
    scale: bool = True


class Activation(Layer, frozen=True, kw_only=True):
    """A function of each number, as `tf_keras.activations` has it; gelu is the exact one."""

    activation: Literal["linear", "sigmoid", "tanh", "swish", "gelu", "elu", "softplus"]


class ReLU(Layer, frozen=True, kw_only=True):
    """Between 0 and `max_value`; below 0 a straight line where there is a slope."""

    max_value: Annotated[float, Meta(gt=0, le=1e6)] | None = None
    negative_slope: Annotated[float, Meta(ge=0, le=1e6)] = 0.0


class LeakyReLU(Layer, frozen=True, kw_only=True):
    """ReLU with a slope below 0."""

    alpha: Annotated[float, Meta(ge=0, le=1e6)] = 0.3


class PReLU(Layer, frozen=True, kw_only=True):
    """LeakyReLU whose slopes are weights."""

    shared_axes: tuple[Annotated[int, Meta(ge=1, le=3)], ...] | None = None


class Concatenate(Layer, frozen=True, kw_only=True):
    """Tensors side by side."""

    axis: Annotated[int, Meta(ge=-3, le=3)] = -1


class ZeroPadding2D(_Image, frozen=True, kw_only=True):
    """Rows above and below, columns left and right."""

    padding: Margins


class Cropping2D(_Image, frozen=True, kw_only=True):
    """The same, taken away."""

    cropping: Margins


class Pooling2D(_Image, frozen=True, kw_only=True):
    """The largest or the mean of a window, of what lies inside the image."""

    pool_size: Pair
    strides: Pair
    padding: Padding = "valid"


class GlobalPooling2D(_Image, frozen=True, kw_only=True):
    """The largest or the mean of all rows and columns."""

    keepdims: bool = False


class Reshape(Layer, frozen=True, kw_only=True):
    """The same numbers in another shape."""

    target_shape: tuple[Annotated[int, Meta(ge=-1, le=1 << 24)], ...]


class Permute(Layer, frozen=True, kw_only=True):
    """Axes in another order, counted from 1 behind the batch."""

    dims: tuple[Annotated[int, Meta(ge=1, le=3)], ...]


class UpSampling2D(_Image, frozen=True, kw_only=True):
    """Enlarged by whole factors."""

    size: Pair
    interpolation: Literal["nearest", "bilinear"] = "nearest"


KINDS: dict[str, tuple[type[Layer], Any]] = {
    **{
        kind.__name__: (kind, getattr(keras.layers, kind.__name__))
        for kind in (
            *(Conv2D, DepthwiseConv2D, Dense, BatchNormalization, Activation, ReLU, LeakyReLU, PReLU),
            *(Concatenate, ZeroPadding2D, Cropping2D, Reshape, Permute, UpSampling2D),
        )
    },
    **{name: (Pooling2D, getattr(keras.layers, name)) for name in ("MaxPooling2D", "AveragePooling2D")},
    **{
        name: (GlobalPooling2D, getattr(keras.layers, name))
        for name in ("GlobalAveragePooling2D", "GlobalMaxPooling2D")
    },
    **{
        name: (Layer, getattr(keras.layers, name))
        for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Flatten")
    },
    "HardSigmoid": (Layer, HardSigmoid),
    "HardSwish": (Layer, HardSwish),
}
"""What a layer is told, and what makes it, by the name of its kind."""


def make(kind: str, config: Any) -> keras.layers.Layer:
    """A layer from JSON, of which only what its kind takes is looked at. Raises BadInput for another kind
    or value.
    """
    if kind not in KINDS:
        raise BadInput(f"it has a layer of the kind {visible(kind[:60])}, which cannot be read here")
    told, layer = KINDS[kind]
    try:
        checked = convert(config, told)
        return layer(**structs.asdict(checked), dtype="float32")
    except (ValidationError, ValueError, TypeError) as error:
        raise BadInput(f"a layer of the kind {kind} cannot be made: {visible(first_line(error))}") from error


def count_weights(layer: keras.layers.Layer, shape: tuple[int | None, ...]) -> int:
    """How many numbers a layer will hold, but for biases, once it reads tensors of a shape without batch."""
    channels = shape[-1] or 1
    count = 0
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        count = math.prod(layer.kernel_size) * channels * layer.depth_multiplier
    elif isinstance(layer, keras.layers.Conv2D):
        count = math.prod(layer.kernel_size) * channels * layer.filters // layer.groups
    elif isinstance(layer, keras.layers.Dense):
        count = channels * layer.units
    elif isinstance(layer, keras.layers.PReLU):
        shared = layer.shared_axes or ()
        count = math.prod(edge or 1 for axis, edge in enumerate(shape, 1) if axis not in shared)
    elif isinstance(layer, keras.layers.BatchNormalization):
        count = 4 * channels
    return count
