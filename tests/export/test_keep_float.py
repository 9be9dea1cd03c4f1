"""Layers in float: these and no others, with the weights of the Keras model, and at a price that is said."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgefashion.artifacts import artifact
from edgefashion.artifacts.formats import Variant
from edgefashion.artifacts.inspection.tflite_file import names_of
from edgefashion.cli import main
from edgefashion.data import Splits
from edgefashion.errors import BadInput, VerificationError
from edgefashion.evaluation.predictions import predict
from edgefashion.export import exporter
from edgefashion.export.converters import method_of
from edgefashion.export.graph.graph import Graph
from edgefashion.export.onnx import keep_float as keep_float_onnx
from edgefashion.export.onnx import onnx_model as export_onnx
from edgefashion.export.options import ExportOptions
from edgefashion.export.quantization import keep_float
from edgefashion.export.quantization.calibration import RepresentativeDataset
from edgefashion.export.source import Source
from edgefashion.export.tflite import packing
from edgefashion.export.tflite import tflite_model as tflite
from edgefashion.export.tflite.keep_float import restore
from edgefashion.models.architecture import with_weights
from edgefashion.runtimes.content import run_content
from edgefashion.training.runs import Run

FORMATS = ("tflite", "onnx")
INT8 = [Variant(format, "int8") for format in FORMATS]
AS_THERE = ExportOptions(100, "min-max")


@pytest.fixture(scope="module")
def int8(graph: Graph, calibration: RepresentativeDataset) -> bytes:
    return tflite.int8(graph, calibration)


def convert(format: str, graph: Graph, calibration: RepresentativeDataset, *layers: str) -> bytes:
    options = ExportOptions(keep_float=layers)
    return method_of(Variant(format, "int8")).converter(Source(graph, calibration), options)("min-max")


# Which layers


@pytest.mark.parametrize(
    ("pattern", "layers"),
    [("conv2", ["conv2"]), ("conv.", ["conv1", "conv2"]), ("logits|dense", ["dense", "logits"])],
)
def test_whole_names_match(pattern: str, layers: list[str], graph: Graph) -> None:
    assert list(keep_float.match_layers(graph, pattern)) == layers


@pytest.mark.parametrize("pattern", ["con", "pool1", "", "Conv1"])
def test_what_matches_nothing_is_told_the_names(pattern: str, graph: Graph) -> None:
    with pytest.raises(
        BadInput, match=r"matches no layer: the layers of cnn are conv1, conv2, dense, logits$"
    ):
        keep_float.match_layers(graph, pattern)


def test_what_is_no_expression_is_told_the_names(residual: Graph) -> None:
    with pytest.raises(BadInput, match=r"conv\[ is not a .* are first, expand, .*, again and 1 more$"):
        keep_float.match_layers(residual, "conv[")


# TFLite


def operators(content: bytes) -> list[tuple[int, set[str], bytes]]:
    """Of each operator: its kind, the types it reads and writes, and the bytes of its constants."""
    model: Any = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    types = names_of("TensorType")
    found = []
    for operator in graph.operators:
        tensors = [graph.tensors[index] for index in [*operator.inputs, *operator.outputs]]
        data = [model.buffers[tensor.buffer].data for tensor in tensors]
        kind = model.operatorCodes[operator.opcodeIndex].builtinCode
        constants = b"".join(bytes(part) for part in data if part is not None)
        found.append((kind, {types[tensor.type] for tensor in tensors}, constants))
    return found


def test_only_the_layer_named_computes_in_float(graph: Graph, int8: bytes) -> None:
    before, after = operators(int8), operators(restore(int8, graph, ["conv2"]))
    casts = {schema.BuiltinOperator.QUANTIZE, schema.BuiltinOperator.DEQUANTIZE}
    changed = [entry for entry in after if "FLOAT32" in entry[1] and entry[0] not in casts]
    assert [kind for kind, _, _ in changed] == [schema.BuiltinOperator.CONV_2D]
    assert changed[0][1] == {"FLOAT32"}
    kernel, bias = graph.deployed.get_layer("conv2").get_weights()
    assert changed[0][2] == kernel.transpose(3, 0, 1, 2).tobytes() + bias.tobytes()
    others = [entry for entry in after if "FLOAT32" not in entry[1]]
    assert [entry for entry in before if entry in others] == others
    assert len(others) == len(before) - 1


def test_nothing_stands_between_two_layers_in_float(graph: Graph, int8: bytes) -> None:
    casts = [schema.BuiltinOperator.QUANTIZE, schema.BuiltinOperator.DEQUANTIZE]
    kinds = [kind for kind, _, _ in operators(restore(int8, graph, ["dense", "logits"]))]
    assert kinds[-2:] == [schema.BuiltinOperator.FULLY_CONNECTED] * 2
    assert [kind for kind in kinds if kind in casts] == [casts[0], casts[1]]


def test_the_weights_that_were_replaced_are_gone(graph: Graph, int8: bytes) -> None:
    kernel, _ = graph.deployed.get_layer("conv2").get_weights()
    more = len(restore(int8, graph, ["conv2"])) - len(packing.pack(packing.unpack(int8)))
    assert more == pytest.approx(3 * kernel.size, abs=2000)


def test_float_operators_that_were_not_asked_for_are_refused(graph: Graph, int8: bytes) -> None:
    mixed = restore(int8, graph, ["conv2", "logits"])
    tflite.check_integer(mixed, graph, 2)
    with pytest.raises(VerificationError, match=r"2 operators .* compute in float instead of 1"):
        tflite.check_integer(mixed, graph, 1)
    with pytest.raises(VerificationError, match="FLOAT32 tensors"):
        tflite.check_integer(mixed, graph)


def test_a_layer_that_the_file_does_not_have_is_named(residual: Graph, int8: bytes) -> None:
    with pytest.raises(
        VerificationError, match="exactly one operator for each of depthwise: no file was kept"
    ):
        restore(int8, residual, ["depthwise"])


def test_a_bias_of_zeros_which_the_converter_drops_is_no_hindrance(
    graph: Graph, calibration: RepresentativeDataset
) -> None:
    kernel, bias = graph.deployed.get_layer("logits").get_weights()
    model = with_weights(graph.deployed, {"logits": [kernel, np.zeros_like(bias)]})
    unbiased = replace(graph, model=model, deployed=model)
    mixed = restore(tflite.int8(unbiased, calibration), unbiased, ["logits"])
    found, _ = run_content(mixed, "a.tflite", calibration.pixels)
    expected = unbiased.predict(calibration.pixels)
    assert np.abs(found - expected).mean() < 0.05 * expected.std()


# ONNX


def test_onnx_runtime_would_quantize_the_layer_all_the_same(
    graph: Graph, calibration: RepresentativeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep_float_onnx, "isolate", lambda *_: None)
    with pytest.raises(VerificationError, match=r"computes none of the layers .* in float instead of 1"):
        convert("onnx", graph, calibration, "conv2")


def test_only_the_nodes_of_the_layer_named_read_floats(
    graph: Graph, calibration: RepresentativeDataset
) -> None:
    content = convert("onnx", graph, calibration, "conv2")
    model = onnx.load_from_string(content)
    kernel, _ = graph.deployed.get_layer("conv2").get_weights()
    floats = [onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer]
    assert [array.shape for array in floats if array.dtype == np.float32 and array.ndim == 4] == [
        (64, 32, 3, 3)
    ]
    (found,) = [array for array in floats if array.shape == (64, 32, 3, 3)]
    np.testing.assert_array_equal(found, kernel.transpose(3, 2, 0, 1))
    with pytest.raises(VerificationError, match="1 of 4 layers in float"):
        export_onnx.check_quantized(model)
    with pytest.raises(VerificationError, match=r"1 Conv|1 FusedConv"):
        export_onnx.check_integer_kernels(content)


def test_max_pooling_behind_the_layer_is_not_moved_into_integers(
    graph: Graph, calibration: RepresentativeDataset, tmp_path: Path
) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(convert("onnx", graph, calibration, "conv2"), options)
    optimized = onnx.load(options.optimized_model_filepath).graph
    quantized = {name for node in optimized.node if node.op_type == "QuantizeLinear" for name in node.output}
    pools = [node for node in optimized.node if node.op_type == "MaxPool"]
    assert [node.input[0] in quantized for node in pools] == [False]


# Both


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("pattern", ["first", "depthwise", "expand|depthwise|project", ".*"])
def test_a_layer_in_float_says_what_the_keras_model_says(
    format: str, pattern: str, residual: Graph, calibration: RepresentativeDataset
) -> None:
    expected = residual.predict(calibration.pixels)
    layers = keep_float.match_layers(residual, pattern)
    content = convert(format, residual, calibration, *layers)
    found = run_content(content, f"a.{format}", calibration.pixels)[0]
    assert np.abs(found - expected).mean() < 0.05 * expected.std()


@pytest.mark.parametrize("format", FORMATS)
def test_with_all_layers_in_float_little_is_lost(
    format: str, graph: Graph, calibration: RepresentativeDataset, exported: Run
) -> None:
    expected = graph.predict(calibration.pixels)
    errors = []
    in_float = convert(format, graph, calibration, *keep_float.match_layers(graph, ".*"))
    for content in ((exported.artifacts / f"cnn-int8.{format}").read_bytes(), in_float):
        errors.append(np.abs(run_content(content, f"a.{format}", calibration.pixels)[0] - expected).mean())
    assert errors[1] < 0.3 * errors[0]


# The exporter


@pytest.fixture
def run(trained: Run, tmp_path: Path) -> Run:
    """A copy of the trained run that a test may write to."""
    return Run(Path(shutil.copytree(trained.folder, tmp_path / "cnn")), trained.info)


@pytest.fixture
def with_int8(exported: Run, tmp_path: Path) -> Run:
    """A copy of the exported run that a test may write to; its int8 files were calibrated with AS_THERE."""
    return Run(Path(shutil.copytree(exported.folder, tmp_path / "cnn")), exported.info)


def test_a_file_with_layers_in_float_says_so_and_what_it_costs(
    with_int8: Run, splits: Splits, soon_measured: None
) -> None:
    said: list[str] = []
    run = with_int8
    settings = replace(AS_THERE, keep_float=("conv2", "dense"))
    made = exporter.export_run(run, splits, INT8, settings, report=said.append)
    assert [one.path.name for one in made] == [f"cnn-int8-keep-float.{format}" for format in FORMATS]
    for one in made:
        full = artifact.read(run.artifacts / f"cnn-int8.{one.format}")
        mixed = artifact.read(one.path)
        assert (full.kept_float, mixed.kept_float) == ([], ["conv2", "dense"])
        assert mixed.precision == full.precision == "int8"
        assert (
            artifact.Artifact(one.path, None, artifact.metadata.read(one.path)).kept_float == mixed.kept_float
        )
        cost = mixed.manifest.cost
        assert cost["against_sha256"] == full.manifest.sha256
        assert (cost["size_bytes"], cost["against_size_bytes"]) == (
            one.path.stat().st_size,
            full.path.stat().st_size,
        )
        assert cost["size_bytes"] > 3 * cost["against_size_bytes"]
        assert min(cost["p50_us"], cost["against_p50_us"], *cost["samples"]) > 0
        (line,) = [line for line in said if line.startswith(f"{one.path.name} has conv2, dense in float")]
        assert f"against {full.path.name}" in line
        agree = predict(mixed, splits.test.images).classes == predict(full, splits.test.images).classes
        assert np.mean(agree) > 0.95


def test_the_file_to_compare_with_is_made_once(with_int8: Run, splits: Splits, soon_measured: None) -> None:
    run, kinds = with_int8, [Variant("tflite", "int8")]
    full = run.artifacts / "cnn-int8.tflite"
    before = full.stat().st_mtime_ns
    settings = replace(AS_THERE, keep_float=("logits",))
    exporter.export_run(run, splits, kinds, settings, report=lambda _: None)
    assert full.stat().st_mtime_ns == before
    assert artifact.read(run.artifacts / "cnn-int8-keep-float.tflite").kept_float == ["logits"]
    other = replace(settings, calibration_images=60)
    exporter.export_run(run, splits, kinds, other, report=lambda _: None)
    assert full.stat().st_mtime_ns > before


def test_other_precisions_stay_as_they_are(run: Run, splits: Splits) -> None:
    settings = ExportOptions(50, "min-max", keep_float=("conv1",))
    (made,) = exporter.export_run(run, splits, [Variant("onnx", "float32")], settings, report=lambda _: None)
    assert (made.path.name, made.kept_float) == ("cnn-float32.onnx", [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--keep-float", "conv3"],
            "--keep-float conv3 matches no layer: the layers of cnn are conv1, conv2",
        ),
        (["--keep-float", "conv("], "--keep-float conv( is not a regular expression"),
        (["--keep-float", "conv1", "--precision", "float32"], "or add --precision int8"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    arguments: list[str], said: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["export", str(run.folder), *arguments])
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not run.artifacts.exists()


def test_from_the_command_line(
    with_int8: Run, sample_folder: Path, soon_measured: None, capsys: pytest.CaptureFixture[str]
) -> None:
    run, data = with_int8, ["--data", str(sample_folder), "--calibration-images", "100"]
    words = ["--format", "tflite", "--calibration", "min-max", "--keep-float", "logits", *data]
    with pytest.raises(SystemExit) as stopped:
        main(["export", str(run.folder), *words])
    assert not stopped.value.code
    assert "cnn-int8-keep-float.tflite has logits in float" in capsys.readouterr().err
    names = {path.name for path in run.artifacts.iterdir() if path.suffix == ".tflite"}
    assert names == {"cnn-float32.tflite", "cnn-int8.tflite", "cnn-int8-keep-float.tflite"}
    manifest = json.loads((run.artifacts / "cnn-int8-keep-float.tflite.json").read_text())
    assert manifest["kept_float"] == ["logits"]
