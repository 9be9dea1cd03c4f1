"""Images in color and of any height and width, few classes: every model, precision and format."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgefashion.artifacts import metadata
from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.formats import Variant, variants
from edgefashion.data import Picture, Splits, Subset, Task
from edgefashion.export import exporter
from edgefashion.export.converters import method_of
from edgefashion.export.debug import debug_run
from edgefashion.export.graph import graph as graphs
from edgefashion.export.graph.graph import Graph
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization.calibration import representative_dataset
from edgefashion.export.source import Source
from edgefashion.models import ARCHITECTURES, Architecture
from edgefashion.recipes import NAMED_RECIPES, RECIPES, Recipe
from edgefashion.records import run as records
from edgefashion.records.values import Counts
from edgefashion.records.values import Dataset as DatasetInfo
from edgefashion.runtimes.content import run_content
from edgefashion.tensorflow import keras, tf
from edgefashion.training.runs import MODEL, Run
from edgefashion.training.trained import architecture_for

SIGNS = Task("signs", (40, 24, 3), ("stop", "yield", "go"), Picture("crop", (255,) * 3, (0,) * 3))
LEAVES = Task("leaves", (32, 24, 1), ("oak", "elm"), Picture("pad", (255,), (255,)))
PHOTOS = replace(SIGNS, name="photos", image_shape=(64, 48, 3))
SCANS = replace(LEAVES, name="scans", image_shape=(81, 96, 1))
LARGE, LARGE_GRAY = (replace(each, image_shape=(128, 96, each.channels)) for each in (SIGNS, LEAVES))
OPTIONS = ExportOptions(calibration_images=30, calibration="min-max")
QAT, INT8, FLOAT32 = (
    [each for each in variants() if each.precision == precision]
    for precision in ("int8-qat", "int8", "float32")
)
CASES = {
    "cnn": (LEAVES, "cnn", None, [*FLOAT32, *INT8]),
    "cnn-64k": (SIGNS, "cnn-64k", None, [*FLOAT32, *INT8]),
    "cnn-deep": (PHOTOS, "cnn", None, INT8),
    "cnn-64k-strided": (replace(PHOTOS, image_shape=(64, 64, 3)), "cnn-64k", None, INT8),
    "cnn-64k-pooled": (SCANS, "cnn-64k", None, INT8),
    "cnn-64k-qat": (LEAVES, "cnn-64k", "qat", QAT),
    "mobilenetv2": (SIGNS, "mobilenetv2", None, [Variant("onnx", "float32"), *INT8]),
    "mobilenetv2-large": (LARGE, "mobilenetv2", None, [Variant("onnx", "int8")]),
    "mobilenetv2-gray": (LARGE_GRAY, "mobilenetv2", None, [Variant("tflite", "int8")]),
    "mobilenetv2-qat": (SIGNS, "mobilenetv2", "qat", [Variant("onnx", "int8-qat")]),
}


def pictures(task: Task, count: int, seed: int) -> Subset:
    """`count` images of stripes, whose direction and color tell the class, in noise."""
    random = np.random.default_rng(seed)
    labels = (np.arange(count) % len(task.classes)).astype(task.label_dtype)
    rows, columns = np.mgrid[: task.height, : task.width]
    images = random.integers(0, 256, (count, *task.image_shape)) / 4
    for image, label in zip(images, labels, strict=True):
        stripes = np.sin((rows * (label + 1) + columns * (3 - label)) / 4 + random.uniform(0, 6))
        image[..., label % task.channels] += 96 * (1 + stripes)
    images[:, 0, 0], images[:, -1, -1] = 0, 255
    return Subset(np.clip(images, 0, 255).astype(np.uint8), labels, np.arange(count))


def splits_of(task: Task) -> Splits:
    return Splits(pictures(task, 60, 0), pictures(task, 60, 1), pictures(task, 30, 2), task)


def run_of(folder: Path, task: Task, name: str, fine_tuning: Any = None) -> Run:
    """A run of random weights but for the last layer, which is solved for; quantization-aware with "qat"."""
    keras.utils.set_random_seed(0)
    train = pictures(task, 60, 0)
    architecture = ARCHITECTURES[name]
    model = architecture.build(task, None)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(architecture.prepare(train.images), training=True)
    solve_last(model, architecture.prepare(train.images), train.labels)
    if fine_tuning:
        model = rounded(architecture, model, task, train.images)
    folder.mkdir(parents=True)
    model.save(folder / MODEL)
    recipe = replace({**NAMED_RECIPES, **RECIPES}[name], fine_tuning=fine_tuning)
    info = record(task, recipe)
    return Run(folder, info)


def record(task: Task, recipe: Recipe) -> records.Run:
    """What run.json says where nobody trained."""
    counts = Counts(train=0, test=0)
    return records.Run(
        name=recipe.model,
        id="0" * 12,
        small_run=True,
        validation_accuracy=0.0,
        task=task.to_record(),
        recipe=recipe,
        model=records.Model(sha256="0" * 64),
        data=DatasetInfo(name=task.name, complete=False, checksums={}, counts=counts),
    )


def solve_last(model: keras.Model, inputs: Any, labels: npt.NDArray[Any]) -> None:
    """Give the last dense layer those weights whose logits are nearest to 4 for the class and 0 else."""
    last = model.layers[-1]
    features = np.asarray(keras.Model(model.input, last.input)(inputs, training=False))
    classes = last.output_shape[-1]
    with_ones = np.hstack([features, np.ones((len(features), 1), np.float32)])
    gram = with_ones.T @ with_ones
    gram += np.eye(len(gram), dtype=np.float32) * gram.trace() / len(gram) / 100
    solved = np.linalg.solve(gram, with_ones.T @ (4 * np.eye(classes, dtype=np.float32)[labels]))
    last.set_weights([solved[:-1], solved[-1]])


def rounded(architecture: Architecture, model: keras.Model, task: Task, images: Any) -> keras.Model:
    """The model as it is deployed, with the rounding of int8 in it."""
    from edgefashion.models.quantization_aware import quantize

    result = quantize(architecture.fold(model, task), architecture.normalization)
    rounding = architecture_for(replace(NAMED_RECIPES[architecture.name], fine_tuning="qat"))
    result(rounding.prepare(images), training=True)
    return result


@pytest.fixture(scope="module", autouse=True)
def short(short_mobilenetv2: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    with short_mobilenetv2():
        yield


@pytest.fixture(scope="module", params=CASES)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Run, list[Artifact]]:
    task, model, fine_tuning, wanted = CASES[request.param]
    run = run_of(tmp_path_factory.mktemp("runs") / request.param, task, model, fine_tuning)
    return run, exporter.export_run(run, splits_of(task), wanted, OPTIONS)


def test_every_file_agrees_with_the_keras_model(made: tuple[Run, list[Artifact]]) -> None:
    run, artifacts = made
    unseen = pictures(run.task, 60, 3)
    expected = graphs.build(run).predict(unseen.images)
    assert len(set(expected.argmax(axis=1))) == len(run.task.classes)
    for each in artifacts:
        found, _ = run_content(each.path.read_bytes(), each.path.name, unseen.images)
        assert found.shape == expected.shape
        error = np.abs(found - expected).mean() / expected.std()
        assert error < {"float32": 1e-4, "float16": 2e-3}.get(str(each.precision), 0.06), each.path.name


def test_a_file_says_what_task_it_is_for(made: tuple[Run, list[Artifact]]) -> None:
    run, artifacts = made
    for each in artifacts:
        assert each.task == run.task
        inside = Artifact(each.path, None, metadata.read(each.path))
        assert (inside.task, inside.labels) == (run.task, run.task.classes)
        assert inside.image_shape == run.task.image_shape


@pytest.mark.parametrize("made", ["cnn-64k-pooled", "mobilenetv2"], indirect=True)
def test_every_layer_is_found_in_the_int8_files(made: tuple[Run, list[Artifact]]) -> None:
    run, _ = made
    report = debug_run(run, "int8", ["tflite", "onnx"], pictures(run.task, 20, 3))
    for model in report.models.values():
        assert sum(layer.share for layer in model.layers) == pytest.approx(1)
        assert model.snr_db is not None and model.snr_db > 20


def graph_of(task: Task, *layers: keras.layers.Layer) -> Graph:
    """A model of these layers, of random weights but the last, which is solved for."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input(task.image_shape, name="image"), *layers])
    architecture = ARCHITECTURES["cnn"]
    train = pictures(task, 60, 0)
    if isinstance(model.layers[-1], keras.layers.Dense):
        solve_last(model, architecture.prepare(train.images), train.labels)
    return Graph(task, model, architecture, model, architecture.resize)


