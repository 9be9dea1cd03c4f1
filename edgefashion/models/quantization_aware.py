"""Architectures for quantization-aware training: in training the model computes as it will on the device.

The model is the folded one that is deployed, so there is no batch normalization left to handle, and every
number an int8 runtime would hold is rounded to where it would lie (Jacob et al. 2018, section 3):

    input        the raw pixel: its scale and zero point are the normalization, fixed
    weights      symmetric, 8 bits, a scale for each output channel, from the weights as they are now
    activations  8 bits, one range a tensor, a moving average of what the batches hold

Importing this module lets Keras load such models.
"""

from dataclasses import replace
from typing import Any

from edgefashion.errors import BadInput, MissingExtra
from edgefashion.errors.wording import setting
from edgefashion.figures import undisturbed
from edgefashion.models import replicas
from edgefashion.models.activations import HardSigmoid, is_clamp
from edgefashion.models.architecture import Architecture, Normalization, unwrapped
from edgefashion.models.batch_norm_folding import readers_of, rebuild
from edgefashion.models.hard_activations import without_sixths
from edgefashion.models.twins import merge_twins
from edgefashion.task import Task
from edgefashion.tensorflow import keras, tf

try:
    with undisturbed():
        import tensorflow_model_optimization as tfmot
except ModuleNotFoundError as error:
    raise MissingExtra(f"Quantization-aware training needs {error.name}", "train") from error

# tfmot's own quantizers start every range at [-6, 6] and remember 1,000 steps, more than one epoch has;
# here a range starts with the first batch and remembers 100.
RANGE_MEMORY = 0.99
# They move values, or average them: what comes out has the range of what went in.
UNCHANGING = (
    *(keras.layers.MaxPooling2D, keras.layers.AveragePooling2D, keras.layers.GlobalMaxPooling2D),
    *(keras.layers.ZeroPadding2D, keras.layers.Cropping2D, keras.layers.UpSampling2D),
    *(keras.layers.Flatten, keras.layers.Reshape, keras.layers.Permute),
)
register = keras.saving.register_keras_serializable("edgefashion")


def quantized(architecture: Architecture) -> Architecture:
    """A deployed classifier, trained quantization-aware: `build` takes the path of a trained float model."""

    def build(task: Task, weights: str | None) -> keras.Model:
        return quantize(architecture.build(task, weights), architecture.normalization)

    def resize(images: Any) -> Any:
        return architecture.resize(round_to_pixels(images, architecture.normalization))

    return replace(architecture, build=build, expand=resize, resize=resize)


def quantize(model: keras.Model, normalization: Normalization) -> keras.Model:
    """A model that rounds as int8 inference does, with the weights of the float model given.

    Takes and gives what that one does. The ranges of its activations are known after a training step.
    Raises BadInput for layers that are computed in several steps, of which training learns no ranges.
    """
    model = merge_twins(without_sixths(model))
    _check(model)
    rectified = _rectified(model)

    def make(layer: keras.layers.Layer) -> keras.layers.Layer:
        copy = type(layer).from_config(layer.get_config())
        if isinstance(layer, UNCHANGING):
            return copy
        config = Int8Config(_kernel_name(layer), output=layer.name not in rectified)
        return Int8(copy, config, name_prefix="")

    pixels = PixelRounding(normalization.scale, normalization.zero_point, name="pixels")
    result = rebuild(model, make, first=[pixels])
    for layer in result.layers:
        if isinstance(layer, Int8):
            weights = model.get_layer(layer.name).get_weights()
            for variable, value in zip(layer.trainable_weights, weights, strict=True):
                variable.assign(value)
    return result


def without_rounding(model: keras.Model) -> keras.Model:
    """The float model inside a quantization-aware one, its kernels as rounding leaves them.

    Takes what that one does, and computes what it does but for the rounding of activations and pixels.
    """

    def make(layer: keras.layers.Layer) -> keras.layers.Layer | None:
        if isinstance(layer, PixelRounding):
            return None
        inner = unwrapped(layer)
        return type(inner).from_config(inner.get_config())

    result = rebuild(model, make)
    for layer in result.layers:
        wrapper = model.get_layer(layer.name)
        if isinstance(wrapper, Int8) and layer.weights:
            kernel, *others = wrapper.trainable_weights
            rounded = ChannelQuantizer(wrapper.quantize_config.kernel == "depthwise_kernel")(
                kernel, False, {}
            )
            layer.set_weights([rounded, *others])
    return result


def learned_ranges(model: keras.Model) -> dict[str, tuple[float, float]]:
    """The lowest and highest value of each layer's output that training settled on, by layer name."""
    found = {}
    for layer in model.layers:
        if isinstance(layer, Int8) and layer.quantize_config.output:
            ends = {weight.name.rsplit("_", 1)[-1].split(":")[0]: weight for weight in layer.weights}
            found[layer.name] = (float(ends["low"]), float(ends["high"]))
    return found


def round_to_pixels(values: Any, normalization: Normalization) -> Any:
    """Move normalized values to the nearest normalized pixel: float32 tensor of any shape → the same."""
    low, high = normalization.range
    return tf.quantization.fake_quant_with_min_max_args(values, low, high)


def _check(model: keras.Model) -> None:
    """Raise BadInput for layers that a runtime does not compute in one step."""
    found = [f"{layer.name} ({_several(layer)})" for layer in model.layers if _several(layer)]
    if found:
        raise BadInput(
            f"quantization-aware training cannot round within the layers {', '.join(found)}: export int8 of "
            "the run as it is, and where that loses too much, leave layers in float with "
            f"{setting('--keep-float')}"
        )


