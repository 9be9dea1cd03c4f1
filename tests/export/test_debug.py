"""The errors of layers: each is found in both formats, and its share is what it does to the logits."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from edgefashion.artifacts import artifact
from edgefashion.cli import main
from edgefashion.data import FASHION_MNIST, Splits, Subset, stratified_sample
from edgefashion.errors import ArtifactError, BadInput
from edgefashion.export.debug import DebugReport, debug_run
from edgefashion.export.debug.error import measure
from edgefashion.export.debug.plot import plot
from edgefashion.export.debug.probe import Grid, Probe
from edgefashion.export.debug.text import SHOWN, to_text
from edgefashion.export.graph.fused_layers import INPUT, Step, find_step, steps_of
from edgefashion.export.graph.graph import Graph
from edgefashion.export.onnx import activation_ranges, onnx_model
from edgefashion.export.onnx.probe import OnnxProbe
from edgefashion.export.quantization.calibration import RepresentativeDataset
from edgefashion.export.tflite import tflite_model
from edgefashion.export.tflite.probe import TFLiteProbe
from edgefashion.models import ARCHITECTURES
from edgefashion.models.architecture import with_weights
from edgefashion.training.runs import Run

FORMATS = ("tflite", "onnx")


def to_onnx(graph: Graph, calibration: RepresentativeDataset) -> bytes:
    model = onnx_model.prepare(graph)
    return onnx_model.int8(
        model, graph, activation_ranges.measure_ranges(model, calibration.images, ["min-max"])["min-max"]
    )


CONVERTERS = {"tflite": tflite_model.int8, "onnx": to_onnx}
PROBES: dict[str, Callable[[Path, Sequence[Step]], Probe]] = {"tflite": TFLiteProbe, "onnx": OnnxProbe}
LAYERS = ["conv1", "pool1", "conv2", "pool2", "dense", "logits"]


@pytest.fixture(scope="module")
def run(exported: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A copy of the exported run with its int8 models. Do not change its folder."""
    ignored = shutil.ignore_patterns("*-float32.*")
    folder = shutil.copytree(exported.folder, tmp_path_factory.mktemp("debug") / "cnn", ignore=ignored)
    return Run(Path(folder), exported.info)


@pytest.fixture
def copied(run: Run, tmp_path: Path) -> Run:
    """One that a test may damage."""
    return Run(Path(shutil.copytree(run.folder, tmp_path / "runs/cnn")), run.info)


@pytest.fixture(scope="module")
def images(splits: Splits) -> Subset:
    return stratified_sample(splits.validation, 60, seed=0)


@pytest.fixture(scope="module")
def report(run: Run, images: Subset) -> DebugReport:
    return debug_run(run, "int8", FORMATS, images)


def saved(graph: Graph, format: str, calibration: RepresentativeDataset, folder: Path) -> Path:
    path = folder / f"model.{format}"
    path.write_bytes(CONVERTERS[format](graph, calibration))
    return path


# The steps


@pytest.mark.parametrize(("name", "count"), [("cnn", 6), ("mobilenetv2", 14)])
def test_the_steps_one_after_the_other_are_the_model(
    name: str, count: int, splits: Splits, short: None
) -> None:
    architecture = ARCHITECTURES[name]
    model = architecture.build(FASHION_MNIST, None)
    deployed = architecture.fold(model, FASHION_MNIST)
    graph = Graph(FASHION_MNIST, model, architecture, deployed, architecture.resize)
    steps = steps_of(graph)
    assert len(steps) == len({step.name for step in steps}) == count
    outputs = {INPUT: graph.normalization(splits.test.images[:2])}
    for step in steps:
        outputs[step.name] = step(outputs)
        assert outputs[step.name].shape[1:] == step.shape
    np.testing.assert_allclose(
        outputs["logits"], graph.deployed(graph.resize(outputs[INPUT]), training=False), atol=1e-5
    )


def test_a_tensor_is_called_after_one_step(residual: Graph) -> None:
    steps = steps_of(residual)
    assert find_step("small/first_relu/Relu6;small/first/BiasAdd;small/first/Conv2D", steps) == "first"
    assert find_step("small/depthwise_relu/Relu6;small/depthwise/depthwise;small/pad/Pad", steps)
    assert find_step("small/first/Conv2D;small/expand/Conv2D", steps) is None
    assert find_step("Identity_1", steps) is None


