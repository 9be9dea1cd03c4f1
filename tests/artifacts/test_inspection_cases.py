"""Files of others whose figures were once wrong, or that hung: what is right of each."""

import copy
import shutil
import struct
import time
from pathlib import Path

import flatbuffers
import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper
from onnx.helper import make_node as op

from edgefashion.artifacts import artifact
from edgefashion.artifacts.inspection import Inspection, inspect
from edgefashion.artifacts.inspection.multiplied import Counter
from edgefashion.artifacts.inspection.text import to_text
from edgefashion.bundle import write
from edgefashion.errors import ArtifactError, BadInput
from edgefashion.evaluation import rows
from edgefashion.evaluation.scores import Score

SHARED = Path(__file__).parents[3] / "shared/data/cases"
OWN = Path(__file__).parents[1] / "files/cases"


def case(name: str) -> Inspection:
    """A file where all of them are, else a copy; skipped where there is none."""
    found = [folder / name for folder in (SHARED, OWN) if (folder / name).exists()]
    if not found:
        pytest.skip(f"{name} is not here")
    return inspect(found[0])


def test_a_size_of_minus_one_is_open() -> None:
    found = case("tract_qrelu_1.onnx")
    assert [port.shape for port in found.inputs + found.outputs] == [("?", 10), ("?", 10)]
    assert found.operators[1].output_shape == (1, 10, 1)


def test_one_signature_is_shown_and_the_others_are_named() -> None:
    found = case("weight_sharing_fcs.tflite")
    assert (found.parameters, found.macs, found.weight_bytes) == (512, 4_096, 2_048)
    assert found.other_signatures == ["sig2"]
    assert "not shown   what else it can run: sig2" in to_text([found])


def test_weights_are_those_and_not_a_larger_bias_and_each_buffer_counts_once() -> None:
    found = case("str_ww_ref_model.tflite")
    assert {operator.weights for operator in found.computing} == {"int8"}
    assert (found.weight_bytes, found.integer, found.macs) == (48_396, 9, 826_368)


def test_what_onnx_runtime_writes_is_known() -> None:
    found = case("ort_opt_int8.onnx")
    assert (found.integer, len(found.computing), found.parameters) == (4, 4, 226_890)
    assert (found.macs, found.precision) == (2_215_168, "int8")
    assert found.inputs[0].scales == pytest.approx([1 / 255])


def test_quantizing_meanwhile_keeps_shapes_and_its_scales_are_no_parameters() -> None:
    found = case("dyn.onnx")
    assert (found.macs, found.parameters, found.integer) == (2_215_168, 225_034, 4)
    assert found.precision == "dynamic"
    assert "it is named float32, but its operators that multiply are dynamic" in to_text([found])


def test_a_fixed_batch_is_a_call_of_as_many_images() -> None:
    found = case("conv_batch20.onnx")
    assert (found.batch, found.macs) == (20, 20 * 48 * 38 * 13 * 16 * 9)
    assert "for a call of 20 images" in to_text([found])


