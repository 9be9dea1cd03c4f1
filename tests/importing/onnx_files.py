"""Small `.onnx` files, written operator by operator."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Node = tuple[str, list[str], dict[str, Any]]
"""Kind, inputs and attributes; what it makes is called t0, t1, … in the order of the nodes; one with the
attribute `outputs` makes so many: t2, t2_1, …
"""
IMAGE = ("N", 3, 16, 16)
RANDOM = np.random.default_rng(7)


def weights(*shape: int, spread: float = 0.3) -> np.ndarray[Any, Any]:
    """Random weights."""
    return RANDOM.normal(0, spread, shape).astype(np.float32)


def proto(
    nodes: Sequence[Node],
    constants: Mapping[str, Any],
    shape: Sequence[int | str | None] = IMAGE,
    dtype: int = TensorProto.FLOAT,
    outputs: Sequence[str] = (),
    opset: int = 17,
) -> onnx.ModelProto:
    """A model of one input, x, and by default of one output, what the last node makes."""
    made = [
        helper.make_node(
            kind,
            inputs,
            [f"t{number}", *(f"t{number}_{more}" for more in range(1, attributes.get("outputs", 1)))],
            name=f"{kind}_{number}",
            **{name: value for name, value in attributes.items() if name != "outputs"},
        )
        for number, (kind, inputs, attributes) in enumerate(nodes)
    ]
    graph = helper.make_graph(
        made,
        "graph",
        [helper.make_tensor_value_info("x", dtype, shape)],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
            for name in outputs or [made[-1].output[0]]
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def saved(path: Path, *args: Any, **kwargs: Any) -> Path:
    """That model in a file."""
    path.write_bytes(proto(*args, **kwargs).SerializeToString())
    return path


def head(read: str, channels: int, classes: int = 5) -> tuple[list[Node], dict[str, Any]]:
    """The end of a classifier: nodes of which the first is number `at`, and their constants."""
    at = int(read[1:]) + 1
    nodes: list[Node] = [
        ("GlobalAveragePool", [read], {}),
        ("Flatten", [f"t{at}"], {}),
        ("Gemm", [f"t{at + 1}", "head_w", "head_b"], {"transB": 1}),
    ]
    return nodes, {"head_w": weights(classes, channels, spread=1), "head_b": weights(classes)}


def classifier(
    path: Path, nodes: list[Node], constants: dict[str, Any], channels: int, **kwargs: Any
) -> Path:
    """A file of these nodes and a head behind the last one, which makes images of so many channels."""
    more, values = head(f"t{len(nodes) - 1}", channels)
    return saved(path, nodes + more, {**constants, **values}, **kwargs)
