"""What all pictures have in common."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgefashion import figures
from edgefashion.errors import BadInput
from edgefashion.figures import Caption, Entry, fit, width_of

FigureOf = Callable[[Callable[[Path], object]], Any]


def test_a_line_has_the_width_it_is_given_and_keeps_its_ends() -> None:
    name = "a-model-with-a-name-of-its-own-int8-qat.tflite"
    short = fit(name, figures.SMALL, 1.5)
    assert short.startswith("a-model") and short.endswith("tflite") and "…" in short
    assert width_of(short, figures.SMALL) <= 1.5 < width_of(name, figures.SMALL)
    assert fit(name, figures.SMALL, 9) == name
    assert len(fit("W" * 4000, figures.SMALL, 100)) <= figures.LONGEST + 1


@pytest.mark.parametrize("name", ["$\\frac$ $x^2$", "\x1b[31m", "W" * 4000, "衣服", "a\nb"])
def test_a_name_of_a_stranger_is_text_in_every_place(name: str, figure_of: FigureOf) -> None:
    look = {"marker": "o", "linestyle": ""}
    legends = [[Entry(name, look)] * 3, [Entry(name, look, "7")]]

    def draw(path: Path) -> None:
        with figures.drawing(path, 1, Caption(name, [name], name, "2026-11-26T01:02:03"), legends) as figure:
            figure.subplots()

    shown = [text.get_text() for text in figure_of(draw).texts]
    assert len(shown) == 8 and not any("\n" in text or "\x1b" in text for text in shown)


def test_a_picture_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with pytest.raises(KeyError), figures.drawing(path, 1, Caption("title", [], None, None)):
        raise KeyError
    with (
        pytest.raises(BadInput, match="end the name in"),
        figures.drawing(tmp_path / "a.bmp", 1, Caption("title", [], None, None)),
    ):
        pass
    assert not list(tmp_path.iterdir())
