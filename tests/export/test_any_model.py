"""What MobileNetV3, EfficientNet, ResNeXt, DenseNet and NASNet are made of, in every file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion.artifacts.formats import QAT_PRECISIONS, Variant, variants
from edgefashion.data import Picture, Subset, Task
from edgefashion.export.converters import converters_of, method_of
from edgefashion.export.debug.error import measure
from edgefashion.export.graph.fused_layers import steps_of
from edgefashion.export.graph.graph import Graph, for_integers
from edgefashion.export.onnx.onnx_model import kernels
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization.calibration import RepresentativeDataset, representative_dataset
from edgefashion.models.activations import HardSigmoid, HardSwish
from edgefashion.models.architecture import Normalization
from edgefashion.models.imported import architecture
from edgefashion.runtimes.content import run_content
from edgefashion.tensorflow import keras

TASK = Task("signs", (32, 32, 3), ("stop", "yield", "go"), Picture("crop", (255,) * 3, (0,) * 3))
OPTIONS = ExportOptions(calibration_images=60, calibration="min-max")
FILES = [each for each in variants() if each.precision not in QAT_PRECISIONS]
LIMITS = {"float32": 1e-4, "float16": 2e-3}
FLOATS = {"float32", "float16", "dynamic"}

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


def squeeze(tensor: Tensor, inner: Any, outer: Any) -> Tensor:
    """Squeeze and excite: each channel times what the means of all say of it."""
    channels = tensor.shape[-1]
    means = layers.GlobalAveragePooling2D(keepdims=True, name="se_pool")(tensor)
    means = inner(layers.Conv2D(8, 1, name="se_reduce")(means))
    return layers.Multiply(name="se")([tensor, outer(layers.Conv2D(channels, 1, name="se_expand")(means))])


def swish(name: str) -> keras.layers.Layer:
    return layers.Activation("swish", name=name)


def mobilenetv3(image: Tensor) -> Tensor:
    start = convolution(image, 8, 3, "stem", HardSwish, strides=2)
    deep = convolution(convolution(start, 16, name="expand", activation=HardSwish), 0, 5, "deep", HardSwish)
    deep = squeeze(deep, layers.ReLU(name="se_act"), HardSigmoid(name="se_gate"))
    added = layers.Add(name="add")([start, convolution(deep, 8, name="project", activation=None)])
    last = convolution(added, 24, name="last", activation=HardSwish)
    features = layers.Flatten(name="flat")(layers.GlobalAveragePooling2D(keepdims=True, name="pool")(last))
    return HardSwish(name="head_act")(layers.Dense(16, name="head")(features))


def efficientnet(image: Tensor) -> Tensor:
    padded = layers.ZeroPadding2D(((0, 1), (0, 1)), name="pad")(image)
    start = convolution(padded, 8, 3, "stem", swish, strides=2, padding="valid")
    deep = convolution(convolution(start, 16, name="expand", activation=swish), 0, 3, "deep", swish)
    deep = squeeze(deep, swish("se_act"), layers.Activation("sigmoid", name="se_gate"))
    added = layers.Add(name="add")([start, convolution(deep, 8, name="project", activation=None)])
    return layers.GlobalAveragePooling2D(name="pool")(added)


def resnext(image: Tensor) -> Tensor:
    padded = layers.ZeroPadding2D(3, name="pad1")(image)
    start = convolution(padded, 16, 7, "stem", strides=2, padding="valid")
    start = layers.MaxPooling2D(3, 2, name="max")(layers.ZeroPadding2D(1, name="pad2")(start))
    deep = convolution(start, 16, 3, "grouped", groups=4)
    deep = convolution(deep, 16, name="widen", activation=None)
    short = convolution(start, 16, name="short", activation=None)
    added = layers.ReLU(name="added_act")(layers.Add(name="added")([short, deep]))
    small = convolution(added, 8, 4, "small", padding="valid", strides=4)
    return layers.Dense(12, activation="relu", name="head")(layers.Flatten(name="flat")(small))


def densenet(image: Tensor) -> Tensor:
    found = layers.Conv2D(8, 3, 2, "same", use_bias=False, name="stem")(image)
    for number in (1, 2):
        normal = layers.BatchNormalization(name=f"norm{number}")(found)
        rectified = layers.ReLU(name=f"rectified{number}")(normal)
        new = layers.Conv2D(8, 3, padding="same", use_bias=False, name=f"conv{number}")(rectified)
        found = layers.Concatenate(name=f"both{number}")([found, new])
    found = layers.AveragePooling2D(2, name="halve")(found)
    last = layers.ReLU(name="last")(layers.BatchNormalization(name="last_norm")(found))
    return layers.GlobalAveragePooling2D(name="pool")(last)


def nasnet(image: Tensor) -> Tensor:
    start = convolution(image, 12, 3, "stem", None, strides=2, padding="valid")
    sides = []
    for side, size in (("left", 5), ("right", 3)):
        found = layers.ReLU(name=f"{side}_act")(start)
        found = layers.DepthwiseConv2D(size, padding="same", use_bias=False, name=f"{side}_deep")(found)
        sides.append(convolution(found, 12, name=side, activation=None))
    added = layers.Add(name="sides")(sides)
    mean = layers.Add(name="means")([start, layers.AveragePooling2D(3, 1, "same", name="mean")(start)])
    both = layers.ReLU(name="both_act")(layers.Concatenate(name="both")([added, mean, start]))
    return layers.GlobalAveragePooling2D(name="pool")(both)


NETS: dict[str, Callable[[Tensor], Tensor]] = {
    made.__name__: made for made in (mobilenetv3, efficientnet, resnext, densenet, nasnet)
}


def build(name: str) -> keras.Model:
    """A net with statistics of batch normalization that are not those of a new one."""
    keras.utils.set_random_seed(0)
    image = keras.Input(TASK.image_shape, name="image")
    model = keras.Model(image, layers.Dense(3, name="logits")(NETS[name](image)), name=name)
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


def graph_of(name: str) -> Graph:
    """A net that has seen images, and whose last layer tells their classes apart."""
    model, own = build(name), architecture(Normalization(1 / 127.5, 127))
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


@pytest.fixture(scope="module", params=NETS)
def graph(request: pytest.FixtureRequest) -> Graph:
    return graph_of(request.param)


@pytest.fixture(scope="module")
def calibration() -> RepresentativeDataset:
    return representative_dataset(pictures(60, 0), TASK, Normalization(1 / 127.5, 127), 60)


@pytest.fixture(scope="module")
def files(graph: Graph, calibration: RepresentativeDataset) -> dict[Variant, bytes]:
    return {each: method_of(each).converter(graph, calibration, OPTIONS)("min-max") for each in FILES}


def test_every_file_gives_what_the_model_gives(graph: Graph, files: dict[Variant, bytes]) -> None:
    unseen = pictures(60, 3).images
    expected = graph.predict(unseen)
    for variant, content in files.items():
        found, _ = run_content(content, f"net.{variant.format}", unseen)
        error = np.abs(found - expected).mean() / expected.std()
        assert error < LIMITS.get(variant.precision, 0.08), variant


def test_onnx_runtime_computes_every_layer_in_integers(files: dict[Variant, bytes]) -> None:
    """A ReLU of what others read too is a change of scale, with its clamp."""
    found = {kind for kind in kernels(files[Variant("onnx", "int8")]) if "QLinear" not in kind}
    moving = {"Transpose", "Reshape", "Squeeze", "NhwcMaxPool", "DequantizeLinear", "QuantizeLinear"}
    assert found - {"QGemm"} <= moving


def test_every_layer_is_found_in_the_int8_files(
    graph: Graph, files: dict[Variant, bytes], tmp_path: Path
) -> None:
    integers = for_integers(graph)
    steps, probes = steps_of(integers), {}
    for variant, content in files.items():
        if variant.precision == "int8":
            path = tmp_path / f"net-int8.{variant.format}"
            path.write_bytes(content)
            probes[variant.format] = converters_of(variant.format).probe(path, steps)
    for tally in measure(steps, graph.normalization, probes, pictures(20, 3).images).values():
        assert tally.explained is not None and 0.2 < tally.explained < 5


@pytest.mark.parametrize("variant", [each for each in FILES if each.precision == "int8"], ids="-".join)
def test_a_layer_stays_in_float(graph: Graph, calibration: RepresentativeDataset, variant: Variant) -> None:
    kernels = [layer.name for layer in graph.deployed.layers if layer.weights]
    options = ExportOptions(calibration_images=60, calibration="min-max", keep_float=(kernels[1],))
    content = method_of(variant).converter(graph, calibration, options)("min-max")
    unseen = pictures(60, 3).images
    found, _ = run_content(content, f"net.{variant.format}", unseen)
    expected = graph.predict(unseen)
    assert np.abs(found - expected).mean() < 0.08 * expected.std()
