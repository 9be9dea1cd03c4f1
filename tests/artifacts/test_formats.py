"""One entry a format: all that the rooms ask of one follows from it."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from edgefashion.api import names
from edgefashion.artifacts import artifact, formats, inspection
from edgefashion.artifacts.formats import FORMATS, Format, Variant, open_place
from edgefashion.bundle import write
from edgefashion.errors import ArtifactError
from edgefashion.export.converters import Converters, converters_of, method_of

MODELS = Path(__file__).parents[1] / "files/models"


@pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
def test_a_format_names_only_what_is_there(format: Format) -> None:
    for place in filter(None, (format.inspection, format.embedded, format.external)):
        assert callable(open_place(place))
    assert isinstance(converters_of(format.name), Converters)
    assert tuple(converters_of(format.name).methods) == format.precisions
    assert {*format.calibrations, *format.targeted} <= set(format.precisions)


def test_every_variant_has_a_method_and_a_place_in_the_order() -> None:
    assert formats.variants()[0] == Variant("tflite", "float32")
    assert all(method_of(variant).name for variant in formats.variants())
    assert Variant("onnx", "int8").targeted
    assert not Variant("tflite", "int8").targeted
    assert Variant("tflite", "float32").calibrations == ()


def test_the_format_is_told_by_the_suffix_in_either_case() -> None:
    assert formats.of(Path("a.TFLITE")) is FORMATS["tflite"]
    assert formats.of(Path("tflite")) is None
    assert [formats.title(name) for name in ("onnx", "strange")] == ["ONNX", "strange"]
    assert sorted(["strange", "onnx", "tflite"], key=formats.rank) == ["tflite", "onnx", "strange"]


def test_a_format_added_in_one_place_is_listed_read_inspected_and_bundled(
    fake: Callable[..., Path],
) -> None:
    assert formats.suffixes() == ".tflite, .onnx or .fake"
    path = fake("model", edgefashion={"run": "cnn", "run_id": "1", "small_run": True, "precision": "int8"})
    assert artifact.find(path.parent) == [path]
    found = artifact.read(path)
    assert (found.format, found.model, found.precision) == ("fake", "cnn", "int8")
    assert inspection.inspect(path).inputs[0].dtype == "uint8"
    assert names.artifacts_of(path) == [found]
    write.check([found])


def test_a_file_of_no_format_is_refused_with_the_suffixes_that_are(tmp_path: Path) -> None:
    path = tmp_path / "model.pb"
    path.write_bytes(b"")
    for read in (artifact.read, inspection.inspect):
        with pytest.raises(ArtifactError, match=r"is not a \.tflite or \.onnx file"):
            read(path)


ROOT = Path(__file__).parents[2]
NAMING = {
    *("edgefashion/artifacts/formats.py", "edgefashion/runtimes/__init__.py"),
    *("edgefashion/runtimes/litert.py", "edgefashion/runtimes/onnxruntime.py"),
    "edgefashion/runtimes/openvino.py",
    *("edgefashion/diagnosis/exporting.py", "edgefashion/importing/reading.py"),
}
"""The registries, the runtimes of a format, a list of packages, of which one is called `onnx`, and
the readers of models of others."""


def test_no_other_module_names_a_format_or_its_suffix() -> None:
    names = {name for format in FORMATS.values() for name in (format.name, format.suffix)}
    paths = {path.resolve() for top in ("edgefashion", "export") for path in (ROOT / top).rglob("*.py")}
    found = {
        path.relative_to(ROOT).as_posix()
        for path in paths
        if path.parent.name not in FORMATS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in names
    }
    assert found <= NAMING
