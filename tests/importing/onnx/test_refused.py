from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from edgefashion.errors import BadInput
from edgefashion.importing import answers, drawn
from edgefashion.importing.onnx import file as onnx_file
from tests.importing.onnx_files import Node, classifier, proto, saved, weights

CONV: Node = ("Conv", ["x", "w"], {})
W = weights(8, 3, 3, 3)
HALVED = {"kernel_shape": [3, 3], "strides": [2, 2]}
HUGE = np.int64([1 << 20, 1 << 20])


def refusal(path: Path, size: tuple[int, int] | None = (16, 16)) -> str:
    with pytest.raises(BadInput) as found:
        onnx_file.read(path, size)
    message = str(found.value)
    assert "\n" not in message
    assert message.isprintable()
    return message


def test_all_operators_in_the_way_are_named_with_how_many_there_are(tmp_path: Path) -> None:
    nodes: list[Node] = [
        CONV,
        ("Sin", ["t0"], {}),
        ("Sin", ["t1"], {}),
        ("Relu", ["t2"], {}),
        ("Conv", ["t3", "w2"], {"strides": [2, 2], "dilations": [2, 2]}),
        ("Conv", ["x", "w2"], {"strides": [2, 2], "dilations": [2, 2]}),
        ("AveragePool", ["x"], {**HALVED, "ceil_mode": 1, "count_include_pad": 1}),
        ("GridSample", ["t4", "t5", "t6"], {}),
    ]
    path = classifier(tmp_path / "m.onnx", nodes, {"w": W, "w2": weights(3, 3, 3, 3)}, 8)
    assert "Sin (2)" in refusal(path)
    assert "GridSample (1)" in refusal(path)
    assert "Conv with strides and dilations at once (1)" in refusal(path)
    assert "AveragePool with ceil_mode and count_include_pad (1)" in refusal(path)


def test_what_only_its_readers_find_out_is_named_itself_and_once(tmp_path: Path) -> None:
    nodes: list[Node] = [
        CONV,
        ("Erf", ["t0"], {}),
        ("Conv", ["t1", "w2"], {}),
        ("Conv", ["t1", "w2"], {}),
        ("Add", ["t2", "t3"], {}),
    ]
    path = classifier(tmp_path / "m.onnx", nodes, {"w": W, "w2": weights(3, 8, 3, 3)}, 3)
    assert refusal(path).endswith("has operators that cannot be taken over: Erf (1)")
    nodes = [("Flatten", ["x"], {}), ("Gemm", ["t0", "w"], {}), ("Erf", ["t1"], {})]
    path = saved(tmp_path / "end.onnx", nodes, {"w": weights(768, 5)})
    assert refusal(path).endswith("has operators that cannot be taken over: Erf (1)")


@pytest.mark.parametrize(
    ("nodes", "shape", "outputs", "words"),
    [
        (
            [("DequantizeLinear", ["w8", "s"], {}), ("Conv", ["x", "t0"], {})],
            ("N", 3, 16, 16),
            (),
            "quantized already",
        ),
        ([CONV], ("N", 3, 16, 16), (), r"gives \[N, 8, 14, 14\] for a picture"),
        ([CONV, CONV], ("N", 3, 16, 16), ("t0", "t1"), "has 2 outputs"),
        ([("Relu", ["x"], {})], ("N", 50, 3), (), r"takes float32 \[N, 50, 3\], not pictures"),
        ([("Relu", ["x"], {})], ("N", 64, 16, 16), (), "not pictures of 1 or 3 channels"),
        ([CONV], ("N", 3, 100_000, 100_000), (), "takes pictures of 100000x100000"),
        ([CONV], ("N", 3, 32, 32), (), "takes pictures of 32x32, not 16x16"),
    ],
)
def test_what_is_no_classifier_in_float_is_refused_in_words(
    tmp_path: Path, nodes: list[Node], shape: Any, outputs: Any, words: str
) -> None:
    constants = {"w": W, "w8": np.ones(W.shape, np.int8), "s": np.float32(1)}
    path = saved(tmp_path / "m.onnx", nodes, constants, shape=shape, outputs=outputs)
    with pytest.raises(BadInput, match=words):
        onnx_file.read(path, None if shape[-1] == 100_000 else (16, 16))


def test_two_inputs_are_no_picture(tmp_path: Path) -> None:
    model = proto([CONV, ("Add", ["t0", "y"], {})], {"w": W})
    model.graph.input.append(onnx.helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 8, 14, 14)))
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    assert "has 2 inputs" in refusal(tmp_path / "m.onnx")


def test_open_height_and_width_ask_for_a_size_and_are_answered_with_it(tmp_path: Path) -> None:
    path = classifier(tmp_path / "m.onnx", [CONV], {"w": W}, 8, shape=("N", 3, "H", "W"))
    assert "say them with size" in refusal(path, None)
    read = drawn.imported(path, onnx_file.read(path, (20, 24)))
    images = np.random.default_rng(0).normal(size=(5, 20, 24, 3)).astype(np.float32)
    assert read.size is None
    assert answers.check_reading(read, images) < 1e-5


