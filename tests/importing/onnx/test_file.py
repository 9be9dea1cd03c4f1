from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto

from edgefashion.errors import BadInput
from edgefashion.importing import drawn
from edgefashion.importing.network.given import Given
from edgefashion.importing.network.imported import Preprocessing
from edgefashion.importing.onnx import file as onnx_file
from tests.importing.onnx_files import Node, classifier, saved, weights


def read(path: Path, images: Any = None) -> Given:
    """What is read of a file, of which the model must answer as ONNX Runtime does."""
    given = onnx_file.read(path, (16, 16))
    model = drawn.draw(given)
    session = onnxruntime.InferenceSession(str(path))
    if images is None:
        images = np.random.default_rng(1).normal(size=(3, *given.image.shape)).astype(np.float32)
    inputs = images.transpose(0, 3, 1, 2) if given.image.channels_first else images
    wanted = session.run(None, {"x": inputs})[0].reshape(3, -1)
    if before := given.preprocessing:
        images = images * np.float32(before.scale) + np.float32(before.offset)
    logits = model(np.asarray(images, np.float32)).numpy()
    if given.ending == "softmax":
        logits = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    if given.ending == "sigmoid":
        logits = 1 / (1 + np.exp(-logits))
    assert np.abs(logits - wanted).max() <= 1e-5 * max(1, np.abs(wanted).max())
    return given


def kinds(given: Given) -> dict[str, int]:
    return dict(Counter(layer.kind for layer in given.network.layers))


CONV: Node = ("Conv", ["x", "w", "b"], {"pads": [1, 1, 1, 1], "strides": [2, 2]})
W, B = weights(8, 3, 3, 3), weights(8)


@pytest.mark.parametrize(
    ("attributes", "kernel", "layers"),
    [
        ({}, weights(8, 3, 3, 3), ["Conv2D"]),
        ({"pads": [1, 1, 1, 1]}, weights(8, 3, 3, 3), ["Conv2D"]),
        ({"pads": [1, 1, 1, 1], "strides": [2, 2]}, weights(8, 3, 3, 3), ["ZeroPadding2D", "Conv2D"]),
        ({"pads": [0, 0, 1, 1], "strides": [2, 2]}, weights(8, 3, 3, 3), ["Conv2D"]),
        ({"auto_pad": "SAME_UPPER", "strides": [2, 2]}, weights(8, 3, 3, 3), ["Conv2D"]),
        ({"auto_pad": "SAME_LOWER", "strides": [2, 2]}, weights(8, 3, 3, 3), ["ZeroPadding2D", "Conv2D"]),
        ({"dilations": [2, 2], "pads": [2, 2, 2, 2]}, weights(8, 3, 3, 3), ["Conv2D"]),
        ({"group": 3, "pads": [2, 2, 2, 2]}, weights(3, 1, 5, 5), ["DepthwiseConv2D"]),
        ({"group": 3}, weights(6, 1, 3, 3), ["DepthwiseConv2D"]),
        ({"kernel_shape": [1, 3]}, weights(8, 3, 1, 3), ["Conv2D"]),
    ],
)
def test_a_convolution_is_one_layer_and_padded_only_where_keras_pads_otherwise(
    tmp_path: Path, attributes: dict[str, Any], kernel: Any, layers: list[str]
) -> None:
    path = classifier(tmp_path / "m.onnx", [("Conv", ["x", "w"], attributes)], {"w": kernel}, len(kernel))
    assert [layer.kind for layer in read(path).network.layers][: len(layers)] == layers


def test_groups_that_are_not_channels_stay_groups(tmp_path: Path) -> None:
    nodes: list[Node] = [CONV, ("Conv", ["t0", "v"], {"group": 2})]
    given = read(classifier(tmp_path / "m.onnx", nodes, {"w": W, "b": B, "v": weights(6, 4, 3, 3)}, 6))
    assert given.network.layers[2].config["groups"] == 2


