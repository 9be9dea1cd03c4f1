"""What is found inside model files: ours, foreign ones and damaged ones."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.helper import make_node as op

from edgefashion import tables
from edgefashion.artifacts import metadata
from edgefashion.artifacts.formats import QAT_PRECISIONS, Variant, variants
from edgefashion.artifacts.inspection import (
    Inspection,
    inspect,
    onnx_file,
    onnx_shapes,
    tflite_file,
    tflite_shapes,
)
from edgefashion.artifacts.inspection.text import page, to_json, to_text
from edgefashion.data import Dataset, split
from edgefashion.errors import ArtifactError, MissingExtra
from edgefashion.training.runs import Run

MODELS = Path(__file__).parents[1] / "files/models"
EVERY_MODEL = sorted(MODELS.iterdir())
EVERY_KIND = [variant for variant in variants() if variant.precision not in QAT_PRECISIONS]
Build = Callable[..., Inspection]


@pytest.fixture(scope="module")
def inspected(
    exported: Run, sample: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], Inspection]:
    from edgefashion.artifacts import artifact
    from edgefashion.export import exporter
    from edgefashion.export.options import ExportOptions

    folder = tmp_path_factory.mktemp("inspection") / "cnn"
    run = Run(Path(shutil.copytree(exported.folder, folder)), exported.info)
    more = [Variant("tflite", "float16"), Variant("tflite", "dynamic")]
    exporter.export_run(run, split(sample), more, ExportOptions(calibration_images=100))
    found = map(artifact.read, artifact.find(run.artifacts))
    return {(entry.format, str(entry.precision)): inspect(entry.path) for entry in found}


@pytest.mark.parametrize("kind", EVERY_KIND, ids="-".join)
def test_the_cnn_costs_what_its_keras_model_does(
    kind: tuple[str, str], inspected: dict[tuple[str, str], Inspection], trained: Run
) -> None:
    from edgefashion.export.graph.unread_pixels import crop_unread
    from edgefashion.models.summary import summarize
    from edgefashion.tensorflow import keras

    layers = summarize(crop_unread(keras.models.load_model(trained.model_path, compile=False)))
    found = inspected[kind]
    parameters = [layer.parameters for layer in layers if layer.macs]
    macs = [layer.macs for layer in layers if layer.macs]
    if kind[1] == "int8":
        # In blocks of 2x2: 128 kernels of 4x4 at 12x12 places, instead of 32 of 3x3 at 24x24. Of each kernel
        # 7 weights are zeros that fill it up, and are not multiplied.
        parameters[0] = 128 * 16 + 128
    assert found.parameters == sum(parameters)
    assert [operator.macs for operator in found.computing] == macs


@pytest.mark.parametrize("kind", EVERY_KIND, ids="-".join)
def test_int8_multiplies_in_integers_and_nothing_else_does(
    kind: tuple[str, str], inspected: dict[tuple[str, str], Inspection]
) -> None:
    found = inspected[kind]
    assert len(found.computing) == 4
    assert found.integer == (4 if kind[1] == "int8" else 0)
    stored = {"float16": "float16", "dynamic": "int8", "int8": "int8"}.get(kind[1], "float32")
    assert max(found.operators, key=lambda operator: operator.size_bytes).weights == stored


def test_bytes_are_those_of_the_weights(inspected: dict[tuple[str, str], Inspection]) -> None:
    heaviest = max(inspected["tflite", "float32"].operators, key=lambda operator: operator.size_bytes)
    assert heaviest.size_bytes == 4 * (1600 * 128 + 128)
    assert heaviest.output_shape == (1, 128)
    for found in inspected.values():
        assert 0.9 * found.size_bytes < found.weight_bytes < found.size_bytes


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_ports_are_the_contract(format: str, inspected: dict[tuple[str, str], Inspection]) -> None:
    (image,), (logits,) = inspected[format, "int8"].inputs, inspected[format, "int8"].outputs
    assert (image.dtype, image.shape[1:], logits.shape[1:]) == ("uint8", (28, 28, 1), (10,))
    assert image.shape[0] == {"tflite": "?", "onnx": "N"}[format]
    assert list(image.scales) == pytest.approx([1 / 255])
    assert image.zero_points == (0,)
    assert bool(logits.scales) == (format == "tflite")


def test_metadata_are_shown(inspected: dict[tuple[str, str], Inspection], trained: Run) -> None:
    for found in inspected.values():
        assert found.metadata is not None
        assert found.metadata.run_id == trained.id
        assert trained.id in to_text([found])
    assert inspect(MODELS / "tiny-int8.tflite").metadata is None


def test_text_and_json_say_the_same(inspected: dict[tuple[str, str], Inspection]) -> None:
    found = inspected["tflite", "float32"]
    text = to_text([found])
    assert "0 of the 4 that multiply" in text
    assert "MACs        2,215,168 for one image" in text
    shares = [line.split()[-1] for line in text.splitlines() if line.endswith("%")]
    assert shares == sorted(shares, key=lambda share: -float(share.rstrip("%")))
    assert len(shares) == 4
    (read,) = json.loads(to_json([found]))
    assert (read["macs"], read["parameters"], read["integer_operators"]) == (2_215_168, 225_034, 0)
    assert read["operator_kinds"]["CONV_2D"] == 2


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_narrow_terminal_gets_the_figures_whole(
    width: int, inspected: dict[tuple[str, str], Inspection]
) -> None:
    found = inspected["onnx", "int8"]
    lines = tables.to_text(page(found), width).splitlines()
    assert all(len(line) <= width or len(line.split()) == 1 for line in lines)
    whole = {word for line in to_text([found]).splitlines() for word in line.split()}
    shown = [line for line in lines if line.endswith("%")]
    assert len(shown) == 4
    assert all(word in whole for line in shown for word in line.split())


@pytest.mark.parametrize("path", EVERY_MODEL, ids=lambda path: path.name)
def test_foreign_models_are_read(path: Path) -> None:
    found = inspect(path)
    assert found.parameters == 4 * 9 + 4 + 144 * 10 + 10
    assert found.macs == 4 * 9 * 13 * 13 + 144 * 10
    assert found.integer == (2 if "int8" in path.name else 0)


@pytest.mark.parametrize("path", EVERY_MODEL, ids=lambda path: path.name)
def test_a_cut_file_is_one_error(path: Path, tmp_path: Path) -> None:
    content, cut = path.read_bytes(), tmp_path / path.name
    for end in [*range(0, len(content) - 40, 61), len(content) - 1, len(content) - 5]:
        cut.write_bytes(content[:end])
        with pytest.raises(ArtifactError, match=path.name) as caught:
            inspect(cut)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", EVERY_MODEL, ids=lambda path: path.name)
def test_a_flipped_bit_is_an_error_or_another_model(path: Path, tmp_path: Path) -> None:
    content, random = path.read_bytes(), np.random.default_rng(1)
    flipped = tmp_path / path.name
    errors = 0
    for position in random.integers(0, len(content) * 8, 400):
        damaged = bytearray(content)
        damaged[position // 8] ^= 1 << position % 8
        flipped.write_bytes(damaged)
        try:
            json.loads(to_json([inspect(flipped)]))
        except ArtifactError:
            errors += 1
    assert 0 < errors < 400


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.tflite", b""),
        ("empty.onnx", b""),
        ("photo.tflite", b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(2000)),
        ("photo.onnx", b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(2000)),
        ("zeros.onnx", bytes(100)),
        ("text.onnx", b"version https://git-lfs.github.com/spec/v1\n"),
        ("header.tflite", b"\x1c\x00\x00\x00TFL3"),
        ("far.tflite", b"\xff\xff\xff\xffTFL3" + bytes(100)),
        ("crossed.onnx", (MODELS / "tiny-int8.tflite").read_bytes()),
        ("crossed.tflite", (MODELS / "tiny-float32.onnx").read_bytes()),
        ("graphless.onnx", onnx.ModelProto(ir_version=8).SerializeToString()),
        ("model.keras", b"PK"),
    ],
)
def test_what_is_no_model_is_one_error(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=name):
        inspect(path)


def test_what_cannot_be_read_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "folder.onnx").mkdir()
    for name in ("gone.tflite", "folder.onnx"):
        with pytest.raises(ArtifactError, match="cannot be read"):
            inspect(tmp_path / name)


def test_offsets_in_circles_end(tmp_path: Path) -> None:
    """One table serves as every other, so that each list of tables holds a million of itself."""
    path = tmp_path / "circle.tflite"
    table = np.zeros(200_000, np.uint8)
    table[:8] = list(b"\x10\x00\x00\x00TFL3")
    vtable = np.frombuffer(np.array([8, 8, 0, 4], np.uint16).tobytes(), np.uint8)
    table[8:16] = vtable
    table[16:20] = list((8).to_bytes(4, "little"))
    table[20:24] = list((40_000).to_bytes(4, "little"))
    path.write_bytes(table.tobytes())
    with pytest.raises(ArtifactError):
        inspect(path)


def test_without_litert_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    tflite_file.names_of.cache_clear()
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    monkeypatch.delitem(sys.modules, "ai_edge_litert.schema_py_generated", raising=False)
    with pytest.raises(MissingExtra, match=r"\[litert\]"):
        inspect(MODELS / "tiny-int8.tflite")
    tflite_file.names_of.cache_clear()


def test_onnx_needs_no_package_and_tflite_no_tensorflow() -> None:
    code = (
        "import sys; from pathlib import Path; from edgefashion.artifacts.inspection import inspect\n"
        "inspect(Path(sys.argv[1])); print({'onnx', 'onnxruntime', 'ai_edge_litert'} & {*sys.modules})\n"
        "inspect(Path(sys.argv[2])); print({'tensorflow', 'ai_edge_litert.interpreter'} & {*sys.modules})"
    )
    paths = [MODELS / "tiny-float32.onnx", MODELS / "tiny-int8.tflite"]
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["set()", "set()", ""]


# Shapes and what hangs on them: ONNX


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Inspect an ONNX model of some nodes that read `x` of the given shape; other inputs are constants."""

    def make(nodes: list[onnx.NodeProto], shape: list[int | str], **constants: np.ndarray) -> Inspection:
        graph = helper.make_graph(
            nodes,
            "graph",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(array, name) for name, array in constants.items()],
        )
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        path = tmp_path / "built.onnx"
        path.write_bytes(helper.make_model(graph, opset_imports=opsets).SerializeToString())
        return inspect(path)

    return make


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


