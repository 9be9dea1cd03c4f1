"""What MobileNetV3, EfficientNet, ResNeXt, DenseNet and NASNet are made of, in every file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion.artifacts.formats import QAT_PRECISIONS, Variant, variants
from edgefashion.data import Picture, Subset, Task
from edgefashion.errors import BadInput, VerificationError
from edgefashion.export.converters import converters_of, method_of
from edgefashion.export.debug.error import measure
from edgefashion.export.graph.fused_layers import steps_of
from edgefashion.export.graph.graph import Graph, for_integers
from edgefashion.export.onnx import onnx_model
from edgefashion.export.onnx.onnx_model import kernels
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization.calibration import RepresentativeDataset, representative_dataset
from edgefashion.export.source import Source
from edgefashion.export.tflite import tflite_model
from edgefashion.models.activations import HardSigmoid, HardSwish
from edgefashion.models.architecture import Normalization
from edgefashion.models.imported import architecture
from edgefashion.models.quantization_aware import quantize, quantized
from edgefashion.runtimes.content import run_content
from edgefashion.tensorflow import keras

TASK = Task("signs", (32, 32, 3), ("stop", "yield", "go"), Picture("crop", (255,) * 3, (0,) * 3))
NORMALIZATION = Normalization(1 / 127.5, 127)
OPTIONS = ExportOptions(calibration_images=30, calibration="min-max")
FILES = [each for each in variants() if each.precision not in QAT_PRECISIONS]
LIMITS = {"float32": 1e-4, "float16": 2e-3}

layers = keras.layers
Tensor = Any


def convolution(
    tensor: Tensor, channels: int, size: int = 1, name: str = "", activation: Any = layers.ReLU, **own: Any
) -> Tensor:
    """A convolution, depthwise where it has no channels, its normalization and activation."""
    kind = layers.Conv2D if channels else layers.DepthwiseConv2D
    first = {"filters": channels} if channels else {}
    options = {"padding": "same", "use_bias": False, **own}
    tensor = kind(kernel_size=size, name=name, **first, **options)(tensor)
    tensor = layers.BatchNormalization(name=f"{name}_norm")(tensor)
    return activation(name=f"{name}_act")(tensor) if activation else tensor


def squeeze(tensor: Tensor, name: str, inner: Any, outer: Any) -> Tensor:
    """Squeeze and excite: each channel times what the means of all say of it."""
    channels = tensor.shape[-1]
    means = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_pool")(tensor)
    means = inner(name=f"{name}_act")(layers.Conv2D(8, 1, name=f"{name}_reduce")(means))
    gates = outer(name=f"{name}_gate")(layers.Conv2D(channels, 1, name=f"{name}_expand")(means))
    return layers.Multiply(name=name)([tensor, gates])


def swish(name: str) -> keras.layers.Layer:
    return layers.Activation("swish", name=name)


def mobile(image: Tensor) -> Tensor:
    """An inverted residual block of MobileNetV3, and one of EfficientNet."""
    start = convolution(image, 8, 3, "stem", HardSwish, strides=2)
    deep = convolution(convolution(start, 16, name="expand", activation=HardSwish), 0, 5, "deep", HardSwish)
    deep = squeeze(deep, "se1", layers.ReLU, HardSigmoid)
    added = layers.Add(name="add")([start, convolution(deep, 8, name="project", activation=None)])
    padded = layers.ZeroPadding2D(((0, 1), (0, 1)), name="pad")(added)
    second = convolution(padded, 16, 3, "second", swish, strides=2, padding="valid")
    second = convolution(second, 0, 3, "deep2", swish)
    second = squeeze(second, "se2", swish, lambda name: layers.Activation("sigmoid", name=name))
    last = convolution(second, 24, name="last", activation=HardSwish)
    features = layers.Flatten(name="flat")(layers.GlobalAveragePooling2D(keepdims=True, name="pool")(last))
    return HardSwish(name="head_act")(layers.Dense(16, name="head")(features))


def dense(image: Tensor) -> Tensor:
    """The beginning of a ResNet, a block of ResNeXt, one of DenseNet and a cell of NASNet."""
    padded = layers.ZeroPadding2D(3, name="pad1")(image)
    start = convolution(padded, 16, 7, "stem7", strides=2, padding="valid")
    start = layers.MaxPooling2D(3, 2, name="max")(layers.ZeroPadding2D(1, name="pad2")(start))
    deep = convolution(convolution(start, 16, 3, "grouped", groups=4), 16, name="widen", activation=None)
    added = layers.ReLU(name="added_act")(layers.Add(name="added")([start, deep]))
    normal = layers.ReLU(name="normal_act")(layers.BatchNormalization(name="normal")(added))
    new = layers.Conv2D(8, 3, padding="same", use_bias=False, name="new")(normal)
    found = layers.AveragePooling2D(2, name="halve")(layers.Concatenate(name="both")([added, new]))
    cell = convolution(found, 12, name="squeezed", activation=None)
    sides = []
    for side, size in (("left", 5), ("right", 3)):
        part = layers.ReLU(name=f"{side}_act")(cell)
        part = layers.DepthwiseConv2D(size, padding="same", use_bias=False, name=f"{side}_deep")(part)
        sides.append(convolution(part, 12, name=side, activation=None))
    mean = layers.AveragePooling2D(3, 1, "same", name="mean")(cell)
    whole = layers.Concatenate(name="whole")([layers.Add(name="sides")(sides), mean, cell])
    small = layers.Flatten(name="flat7")(layers.ReLU(name="whole_act")(whole))
    return layers.Dense(12, activation="relu", name="head7")(small)


def build() -> keras.Model:
    """Both in one net, with statistics of batch normalization that are not those of a new one."""
    keras.utils.set_random_seed(0)
    image = keras.Input(TASK.image_shape, name="image")
    features = layers.Concatenate(name="features")([mobile(image), dense(image)])
    model = keras.Model(image, layers.Dense(3, name="logits")(features), name="net")
    random = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.0
            layer.beta.assign(random.normal(0, 0.3, layer.beta.shape))
            layer.gamma.assign(random.uniform(0.7, 1.3, layer.gamma.shape))
    return model


def pictures(count: int, seed: int) -> Subset:
    """Images of stripes, whose direction and color tell the class, in noise."""
    random = np.random.default_rng(seed)
    labels = (np.arange(count) % len(TASK.classes)).astype(TASK.label_dtype)
    rows, columns = np.mgrid[:32, :32]
    images = random.integers(0, 256, (count, *TASK.image_shape)) / 4
    for image, label in zip(images, labels, strict=True):
        stripes = np.sin((rows * (label + 1) + columns * (3 - label)) / 4 + random.uniform(0, 6))
        image[..., label] += 96 * (1 + stripes)
    images[:, 0, 0], images[:, -1, -1] = 0, 255
    return Subset(np.clip(images, 0, 255).astype(np.uint8), labels, np.arange(count))


@pytest.fixture(scope="module")
def graph() -> Graph:
    """The net that has seen images, and whose last layer tells their classes apart."""
    model, own = build(), architecture(NORMALIZATION, Path())
    train = pictures(60, 0)
    images = own.prepare(train.images)
    model(images, training=True)
    features = np.asarray(keras.Model(model.input, model.layers[-1].input)(images, training=False))
    ones = np.hstack([features, np.ones((len(features), 1), np.float32)])
    gram = ones.T @ ones
    gram += np.eye(len(gram), dtype=np.float32) * gram.trace() / len(gram) / 100
    solved = np.linalg.solve(gram, ones.T @ (4 * np.eye(3, dtype=np.float32)[train.labels]))
    model.layers[-1].set_weights([solved[:-1], solved[-1]])
    return Graph(TASK, model, own, own.fold(model, TASK), own.resize)


@pytest.fixture(scope="module")
def calibration() -> RepresentativeDataset:
    return representative_dataset(pictures(60, 0), TASK, NORMALIZATION, 30)


@pytest.fixture(scope="module")
def files(graph: Graph, calibration: RepresentativeDataset) -> dict[Variant, bytes]:
    return {each: method_of(each).converter(Source(graph, calibration), OPTIONS)("min-max") for each in FILES}


def error_of(content: bytes, format: str, graph: Graph) -> float:
    """The mean error of the logits, in deviations of those of the graph's Keras model."""
    unseen = pictures(60, 3).images
    found, _ = run_content(content, f"net.{format}", unseen)
    expected = graph.predict(unseen)
    return float(np.abs(found - expected).mean() / expected.std())