# Weights in other files


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A model whose weights are in w.bin."""
    weights = np.ones((300, 200), np.float32)
    graph = helper.make_graph(
        [op("MatMul", ["x", "w"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 300])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 200])],
        [numpy_helper.from_array(weights, "w")],
    )
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph), path, save_as_external_data=True, location="w.bin", size_threshold=0)
    return path


def test_weights_in_other_files_count_and_are_hashed(outside: Path) -> None:
    found, file = inspect(outside), rows.file(artifact.read(outside))
    assert (found.parameters, found.weight_bytes, found.macs) == (60_000, 240_000, 60_000)
    size = outside.stat().st_size + 240_000
    assert found.size_bytes == file.size_bytes == size
    assert found.external == [str(outside.with_name("w.bin"))]
    assert "with " + found.external[0] in to_text([found])
    outside.with_name("w.bin").write_bytes(bytes(240_000))
    assert rows.file(artifact.read(outside)).sha256 != file.sha256


def test_a_file_that_is_named_in_several_ways_counts_once(outside: Path) -> None:
    size = inspect(outside).size_bytes
    model = onnx.load(outside, load_external_data=False)
    for name in ("./w.bin", ".//w.bin"):
        model.graph.initializer.append(model.graph.initializer[0])
        model.graph.initializer[-1].name = name
        model.graph.initializer[-1].external_data[0].value = name
    assert model.graph.initializer[-1].external_data[0].key == "location"
    outside.write_bytes(model.SerializeToString())
    found, file = inspect(outside), rows.file(artifact.read(outside))
    assert found.external == [str(outside.with_name("w.bin"))]
    assert found.size_bytes == file.size_bytes == outside.stat().st_size + 240_000 > size


def test_files_of_gigabytes_are_not_compressed(outside: Path) -> None:
    with outside.with_name("w.bin").open("r+b") as file:
        file.truncate(2 << 30)
    found = rows.file(artifact.read(outside))
    assert found == rows.File(outside.stat().st_size + (2 << 30))


def test_a_bundle_takes_single_files_only(outside: Path) -> None:
    with pytest.raises(BadInput, match=r"has its weights in .*w\.bin, and a bundle holds single files"):
        write.check([artifact.read(outside)])


@pytest.mark.parametrize(
    "name", ["../w.bin", "/etc/passwd", "", ".", "..", "a/../w.bin", "link.bin", "f/w.bin"]
)
def test_weights_anywhere_else_are_refused(name: str, outside: Path) -> None:
    model = onnx.load(outside, load_external_data=False)
    (location,) = [e for e in model.graph.initializer[0].external_data if e.key == "location"]
    location.value = name
    outside.with_name("link.bin").symlink_to(outside.with_name("w.bin"))
    outside.with_name("f").symlink_to(outside.parent)
    outside.write_bytes(model.SerializeToString())
    for read in (inspect, artifact.read):
        with pytest.raises(ArtifactError, match=r"outside its folder|behind a link"):
            read(outside)
    assert artifact.inspect(outside).defect


@pytest.mark.parametrize(("size", "reason"), [(None, "missing"), (100, "truncated")])
def test_weights_that_are_missing_are_named(size: int | None, reason: str, outside: Path) -> None:
    weights = outside.with_name("w.bin")
    weights.unlink()
    if size:
        weights.write_bytes(bytes(size))
    with pytest.raises(ArtifactError, match=rf"w\.bin.*{reason}"):
        artifact.read(outside)


PLACES = ("constant", "other", "list", "sparse", "sparses", "initializer", "inner", "function", "default")


@pytest.mark.parametrize("place", PLACES)
def test_weights_outside_are_found_wherever_they_are_named(place: str, tmp_path: Path) -> None:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../w.bin")
    places = numpy_helper.from_array(np.arange(4), "places")
    sparse = helper.make_sparse_tensor(tensor, places, [8])
    constant, last = op("Constant", [], ["w"], value=tensor), op("Add", ["x", "w"], ["y"])
    body = helper.make_graph([constant], "body", [], [])
    function = helper.make_function("own", "F", ["x"], ["w"], [constant], [helper.make_opsetid("", 13)])
    if place == "default":
        function.ClearField("node")
        function.attribute_proto.append(helper.make_attribute("value", tensor))
    nodes = {
        "constant": [constant],
        "other": [op("ConstantOfShape", ["s"], ["w"], value=tensor)],
        "list": [op("F", ["x"], ["w"], domain="own", values=[tensor])],
        "sparse": [op("F", ["x"], ["w"], domain="own", value=sparse)],
        "sparses": [op("F", ["x"], ["w"], domain="own", values=[sparse])],
        "inner": [op("F", ["x"], ["w"], domain="own", body=body)],
    }.get(place, [op("F", ["x"], ["w"], domain="own")])
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "xy"]
    graph = helper.make_graph([*nodes, last], "graph", ports[:1], ports[1:])
    if place == "initializer":
        graph.sparse_initializer.append(sparse)
    functions = [function] if place in ("function", "default") else []
    path = tmp_path / "m.onnx"
    path.write_bytes(helper.make_model(graph, functions=functions).SerializeToString())
    with pytest.raises(ArtifactError, match="outside its folder"):
        inspect(path)


# Zeros that fill kernels up


def test_copies_of_kernels_at_places_of_their_own_are_multiplied_where_they_are() -> None:
    random = np.random.default_rng(1)
    kernels = random.integers(1, 100, (8, 1, 3, 3)).astype(np.int8)
    shifted = [np.pad(kernels, ((0, 0), (0, 0), (r, 1 - r), (c, 1 - c))) for r in (0, 1) for c in (0, 1)]
    blocks = np.concatenate(shifted)
    assert Counter().multiplied(memoryview(blocks.tobytes()), "int8", blocks.shape, 0) == 4 * 8 * 9
    assert Counter().multiplied(memoryview((blocks + 7).tobytes()), "int8", blocks.shape, 7) == 4 * 8 * 9


def test_weights_that_happen_to_be_zero_are_multiplied() -> None:
    random = np.random.default_rng(1)
    for share in (0, 0.5, 0.9, 1):
        pruned = (random.random((32, 3, 3, 3)) > share) * random.integers(-100, 100, (32, 3, 3, 3))
        assert (
            Counter().multiplied(memoryview(pruned.astype(np.int8).tobytes()), "int8", pruned.shape, 0)
            is None
        )


def test_cells_have_places_that_no_kernel_uses() -> None:
    kernels = np.ones((8, 2, 2, 4), np.int8)
    kernels[:, 1, :, 2:] = kernels[:, :, 1, 1::2] = 0
    content = memoryview(kernels.tobytes())
    assert Counter().multiplied(content, "int8", kernels.shape, 0) is None
    assert Counter().multiplied(content, "int8", kernels.shape, 0, cells=True) == 8 * 9


def crowded(path: Path, kernels: int, size: int) -> Path:
    """A file of convolutions whose kernels [4, 1, 1, size / 4] lie over one another."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CONV_2D
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    model.buffers = [schema.BufferT() for _ in range(kernels + 1)]
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], [0], [2]
    shapes = [[1, 1, 1, size // 4], *([4, 1, 1, size // 4], [1, 1, 1, 4]) * kernels]
    for number, shape in enumerate(shapes):
        tensor = schema.TensorT()
        tensor.shape, tensor.type = shape, schema.TensorType.INT8
        tensor.buffer = (number + 1) // 2 if number % 2 else 0
        graph.tensors.append(tensor)
    for number in range(kernels):
        model.buffers[number + 1].data = np.ones(4, np.uint8)
        operator = schema.OperatorT()
        operator.inputs, operator.outputs = [0, 2 * number + 1], [2 * number + 2]
        graph.operators.append(operator)
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    content = bytearray(builder.Output())
    buffers = schema.Model.GetRootAs(bytes(content), 0)
    for number in range(kernels):
        table = buffers.Buffers(number + 1)._tab
        place = table.Pos + table.Offset(4)
        struct.pack_into("<I", content, place, len(content) - place)
        content += struct.pack("<I", size)
    weights = np.random.default_rng(1).integers(1, 9, size).astype(np.uint8)
    weights[:: size // 8 + 1] = 0
    path.write_bytes(content + weights.tobytes())
    return path


@pytest.mark.parametrize(("kernels", "size"), [(100, 1 << 18), (100, 1 << 16), (2000, 256)])
def test_kernels_that_lie_over_one_another_take_no_longer_than_their_file(
    kernels: int, size: int, tmp_path: Path
) -> None:
    path = crowded(tmp_path / "m.tflite", kernels, size)
    begin = time.process_time()
    found = inspect(path)
    assert time.process_time() - begin < 2
    assert found.macs == kernels * size
    begin = time.process_time()
    assert (
        Counter().multiplied(memoryview(path.read_bytes())[-size:], "int8", (4, 1, 1, size // 4), 0) is None
    )
    assert time.process_time() - begin < 0.5


# What is called something else


def test_what_a_file_says_of_itself_is_not_believed_against_its_operators(tmp_path: Path) -> None:
    path = shutil.copy(Path(__file__).parents[1] / "files/models/tiny-float32.onnx", tmp_path)
    manifest = {"run": "cnn", "run_id": "abc", "precision": "int8", "small_run": False}
    one = artifact.save(Path(path), Path(path).read_bytes(), manifest)
    common = rows.Common(one, "x", rows.file(one), rows.computation(one.path), Score(), None, None)
    fields = rows._of_file(common)
    assert fields["precision"] == "float32"
    contradiction = rows._contradiction(common.artifact, common.computation)
    assert contradiction == "it is named int8, but its operators that multiply are float32"


# Kinds of figures: ONNX


def built(
    path: Path, nodes: list[onnx.NodeProto], shape: list[int | str], constants: list[onnx.TensorProto]
) -> Inspection:
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        constants,
    )
    domains = ("", "com.microsoft", "com.microsoft.nchwc", "custom")
    opsets = [helper.make_opsetid(domain, 21 if not domain else 1) for domain in domains]
    path.write_bytes(helper.make_model(graph, opset_imports=opsets).SerializeToString())
    return inspect(path)


def constant(name: str, *shape: int, dtype: type = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.ones(shape, dtype), name)


SCALES = [constant(name) for name in "st"] + [constant("z", dtype=np.uint8)]
RUNTIME = {
    "QGemm": (["x", "s", "z", "w", "t", "z", "b", "s", "z"], {}, (8, 5), (1, 5), 40),
    "QLinearConv": (
        ["x", "s", "z", "w", "t", "z", "s", "z", "b"],
        {"channels_last": 1},
        (5, 8, 3, 3),
        (1, 4, 4, 5),
        16 * 5 * 72,
    ),
    "FusedConv": (["x", "w", "b"], {"activation": "Relu"}, (5, 8, 3, 3), (1, 5, 4, 4), 16 * 5 * 72),
    "FusedMatMul": (["x", "w"], {"transB": 1}, (5, 8), (1, 5), 40),
    "FusedGemm": (["x", "w", "b"], {"transB": 1}, (5, 8), (1, 5), 40),
    "DynamicQuantizeMatMul": (["x", "w", "t", "z", "b"], {}, (8, 5), (1, 5), 40),
    "MatMulIntegerToFloat": (["x", "w", "s", "t", "z", "z", "b"], {}, (8, 5), (1, 5), 40),
}


@pytest.mark.parametrize("kind", RUNTIME)
def test_operators_of_onnx_runtime_are_counted_without_their_scales(kind: str, tmp_path: Path) -> None:
    inputs, attributes, weights, shape, macs = RUNTIME[kind]
    given: list[int | str] = [1, 8]
    if len(weights) == 4:
        given = [1, 6, 6, 8] if "channels_last" in attributes else [1, 8, 6, 6]
    node = op(kind, inputs, ["y"], domain="com.microsoft", **attributes)
    found = built(tmp_path / "m.onnx", [node], given, [*SCALES, constant("w", *weights), constant("b", 5)])
    (operator,) = found.operators
    assert (operator.output_shape, operator.macs) == (shape, macs)
    assert operator.parameters == np.prod(weights) + 5 * ("b" in inputs)
    assert operator.integer == (kind[0] in "QDM")


def test_quantized_additions_have_no_parameters_but_what_they_add(tmp_path: Path) -> None:
    nodes = [
        op("QLinearAdd", ["x", "s", "z", "w", "t", "z", "s", "z"], ["a"], domain="com.microsoft"),
        op("QLinearConcat", ["s", "z", "a", "s", "z", "a", "c", "z"], ["b"], axis=1, domain="com.microsoft"),
        op("QLinearGlobalAveragePool", ["b", "s", "z", "s", "z"], ["y"], domain="com.microsoft"),
    ]
    constants = [*SCALES, constant("w", 3, 1, 1), constant("c", 5)]
    found = built(tmp_path / "m.onnx", nodes, ["N", 3, 4, 4], constants)
    assert (found.parameters, found.macs) == (3, 0)
    shapes = [operator.output_shape for operator in found.operators]
    assert shapes == [(1, 3, 4, 4), (1, 6, 4, 4), (1, 6, 1, 1)]


def test_packed_weights_are_counted_one_by_one(tmp_path: Path) -> None:
    node = op(
        "MatMulNBits", ["x", "w", "t"], ["y"], K=64, N=10, bits=4, block_size=32, domain="com.microsoft"
    )
    packed = [constant("w", 10, 2, 16, dtype=np.uint8), constant("t", 10, 2)]
    (found,) = built(tmp_path / "m.onnx", [node], [3, 64], packed).operators
    assert (found.parameters, found.macs, found.weights, found.integer) == (640, 1920, "uint4", False)
    assert found.output_shape == (3, 10)


def test_what_an_operator_of_nobody_knows_holds_is_left_blank(tmp_path: Path) -> None:
    found = built(
        tmp_path / "m.onnx", [op("Packed", ["x", "w"], ["y"], domain="custom")], [1, 8], [constant("w", 8)]
    )
    assert (found.parameters, found.macs, found.precision) == (None, None, None)
    text = to_text([found])
    assert "parameters  – (not known of custom.Packed)" in text
    assert "0 of the 0 that multiply; not known of custom.Packed" in text


def test_sparse_weights_count_as_their_shape_and_weigh_what_is_there(tmp_path: Path) -> None:
    values = numpy_helper.from_array(np.ones(3, np.float32), "w")
    places = numpy_helper.from_array(np.array([0, 9, 30]), "places")
    graph = helper.make_graph(
        [op("MatMul", ["x", "w"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])],
        sparse_initializer=[helper.make_sparse_tensor(values, places, [8, 5])],
    )
    path = tmp_path / "m.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    found = inspect(path)
    assert (found.parameters, found.macs, found.weight_bytes) == (40, 40, 12 + 24)
    assert found.computing[0].weights == "float32"


def test_names_of_types_are_those_of_onnx() -> None:
    from edgefashion.artifacts.inspection.base import BITS
    from edgefashion.artifacts.inspection.onnx_file import TYPES

    for name, number in onnx.TensorProto.DataType.items():
        ours = {"float": "float32", "double": "float64"}.get(name.lower(), name.lower())
        assert TYPES[number] == ours
        assert ours in BITS or ours in ("undefined", "string")


@pytest.mark.parametrize("bits", [2, 4])
def test_weights_of_few_bits_have_the_bytes_of_their_shape(bits: int, tmp_path: Path) -> None:
    kind = {2: TensorProto.INT2, 4: TensorProto.INT4}[bits]
    raw = helper.make_tensor("w", kind, [8, 5], bytes(40 * bits // 8), raw=True)
    nodes = [op("DequantizeLinear", ["w", "s"], ["v"]), op("MatMul", ["x", "v"], ["y"])]
    found = built(tmp_path / "m.onnx", nodes, [1, 8], [raw, constant("s")])
    assert (found.parameters, found.operators[1].weights) == (40, f"int{bits}")


# Kinds of figures: TFLite


def test_every_type_of_the_schema_has_its_width() -> None:
    from edgefashion.artifacts.inspection.base import size_of

    names = [name.lower() for name, value in vars(schema.TensorType).items() if isinstance(value, int)]
    assert {name for name in names if size_of(name, (8,)) is None} == {"string", "resource", "variant"}


@pytest.fixture
def tiny() -> schema.ModelT:
    """A small int8 model, to be changed."""
    content = (Path(__file__).parents[1] / "files/models/tiny-int8.tflite").read_bytes()
    return schema.ModelT.InitFromPackedBuf(content, 0)


def packed(model: schema.ModelT, path: Path) -> Inspection:
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(builder.Output())
    return inspect(path)


def test_what_a_custom_operator_holds_is_left_blank(tiny: schema.ModelT, tmp_path: Path) -> None:
    for code in tiny.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.FULLY_CONNECTED:
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
            code.customCode = b"Packed"
    found = packed(tiny, tmp_path / "m.tflite")
    assert (found.parameters, found.macs, len(found.computing)) == (None, None, 1)
    assert "1 of the 1 that multiply; not known of CUSTOM Packed" in to_text([found])


def test_a_graph_that_nobody_calls_is_named_and_not_counted(tiny: schema.ModelT, tmp_path: Path) -> None:
    tiny.subgraphs.append(copy.deepcopy(tiny.subgraphs[0]))
    tiny.subgraphs[1].name = b"second"
    found = packed(tiny, tmp_path / "m.tflite")
    assert (found.parameters, found.macs, found.integer) == (1490, 7524, 2)
    assert found.other_signatures == ["second"]


def test_a_negative_size_is_open(tiny: schema.ModelT, tmp_path: Path) -> None:
    image = tiny.subgraphs[0].tensors[tiny.subgraphs[0].inputs[0]]
    image.shape, image.shapeSignature = np.array([-1, 28, 28, 1], np.int32), None
    assert packed(tiny, tmp_path / "m.tflite").inputs[0].shape == ("?", 28, 28, 1)


def test_a_buffer_that_three_tensors_share_counts_once(tiny: schema.ModelT, tmp_path: Path) -> None:
    before = packed(tiny, tmp_path / "m.tflite")
    graph = tiny.subgraphs[0]
    for operator in graph.operators:
        operator.inputs = list(operator.inputs)
        for place, index in enumerate(operator.inputs):
            if tiny.buffers[graph.tensors[index].buffer].data is not None:
                graph.tensors.append(copy.copy(graph.tensors[index]))
                operator.inputs[place] = len(graph.tensors) - 1
    graph.operators.append(copy.copy(graph.operators[-1]))
    found = packed(tiny, tmp_path / "m.tflite")
    assert (found.weight_bytes, found.parameters) == (before.weight_bytes, before.parameters)
