"""Layers, parameters and multiply-accumulates, against sums done by hand."""

import pytest

from edgefashion import tables
from edgefashion.data import FASHION_MNIST
from edgefashion.models import ARCHITECTURES
from edgefashion.models.summary import LayerSummary, page, summarize
from edgefashion.tensorflow import keras


def figures(layers: list[LayerSummary]) -> list[tuple[str, int, int]]:
    return [(layer.kind, layer.parameters, layer.macs) for layer in layers]


def test_the_cnn_by_hand() -> None:
    layers = summarize(ARCHITECTURES["cnn"].build(FASHION_MNIST, None))
    assert figures(layers) == [
        ("Conv2D", 3 * 3 * 1 * 32 + 32, 3 * 3 * 1 * 32 * 26 * 26),
        ("MaxPooling2D", 0, 0),
        ("Conv2D", 3 * 3 * 32 * 64 + 64, 3 * 3 * 32 * 64 * 11 * 11),
        ("MaxPooling2D", 0, 0),
        ("Flatten", 0, 0),
        ("Dense", 1600 * 128 + 128, 1600 * 128),
        ("Dense", 128 * 10 + 10, 128 * 10),
    ]
    shapes = [(26, 26, 32), (13, 13, 32), (11, 11, 64), (5, 5, 64), (1600,), (128,), (10,)]
    assert [layer.output_shape for layer in layers] == shapes


def test_a_depthwise_convolution_sees_one_channel_at_a_time() -> None:
    image = keras.Input((8, 8, 6))
    features = keras.layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False)(image)
    features = keras.layers.BatchNormalization()(features)
    features = keras.layers.Conv2D(5, 1)(features)
    assert figures(summarize(keras.Model(image, features))) == [
        ("DepthwiseConv2D", 3 * 3 * 6, 3 * 3 * 6 * 4 * 4),
        ("BatchNormalization", 4 * 6, 0),
        ("Conv2D", 6 * 5 + 5, 6 * 5 * 4 * 4),
    ]


def test_mobilenetv2_has_the_published_cost() -> None:
    """300.8 million at 224x224 with 1,000 classes; the part that slides goes with the area."""
    layers = summarize(ARCHITECTURES["mobilenetv2"].build(FASHION_MNIST, None))
    head = 1280 * 128 + 128 * 10
    published = (300.8e6 - 1280 * 1000) * (96 / 224) ** 2
    assert sum(layer.macs for layer in layers) - head == pytest.approx(published, rel=0.01)
    assert sum(layer.parameters for layer in layers) == 2_257_984 + head + 128 + 10


def test_the_table_has_a_line_a_layer_and_the_sums() -> None:
    layers = summarize(ARCHITECTURES["cnn"].build(FASHION_MNIST, None))
    _, _, heading, _, *lines, total = tables.to_text(page(layers)).splitlines()
    assert heading.split() == ["layer", "kind", "output", "parameters", "MACs"]
    assert [line.split()[0] for line in lines] == [layer.name for layer in layers]
    assert lines[0].split()[1:] == ["Conv2D", "26x26x32", "320", "194,688"]
    assert total.split() == ["total", "225,034", "2,631,040"]
    assert {len(line) for line in lines} == {len(heading)} == {len(total)}


@pytest.mark.parametrize("width", [60, 80])
def test_a_deep_model_has_a_line_a_block_and_a_narrow_terminal_gets_the_figures_whole(width: int) -> None:
    layers = summarize(ARCHITECTURES["mobilenetv2"].build(FASHION_MNIST, None))
    text = tables.to_text(page(layers, "Layers that learn"), width)
    lines = text.splitlines()
    assert len(lines) < 40 and lines[0].split() == ["Layers", "that", "learn"]
    assert max(map(len, lines)) <= width
    assert ("Left out at 60 columns: kind" in " ".join(text.split())) == (width == 60)
    block = [layer for layer in layers if layer.name.startswith("block_2_")]
    assert block[-1].name == "block_2_add" and len(block) == 9
    (line,) = [line for line in lines if line.lstrip().startswith("block_2_")]
    figures = [f"{sum(getattr(layer, name) for layer in block):,}" for name in ("parameters", "macs")]
    assert line.split()[-2:] == figures
    assert line.split()[0] == "block_2_add" and (width == 60 or "9 layers" in line)
    assert any("named after the last of them" in line for line in lines)


def test_many_layers_that_are_of_no_block_have_a_line_each_and_no_note() -> None:
    layers = summarize(ARCHITECTURES["cnn-64k-v2"].build(FASHION_MNIST, None))
    text = tables.to_text(page(layers))
    assert "named after" not in text
    assert all(f" {layer.name} " in text for layer in layers)