NODES = [
    (op("Conv", ["x", "w"], ["y"], strides=[2, 1], pads=[1, 0, 2, 1], dilations=[1, 2]), (6, 3, 3, 2)),
    (op("Conv", ["x", "w"], ["y"], strides=[3, 2], auto_pad="SAME_UPPER"), (6, 3, 3, 3)),
    (op("Conv", ["x", "w"], ["y"], auto_pad="VALID", group=3), (6, 1, 3, 3)),
    (op("ConvTranspose", ["x", "w"], ["y"], strides=[2, 3], pads=[1, 0, 0, 1]), (3, 5, 3, 4)),
    (op("ConvTranspose", ["x", "w"], ["y"], strides=[2, 3], output_padding=[1, 0], group=3), (3, 5, 3, 4)),
    (op("MaxPool", ["x"], ["y"], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1), ()),
    (op("AveragePool", ["x"], ["y"], kernel_shape=[2, 3], strides=[2, 2], pads=[1, 1, 0, 1]), ()),
    (op("GlobalAveragePool", ["x"], ["y"]), ()),
    (op("Flatten", ["x"], ["y"], axis=2), ()),
    (op("Transpose", ["x"], ["y"], perm=[0, 3, 1, 2]), ()),
    (op("Transpose", ["x"], ["y"]), ()),
    (op("ReduceMean", ["x"], ["y"], axes=[2, -1], keepdims=0), ()),
    (op("ReduceMax", ["x"], ["y"]), ()),
    (op("Concat", ["x", "x", "w"], ["y"], axis=-1), (1, 3, 11, 4)),
    (op("Add", ["x", "w"], ["y"]), (3, 1, 9)),
    (op("MatMul", ["x", "w"], ["y"]), (3, 9, 7)),
    (op("Resize", ["x", "", "w"], ["y"]), (4,)),
]  # fmt: skip


