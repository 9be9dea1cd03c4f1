"""The matrix products that tell a machine's limit."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from edgefashion import runtimes
from edgefashion.artifacts.inspection import inspect
from edgefashion.benchmarking.roofline import formats, matrix_product

ROOT = Path(__file__).parents[2]
ALL = [(format, integer) for format in formats() for integer in (False, True)]
SMALL = 20
"""Of int8 values: such that none is cut off after a product."""


@pytest.mark.parametrize(("format", "integer"), ALL)
def test_its_multiply_accumulates_are_as_stated(format: str, integer: bool) -> None:
    product = matrix_product(format, integer)
    found = inspect(product.path)
    assert found.format == format
    assert found.macs == product.macs
    assert found.integer == (len(found.computing) if integer else 0)


@pytest.mark.parametrize(("format", "integer"), ALL)
def test_an_even_number_of_products_gives_back_what_went_in(format: str, integer: bool) -> None:
    path = matrix_product(format, integer).path
    runtime = runtimes.for_file(path)
    runtime.start()
    session = runtime.load(path, threads=1)
    (taken,) = session.inputs
    values = np.random.default_rng(0).integers(-SMALL, SMALL, taken.shape, endpoint=True)
    zero_point = 128 if taken.dtype == "uint8" else 0
    (given,) = session.infer([(values + zero_point).astype(taken.dtype)])
    assert given.dtype.name == taken.dtype
    back = given.astype(float) - zero_point
    assert np.abs(back - values).max() < (5 if integer else 1e-3)


def test_onnx_runtime_leaves_the_integer_products_as_they_are(tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    path = matrix_product("onnx", integer=True).path
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    assert inspect(tmp_path / "optimized.onnx").kinds == {"QLinearMatMul": 4}


def test_the_tool_makes_what_is_shipped(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "tools/make_limit_models", tmp_path], check=True)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in (matrix_product(*one).path for one in ALL)}
    assert sum(map(len, made.values())) < 1_100_000


def test_another_format_has_none() -> None:
    with pytest.raises(ValueError, match="as a fake file"):
        matrix_product("fake", integer=True)
