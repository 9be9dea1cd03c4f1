"""From what a user names to what is exported, and how."""

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from edgefashion.artifacts.formats import PRECISIONS, Variant
from edgefashion.artifacts.targets import of_this_machine
from edgefashion.data import FASHION_MNIST
from edgefashion.errors import BadInput
from edgefashion.export.selection import check_calibration, check_task, choose_variants, target_for
from edgefashion.training.runs import Run


def test_each_run_is_exported_as_what_it_was_trained_for(trained: Run) -> None:
    recipe = replace(trained.recipe, fine_tuning="qat")
    quantized = Run(trained.folder, structs.replace(trained.info, recipe=recipe))
    usual, every = [Variant("tflite", "float32"), Variant("tflite", "int8")], PRECISIONS
    assert choose_variants(trained, ["tflite"], None) == usual
    assert choose_variants(quantized, ["tflite"], None) == [Variant("tflite", "int8-qat")]
    assert [precision for _, precision in choose_variants(trained, ["tflite"], every)] == list(every[:-1])
    assert choose_variants(quantized, ["tflite"], every) == [Variant("tflite", "int8-qat")]
    assert choose_variants(quantized, ["tflite"], ["float32"]) == [Variant("tflite", "float32")]
    both = ["int8", "int8-qat"]
    lines: list[str] = []
    assert choose_variants(trained, ["onnx"], both, lines.append) == [Variant("onnx", "int8")]
    assert choose_variants(quantized, ["onnx"], both) == [Variant("onnx", "int8-qat")]
    (line,) = lines
    assert line.endswith("cnn: it has no int8-qat, which is left out")


def test_a_run_is_not_exported_with_images_of_another_task(trained: Run, tmp_path: Path) -> None:
    run = Run(tmp_path / "cnn", structs.replace(trained.info, task=FASHION_MNIST.to_record()))
    check_task(run, FASHION_MNIST)
    noise = replace(FASHION_MNIST, name="noise", classes=("hiss", "hum"))
    with pytest.raises(BadInput, match="was trained on Fashion-MNIST, and the data here are noise: name its"):
        check_task(run, noise)
    renamed = replace(noise, name=FASHION_MNIST.name)
    with pytest.raises(BadInput, match="the data here are another Fashion-MNIST, with other classes"):
        check_task(run, renamed)


@pytest.mark.parametrize("wanted", ["arm64", "auto"])
def test_a_target_wants_an_int8_onnx_file(wanted: str) -> None:
    with pytest.raises(BadInput, match=f"target {wanted} .* add formats onnx precisions int8"):
        target_for(wanted, [Variant("tflite", "int8"), Variant("onnx", "float32")])
    assert target_for("any", [Variant("tflite", "int8")]) == "any"


def test_a_calibration_wants_a_file_that_has_it() -> None:
    int8_tflite, int8_onnx = Variant("tflite", "int8"), Variant("onnx", "int8")
    others = [Variant("onnx", "float32")]
    for method in ("percentile", "entropy"):
        check_calibration(method, [int8_tflite, int8_onnx])
        with pytest.raises(BadInput, match=f"calibration {method} .* int8 onnx files, .* formats onnx"):
            check_calibration(method, [int8_tflite, Variant("onnx", "int8-qat")])
    check_calibration("min-max", [int8_tflite])
    with pytest.raises(BadInput, match="int8 tflite and int8 onnx files, and none is asked for"):
        check_calibration("min-max", others)
    check_calibration("auto", others)


def test_the_target_of_this_machine_is_said() -> None:
    lines: list[str] = []
    found = target_for("auto", [Variant("onnx", "int8"), Variant("tflite", "int8")], lines.append)
    assert found == of_this_machine()
    assert lines == [f"target auto: {found}, which this machine is"]
    assert target_for("arm64", [Variant("onnx", "int8-qat")]) == "arm64"
