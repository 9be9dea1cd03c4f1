"""Quantization-aware training: the model rounds as the device will, and a run of it is a run like others."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion.data import FASHION_MNIST, Dataset, split
from edgefashion.errors import RunError
from edgefashion.models import ARCHITECTURES, Architecture
from edgefashion.models.batch_norm_folding import fold_batch_norms
from edgefashion.models.quantization_aware import (
    ChannelQuantizer,
    Int8,
    PixelRounding,
    RangeQuantizer,
    round_to_pixels,
)
from edgefashion.recipes import NAMED_RECIPES, Recipe
from edgefashion.tensorflow import keras, tf
from edgefashion.training import fine_tuning, runs
from edgefashion.training.runs import Run
from edgefashion.training.train import train
from edgefashion.training.trained import architecture_for


@pytest.fixture(scope="module", autouse=True)
def short(short_mobilenetv2: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    with short_mobilenetv2():
        yield


def silent(line: str) -> None:
    pass


def recipe_from(base: Run, sample: Dataset) -> Recipe:
    """That of `quantized_run`."""
    return fine_tuning.recipe_from(base, "qat", sample.checksums, batch_size=20, limit=100)


@pytest.fixture(scope="module", params=("cnn", "cnn-64k", "cnn-64k-v2", "mobilenetv2"))
def architecture(request: pytest.FixtureRequest) -> Architecture:
    return ARCHITECTURES[request.param]


@pytest.fixture(scope="module")
def float_model(architecture: Architecture) -> keras.Model:
    """Random weights, and batch normalizations with statistics of their own."""
    keras.utils.set_random_seed(0)
    model = architecture.build(FASHION_MNIST, None)
    generator = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([generator.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    return model


@pytest.fixture(scope="module")
def model(architecture: Architecture, float_model: keras.Model) -> keras.Model:
    """The same, as it is deployed."""
    return architecture.fold(float_model, FASHION_MNIST)


# Batch normalization


def test_folding_changes_the_model_and_not_what_it_computes(
    architecture: Architecture, float_model: keras.Model, model: keras.Model, sample: Dataset
) -> None:
    pixels = sample.test.images[:8]
    images = architecture.resize(architecture.normalization(pixels))
    expected = float_model(architecture.prepare(pixels), training=False).numpy()
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers)
    assert np.ptp(expected) > 1e-3
    np.testing.assert_allclose(model(images), expected, rtol=1e-3, atol=1e-3 * np.ptp(expected))
    np.testing.assert_array_equal(model(images, training=True), model(images))


def test_a_folded_model_is_folded_already(
    architecture: Architecture, model: keras.Model, sample: Dataset
) -> None:
    images = architecture.resize(architecture.normalization(sample.test.images[:8]))
    np.testing.assert_array_equal(architecture.fold(model, FASHION_MNIST)(images), model(images))


def test_a_bias_before_the_normalization_is_folded_too() -> None:
    image = keras.Input((5, 5, 2))
    made = keras.layers.BatchNormalization()(keras.layers.Conv2D(3, 2, bias_initializer="ones")(image))
    model = keras.Model(image, made)
    model.layers[-1].set_weights(
        [np.array(values) for values in ([1, 2, 3], [4, 5, 6], [7, 8, 9], [1, 2, 4])]
    )
    images = np.random.default_rng(0).normal(size=(4, 5, 5, 2)).astype(np.float32)
    np.testing.assert_allclose(fold_batch_norms(model)(images), model(images, training=False), atol=1e-5)


# What is rounded, and how


def test_a_pixel_is_its_own_quantized_value(architecture: Architecture) -> None:
    pixels = architecture.normalization(np.arange(256, dtype=np.uint8)).numpy()
    np.testing.assert_allclose(round_to_pixels(pixels, architecture.normalization), pixels, atol=1e-6)
    between = pixels[:-1] + 0.4 * architecture.normalization.scale
    np.testing.assert_allclose(round_to_pixels(between, architecture.normalization), pixels[:-1], atol=1e-6)


def test_the_model_begins_with_pixels_and_rounds_every_layer_that_computes(name: str = "mobilenetv2") -> None:
    model = architecture_for(replace(NAMED_RECIPES[name], fine_tuning="qat")).build(FASHION_MNIST, None)
    rounding = model.layers[1]
    assert isinstance(rounding, PixelRounding)
    assert rounding.normalization == ARCHITECTURES[name].normalization
    bare = {type(layer).__name__ for layer in model.layers[2:] if not isinstance(layer, Int8)}
    assert bare == {"ZeroPadding2D"}
    kinds = {type(layer.layer).__name__ for layer in model.layers if isinstance(layer, Int8)}
    assert kinds == {"Conv2D", "DepthwiseConv2D", "ReLU", "Add", "GlobalAveragePooling2D", "Dense"}
    fused = {
        layer.name for layer in model.layers if isinstance(layer, Int8) and not layer.quantize_config.output
    }
    assert {"Conv1", "block_2_expand", "block_2_depthwise"} <= fused
    assert not {"block_2_project", "block_2_add", "dense", "logits"} & fused


@pytest.mark.parametrize(
    ("shape", "depthwise"), [((3, 3, 4, 6), False), ((3, 3, 6, 1), True), ((9, 6), False)]
)
def test_a_kernel_has_255_steps_in_each_channel(shape: tuple[int, ...], depthwise: bool) -> None:
    kernel = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    by_channel = (
        (lambda array: array.reshape(-1, 6)) if not depthwise else (lambda array: array.reshape(9, 6))
    )
    by_channel(kernel)[:] *= 10.0 ** np.arange(6)
    by_channel(kernel)[:, 0] = 0
    found = by_channel(ChannelQuantizer(depthwise)(tf.constant(kernel), True, {}).numpy())
    wanted, step = by_channel(kernel), np.abs(by_channel(kernel)).max(axis=0) / 127
    assert (np.abs(found - wanted) <= step * 0.501).all()
    steps = found[:, 1:] / step[1:]
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)
    assert np.abs(steps).max() == pytest.approx(127)


def test_gradients_pass_the_rounding_of_a_kernel() -> None:
    kernel = tf.Variable(tf.random.stateless_normal((3, 3, 2, 2), (0, 1)))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(ChannelQuantizer(False)(kernel, True, {}) * 3.0)
    assert np.unique(tape.gradient(total, kernel)).tolist() == [3.0]


def test_a_range_starts_with_the_first_batch_and_follows_slowly() -> None:
    quantizer, ends = RangeQuantizer(), {"low": tf.Variable(0.0), "high": tf.Variable(0.0)}

    def seen(*values: float, training: bool = True) -> list[float]:
        quantizer(tf.constant(values, tf.float32), training, ends)
        return [float(ends["low"]), float(ends["high"])]

    assert seen(-1, 7, training=False) == [0, 0]
    assert seen(-1, 3) == [-1, 3]
    assert seen(-2, 5) == pytest.approx([-1.01, 3.02])
    assert seen(-9, 9, training=False) == pytest.approx([-1.01, 3.02])
    rounded = quantizer(tf.constant([0.0, 1.0, 99.0]), False, ends).numpy()
    assert rounded[0] == 0
    assert rounded[1] == pytest.approx(1, abs=4.03 / 255 / 2 + 1e-6)
    assert rounded[2] == pytest.approx(3.02, abs=4.03 / 255)


def test_zero_is_always_in_the_range() -> None:
    ends = {"low": tf.Variable(0.0), "high": tf.Variable(0.0)}
    RangeQuantizer()(tf.constant([2.0, 3.0]), True, ends)
    assert [float(ends["low"]), float(ends["high"])] == [0, 3]


def test_rounding_a_trained_model_hardly_changes_what_it_says(trained: Run, sample: Dataset) -> None:
    splits = split(sample)
    quantized = architecture_for(replace(NAMED_RECIPES["cnn"], fine_tuning="qat"))
    model = quantized.build(FASHION_MNIST, str(trained.model_path))
    model(quantized.prepare(splits.train.images), training=True)
    expected = keras.models.load_model(trained.model_path)(ARCHITECTURES["cnn"].prepare(splits.test.images))
    found = model(quantized.prepare(splits.test.images)).numpy()
    assert np.mean(found.argmax(axis=1) == expected.numpy().argmax(axis=1)) >= 0.95
    assert 0 < np.abs(found - expected).max() < 0.1 * np.ptp(expected)


# The run


def test_a_run_says_what_it_was_made_from(quantized_run: Run, trained: Run) -> None:
    info = quantized_run.info
    assert quantized_run.base_run_id == trained.id == info.recipe.base_run_id
    assert trained.base_run_id is None
    assert info.initial_weights_sha256 == trained.info.model.sha256
    assert info.model.parameters == trained.info.model.parameters
    assert info.model.macs == trained.info.model.macs
    assert "tensorflow-model-optimization" in info.versions
    assert quantized_run.small_run


def test_training_changes_the_weights_a_little(quantized_run: Run, trained: Run) -> None:
    before = keras.models.load_model(trained.model_path, compile=False).get_layer("dense").kernel.numpy()
    model = keras.models.load_model(quantized_run.model_path, compile=False)
    after = model.get_layer("dense").trainable_weights[0].numpy()
    assert 0 < np.abs(after - before).max() < 0.01


def test_an_interrupted_training_resumes(
    trained: Run, sample: Dataset, quantized_run: Run, tmp_path: Path, stopped: Callable[..., Any]
) -> None:
    recipe, folder = recipe_from(trained, sample), tmp_path / "cnn-qat"
    with stopped():
        train(recipe, sample, folder, report=silent)
    with pytest.raises(RunError, match=r"another recipe .*base_run_id"):
        train(replace(recipe, base_run_id="other"), sample, folder, resume=True, report=silent)
    run = train(recipe, sample, folder, resume=True, report=silent)
    assert len(run.info.history) == 2
    models = [
        keras.models.load_model(path, compile=False) for path in (run.model_path, quantized_run.model_path)
    ]
    for found, expected in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-4)
    assert runs.read(folder) == run