def test_every_file_gives_what_the_model_gives(graph: Graph, files: dict[Variant, bytes]) -> None:
    for variant, content in files.items():
        assert error_of(content, variant.format, graph) < LIMITS.get(variant.precision, 0.08), variant


def test_onnx_runtime_computes_every_layer_in_integers(files: dict[Variant, bytes]) -> None:
    """A ReLU of what others read too is a change of scale, with its clamp."""
    found = {kind for kind in kernels(files[Variant("onnx", "int8")]) if "QLinear" not in kind}
    moving = {"Transpose", "Reshape", "Squeeze", "NhwcMaxPool", "DequantizeLinear", "QuantizeLinear"}
    assert found - {"QGemm"} <= moving


def test_every_layer_is_found_in_the_int8_files(
    graph: Graph, files: dict[Variant, bytes], tmp_path: Path
) -> None:
    steps, probes = steps_of(for_integers(graph)), {}
    for variant, content in files.items():
        if variant.precision == "int8":
            path = tmp_path / f"net-int8.{variant.format}"
            path.write_bytes(content)
            probes[variant.format] = converters_of(variant.format).probe(path, steps)
    for tally in measure(steps, graph.normalization, probes, pictures(20, 3).images).values():
        assert tally.explained is not None and 0.2 < tally.explained < 5