def _several(layer: keras.layers.Layer) -> str | None:
    """What a layer computes in several steps, in a word; None where it is one."""
    if isinstance(layer, HardSigmoid):
        return "hard sigmoid"
    if isinstance(layer, keras.layers.Activation):
        name = str(keras.activations.serialize(layer.activation))
        return name if name in ("elu", "softplus") else None
    limited = isinstance(layer, keras.layers.ReLU) and layer.max_value not in (None, 6)
    return f"ReLU up to {layer.max_value:g}" if limited else None


def _rectified(model: keras.Model) -> set[str]:
    """The layers that a ReLU alone reads; a runtime computes both in one, with the range of the ReLU."""
    readers = readers_of(model)
    return {
        layer.name
        for layer in model.layers
        if [is_clamp(reader) for reader in readers.get(id(layer.output), [])] == [True]
    }


def _kernel_name(layer: keras.layers.Layer) -> str | None:
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return "depthwise_kernel"
    return "kernel" if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense) else None


@register
class Int8(tfmot.quantization.keras.QuantizeWrapperV2):
    """A layer that rounds what its `Int8Config` says. A class of its own, so that Keras finds it by name."""


@register
class PixelRounding(keras.layers.Layer):
    """Rounds its input, normalized images of any shape, to pixels: the input of an int8 model."""

    def __init__(self, scale: float, zero_point: int, **options: Any) -> None:
        super().__init__(**options)
        self.normalization = Normalization(scale, zero_point)

    def call(self, images: Any) -> Any:
        """See `round_to_pixels`."""
        return round_to_pixels(images, self.normalization)

    def get_config(self) -> dict[str, Any]:
        """What `__init__` takes."""
        own = {"scale": self.normalization.scale, "zero_point": self.normalization.zero_point}
        return {**super().get_config(), **own}


class _Quantizer(tfmot.quantization.keras.quantizers.Quantizer):
    """A quantizer of the values that the layers it serves hold; its variables belong to them."""

    def build(self, tensor_shape: Any, name: str, layer: keras.layers.Layer) -> dict[str, Any]:
        """No variables."""
        return {}

    def get_config(self) -> dict[str, Any]:
        """What `__init__` takes."""
        return {}


@register
class ChannelQuantizer(_Quantizer):
    """Rounds a kernel to 255 steps, -127 to 127, of a size of its own for each output channel.

    The gradient passes as if nothing had been rounded.
    """

    def __init__(self, depthwise: bool) -> None:
        self.axes = (0, 1) if depthwise else (0, 1, 2)

    def __call__(self, inputs: Any, training: bool, weights: dict[str, Any], **_: Any) -> Any:
        """float32 [..., channels] or, depthwise, [height, width, channels, 1] → the same shape."""
        axes = self.axes[: inputs.shape.rank - 1]
        step = tf.reduce_max(tf.abs(inputs), axes, keepdims=True) / 127
        rounded = tf.round(tf.math.divide_no_nan(inputs, step)) * step
        return inputs + tf.stop_gradient(rounded - inputs)


@register
class RangeQuantizer(_Quantizer):
    """Rounds a tensor to 256 steps between a low and a high value that follow the training batches."""

    def build(self, tensor_shape: Any, name: str, layer: keras.layers.Layer) -> dict[str, Any]:
        """The two ends of the range; equal as long as nothing was seen."""
        return {
            end: layer.add_weight(f"{name}_{end}", shape=(), initializer="zeros", trainable=False)
            for end in ("low", "high")
        }

    def __call__(self, inputs: Any, training: bool, weights: dict[str, Any], **_: Any) -> Any:
        """float32 tensor of any shape → the same shape."""
        low, high = (tf.convert_to_tensor(weights[end]) for end in ("low", "high"))
        if training:
            memory = tf.where(tf.equal(low, high), 0.0, RANGE_MEMORY)
            # int8 must be able to say 0 exactly, so it is always inside.
            seen = tf.minimum(tf.reduce_min(inputs), 0.0), tf.maximum(tf.reduce_max(inputs), 0.0)
            seen_low, seen_high = replicas.extremes(*seen)
            low = tf.stop_gradient(memory * low + (1 - memory) * seen_low)
            high = tf.stop_gradient(memory * high + (1 - memory) * seen_high)
            if replicas.keeps_variables():
                weights["low"].assign(low)
                weights["high"].assign(high)
        return tf.quantization.fake_quant_with_min_max_vars(inputs, low, high)


@register
class Int8Config(tfmot.quantization.keras.QuantizeConfig):
    """What is rounded in a layer: the weights called `kernel`, if any, and its output, unless it is fused
    with the next layer.
    """

    def __init__(self, kernel: str | None, output: bool) -> None:
        self.kernel, self.output = kernel, output

    def get_weights_and_quantizers(self, layer: keras.layers.Layer) -> list[tuple[Any, _Quantizer]]:
        """The kernel with its quantizer."""
        if self.kernel is None:
            return []
        return [(getattr(layer, self.kernel), ChannelQuantizer(self.kernel == "depthwise_kernel"))]

    def set_quantize_weights(self, layer: keras.layers.Layer, quantize_weights: list[Any]) -> None:
        """Let the layer compute with the rounded kernel."""
        for weights in quantize_weights:
            setattr(layer, str(self.kernel), weights)

    def get_activations_and_quantizers(self, layer: keras.layers.Layer) -> list[Any]:
        """None: an activation inside a layer is part of its output."""
        return []

    def set_quantize_activations(self, layer: keras.layers.Layer, quantize_activations: list[Any]) -> None:
        """Nothing to set."""

    def get_output_quantizers(self, layer: keras.layers.Layer) -> list[_Quantizer]:
        """One, or none."""
        return [RangeQuantizer()] if self.output else []

    def get_config(self) -> dict[str, Any]:
        """What `__init__` takes."""
        return {"kernel": self.kernel, "output": self.output}