HARD_SWISHES: dict[str, list[Node]] = {
    "one operator": [("HardSwish", ["t0"], {})],
    "times a hard sigmoid": [("HardSigmoid", ["t0"], {"alpha": 1 / 6}), ("Mul", ["t0", "t1"], {})],
    "a clip, then a product and a division": [
        ("Add", ["t0", "three"], {}),
        ("Clip", ["t1", "zero", "six"], {}),
        ("Mul", ["t0", "t2"], {}),
        ("Div", ["t3", "six"], {}),
    ],
    "as minimum and maximum": [
        ("Add", ["three", "t0"], {}),
        ("Max", ["t1", "zero"], {}),
        ("Min", ["t2", "six"], {}),
        ("Mul", ["t3", "sixth"], {}),
        ("Mul", ["t4", "t0"], {}),
    ],
}
GELU: list[Node] = [
    ("Div", ["t0", "root"], {}),
    ("Erf", ["t1"], {}),
    ("Add", ["t2", "one"], {}),
    ("Mul", ["t0", "t3"], {}),
    ("Mul", ["t4", "half"], {}),
]
NUMBERS = {
    name: np.float32(value)
    for name, value in {
        "zero": 0,
        "half": 0.5,
        "one": 1,
        "three": 3,
        "six": 6,
        "sixth": 1 / 6,
        "root": 2**0.5,
    }.items()
}


@pytest.mark.parametrize(
    ("nodes", "kind"),
    [
        *((nodes, "HardSwish") for nodes in HARD_SWISHES.values()),
        ([("Sigmoid", ["t0"], {}), ("Mul", ["t1", "t0"], {})], "swish"),
        (GELU, "gelu"),
        ([("Relu", ["t0"], {})], "ReLU"),
        ([("Clip", ["t0", "zero", "six"], {})], "ReLU"),
        ([("LeakyRelu", ["t0"], {"alpha": 0.2})], "LeakyReLU"),
        ([("Elu", ["t0"], {})], "elu"),
        ([("Tanh", ["t0"], {})], "tanh"),
        ([("HardSigmoid", ["t0"], {})], "HardSigmoid"),
        ([("Clip", ["t0", "one", "three"], {})], "ReLU"),
        ([("Softplus", ["t0"], {}), ("Tanh", ["t1"], {}), ("Mul", ["t0", "t2"], {})], "Multiply"),
    ],
)
def test_an_activation_is_known_by_what_it_computes(tmp_path: Path, nodes: list[Node], kind: str) -> None:
    given = read(classifier(tmp_path / "m.onnx", [CONV, *nodes], {"w": W, "b": B, **NUMBERS}, 8))
    found = {layer.config.get("activation", layer.kind) for layer in given.network.layers}
    assert kind in found
    assert "affine" not in kinds(given)


def test_constants_go_into_the_convolution_before_them(tmp_path: Path) -> None:
    nodes: list[Node] = [
        CONV,
        ("BatchNormalization", ["t0", "s", "s", "s", "v"], {}),
        ("Mul", ["t1", "c"], {}),
        ("Relu", ["t2"], {}),
        ("Conv", ["t3", "d"], {}),
        ("Sub", ["t4", "c"], {}),
        ("Div", ["t5", "c"], {}),
    ]
    constants = {"w": W, "b": B, "s": B, "v": abs(B) + 1, "c": weights(1, 8, 1, 1), "d": weights(8, 8, 3, 3)}
    given = read(classifier(tmp_path / "m.onnx", nodes, constants, 8))
    assert kinds(given) == {
        "ZeroPadding2D": 1,
        "Conv2D": 2,
        "BatchNormalization": 1,
        "DepthwiseConv2D": 1,  # behind the batch normalization, which is kept
        "ReLU": 1,
        "GlobalAveragePooling2D": 1,
        "Dense": 1,
    }