@pytest.mark.parametrize(("format", "kept"), [("onnx", ("deep", "normal")), ("tflite", ("left_deep",))])
def test_layers_stay_in_float(
    graph: Graph, calibration: RepresentativeDataset, format: str, kept: tuple[str, ...]
) -> None:
    """That of a hard swish that tf2onnx gives no name, a batch normalization, and one without a bias."""
    options = replace(OPTIONS, keep_float=kept)
    content = method_of(Variant(format, "int8")).converter(Source(graph, calibration), options)("min-max")
    assert error_of(content, format, graph) < 0.08


def test_quantization_aware_training_takes_it(graph: Graph, calibration: RepresentativeDataset) -> None:
    own = quantized(replace(graph.architecture, expand=graph.architecture.resize))
    model = quantize(graph.deployed, graph.normalization)
    model(own.prepare(pictures(60, 0).images), training=True)
    twin = Graph(TASK, model, own, model, own.resize)
    for variant in (each for each in variants() if each.precision in QAT_PRECISIONS):
        content = method_of(variant).converter(Source(twin, calibration), OPTIONS)("min-max")
        assert error_of(content, variant.format, twin) < 0.15, variant


def small(activation: str) -> Graph:
    """A model of one convolution and an activation."""
    image = keras.Input(TASK.image_shape, name="image")
    found = layers.Activation(activation, name="act")(layers.Conv2D(4, 3, name="conv")(image))
    logits = layers.Dense(3, name="logits")(layers.GlobalAveragePooling2D(name="pool")(found))
    model, own = keras.Model(image, logits, name="small"), architecture(NORMALIZATION, Path())
    return Graph(TASK, model, own, model, own.resize)


def test_the_exact_gelu_is_converted_to_onnx() -> None:
    graph = small("gelu")
    assert error_of(onnx_model.float32(graph), "onnx", graph) < 1e-4


def test_what_tflite_does_not_compute_in_integers_is_named(calibration: RepresentativeDataset) -> None:
    with pytest.raises(VerificationError, match=r"with which it computes ELU \(small/act/Elu\): no file"):
        tflite_model.int8(small("elu"), calibration)


@pytest.mark.parametrize("activation", ["elu", "softplus"])
def test_layers_of_which_no_ranges_are_learned_are_named(activation: str) -> None:
    with pytest.raises(BadInput, match=rf"cannot round within the layers act \({activation}\): export int8"):
        quantize(small(activation).deployed, NORMALIZATION)
