"""Pruning and clustering: the zeros and the few values are in the model that is kept, and in its exports."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from ai_edge_litert.interpreter import Interpreter

from edgefashion.artifacts.formats import Variant
from edgefashion.data import FASHION_MNIST, Dataset, split
from edgefashion.errors import VerificationError
from edgefashion.export import exporter
from edgefashion.export.options import ExportOptions
from edgefashion.models import ARCHITECTURES, Compression
from edgefashion.recipes import NAMED_RECIPES, Recipe
from edgefashion.tensorflow import keras, tf
from edgefashion.training.compression import Clustering, Pruning, compressible
from edgefashion.training.fine_tuning import recipe_from
from edgefashion.training.runs import Run
from edgefashion.training.train import train
from edgefashion.training.trained import architecture_for

CHANGES: dict[str, dict[str, Any]] = {"prune": {"sparsity": 0.8}, "cluster": {"clusters": 6}}
Array = np.ndarray[Any, Any]


def recipe(base: Run, data: Dataset, kind: Any) -> Recipe:
    return recipe_from(
        base, kind, data.checksums, epochs=2, batch_size=20, limit=200, **CHANGES.get(kind, {})
    )


@pytest.fixture(scope="module")
def make(trained: Run, sample: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Run]:
    """Trains a run of a kind, once."""
    made: dict[str, Run] = {}

    def run(kind: str) -> Run:
        if kind not in made:
            folder = tmp_path_factory.mktemp("runs") / f"cnn-{kind}"
            made[kind] = train(recipe(trained, sample, kind), sample, folder, report=lambda _: None)
        return made[kind]

    return run


def load(run: Run) -> keras.Model:
    return keras.models.load_model(run.model_path, compile=False)


def kernels(run: Run) -> dict[str, Array]:
    return {layer.name: layer.kernel.numpy() for layer in load(run).layers if layer.weights}


def zeros(kernel: Array) -> float:
    return float(np.mean(kernel == 0))


# The model that is kept


def test_the_layers_between_the_first_and_the_last_are_pruned(make: Callable[[str], Run]) -> None:
    run = make("prune")
    shares = {name: zeros(kernel) for name, kernel in kernels(run).items()}
    assert shares == {
        "conv1": 0,
        "conv2": pytest.approx(0.8, abs=1e-3),
        "dense": pytest.approx(0.8, abs=1e-3),
        "logits": 0,
    }
    found = run.info.compressed_layers
    assert list(found) == ["conv2", "dense"]
    assert found["dense"].weights == 204_800
    assert found["dense"].zeros == np.count_nonzero(kernels(run)["dense"] == 0)


def test_the_layers_between_the_first_and_the_last_are_clustered(make: Callable[[str], Run]) -> None:
    run = make("cluster")
    counts = {name: len(np.unique(kernel)) for name, kernel in kernels(run).items()}
    assert counts["conv2"] <= 6 and counts["dense"] <= 6
    assert counts["conv1"] > 200 and counts["logits"] > 1000
    found = run.info.compressed_layers
    assert {name: layer.values for name, layer in found.items()} == {
        name: counts[name] for name in ("conv2", "dense")
    }


def test_a_run_fine_tuned_in_float_is_compressed_in_nothing(make: Callable[[str], Run], trained: Run) -> None:
    run = make("float")
    assert run.info.compressed_layers is None
    assert (run.fine_tuning, run.base_run_id) == ("float", trained.id)
    before, after = kernels(trained)["dense"], kernels(run)["dense"]
    assert 0 < np.abs(after - before).max() < 0.05


@pytest.mark.parametrize("kind", ["prune", "cluster", "float"])
def test_the_model_kept_is_plain_and_as_good_as_the_run_says(
    make: Callable[[str], Run], sample: Dataset, kind: str
) -> None:
    run, model = make(kind), load(make(kind))
    assert {type(layer).__name__ for layer in model.layers} == {"Conv2D", "MaxPooling2D", "Flatten", "Dense"}
    validation = split(sample).validation
    logits = model.predict(ARCHITECTURES["cnn"].prepare(validation.images), verbose=0)
    accuracy = np.mean(logits.argmax(axis=1) == validation.labels)
    assert run.info.validation_accuracy == pytest.approx(accuracy)
    assert run.info.model.parameters == 225_034


@pytest.mark.parametrize("kind", ["prune", "cluster"])
def test_an_interrupted_training_resumes(
    make: Callable[[str], Run],
    trained: Run,
    sample: Dataset,
    kind: str,
    tmp_path: Path,
    stopped: Callable[..., Any],
) -> None:
    with stopped():
        train(recipe(trained, sample, kind), sample, tmp_path / "cnn", report=lambda _: None)
    run = train(recipe(trained, sample, kind), sample, tmp_path / "cnn", resume=True, report=lambda _: None)
    whole = make(kind)
    assert [entry["val_accuracy"] for entry in run.info.history] == [
        entry["val_accuracy"] for entry in whole.info.history
    ]
    assert run.info.compressed_layers == whole.info.compressed_layers
    for name, kernel in kernels(run).items():
        np.testing.assert_allclose(kernel, kernels(whole)[name], atol=1e-4)


# What is done while it trains


@pytest.mark.parametrize("steps", [1, 2, 3, 19, 20, 53, 860])
def test_all_zeros_are_there_when_the_first_epoch_ends(steps: int, trained: Run) -> None:
    wrapped = Pruning(0.7).wrap(load(trained), steps)
    (schedule, _) = (layer.pruning_schedule for layer in wrapped.layers if hasattr(layer, "pruning_schedule"))
    asked = [schedule(tf.constant(step)) for step in range(1, steps + 1)]
    shares = [float(share) for turn, share in asked if turn]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(0.7)
    assert len(shares) <= 13


@pytest.mark.parametrize("compression", [Pruning(0.9999), Clustering(2)], ids=["prune", "cluster"])
@pytest.mark.parametrize("name", ["cnn", "cnn-64k", "cnn-64k-v2", "mobilenetv2"])
def test_wrapping_and_stripping_gives_the_same_layers(
    name: str, compression: Compression, sample: Dataset, short: None
) -> None:
    architecture = architecture_for(replace(NAMED_RECIPES[name], fine_tuning="float"))
    model = architecture.build(FASHION_MNIST, None)
    images = architecture.prepare(sample.test.images[:2])
    names, expected = [layer.name for layer in model.layers], model(images).numpy()
    wrapped = compression.wrap(model, 10)
    assert wrapped.count_params() > model.count_params()
    stripped = compression.strip(wrapped)
    assert [layer.name for layer in stripped.layers] == names
    if isinstance(compression, Pruning):  # which waits for a training step
        np.testing.assert_allclose(stripped(images), expected, atol=1e-5)
    else:
        assert {layer.values for layer in (compression.check(stripped) or {}).values()} <= {1, 2}


def test_depthwise_kernels_and_the_ends_of_a_model_are_left_alone(short: None) -> None:
    recipe = replace(NAMED_RECIPES["mobilenetv2"], fine_tuning="prune")
    model = architecture_for(recipe).build(FASHION_MNIST, None)
    names = [layer.name for layer in compressible(model)]
    blocks = [f"block_{number}_{name}" for number in (1, 2) for name in ("expand", "project")]
    assert names == ["expanded_conv_project", *blocks, "dense"]


@pytest.mark.parametrize(
    ("compression", "said"),
    [
        (Pruning(0.5), "conv2 has 0 zeros among 18,432 weights after pruning, 50.0% were asked for"),
        (Clustering(16), r"conv2 has 1?\d,\d+ different weights after clustering, 16 were asked for"),
    ],
)
def test_a_model_that_is_not_what_was_asked_for_is_refused(
    trained: Run, compression: Compression, said: str
) -> None:
    with pytest.raises(VerificationError, match=said):
        compression.check(load(trained))


# The exports


@pytest.fixture(scope="module")
def exported(make: Callable[[str], Run], sample: Dataset) -> Callable[[str, str, str], bytes]:
    def content(kind: str, format: str, precision: str) -> bytes:
        options = ExportOptions(calibration_images=50, calibration="min-max")
        (made,) = exporter.export_run(make(kind), split(sample), [Variant(format, precision)], options)
        return made.path.read_bytes()

    return content


def largest(format: str, content: bytes) -> Array:
    """The kernel of the dense layer, as the file holds it."""
    if format == "onnx":
        arrays = [onnx.numpy_helper.to_array(t) for t in onnx.load_from_string(content).graph.initializer]
        return max(arrays, key=lambda array: array.size)
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    details = [each for each in interpreter.get_tensor_details() if each["shape"].prod() == 204_800]
    return interpreter.get_tensor(details[0]["index"])


@pytest.mark.parametrize("format", ["tflite", "onnx"])
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_an_export_keeps_the_zeros(
    exported: Callable[[str, str, str], bytes], format: str, precision: str
) -> None:
    kernel = largest(format, exported("prune", format, precision))
    assert kernel.size == 204_800
    assert zeros(kernel) >= 0.799


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_an_export_keeps_the_clusters(exported: Callable[[str, str, str], bytes], format: str) -> None:
    assert len(np.unique(largest(format, exported("cluster", format, "float32")))) <= 6
    # a scale for each channel makes other integers of the same value, but no more of them in a channel
    int8 = largest(format, exported("cluster", format, "int8"))
    channels = int8 if format == "tflite" or int8.shape[0] == 128 else int8.T
    assert channels.shape == (128, 1600)
    assert max(len(np.unique(channel)) for channel in channels) <= 6