def with_external(path: Path, place: str) -> Path:
    """A classifier whose kernel is said to be in another file."""
    model = proto([CONV, ("GlobalAveragePool", ["t0"], {}), ("Flatten", ["t1"], {})], {"w": W})
    (kernel,) = model.graph.initializer
    onnx.external_data_helper.set_external_data(kernel, place)
    kernel.ClearField("raw_data")
    kernel.data_location = TensorProto.EXTERNAL
    path.write_bytes(model.SerializeToString())
    return path


def test_weights_beside_the_file_are_read(tmp_path: Path) -> None:
    path = with_external(tmp_path / "m.onnx", "m.data")
    (tmp_path / "m.data").write_bytes(W.tobytes())
    assert np.array_equal(
        onnx_file.read(path, (16, 16)).network.layers[0].weights[0], W.transpose(2, 3, 1, 0)
    )


@pytest.mark.parametrize("place", ["../secret", "/etc/passwd", "link", "missing", "short", "\x1b[31m"])
def test_weights_elsewhere_are_not(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(W.tobytes())
    (folder / "short").write_bytes(W.tobytes()[:-4])
    (folder / "link").symlink_to("../secret")
    refusal(with_external(folder / "m.onnx", place))


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([("Relu", ["t1"], {}), ("Relu", ["t0"], {})], "reads what none before it makes"),
        (
            [("ConstantOfShape", ["huge"], {}), ("Add", ["x", "t0"], {})],
            "ConstantOfShape of constants, too large",
        ),
        ([("Pad", ["x", "pads"], {}), ("Relu", ["t0"], {})], "too large"),
        ([("Conv", ["x", "nan"], {}), ("Relu", ["t0"], {})], "not finite"),
        ([("Reshape", ["x", "huge"], {})], "another number of values"),
        ([("Transpose", ["x"], {"perm": [0, 1, 1, 5]})], "other axes"),
        ([("ReduceMean", ["x"], {"axes": [7]})], "axis 7 of 4"),
        ([("Conv", ["x", "w"], {"group": 0})], "no groups"),
        ([("Conv", ["x"], {})], "lacks an input"),
        ([("\x1b[31mRelu\n", ["x"], {})], "operators that cannot be taken over"),
    ],
)
def test_a_hostile_graph_ends_in_one_line(tmp_path: Path, nodes: list[Node], words: str) -> None:
    constants = {"w": W, "huge": HUGE, "pads": np.int64([0, 0, 1 << 40, 0, 0, 0, 0, 0]), "nan": W * np.nan}
    path = saved(tmp_path / "m.onnx", nodes, constants)
    assert words in refusal(path)


def test_constants_that_double_again_and_again_are_not_computed(tmp_path: Path) -> None:
    nodes: list[Node] = [("Concat", ["w", "w"], {"axis": 0})]
    nodes += [("Concat", [f"t{n}", f"t{n}"], {"axis": 0}) for n in range(60)]
    path = saved(tmp_path / "m.onnx", [*nodes, ("Conv", ["x", "t60"], {})], {"w": W})
    assert "more from its constants" in refusal(path)


def test_channels_that_are_picked_again_and_again_take_no_memory_without_end(tmp_path: Path) -> None:
    wide = {"w": weights(4096, 3, 1, 1), "starts": np.int64([-1]), "ends": np.int64([-(1 << 40)])}
    cut = {"axes": np.int64([1]), "steps": np.int64([-1])}
    nodes: list[Node] = [CONV, *(("Slice", ["t0", "starts", "ends", "axes", "steps"], {}) for _ in range(9))]
    nodes += [("Concat", [f"t{number}" for number in range(1, 10)], {"axis": 1})]
    path = classifier(tmp_path / "m.onnx", nodes, {**wide, **cut}, 9 * 4096, shape=("N", 3, 1, 1))
    assert "Slice of too many channels (5)" in refusal(path, (1, 1))


def test_operators_in_a_row_without_end_are_not_followed(tmp_path: Path) -> None:
    nodes: list[Node] = [CONV, *(("Tanh", [f"t{n}"], {}) for n in range(3000))]
    assert "Tanh behind 100 others of its kind" in refusal(
        classifier(tmp_path / "m.onnx", nodes, {"w": W}, 8)
    )
    many: list[Node] = [CONV, *(("Identity", [f"t{n}"], {}) for n in range(20_001))]
    assert "more than 20,000 operators" in refusal(classifier(tmp_path / "n.onnx", many, {"w": W}, 8))


def test_names_of_strangers_become_plain(tmp_path: Path) -> None:
    model = proto([CONV, ("GlobalAveragePool", ["t0"], {}), ("Flatten", ["t1"], {})], {"w": W})
    for node in model.graph.node:
        node.name = "../\x1b[31m <b>conv"
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    names = [layer.name for layer in drawn.draw(onnx_file.read(tmp_path / "m.onnx", (16, 16))).layers]
    assert names[1:] == ["31m_b_conv", "31m_b_conv_2"]


def test_files_that_are_damaged_or_too_large_are_refused(tmp_path: Path) -> None:
    whole = classifier(tmp_path / "m.onnx", [CONV], {"w": W}, 8).read_bytes()
    for length in range(0, len(whole), len(whole) // 7):
        (tmp_path / "cut.onnx").write_bytes(whole[:length])
        refusal(tmp_path / "cut.onnx")
    with (tmp_path / "large.onnx").open("wb") as file:
        file.truncate((2 << 30) + 1)
    assert "too many for a model file" in refusal(tmp_path / "large.onnx")