def test_a_grid_is_that_of_its_integers() -> None:
    grid = Grid(0.5, -3, np.int8)
    integers = np.array([-128, -3, 127], np.int8)
    assert grid.values(integers).tolist() == [-62.5, 0.0, 65.0]
    assert grid.nearest(np.array([-100.0, 0.24, 0.26, 100.0], np.float32)).tolist() == [-62.5, 0.0, 0.5, 65.0]


# The files


@pytest.mark.parametrize("format", FORMATS)
def test_every_layer_of_a_residual_model_is_found(
    format: str,
    residual: Graph,
    calibration: RepresentativeDataset,
    images: Subset,
    tmp_path: Path,
) -> None:
    steps = steps_of(residual)
    probe = PROBES[format](saved(residual, format, calibration, tmp_path), steps)
    layers = measure(steps, residual.normalization, {format: probe}, images.images)[format].layers()
    names = ["resize", "first", "expand", "depthwise", "project", "again", "add", "pool", "logits"]
    assert [layer.layer for layer in layers] == names
    assert min(layer.snr_db or 0 for layer in layers) > 20
    on_a_grid = [layer.layer for layer in layers if layer.share_output > 0]
    assert ("logits" in on_a_grid) == (format == "tflite")


@pytest.mark.parametrize("format", FORMATS)
def test_a_layer_that_is_not_in_the_file_is_not_ranked(
    format: str, residual: Graph, calibration: RepresentativeDataset, images: Subset, tmp_path: Path
) -> None:
    path = saved(residual, format, calibration, tmp_path)
    steps = steps_of(residual)
    hidden = replace(steps[4], layers=frozenset({"elsewhere"}))
    probe = PROBES[format](path, [*steps[:4], hidden, *steps[5:]])
    tally = measure(steps, residual.normalization, {format: probe}, images.images)[format]
    assert tally.unranked == ["project"]
    layers = tally.layers()
    assert [layer.layer for layer in layers] == [step.name for step in steps if step.name != "project"]
    assert sum(layer.share for layer in layers) == pytest.approx(1)
    assert tally.explained == pytest.approx(1, abs=0.5)


@pytest.mark.parametrize("format", FORMATS)
def test_a_layer_of_another_shape_is_named(
    format: str, residual: Graph, calibration: RepresentativeDataset, images: Subset, tmp_path: Path
) -> None:
    path = saved(residual, format, calibration, tmp_path)
    steps = steps_of(residual)
    probe = PROBES[format](path, [*steps[:3], replace(steps[3], shape=(10, 10, 8)), *steps[4:]])
    with pytest.raises(
        ArtifactError,
        match=r"layer depthwise gives \[10, 10, 16\] in .* \[10, 10, 8\] in the Keras model: export",
    ):
        probe(images.images[:2])


# The errors


@pytest.mark.parametrize("format", FORMATS)
def test_all_layers_in_the_order_of_the_model(format: str, report: DebugReport) -> None:
    model = report.models[format]
    assert [layer.layer for layer in model.layers] == LAYERS
    assert model.kernels_differ == 0
    assert model.agreement >= 0.95
    assert model.snr_db == model.layers[-1].snr_db
    assert min(layer.snr_db or 0 for layer in model.layers) > 20
    assert sum(layer.share for layer in model.layers) == pytest.approx(1)
    assert model.explained == pytest.approx(1, abs=0.5)
    assert [layer.own_snr_db for layer in model.layers if layer.kind == "MaxPooling2D"] == [None, None]
    shares = [layer.share for layer in model.ranked]
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize("format", FORMATS)
def test_a_share_is_what_the_layer_alone_does_to_the_logits(
    format: str, run: Run, graph: Graph, report: DebugReport, images: Subset
) -> None:
    steps = steps_of(graph)
    probe = PROBES[format](run.artifacts / f"cnn-int8.{format}", steps)
    pixels = graph.normalization(images.images)
    exact, found = {INPUT: pixels}, {INPUT: pixels, **probe(images.images)}
    for step in steps:
        exact[step.name] = step(exact)
    alone = []
    for number, step in enumerate(steps):
        outputs = {**exact, step.name: exact[step.name] + (found[step.name] - step(found))}
        for later in steps[number + 1 :]:
            outputs[later.name] = later(outputs)
        alone.append(float(np.sum(np.square(outputs["logits"] - exact["logits"]))))
    shares = [layer.share for layer in report.models[format].layers]
    assert shares == pytest.approx(np.divide(alone, sum(alone)).tolist(), abs=0.02)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("damaged", ["conv2", "dense"])
