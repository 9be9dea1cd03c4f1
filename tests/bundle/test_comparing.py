"""Whether predictions of two computers are equal, and how far apart they may be."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion.artifacts.artifact import Artifact
from edgefashion.bundle import compare, comparing
from edgefashion.records.manifest import Manifest
from edgefashion.runtimes.base import Logits

HOST = np.random.default_rng(0).normal(0, 5, (100, 10)).astype(np.float32)
SPREAD = float(HOST.std())


def file(name: str, precision: str | None, **said: Any) -> Artifact:
    origin = {"run": "cnn", "run_id": "0", "precision": precision, "small_run": False, "sha256": "0" * 64}
    return Artifact(Path(name), Manifest(**origin | said) if precision else None)


@pytest.mark.parametrize("precision", ["int8", "int8-qat"])
def test_integers_must_be_equal_to_the_bit(precision: str) -> None:
    allowed, _ = comparing.tolerance(file("m.tflite", precision), HOST, "x86-vnni")
    assert allowed == 0
    own = HOST.copy()
    assert compare(HOST, own, allowed).equal is True
    own[3, 3] = np.nextafter(own[3, 3], np.float32(np.inf))
    found = compare(HOST, own, allowed)
    assert found.equal is False
    assert 0 < found.max_logit_error < 1e-5


@pytest.mark.parametrize(
    ("artifact", "share"),
    [
        (file("m.tflite", "float32"), comparing.FLOAT),
        (file("m.tflite", "float16"), comparing.FLOAT),
        (file("m.onnx", "float32"), comparing.FLOAT),
        (file("m.tflite", "dynamic"), comparing.ROUNDED),
        (file("m.tflite", "int8", kept_float=["conv1"]), comparing.ROUNDED),
        (file("m.onnx", "int8"), comparing.ROUNDED),
        (file("m.onnx", "int8", target="x86-vnni"), comparing.ROUNDED),
        (file("m.onnx", "int8-qat"), comparing.ROUNDED),
        (file("m.onnx", None), comparing.ROUNDED),
    ],
)
def test_floats_may_differ_by_a_part_of_the_spread(artifact: Artifact, share: float) -> None:
    allowed, why = comparing.tolerance(artifact, HOST, "x86-vnni")
    assert allowed == pytest.approx(share * SPREAD)
    assert f"{share:g} of the logits' standard deviation" in why
    near, far = HOST + np.float32(0.9 * allowed), HOST + np.float32(1.1 * allowed)
    assert compare(HOST, near, allowed).equal is True
    assert compare(HOST, far, allowed).equal is False


def test_where_the_host_itself_may_be_wrong_nothing_is_compared() -> None:
    allowed, why = comparing.tolerance(file("m.onnx", "int8", target="arm64"), HOST, "x86-avx2")
    assert allowed is None
    assert "its predictions may be wrong" in why
    found = compare(HOST, HOST + 1, allowed)
    assert found.equal is None
    assert found.max_logit_error == pytest.approx(1)
    # Right, and only as fast as elsewhere:
    assert comparing.tolerance(file("m.onnx", "int8", target="x86-avx2"), HOST, "arm64")[0] is not None


def test_what_differs_is_counted() -> None:
    own = HOST.copy()
    own[:7] = np.roll(own[:7], 1, axis=1)
    found = compare(HOST, own, 1e9)
    assert (found.images, found.differing_classes) == (100, 7)
    assert found.max_logit_error == pytest.approx(np.abs(HOST - own).max())
    assert found.equal is True


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_not_equal(value: float) -> None:
    own = HOST.copy()
    own[0, 0] = value
    found = compare(HOST, own, 1e9)
    assert found.equal is False
    assert found.max_logit_error is None


def test_other_images_cannot_be_compared() -> None:
    own: Logits = HOST[:99]
    with pytest.raises(ValueError, match="cannot be compared"):
        compare(HOST, own, 0)
