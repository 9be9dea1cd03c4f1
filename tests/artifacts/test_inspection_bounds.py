"""Model files that are made to take the time and memory of whoever reads them."""

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import flatbuffers
import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper
from onnx.helper import make_node as op

MOST_SECONDS, MOST_BYTES = 15, 1 << 30
INSPECT = """
import sys, time
from pathlib import Path
from edgefashion.errors import ArtifactError
from edgefashion.artifacts.inspection import inspect
from edgefashion.artifacts.inspection.text import to_json, to_text
paths = sorted(Path(sys.argv[1]).iterdir(), key=lambda path: int(path.stem))
for path in paths:
    start = time.process_time()
    try:
        found = inspect(path)
        to_text([found]), to_json([found])
    except ArtifactError as error:
        assert "\\n" not in str(error)
    print(time.process_time() - start)
"""
GRAPH, NODE, ATTRIBUTE, CONSTANT = 7, 1, 5, 5


def field(number: int, content: bytes) -> bytes:
    """A field of bytes, as protocol buffers have it."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    parts = [value >> shift & 0x7F for shift in range(0, max(1, value.bit_length()), 7)]
    return bytes([*(part | 0x80 for part in parts[:-1]), parts[-1]])


def model(nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray], inputs: int = 1) -> bytes:
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(f"x{n}", TensorProto.UINT8, [1, 2, 3, 4]) for n in range(inputs)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


def plain(graph: bytes) -> bytes:
    return field(GRAPH, graph) + field(8, b"\x10\x11")


def nested(depth: int) -> bytes:
    """Graphs in graphs, each of two pieces of which the first is the larger one."""
    content = field(NODE, field(1, b"x" * 500_000))
    for _ in range(depth):
        attribute = field(6, content) + field(6, b"")
        content = field(NODE, field(1, b"x") + field(ATTRIBUTE, attribute))
    return content


ONES = np.ones(400_000, np.int64)
CASES: dict[str, Callable[[], bytes]] = {
    "operator reads itself": lambda: model([op("Reshape", ["x0", "s"], ["x0"])], {}),
    "a circle of two": lambda: model([op("Transpose", ["x0"], ["b"]), op("Transpose", ["b"], ["x0"])], {}),
    "a chain of scales": lambda: model(
        [op("DequantizeLinear", [f"c{n}", f"s{n}"], [f"c{n + 1}"]) for n in range(2_000)],
        {"c0": np.ones(1, np.int8), **{f"s{n}": np.ones((), np.float32) for n in range(2_000)}},
    ),
    "a chain that is carried by many": lambda: model(
        [op("DequantizeLinear", ["c", f"s{n}"], ["c"]) for n in range(2_000)]
        + [op("Add", ["c", "x0"], [f"y{n}"]) for n in range(2_000)],
        {"c": np.ones(1, np.int8), **{f"s{n}": np.ones((), np.float32) for n in range(2_000)}},
    ),
    "empty operators": lambda: plain(field(NODE, b"") * 1_200_000),
    "named constants": lambda: plain(
        b"".join(field(CONSTANT, field(8, b"%x" % n) + b"\x10\x01") for n in range(110_000))
    ),
    "attributes": lambda: plain(
        field(NODE, b"".join(field(ATTRIBUTE, field(1, b"%x" % n)) for n in range(100_000)))
    ),
    "many read long values": lambda: model(
        [op("Reshape", ["x0", "v"], [f"y{n}"]) for n in range(2_000)], {"v": ONES}
    ),
    "many inputs have many scales": lambda: model(
        [op("DequantizeLinear", [f"x{n}", "s"], [f"y{n}"]) for n in range(2_500)],
        {"s": ONES[:100_000].astype(np.float32)},
        inputs=2_500,
    ),
    "sizes that grow": lambda: model(
        [
            op("ConvTranspose", [f"x{n}", "w"], [f"x{n + 1}"], strides=[2**60, 2**60])
            for n in range(2_000)
        ],
        {"w": np.ones((2, 2, 1, 1), np.float32)},
    ),
    "axes that grow": lambda: model(
        [op("Unsqueeze", [f"x{n}"], [f"x{n + 1}"], axes=list(range(200))) for n in range(2_500)], {}
    ),
    "many follow one path": lambda: model(
        [op("Reshape", [f"x{n}", "s"], ["a0"]) for n in range(2_500)]
        + [op("Transpose", [f"a{n}"], [f"a{n + 1}"]) for n in range(2_500)],
        {},
        inputs=2_500,
    ),
    "many share a kernel": lambda: model(
        [op("Conv", ["x0", "w"], [f"y{n}"]) for n in range(2_000)],
        {"w": np.zeros((64, 2, 20, 20), np.float32)},
    ),
    "a long kind": lambda: model(
        [op("A" * 1_000_000, ["x0", "w"], ["y"]), *(op("Conv", ["x0", "w"], ["y"]) for _ in range(2_000))],
        {"w": np.zeros((64, 2, 2, 2), np.float32)},
    ),
    "graphs in pieces": lambda: plain(nested(32)),
    "graphs too deep": lambda: plain(nested(200)),
}  # fmt: skip


def measure(cases: dict[str, Callable[[], bytes]], folder: Path, suffix: str) -> None:
    """Inspect every case in a process that is not given more than 1 GiB, 15 s for each."""
    for number, make in enumerate(cases.values()):
        (folder / f"{number}{suffix}").write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-c", INSPECT, folder],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES)),
    )
    assert done.returncode == 0, done.stderr
    seconds = dict(zip(cases, map(float, done.stdout.split()), strict=True))
    print(seconds)
    assert max(seconds.values()) < MOST_SECONDS, seconds


def test_onnx_files_are_read_in_bounds(tmp_path: Path) -> None:
    measure(CASES, tmp_path, ".onnx")


def flatbuffer(make: Callable[[flatbuffers.Builder], dict[str, int]]) -> bytes:
    """A model of the vectors that `make` gives: operator codes, graphs and buffers."""
    builder = flatbuffers.Builder(1 << 20)
    parts = make(builder)
    schema.ModelStart(builder)
    for name, offset in parts.items():
        getattr(schema, f"ModelAdd{name}")(builder, offset)
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def same(builder: flatbuffers.Builder, offset: int, count: int) -> int:
    """A vector of offsets that all point at one thing."""
    builder.StartVector(4, count, 4)
    for _ in range(count):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def repeated(
    tensors: int = 1,
    operators: int = 1,
    graphs: int = 1,
    buffers: int = 1,
    ports: int = 1,
    name: int = 4,
    scales: int = 1,
    kind: int = 4,
) -> Callable[[], bytes]:
    """A model with so many of everything, all the same one."""

    def make(builder: flatbuffers.Builder) -> dict[str, int]:
        text, of_kind = builder.CreateString("n" * name), builder.CreateString("k" * kind)
        scale = builder.CreateNumpyVector(np.ones(scales, np.float32))
        shape = builder.CreateNumpyVector(np.ones(4, np.int32))
        schema.QuantizationParametersStart(builder)
        schema.QuantizationParametersAddScale(builder, scale)
        quantization = schema.QuantizationParametersEnd(builder)
        schema.TensorStart(builder)
        schema.TensorAddName(builder, text)
        schema.TensorAddShape(builder, shape)
        schema.TensorAddQuantization(builder, quantization)
        tensor = same(builder, schema.TensorEnd(builder), tensors)
        places = builder.CreateNumpyVector(np.zeros(ports, np.int32))
        schema.OperatorStart(builder)
        schema.OperatorAddInputs(builder, places)
        schema.OperatorAddOutputs(builder, places)
        operator = same(builder, schema.OperatorEnd(builder), operators)
        schema.SubGraphStart(builder)
        schema.SubGraphAddTensors(builder, tensor)
        schema.SubGraphAddInputs(builder, places)
        schema.SubGraphAddOutputs(builder, places)
        schema.SubGraphAddOperators(builder, operator)
        graph = same(builder, schema.SubGraphEnd(builder), graphs)
        schema.OperatorCodeStart(builder)
        schema.OperatorCodeAddBuiltinCode(builder, schema.BuiltinOperator.CUSTOM)
        schema.OperatorCodeAddCustomCode(builder, of_kind)
        code = same(builder, schema.OperatorCodeEnd(builder), 1)
        schema.BufferStart(builder)
        buffer = same(builder, schema.BufferEnd(builder), buffers)
        return {"OperatorCodes": code, "Subgraphs": graph, "Buffers": buffer}

    return lambda: flatbuffer(make)


TFLITE: dict[str, Callable[[], bytes]] = {
    "sound": repeated(),
    "tensors": repeated(tensors=450_000),
    "some tensors of long names": repeated(tensors=90_000, name=100_000),
    "some operators": repeated(operators=10_000, kind=100_000, name=100_000),
    "operators of many inputs": repeated(operators=20_000, ports=20_000),
    "graphs of operators": repeated(graphs=2_000, operators=2_000, tensors=2_000),
    "buffers": repeated(buffers=450_000),
    "ports of many scales": repeated(ports=50_000, scales=50_000, name=50_000),
    "ports of some scales": repeated(ports=1_000, scales=900),
}


def test_tflite_files_are_read_in_bounds(tmp_path: Path) -> None:
    measure(TFLITE, tmp_path, ".tflite")