def test_the_layer_with_wrong_weights_comes_first(
    format: str,
    damaged: str,
    graph: Graph,
    calibration: RepresentativeDataset,
    images: Subset,
    tmp_path: Path,
) -> None:
    kernel, bias = graph.deployed.get_layer(damaged).get_weights()
    noise = np.random.default_rng(0).normal(0, 0.3 * kernel.std(), kernel.shape)
    wrong = graph.with_deployed(with_weights(graph.deployed, {damaged: [kernel + noise, bias]}))
    steps = steps_of(graph)
    probe = PROBES[format](saved(wrong, format, calibration, tmp_path), steps)
    layers = measure(steps, graph.normalization, {format: probe}, images.images)[format].layers()
    worst = max(layers, key=lambda layer: layer.share)
    assert worst.layer == damaged
    assert worst.share > 0.8
    assert worst.share_weights > 0.9 * worst.share
    before = layers[: LAYERS.index(damaged)]
    assert min(layer.snr_db or 0 for layer in before) > (worst.snr_db or 0) + 5


# What is shown


def test_the_text_has_the_worst_first_and_both_formats(report: DebugReport) -> None:
    text = to_text(report)
    assert "cnn, int8, against the float model on 60 validation images" in text
    for model in report.models.values():
        part = text[text.index(model.file) :]
        assert next(line for line in part.splitlines()[3:] if "%" in line).split()[0] == model.ranked[0].layer
        assert f"{model.snr_db:.1f} dB" in part
    assert "more:" not in text


def test_images_of_validation_are_training_images_to_a_model_that_learned_from_them(
    run: Run, images: Subset
) -> None:
    recipe = replace(run.recipe, use_validation=True)
    learned = Run(run.folder, structs.replace(run.info, recipe=recipe))
    report = debug_run(learned, "int8", ["tflite"], images.take(np.arange(4)))
    assert "against the float model on 4 training images" in to_text(report)
    assert report.to_dict()["split"] == "training"


def test_what_the_text_leaves_out_is_counted(report: DebugReport) -> None:
    model = report.models["tflite"]
    many = replace(model, layers=[replace(model.layers[0], share=0.05, layer=f"l{n}") for n in range(20)])
    text = to_text(replace(report, models={"tflite": many}))
    assert text.count("Conv2D") == SHOWN
    assert text.endswith("and 5 more: 25.0%")
    assert "differ by up to 0.25" in to_text(
        replace(report, models={"tflite": replace(model, kernels_differ=0.25)})
    )


def test_the_figures_are_json(report: DebugReport) -> None:
    content = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert (content["schema"], content["run"], content["images"]) == (1, "cnn", 60)
    assert [layer["layer"] for layer in content["models"]["onnx"]["layers"]] == LAYERS


def test_layers_that_are_not_ranked_are_named(report: DebugReport, tmp_path: Path) -> None:
    model = report.models["onnx"]
    without = replace(model, layers=model.layers[1:], unranked=[LAYERS[0], "b", "c", "d"])
    both = replace(report, models={"onnx": without, "tflite": report.models["tflite"]})
    line = "  not ranked, since the file computes them in one with others: conv1, b, c and 1 more"
    assert line in to_text(both)
    plot(both, tmp_path / "layers.svg")


@pytest.mark.parametrize("formats", [FORMATS, ("onnx",)])
def test_the_picture_is_drawn(
    report: DebugReport, formats: tuple[str, ...], tmp_path: Path, figure_of: Callable[..., Any]
) -> None:
    from matplotlib.image import imread

    path = tmp_path / "layers.png"
    both = replace(report, models={format: report.models[format] for format in formats})
    figure = figure_of(lambda other: plot(both, other))
    assert len(figure.axes[0].patches) == 2 * len(LAYERS) * len(formats)
    plot(both, path)
    pixels = imread(path)[..., :3]
    orange = (pixels[..., 0] - pixels[..., 2] > 0.5).mean()
    blue = (pixels[..., 2] - pixels[..., 0] > 0.3).mean()
    assert orange > 0.005
    assert (blue > 0.005) == ("tflite" in formats)


def test_a_picture_of_many_layers_with_long_names_can_be_read(
    report: DebugReport, figure_of: Callable[..., Any]
) -> None:
    layers = [
        replace(report.models["onnx"].layers[0], layer=f"a/layer/of/a/long/name_{number}", share=number / 900)
        for number in range(70)
    ]
    models = {format: replace(model, layers=layers) for format, model in report.models.items()}
    figure = figure_of(lambda path: plot(replace(report, models=models), path))
    assert figure.get_figheight() < 15


