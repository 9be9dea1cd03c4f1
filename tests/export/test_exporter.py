import gc
import gzip
import shutil
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx as onnx_package
import pytest
from msgspec import structs

from edgefashion.artifacts import artifact, metadata, targets
from edgefashion.artifacts.formats import QAT_PRECISIONS, Variant, variants
from edgefashion.data import Splits
from edgefashion.errors import BadInput, OutputError, RunError, RuntimeCrash, VerificationError
from edgefashion.evaluation.predictions import predict
from edgefashion.export import converters, exporter
from edgefashion.export.graph import graph
from edgefashion.export.graph.graph import Graph
from edgefashion.export.options import ExportOptions
from edgefashion.runtimes import content
from edgefashion.training.runs import Run
from edgefashion.training.trained import load_model

EVERY_KIND = [variant for variant in variants() if variant.precision not in QAT_PRECISIONS]


@pytest.fixture
def run(trained: Run, tmp_path: Path) -> Run:
    """A copy of the trained run that a test may write to."""
    return Run(Path(shutil.copytree(trained.folder, tmp_path / "cnn")), trained.info)


@pytest.fixture(scope="module")
def exported(
    trained: Run, splits: Splits, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], artifact.Artifact]:
    folder = tmp_path_factory.mktemp("exported") / "cnn"
    run = Run(Path(shutil.copytree(trained.folder, folder)), trained.info)
    found = exporter.export_run(run, splits, EVERY_KIND, ExportOptions(calibration_images=100))
    return {(entry.format, str(entry.precision)): entry for entry in found}


@pytest.mark.parametrize("kind", EVERY_KIND, ids="-".join)
def test_an_artifact_says_what_the_keras_model_says(
    kind: tuple[str, str], exported: dict[tuple[str, str], artifact.Artifact], graph: Graph, splits: Splits
) -> None:
    expected = graph.predict(splits.test.images).argmax(axis=1)
    found = predict(artifact.read(exported[kind].path), splits.test.images).classes
    assert found is not None
    assert np.mean(found == expected) >= (0.99 if kind[1].startswith("float") else 0.95)


@pytest.mark.parametrize("kind", EVERY_KIND, ids="-".join)
def test_a_manifest_tells_where_the_file_comes_from(
    kind: tuple[str, str], exported: dict[tuple[str, str], artifact.Artifact], trained: Run
) -> None:
    manifest = exported[kind].manifest
    assert manifest is not None
    assert (manifest.format, manifest.precision) == kind
    assert manifest.run_id == trained.id
    assert manifest.small_run
    assert manifest.labels[0] == "T-shirt/top"
    assert manifest.input.shape == ("N", 28, 28, 1)
    assert manifest.verification["agreement"] >= manifest.verification["limits"]["agreement"]
    assert (manifest.rejection.images, manifest.rejection.split) == (100, "validation")
    assert len(manifest.rejection.medians) == 10
    assert (manifest.calibration is None) == (kind[1] != "int8")
    if manifest.calibration:
        chosen = {"tflite": "the only one", "onnx": "measured"}[kind[0]]
        assert manifest.calibration.chosen == chosen
    assert "folder" not in str(manifest.data)


def test_the_size_is_told_with_that_of_its_gzip(run: Run, splits: Splits) -> None:
    lines: list[str] = []
    (made,) = exporter.export_run(run, splits, [Variant("onnx", "float32")], report=lines.append)
    content = made.path.read_bytes()
    sizes = f"{len(content) / 1000:.0f} kB, {len(gzip.compress(content, 9)) / 1000:.0f} kB in gzip"
    assert lines[0] == f"{made.path}: {sizes}"
    assert lines[1].startswith("  agrees with float on ")
    assert max(map(len, lines[1:])) <= 100


