"""What quantization-aware training learned is what the exported file holds."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from ai_edge_litert.interpreter import Interpreter
from msgspec import structs

from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.formats import Variant
from edgefashion.data import FASHION_MNIST, Dataset, Splits
from edgefashion.errors import BadInput, VerificationError
from edgefashion.evaluation.predictions import predict
from edgefashion.evaluation.scores import reference
from edgefashion.export import exporter, verify
from edgefashion.export.agreement import compare
from edgefashion.export.converters import Convert, Method, converters_of
from edgefashion.export.debug import debug_run
from edgefashion.export.graph import graph
from edgefashion.export.graph.graph import Graph
from edgefashion.export.onnx import onnx_model as export_onnx
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization import quantization_aware as export_qat
from edgefashion.export.quantization.calibration import RepresentativeDataset
from edgefashion.export.source import Source
from edgefashion.export.tflite import packing, tflite_model
from edgefashion.export.tflite.space_to_depth import compute_cells
from edgefashion.export.verify import Limits
from edgefashion.models import ARCHITECTURES, quantization_aware
from edgefashion.models.quantization_aware import ChannelQuantizer, Int8
from edgefashion.recipes import NAMED_RECIPES, RECIPES
from edgefashion.records.manifest import Manifest
from edgefashion.runtimes.content import run_content
from edgefashion.tensorflow import keras
from edgefashion.training import fine_tuning
from edgefashion.training.runs import MODEL, Run
from edgefashion.training.train import train
from edgefashion.training.trained import architecture_for


@pytest.fixture(scope="module", autouse=True)
def short(short_mobilenetv2: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    with short_mobilenetv2():
        yield


@pytest.fixture(scope="module")
def run(trained: Run, sample: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The trained CNN, fine-tuned. Tests may write into its artifacts."""
    recipe = fine_tuning.recipe_from(trained, "qat", sample.checksums, epochs=1, batch_size=16)
    return train(recipe, sample, tmp_path_factory.mktemp("runs") / "cnn-qat", report=lambda _: None)


@pytest.fixture(scope="module")
def cnn(run: Run) -> Graph:
    return graph.build(run)


