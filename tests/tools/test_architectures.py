"""The shapes that tools/bench/architectures tries: within the limits, the same for a seed, none twice."""

import runpy
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from edgefashion.data.fashion_mnist import FASHION_MNIST
from edgefashion.errors import BadInput
from edgefashion.models.residual import SHAPES, Shape, architecture
from edgefashion.models.summary import summarize

TOOL = Path(__file__).parents[2] / "tools/bench/shapes.py"


@pytest.fixture(scope="module")
def tool() -> dict[str, Any]:
    """What the module defines."""
    return runpy.run_path(str(TOOL))


@pytest.mark.parametrize(("size", "macs"), [(16_384, 1.5e6), (278_528, float("inf"))])
def test_shapes_are_drawn_within_the_limits_and_none_twice(
    tool: dict[str, Any], size: int, macs: float
) -> None:
    def drawn(seed: int) -> list[Shape]:
        draws: Iterator[Shape] = tool["draws"](FASHION_MNIST, size, macs, seed)
        return list(islice(draws, 12))

    found = drawn(seed=1)
    for own_size, own_macs in (tool["cost"](shape, FASHION_MNIST) for shape in found):
        assert 0.8 * size <= own_size <= size and own_macs <= macs
    assert len({tool["name_of"](shape) for shape in found}) == len(set(found)) == 12
    assert not {*found} & {*SHAPES.values()}
    assert found == drawn(seed=1) != drawn(seed=2)


def test_where_no_shape_fits_it_is_said(tool: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tool["draws"].__globals__, "MOST_DRAWS", 100)
    with pytest.raises(BadInput, match="hardly a shape more has 800 to 1,000 bytes"):
        next(tool["draws"](FASHION_MNIST, 1000, 1e6, 0))


@pytest.mark.parametrize("image_shape", [(28, 28, 1), (96, 81, 3)], ids=str)
def test_the_arithmetic_is_that_of_the_model(tool: dict[str, Any], image_shape: tuple[int, int, int]) -> None:
    task, shape = replace(FASHION_MNIST, image_shape=image_shape), SHAPES["cnn-16k"]
    known = architecture("own", shape)
    layers = summarize(known.fold(known.build(task, None), task))
    size, macs = tool["cost"](shape, task)
    assert macs == sum(layer.macs for layer in layers)
    assert size > sum(layer.parameters for layer in layers)


def test_a_shape_is_called_what_it_is_shipped_as(tool: dict[str, Any]) -> None:
    assert tool["name_of"](SHAPES["cnn-64k-v2"]) == "cnn-64k-v2"
    wider = Shape((8, 16, 20), (0, 1, 0), residual=False)
    assert tool["name_of"](wider) == "cnn-8-16-20-010-weighted"