def test_a_target_shows_in_the_name_the_manifest_and_the_line(
    run: Run, splits: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(targets, "of_this_machine", lambda: "x86-vnni")
    lines: list[str] = []
    settings = ExportOptions(calibration_images=50, calibration="min-max", target="arm64")
    kinds = [Variant("onnx", "int8"), Variant("tflite", "int8")]
    made, tflite = exporter.export_run(run, splits, kinds, settings, report=lines.append)
    assert (made.path.name, made.target) == ("cnn-int8-arm64.onnx", "arm64")
    assert (tflite.path.name, tflite.target) == ("cnn-int8.tflite", "any")
    assert made.manifest is not None and made.manifest.method.endswith("per-channel, 8-bit")
    assert artifact.Artifact(made.path, None, metadata.read(made.path)).target == "arm64"
    assert "made for arm64: its predictions are correct here, on x86-vnni" in lines[0]
    assert "made for" not in lines[2]


def test_an_artifact_that_disagrees_leaves_no_file(
    run: Run, splits: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods = converters.converters_of("onnx").methods
    method = methods["float32"]

    def negated(model: onnx_package.ModelProto) -> bytes:
        last = next(node for node in model.graph.node if "logits" in node.output)
        last.output[:] = ["positive"]
        model.graph.node.append(onnx_package.helper.make_node("Neg", ["positive"], ["logits"]))
        return bytes(model.SerializeToString())

    def spoilt(*given: Any) -> converters.Convert:
        content = method.converter(*given)("")
        return lambda _: negated(onnx_package.load_from_string(content))

    monkeypatch.setitem(methods, "float32", replace(method, converter=spoilt))
    with pytest.raises(VerificationError, match=r"cnn-float32\.onnx agrees on \d.* of images; at least 97%"):
        exporter.export_run(run, splits, [Variant("onnx", "float32")])
    assert artifact.find(run.artifacts) == []


@pytest.mark.usefixtures("fake_runtime")
def test_an_artifact_that_kills_its_runtime_leaves_no_file(
    run: Run, splits: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter, "file_name", lambda *_: "cnn.fake")
    crash = b'{"predict": "SIGSEGV"}'
    methods = converters.converters_of("onnx").methods
    monkeypatch.setitem(methods, "int8", converters.uncalibrated(lambda _: crash, "crash"))
    monkeypatch.setattr(exporter.embed, "embed", lambda content, *_: content)
    with pytest.raises(RuntimeCrash, match="SIGSEGV"):
        exporter.export_run(run, splits, [Variant("onnx", "int8")], ExportOptions(calibration="min-max"))
    assert not run.artifacts.exists()


def test_an_interruption_keeps_the_artifact_that_was_there(
    run: Run, splits: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    (before,) = exporter.export_run(run, splits, [Variant("onnx", "float32")])

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(content, "ModelProcess", interrupted)
    with pytest.raises(KeyboardInterrupt):
        exporter.export_run(run, splits, [Variant("onnx", "float32")])
    assert artifact.read(before.path).manifest == before.manifest


def test_no_model_is_kept_alive_after_an_export(
    run: Run, splits: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    models: list[weakref.ref[Any]] = []
    build = graph.build

    def remember(run: Run) -> Graph:
        made = build(run)
        models.extend(weakref.ref(model) for model in (made, made.model, made.deployed))
        return made

    monkeypatch.setattr(graph, "build", remember)
    wanted = [Variant("tflite", "float32"), Variant("tflite", "int8"), Variant("onnx", "int8")]
    exporter.export_run(run, splits, wanted, ExportOptions(calibration_images=50))
    gc.collect()
    assert [model() for model in models] == [None] * 3


def test_an_output_folder_that_cannot_be_made_is_named(run: Run, splits: Splits) -> None:
    run.artifacts.write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="artifacts"):
        exporter.export_run(run, splits, [Variant("onnx", "float32")])


def test_only_what_was_made_from_this_model_in_this_way_is_reused(run: Run, splits: Splits) -> None:
    settings, kind = ExportOptions(calibration_images=50, calibration="percentile"), Variant("onnx", "int8")
    (made,) = exporter.export_run(run, splits, [kind], settings)
    assert exporter.find_reusable(run, kind, settings)
    assert not exporter.find_reusable(run, kind, replace(settings, calibration_images=60))
    assert not exporter.find_reusable(run, kind, replace(settings, calibration="entropy"))
    assert not exporter.find_reusable(run, kind, replace(settings, calibration="auto"))
    assert not exporter.find_reusable(
        Run(run.folder, structs.replace(run.info, id="another")), kind, settings
    )
    content = made.path.read_bytes()
    manifest = {**made.manifest.to_dict(), "versions": {**made.manifest.versions, "onnxruntime": "1.20.0"}}
    artifact.save(made.path, content, manifest)
    assert not exporter.find_reusable(run, kind, settings)
    artifact.save(made.path, content, made.manifest.to_dict())
    assert exporter.find_reusable(run, kind, settings)
    made.path.write_bytes(b"damaged")
    assert not exporter.find_reusable(run, kind, settings)
    made.path.unlink()
    assert not exporter.find_reusable(run, kind, settings)


@pytest.mark.parametrize(
    "changed",
    [
        {"precision": "float32"},
        {"kept_float": ["conv1"]},
        {"kept_float": ["dense"], "target": "arm"},
        {"method": "an older way"},
        {"labels": [f"class {number}" for number in range(10)]},
        {"small_run": False},
    ],
    ids=lambda changed: " ".join(changed),
)
def test_a_file_of_the_same_name_that_is_something_else_is_made_anew(
    run: Run, changed: dict[str, Any]
) -> None:
    kind, settings = Variant("onnx", "int8"), ExportOptions(keep_float=("dense",))
    manifest = save_stand_in(run, kind, settings, {"calibration": {"count": 500, "chosen": "measured"}})
    assert exporter.find_reusable(run, kind, settings)
    save_stand_in(run, kind, settings, manifest | changed)
    assert not exporter.find_reusable(run, kind, settings)


def save_stand_in(run: Run, kind: Variant, settings: ExportOptions, told: dict[str, Any]) -> dict[str, Any]:
    """A file that is none, and the manifest of one that is made so, with what is `told`."""
    manifest = exporter._origin(run, kind, settings, None) | told
    artifact.save(run.artifacts / exporter.file_name(run, kind, settings), b"model", manifest)
    return manifest


@pytest.mark.parametrize(
    ("made_with", "wanted", "same"),
    [
        ({"method": "entropy", "chosen": "measured"}, "auto", True),
        ({"method": "entropy", "chosen": "measured"}, "entropy", True),
        ({"method": "entropy", "chosen": "measured"}, "min-max", False),
        ({"method": "entropy", "chosen": "asked for"}, "auto", False),
        ({"method": "min-max", "chosen": "the only one"}, "entropy", True),
        ({"method": "min-max", "chosen": "the only one", "split": "given"}, "auto", False),
        ({}, "auto", False),
    ],
)
def test_what_was_calibrated_in_another_way_is_made_anew(
    made_with: dict[str, str], wanted: str, same: bool, run: Run
) -> None:
    kind, settings = Variant("onnx", "int8"), ExportOptions(calibration=wanted)
    save_stand_in(run, kind, settings, {"calibration": {"count": 500, **made_with}})
    assert bool(exporter.find_reusable(run, kind, settings)) == same


def test_images_of_ones_own_calibrate_and_unfit_ones_leave_no_file(run: Run, splits: Splits) -> None:
    settings = ExportOptions(calibration_images=30, calibration="min-max")
    kinds = [Variant("onnx", "int8")]
    (made,) = exporter.export_run(run, splits, kinds, settings, calibrate_with=splits.test)
    assert made.manifest is not None
    assert (made.manifest.calibration.split, made.manifest.calibration.count) == ("given", 30)
    made.path.unlink()
    trousers = splits.train.take(np.flatnonzero(splits.train.labels == 1))
    with pytest.raises(BadInput, match="all of class 1"):
        exporter.export_run(run, splits, kinds, settings, calibrate_with=trousers)
    assert not made.path.exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda weights: [weight * 0 for weight in weights], "the same logits for every image"),
        (lambda weights: [*weights[:-1], weights[-1] + np.float32(1e30)], r"logits of up to 1e\+30"),
        (lambda weights: [np.full_like(weight, 1e38) for weight in weights], "logits of up to (inf|nan)"),
    ],
    ids=["zeros", "huge", "infinite"],
)
def test_a_model_that_has_learned_nothing_is_no_file(
    run: Run, splits: Splits, monkeypatch: pytest.MonkeyPatch, change: Any, reason: str
) -> None:
    def changed(run: Run) -> Any:
        model = load_model(run)
        model.set_weights(change(model.get_weights()))
        return model

    monkeypatch.setattr(graph, "load_model", changed)
    with pytest.raises(RunError, match=f"the model of {run.folder} gives {reason}: train it again"):
        exporter.export_run(run, splits, [Variant("onnx", "int8")])
    assert not run.artifacts.exists()


def test_a_link_in_a_run_leads_nothing_out_of_it(run: Run, splits: Splits, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    run.artifacts.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="is a link, and nothing is written through it"):
        exporter.export_run(run, splits, [Variant("onnx", "float32")])
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_images_of_other_classes_make_no_file(run: Run, splits: Splits) -> None:
    others = replace(splits, task=replace(splits.task, classes=splits.task.classes[::-1]))
    with pytest.raises(BadInput, match="the data here are another Fashion-MNIST"):
        exporter.export_run(run, others, [Variant("tflite", "float32")])
    assert not run.artifacts.exists()