def test_what_a_file_does_to_pixels_first_is_its_preprocessing(tmp_path: Path) -> None:
    nodes: list[Node] = [
        ("Cast", ["x"], {"to": TensorProto.FLOAT}),
        ("Transpose", ["t0"], {"perm": [0, 3, 1, 2]}),
        ("Div", ["t1", "full"], {}),
        ("Sub", ["t2", "mean"], {}),
        ("Div", ["t3", "std"], {}),
        ("Conv", ["t4", "w", "b"], {}),
    ]
    mean, std = (np.float32(each).reshape(3, 1, 1) for each in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    constants = {"w": W, "b": B, "full": np.float32(255), "mean": mean, "std": std}
    path = classifier(
        tmp_path / "m.onnx", nodes, constants, 8, shape=("N", 16, 16, 3), dtype=TensorProto.UINT8
    )
    given = read(path, np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8))
    assert given.preprocessing == Preprocessing(
        pytest.approx(tuple(1 / 255 / std.ravel())), pytest.approx(tuple((-mean / std).ravel()))
    )
    assert not given.image.channels_first


@pytest.mark.parametrize("positive", [True, False])
def test_zeros_before_a_maximum_are_padded_where_nothing_is_below_them(
    tmp_path: Path, positive: bool
) -> None:
    nodes: list[Node] = [
        CONV,
        ("Relu" if positive else "Tanh", ["t0"], {}),
        ("MaxPool", ["t1"], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ]
    path = classifier(tmp_path / "m.onnx", nodes, {"w": W, "b": B}, 8)
    if positive:
        assert kinds(read(path))["ZeroPadding2D"] == 2
    else:
        with pytest.raises(BadInput, match=r"MaxPool with padding before what may be negative \(1\)"):
            read(path)


@pytest.mark.parametrize(
    "attributes",
    [
        {"kernel_shape": [2, 2], "strides": [2, 2]},
        {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]},
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": 1},
        {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1},
    ],
)
def test_averages_count_padding_as_the_file_says(tmp_path: Path, attributes: dict[str, Any]) -> None:
    nodes: list[Node] = [CONV, ("AveragePool", ["t0"], attributes)]
    read(classifier(tmp_path / "m.onnx", nodes, {"w": W, "b": B}, 8))


def test_a_matrix_behind_a_flattened_image_has_its_rows_in_our_order(tmp_path: Path) -> None:
    nodes: list[Node] = [
        CONV,
        ("Relu", ["t0"], {}),
        ("Shape", ["t1"], {}),
        ("Gather", ["t2", "first"], {}),
        ("Concat", ["t3", "rest"], {"axis": 0}),
        ("Reshape", ["t1", "t4"], {}),
        ("MatMul", ["t5", "m"], {}),
        ("Add", ["t6", "n"], {}),
        ("Softmax", ["t7"], {}),
    ]
    constants = {"first": np.int64([0]), "rest": np.int64([-1]), "m": weights(512, 5), "n": weights(5)}
    given = read(saved(tmp_path / "m.onnx", nodes, {"w": W, "b": B, **constants}))
    assert kinds(given) == {"ZeroPadding2D": 1, "Conv2D": 1, "ReLU": 1, "Flatten": 1, "Dense": 1}
    assert given.ending == "softmax"


def test_squeeze_and_excite_reads_rows_and_images(tmp_path: Path) -> None:
    nodes: list[Node] = [
        CONV,
        ("ReduceMean", ["t0"], {"axes": [2, 3], "keepdims": 0}),
        ("Gemm", ["t1", "m", "n"], {}),
        ("HardSigmoid", ["t2"], {"alpha": 1 / 6}),
        ("Reshape", ["t3", "as_image"], {}),
        ("Mul", ["t4", "t0"], {}),
        ("Concat", ["t5", "t0"], {"axis": 1}),
    ]
    constants = {"w": W, "b": B, "m": weights(8, 8), "n": B, "as_image": np.int64([-1, 8, 1, 1])}
    read(classifier(tmp_path / "m.onnx", nodes, constants, 16))


