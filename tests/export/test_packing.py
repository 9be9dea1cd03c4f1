"""Packing a TFLite model anew: the same model in fewer bytes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion.artifacts.flatbuffer import Flatbuffer
from edgefashion.export.tflite import packing

MODELS = Path(__file__).parents[1] / "files/models"
FILES = ["tiny-float32.tflite", "tiny-int8.tflite"]
BUFFERS, DATA = 4, 0


@pytest.fixture(params=FILES)
def content(request: pytest.FixtureRequest) -> bytes:
    return (MODELS / str(request.param)).read_bytes()


def plain(value: Any) -> Any:
    """What LiteRT's schema unpacks, as lists and dictionaries, which compare."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list):
        return [plain(one) for one in value]
    return {name: plain(one) for name, one in vars(value).items()} if hasattr(value, "__dict__") else value


def test_nothing_is_lost(content: bytes) -> None:
    packed = packing.pack(packing.unpack(content))
    assert plain(packing.unpack(packed)) == plain(packing.unpack(content))
    assert packing.pack(packing.unpack(packed)) == packed
    assert len(packed) <= len(content)


def test_weights_are_aligned(content: bytes) -> None:
    packed = packing.pack(packing.unpack(content))
    found = [bytes(buffer.data(DATA)) for buffer in Flatbuffer(packed).root().tables(BUFFERS)]
    large = [data for data in found if len(data) > 64]
    assert large
    assert all(packed.index(data) % packing.BUFFER_ALIGNMENT == 0 for data in large)


def test_equal_vectors_are_written_once() -> None:
    model = packing.unpack((MODELS / "tiny-int8.tflite").read_bytes())
    [first, *others] = [each for each in model.subgraphs[0].tensors if each.quantization is not None]
    before = len(packing.pack(model))
    for each in (first, *others):
        each.quantization.zeroPoint = np.arange(1000)
    once = len(packing.pack(model))
    assert once < before + 8 * 1000 + 64
    first.quantization.zeroPoint = np.arange(1000) + 1
    assert len(packing.pack(model)) >= once + 8 * 1000