OTHERS: dict[str, Callable[[], list[keras.layers.Layer]]] = {
    "without a convolution": lambda: [
        keras.layers.Flatten(),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(3, name="scores"),
    ],
    "pooled first": lambda: [
        keras.layers.MaxPooling2D(4),
        keras.layers.Flatten(),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(3),
    ],
    "a depthwise convolution first": lambda: [
        keras.layers.DepthwiseConv2D(3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(3),
    ],
    "without biases": lambda: [
        keras.layers.Conv2D(8, 3, activation="relu", use_bias=False),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dense(16, activation="relu", use_bias=False),
        keras.layers.Dense(3),
    ],
    "convolutions only": lambda: [
        keras.layers.Conv2D(8, 3, activation="relu"),
        keras.layers.Conv2D(3, 3),
        keras.layers.GlobalAveragePooling2D(),
    ],
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("variant", [*FLOAT32, *INT8], ids="-".join)
def test_other_models_are_exported_too(name: str, variant: Variant) -> None:
    graph = graph_of(SIGNS, *OTHERS[name]())
    calibration = representative_dataset(pictures(SIGNS, 60, 0), SIGNS, graph.normalization, 30)
    content = method_of(variant).converter(Source(graph, calibration), OPTIONS)("min-max")
    unseen = pictures(SIGNS, 60, 3).images
    found, _ = run_content(content, f"other.{variant.format}", unseen)
    expected = graph.predict(unseen)
    limit = 1e-4 if variant.precision == "float32" else 0.06
    assert np.abs(found - expected).mean() < limit * expected.std()


def test_a_scale_for_each_channel_is_part_of_the_first_kernel() -> None:
    """How an architecture wants another normalization: the pixel stays its own quantized value."""
    graph = graph_of(SIGNS, *OTHERS["without biases"]())
    factors = np.array([0.5, 1.0, 2.0], np.float32)

    def expand(images: Any) -> Any:
        return images * tf.constant(factors)

    kernel, *others = graph.model.layers[0].get_weights()
    deployed = keras.models.clone_model(graph.model)
    deployed.set_weights([kernel * factors[:, None], *others, *graph.model.get_weights()[1:]])
    scaled = replace(graph, architecture=replace(graph.architecture, expand=expand), deployed=deployed)
    calibration = representative_dataset(pictures(SIGNS, 60, 0), SIGNS, graph.normalization, 30)
    unseen = pictures(SIGNS, 60, 3).images
    expected = scaled.predict(unseen)
    for variant, limit in ((FLOAT32[0], 1e-4), *((each, 0.06) for each in INT8)):
        content = method_of(variant).converter(Source(scaled, calibration), OPTIONS)("min-max")
        found, _ = run_content(content, f"scaled.{variant.format}", unseen)
        assert np.abs(found - expected).mean() < limit * expected.std()