def test_from_the_command_line(copied: Run, sample_folder: Path, tmp_path: Path) -> None:
    arguments = [*("debug", str(copied.folder), "--data", str(sample_folder), "--images", "20")]
    outputs = ["--json", str(tmp_path / "d.json"), "--plot", str(tmp_path / "d.svg")]
    with pytest.raises(SystemExit) as stopped:
        main([*arguments, *outputs])
    assert not stopped.value.code
    content = json.loads((tmp_path / "d.json").read_text())
    assert (list(content["models"]), content["images"]) == (list(FORMATS), 20)
    assert (tmp_path / "d.svg").read_text().startswith("<?xml")


# Bad input


def missing(run: Run) -> None:
    (run.artifacts / "cnn-int8.onnx").unlink()


def damaged(run: Run) -> None:
    path = run.artifacts / "cnn-int8.onnx"
    path.write_bytes(path.read_bytes()[:-1000])


def empty(run: Run) -> None:
    (run.artifacts / "cnn-int8.onnx").write_bytes(b"")


def empty_without_manifest(run: Run) -> None:
    empty(run)
    artifact.manifest_path(run.artifacts / "cnn-int8.onnx").unlink()


def another_runs(run: Run) -> None:
    path = artifact.manifest_path(run.artifacts / "cnn-int8.onnx")
    path.write_text(json.dumps({**json.loads(path.read_text()), "run_id": "0123456789ab"}))


def of_a_foreign_program(run: Run) -> None:
    import onnx as package

    value = [package.helper.make_tensor_value_info(name, 1, [1]) for name in "ab"]
    graph = package.helper.make_graph(
        [package.helper.make_node("Relu", ["a"], ["b"])], "g", value[:1], value[1:]
    )
    path = run.artifacts / "cnn-int8.onnx"
    path.write_bytes(package.helper.make_model(graph).SerializeToString())
    artifact.manifest_path(path).unlink()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (missing, "does not exist: make it with edgefashion export {run} --format onnx --precision int8"),
        (damaged, "is not the file its manifest describes"),
        (empty, "is not the file its manifest describes"),
        (empty_without_manifest, "was not exported from this run as int8: make it with edgefashion export"),
        (another_runs, "was not exported from this run as int8: make it with edgefashion export"),
        (of_a_foreign_program, "was not exported from this run as int8: make it with edgefashion export"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(
    spoil: Callable[[Run], None],
    said: str,
    copied: Run,
    sample_folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(copied)
    with pytest.raises(SystemExit) as stopped:
        main(["debug", str(copied.folder), "--format", "all", "--data", str(sample_folder)])
    captured = capsys.readouterr()
    assert stopped.value.code == 2
    (line,) = [line for line in captured.err.splitlines() if not line.startswith("data: ")]
    assert line.startswith(f"edgefashion: {copied.artifacts}/cnn-int8.onnx ")
    assert said.format(run=copied.folder) in line
    assert captured.out == ""


def test_where_no_format_is_asked_for_those_exported_are_shown_and_the_others_named(
    copied: Run, sample_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing(copied)
    with pytest.raises(SystemExit) as stopped:
        main(["debug", str(copied.folder), "--images", "2", "--data", str(sample_folder)])
    captured = capsys.readouterr()
    assert not stopped.value.code, captured.err
    assert "cnn-int8.tflite" in captured.out
    assert f"left out, not exported: {copied.artifacts}/cnn-int8.onnx" in captured.err


def test_a_file_of_another_model_under_a_true_manifest_is_one_line(
    copied: Run, residual: Graph, calibration: RepresentativeDataset, images: Subset
) -> None:
    path = copied.artifacts / "cnn-int8.tflite"
    manifest = artifact.read(path).manifest
    own = {key: value for key, value in manifest.to_dict().items() if key not in ("sha256", "size_bytes")}
    artifact.save(path, tflite_model.int8(residual, calibration), own)
    with pytest.raises(
        ArtifactError, match="for any of the layers conv1, pool1, conv2, pool2, dense: export"
    ):
        debug_run(copied, "int8", ["tflite"], images)


def test_a_precision_that_the_run_does_not_have(run: Run, images: Subset) -> None:
    with pytest.raises(BadInput, match="was not trained quantization-aware"):
        debug_run(run, "int8-qat", FORMATS, images)