SHUFFLE: list[Node] = [
    ("Reshape", ["t5", "groups"], {}),
    ("Transpose", ["t6"], {"perm": [0, 2, 1, 3, 4]}),
    ("Reshape", ["t7", "whole"], {}),
]
SHAPES = {"groups": np.int64([-1, 2, 4, 8, 8]), "whole": np.int64([-1, 8, 8, 8])}


@pytest.mark.parametrize("sizes", [[], ["sizes"]])
def test_channels_that_are_split_and_shuffled_are_picked_once(tmp_path: Path, sizes: list[str]) -> None:
    nodes: list[Node] = [
        CONV,
        ("Relu", ["t0"], {}),
        ("Split", ["t1", *sizes], {"axis": 1, "outputs": 2}),
        ("Conv", ["t2_1", "half"], {}),
        ("Relu", ["t3"], {}),
        ("Concat", ["t2", "t4"], {"axis": 1}),
        *SHUFFLE,
        ("Split", ["t8", *sizes], {"axis": 1, "outputs": 2}),
        ("Conv", ["t9", "half"], {}),
        ("Concat", ["t10", "t9_1"], {"axis": 1}),
    ]
    constants = {"w": W, "b": B, "half": weights(4, 4, 1, 1), "sizes": np.int64([4, 4]), **SHAPES}
    given = read(classifier(tmp_path / "m.onnx", nodes, constants, 8, opset=13))
    assert kinds(given)["Conv2D"] == 3 + 4
    assert "Reshape" not in kinds(given)


@pytest.mark.parametrize(
    ("cut", "channels"),
    [
        ((("starts", [0]), ("ends", [3]), ("axes", [1])), 3),
        ((("starts", [-3]), ("ends", [1 << 40]), ("axes", [-3])), 3),
        ((("starts", [7]), ("ends", [-(1 << 40)]), ("axes", [1]), ("steps", [-2])), 4),
        ((("starts", [0, 1]), ("ends", [1 << 40, 8]), ("axes", [2, 1]), ("steps", [1, 3])), 3),
    ],
)
def test_channels_that_are_cut_are_picked(tmp_path: Path, cut: Any, channels: int) -> None:
    constants = {name: np.int64(values) for name, values in cut}
    nodes: list[Node] = [CONV, ("Slice", ["t0", *constants], {})]
    given = read(classifier(tmp_path / "m.onnx", nodes, {"w": W, "b": B, **constants}, channels))
    assert kinds(given)["Conv2D"] == 2


@pytest.mark.parametrize("axis", [0, 2])
def test_other_axes_are_not_cut(tmp_path: Path, axis: int) -> None:
    constants = {"starts": np.int64([0]), "ends": np.int64([-1]), "axes": np.int64([axis])}
    nodes: list[Node] = [CONV, ("Slice", ["t0", *constants], {})]
    with pytest.raises(BadInput, match=r"Slice of (nothing, or the batch|other than channels) \(1\)"):
        read(classifier(tmp_path / "m.onnx", nodes, {"w": W, "b": B, **constants}, 8))


def test_one_sigmoid_is_two_logits(tmp_path: Path) -> None:
    nodes: list[Node] = [
        CONV,
        ("GlobalAveragePool", ["t0"], {}),
        ("Flatten", ["t1"], {}),
        ("Gemm", ["t2", "m"], {}),
        ("Sigmoid", ["t3"], {}),
    ]
    path = saved(tmp_path / "m.onnx", nodes, {"w": W, "b": B, "m": weights(8, 1)})
    given = onnx_file.read(path, (16, 16))
    images = np.random.default_rng(1).normal(size=(3, 16, 16, 3)).astype(np.float32)
    logits = drawn.draw(given)(images).numpy()
    (wanted,) = onnxruntime.InferenceSession(str(path)).run(None, {"x": images.transpose(0, 3, 1, 2)})
    assert given.ending == "sigmoid"
    assert logits[:, 0] == pytest.approx(-logits[:, 1])
    assert 1 / (1 + np.exp(-2 * logits[:, 1])) == pytest.approx(wanted[:, 0], abs=1e-6)