@pytest.mark.parametrize(("node", "shape"), NODES, ids=lambda value: getattr(value, "op_type", ""))
def test_shapes_are_those_of_onnx_itself(node: onnx.NodeProto, shape: tuple[int, ...], build: Build) -> None:
    constants = {"w": ones(*shape)} if shape else {}
    found = build([node], [1, 3, 11, 9], **constants)
    graph = helper.make_graph(
        [node],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 11, 9])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph.output[0]
    expected = tuple(dim.dim_value for dim in inferred.type.tensor_type.shape.dim)
    assert found.operators[0].output_shape == expected


def test_shapes_of_whole_models_are_those_of_onnx_itself() -> None:
    for path in MODELS.glob("*.onnx"):
        model = onnx.load(path)
        for value in (*model.graph.input, *model.graph.output):
            value.type.tensor_type.shape.dim[0].dim_value = 1
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        found = onnx_shapes.infer(onnx_file.read_graph(path.read_bytes()))
        assert len(inferred.graph.value_info) > 5
        for value in inferred.graph.value_info:
            assert found[value.name] == tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)


def test_multiplications_are_counted_by_hand(build: Build) -> None:
    def macs(node: onnx.NodeProto, *shape: int) -> int | None:
        return build([node], ["batch", 4, 8, 8], w=ones(*shape)).macs

    assert macs(op("Conv", ["x", "w"], ["y"]), 6, 4, 3, 3) == 6 * 6 * 6 * 4 * 9
    assert macs(op("Conv", ["x", "w"], ["y"], group=4), 4, 1, 3, 3) == 4 * 6 * 6 * 9
    assert macs(op("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2]), 4, 5, 2, 2) == 64 * 4 * 5 * 4
    assert macs(op("MatMul", ["x", "w"], ["y"]), 8, 3) == 4 * 8 * 8 * 3


def test_a_fixed_batch_counts_whole(build: Build) -> None:
    node = op("Gemm", ["x", "w"], ["y"], transB=1)
    assert build([node], ["N", 5], w=ones(3, 5)).macs == 15
    assert build([node], [7, 5], w=ones(3, 5)).macs == 7 * 15


@pytest.mark.parametrize(
    "nodes",
    [
        [op("Conv", ["x", "w"], ["y"])],
        [
            op("Mystery", ["x"], ["a"], domain="com.microsoft"),
            op("Relu", ["a"], ["y"]),
        ],
        [op("NonZero", ["x"], ["a"]), op("MatMul", ["a", "w"], ["y"])],
    ],
    ids=["open height", "foreign operator", "shape depends on values"],
)
def test_what_is_not_known_is_left_blank(nodes: list[onnx.NodeProto], build: Build) -> None:
    found = build(nodes, ["N", 3, "height", 8], w=ones(2, 3, 3, 3))
    assert found.macs is None
    assert "MACs        – (not known of" in to_text([found])
    assert json.loads(to_json([found]))[0]["macs"] is None


def test_a_constant_that_serves_twice_counts_once(build: Build) -> None:
    nodes = [op("MatMul", ["x", "w"], ["a"]), op("MatMul", ["a", "w"], ["y"])]
    found = build(nodes, [1, 4], w=ones(4, 4))
    assert (found.parameters, found.weight_bytes, found.macs) == (16, 64, 32)


def test_sizes_and_axes_are_no_parameters(build: Build) -> None:
    nodes = [
        op("Reshape", ["x", "sizes"], ["a"]),
        op("Mul", ["a", "factor"], ["b"]),
        op("Resize", ["b", "", "scales"], ["y"]),
    ]
    found = build(
        nodes,
        [1, 3, 4, 4],
        sizes=np.array([0, 3, -1, 2]),
        factor=ones(1),
        scales=np.array([1, 1, 2, 2], np.float32),
    )
    assert found.parameters == 0
    assert found.operators[-1].output_shape == (1, 3, 16, 4)


@pytest.mark.parametrize(
    ("starts", "ends", "axes", "steps", "shape"),
    [
        ([0, 0], [26, -2], [2, 3], [1, 1], (1, 3, 26, 26)),
        ([27, 1], [-100, 9], [-1, 1], [-2, 1], (1, 2, 28, 14)),
        ([0, 1], [1, 2], None, None, (1, 1, 28, 28)),
    ],
)
def test_a_slice_has_the_size_that_onnx_gives_it(
    starts: list[int],
    ends: list[int],
    axes: list[int] | None,
    steps: list[int] | None,
    shape: tuple[int, ...],
    build: Build,
) -> None:
    given = {"starts": starts, "ends": ends, "axes": axes, "steps": steps}
    constants = {name: np.array(values) for name, values in given.items() if values is not None}
    found = build([op("Slice", ["x", *constants], ["y"])], [1, 3, 28, 28], **constants)
    assert found.operators[0].output_shape == shape


# Shapes: TFLite


def test_a_slice_of_the_whole_batch_keeps_it_and_no_other_is_believed() -> None:
    shapes = [(-1, 28, 28, 1), (4,), (-1, 26, 26, 1)]
    for kind, found in ((tflite_shapes.WHOLE_SLICE, (1, 26, 26, 1)), ("STRIDED_SLICE", None)):
        assert tflite_shapes.resolve(shapes, {0}, {1}, [(kind, (0, 1, 1, 1), (2,))])[2] == found


def test_an_open_first_size_that_is_no_batch_is_followed() -> None:
    shapes = [(-1, 6, 8), (-1, 8), (4, 8), (-1, 4), (-1, 6, 4), (-1, 4)]
    operations = [
        ("RESHAPE", (0,), (1,)),
        ("FULLY_CONNECTED", (1, 2), (3,)),
        ("RESHAPE", (3,), (4,)),
        ("GATHER", (4,), (5,)),
    ]
    found = tflite_shapes.resolve(shapes, {0}, {2}, operations)
    assert found == [(1, 6, 8), (6, 8), (4, 8), (6, 4), (1, 6, 4), None]


def test_an_open_height_stays_open() -> None:
    shapes = [(-1, -1, 8, 3), (4, 3, 3, 3), (-1, -1, 6, 4)]
    assert tflite_shapes.resolve(shapes, {0}, {1}, [("CONV_2D", (0, 1), (2,))]) == [None, (4, 3, 3, 3), None]


def test_reading_metadata_and_inspecting_agree_on_what_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes((MODELS / "tiny-int8.tflite").read_bytes()[:2000])
    assert metadata.read(path) is None
    with pytest.raises(ArtifactError):
        inspect(path)