@pytest.fixture(scope="module")
def mobilenetv2(trained: Run, splits: Splits, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """Random weights; statistics and ranges from a batch."""
    folder = tmp_path_factory.mktemp("runs") / "mobilenetv2-qat"
    folder.mkdir()
    keras.utils.set_random_seed(0)
    floats = ARCHITECTURES["mobilenetv2"]
    base = floats.build(FASHION_MNIST, None)
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    base(floats.prepare(splits.train.images[:32]), training=True)
    architecture = architecture_for(replace(NAMED_RECIPES["mobilenetv2"], fine_tuning="qat"))
    model = quantization_aware.quantize(floats.fold(base, FASHION_MNIST), floats.normalization)
    model(architecture.prepare(splits.train.images[:32]), training=True)
    model.save(folder / MODEL)
    recipe = replace(RECIPES["mobilenetv2"], fine_tuning="qat")
    return graph.build(Run(folder, structs.replace(trained.info, recipe=recipe)))


@dataclass(frozen=True)
class Pair:
    """A quantization-aware model and the file made from it."""

    model: Graph
    content: bytes

    def interpreter(self) -> Interpreter:
        return Interpreter(model_content=self.content)


@pytest.fixture(scope="module", params=["cnn", "mobilenetv2"])
def pair(request: pytest.FixtureRequest) -> Pair:
    model: Graph = request.getfixturevalue(request.param)
    return Pair(model, tflite_model.int8_qat(model))


def test_the_file_holds_integers_only(pair: Pair) -> None:
    assert set(tflite_model.tensor_types(packing.unpack(pair.content))) == {"INT8", "INT32", "UINT8"}


def test_the_file_takes_the_pixel_as_its_quantized_value(pair: Pair) -> None:
    interpreter = pair.interpreter()
    (image,), (logits,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert (image["dtype"], logits["dtype"]) == (np.uint8, np.int8)
    wanted = pair.model.normalization
    assert image["quantization"] == (pytest.approx(wanted.scale), wanted.zero_point)
    assert image["shape_signature"].tolist() == [-1, 28, 28, 1]


def test_the_scale_of_the_logits_is_the_range_that_was_learned(pair: Pair) -> None:
    ends = {
        weight.name: float(weight)
        for weight in pair.model.model.get_layer("logits").non_trainable_weights
        if "output_" in weight.name
    }
    scale, _ = pair.interpreter().get_output_details()[0]["quantization"]
    assert scale == pytest.approx((max(ends.values()) - min(ends.values())) / 255, rel=1e-4)


def kernels_of(model: keras.Model) -> list[np.ndarray[Any, Any]]:
    """As training rounds them, output channels last: [weights, channels]."""
    found = []
    for layer in model.layers:
        if isinstance(layer, Int8) and layer.quantize_config.kernel:
            depthwise = layer.quantize_config.kernel == "depthwise_kernel"
            kernel = layer.trainable_weights[0]
            rounded = ChannelQuantizer(depthwise)(kernel, False, {}).numpy()
            found.append(rounded.reshape(-1, kernel.shape[2] if depthwise else kernel.shape[-1]))
    return found


def kernels_in(interpreter: Interpreter) -> list[np.ndarray[Any, Any]]:
    """The same of the file's int8 tensors with a scale a channel, as numbers, but for those of a resize."""
    interpreter.allocate_tensors()
    found = []
    for tensor in interpreter.get_tensor_details():
        scales = tensor["quantization_parameters"]["scales"]
        if tensor["dtype"] == np.int8 and len(scales) > 1 and not tensor["name"].startswith("resize_"):
            axis = tensor["quantization_parameters"]["quantized_dimension"]
            values = np.moveaxis(interpreter.get_tensor(tensor["index"]), axis, -1)
            found.append((values * scales).reshape(-1, len(scales)))
    return found


def test_the_weights_are_those_that_training_computed_with(pair: Pair) -> None:
    wanted, found = kernels_of(compute_cells(pair.model.model)), kernels_in(pair.interpreter())
    assert len(found) == len(wanted) == {"cnn": 4, "mobilenetv2": 11}[pair.model.architecture.name]
    for kernel in wanted:
        step = np.abs(kernel).max(axis=0) / 127
        same = [other for other in found if other.shape == kernel.shape]
        off = [np.abs(np.sort(other, axis=0) - np.sort(kernel, axis=0)) / step for other in same]
        closest = min(off, key=np.mean)
        assert closest.max() < 1.01
        assert np.mean(closest > 0.01) < 1e-3  # a weight in the middle of two steps may go either way


def test_the_file_says_what_the_keras_model_says(pair: Pair, splits: Splits) -> None:
    images, interpreter = splits.test.images[:100], pair.interpreter()
    (image,), (logits,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(image["index"], images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(image["index"], images)
    interpreter.invoke()
    scale, zero_point = logits["quantization"]
    found = (interpreter.get_tensor(logits["index"]).astype(np.float32) - zero_point) * scale
    expected = pair.model.predict(images)
    if pair.model.architecture.name == "cnn":
        assert np.abs(found - expected).mean() < scale
    else:  # random weights make a deep model magnify what is rounded
        assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.8


# The exporter


def test_an_artifact_of_a_quantized_run(run: Run, trained: Run, splits: Splits) -> None:
    (made,) = exporter.export_run(run, splits, [Variant("tflite", "int8-qat")])
    assert made.path == run.artifacts / "cnn-int8-qat.tflite"
    manifest = made.manifest
    assert manifest is not None
    assert (manifest.run_id, manifest.base_run_id) == (run.id, trained.id)
    assert manifest.calibration is None
    verification = manifest.verification
    assert verification["images"] == len(splits.validation)
    assert verification["agreement"] >= 0.97
    assert abs(verification["accuracy"] - verification["keras_accuracy"]) <= 0.011
    found = predict(artifact.read(made.path), splits.test.images).classes
    assert np.mean(found == graph.build(run).predict(splits.test.images).argmax(axis=1)) >= 0.97
    assert exporter.find_reusable(run, Variant("tflite", "int8-qat"), ExportOptions())


def test_a_float_run_has_no_int8_qat(trained: Run, splits: Splits) -> None:
    with pytest.raises(BadInput, match=r"was not trained quantization-aware: .* edgefashion train --qat "):
        exporter.export_run(trained, splits, [Variant("tflite", "int8-qat")])


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_quantized_run_has_nothing_else(run: Run, splits: Splits, precision: str) -> None:
    with pytest.raises(BadInput, match=f"was trained for int8-qat: export {precision} from the run"):
        exporter.export_run(run, splits, [Variant("tflite", precision)])


def test_a_file_of_another_accuracy_is_not_kept(
    run: Run, splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Run(Path(shutil.copytree(run.folder, tmp_path / "copy")), run.info)
    shutil.rmtree(copy.artifacts, ignore_errors=True)

    def turned_around(source: Source, _: object) -> Convert:
        model = source.graph
        dense = model.deployed.get_layer("logits").trainable_weights[0]
        dense.assign(-dense)
        return lambda _: tflite_model.int8_qat(model)

    monkeypatch.setitem(converters_of("tflite").methods, "int8-qat", Method(turned_around, "turned around"))
    monkeypatch.setitem(verify.LIMITS, "int8-qat", Limits(0.0, 100.0, entropy=0.0, accuracy=0.003))
    with pytest.raises(
        VerificationError,
        match=r"of at most 1\.00% is allowed \(.* on 100 validation images\): no file was kept",
    ):
        exporter.export_run(copy, splits, [Variant("tflite", "int8-qat")])
    assert not copy.artifacts.exists()


@pytest.mark.parametrize(("wrong", "kept"), [(15, True), (16, False)])
def test_three_tenths_of_a_point_may_differ(wrong: int, kept: bool) -> None:
    logits = np.eye(10, dtype=np.float32)
    alike = compare(logits, logits, np.arange(10, dtype=np.uint8))
    figures = {**alike, "accuracy": 0.9 - wrong / 5000, "keras_accuracy": 0.9}
    failure = verify.failure(figures, verify.LIMITS["int8-qat"], 5000)
    assert failure is None if kept else "of at most 0.30% is allowed" in str(failure)


def test_its_error_is_in_the_grids_of_outputs_and_not_in_the_weights(run: Run, splits: Splits) -> None:
    exporter.export_run(run, splits, [Variant("tflite", "int8-qat")], report=lambda _: None)
    model = debug_run(run, "int8-qat", ["tflite"], splits.validation).models["tflite"]
    assert sum(layer.share_weights for layer in model.layers) < 0.1
    assert (model.snr_db or 0) > 25


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_a_layer_in_float_has_the_kernel_of_training(
    format: str, run: Run, cnn: Graph, splits: Splits, soon_measured: None
) -> None:
    settings = ExportOptions(100, keep_float=("conv2",))
    (made,) = exporter.export_run(run, splits, [Variant(format, "int8-qat")], settings, report=lambda _: None)
    assert made.path == run.artifacts / f"cnn-int8-qat-keep-float.{format}"
    kernel = quantization_aware.without_rounding(cnn.model).get_layer("conv2").get_weights()[0]
    order = (3, 0, 1, 2) if format == "tflite" else (3, 2, 0, 1)
    assert kernel.transpose(order).tobytes() in made.path.read_bytes()


# The comparison


def made(run_id: str, precision: str, base_run_id: str | None = None, format: str = "tflite") -> Artifact:
    said = {"run": "r", "run_id": run_id, "precision": precision, "base_run_id": base_run_id}
    manifest = Manifest(small_run=False, sha256="0" * 64, **said)
    return Artifact(Path(f"{run_id}-{precision}.{format}"), manifest)


def test_int8_qat_is_compared_with_the_float_model_it_was_made_from() -> None:
    ours = made("q", "int8-qat", base_run_id="b")
    artifacts = [made("x", "float32"), made("b", "float32", format="onnx"), made("b", "float32"), ours]
    assert reference(artifacts, 3) == 2
    assert reference([artifacts[0], ours], 1) is None
    assert reference([artifacts[1], replace(ours, manifest=None, metadata=ours.manifest)], 1) == 0


# ONNX


def test_without_rounding_a_model_computes_almost_the_same(pair: Pair, splits: Splits) -> None:
    model = quantization_aware.without_rounding(pair.model.model)
    assert not any(isinstance(layer, Int8) for layer in model.layers)
    kernels = [layer.get_weights()[0] for layer in model.layers if layer.weights]
    for kernel, rounded in zip(kernels, kernels_of(pair.model.model), strict=True):
        np.testing.assert_allclose(kernel.reshape(rounded.shape), rounded, atol=1e-6)
    images = pair.model.resize(pair.model.normalization(splits.test.images[:20]))
    found, expected = (np.asarray(each(images, training=False)).ravel() for each in (model, pair.model.model))
    assert np.corrcoef(found, expected)[0, 1] > 0.8


def test_onnx_has_the_ranges_that_training_settled_on(cnn: Graph, calibration: RepresentativeDataset) -> None:
    model = onnx.load_from_string(export_qat.to_onnx(Source(cnn, calibration), ExportOptions())("training"))
    tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    scales = [float(tensors[node.input[1]]) for node in model.graph.node if node.op_type == "QuantizeLinear"]
    learned = quantization_aware.learned_ranges(cnn.model)
    assert {"conv1", "conv2", "dense", "logits"} <= learned.keys()
    for low, high in learned.values():
        assert np.isclose(scales, (high - low) / 255, rtol=1e-4).any()


def test_onnx_says_what_tflite_says(cnn: Graph, calibration: RepresentativeDataset, splits: Splits) -> None:
    images = splits.test.images
    convert = export_qat.to_onnx(Source(cnn, calibration), ExportOptions())
    first, _ = run_content(convert("training"), "a.onnx", images)
    second, _ = run_content(tflite_model.int8_qat(cnn), "a.tflite", images)
    assert np.mean(first.argmax(axis=1) == second.argmax(axis=1)) >= 0.98


def test_zero_is_one_of_the_steps_of_a_range() -> None:
    found = export_onnx.affine(-1.0, 3.0)
    assert float(found["scale"]) == pytest.approx(4 / 255)
    assert int(found["zero_point"]) == 64
    assert int(export_onnx.affine(0.0, 6.0)["zero_point"]) == 0
