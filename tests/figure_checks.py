"""What holds for every picture that is drawn, found on the figure: what it says, and that it can be read."""

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from edgefashion import figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

README_PIXELS, LEAST_PIXELS = 880, 10
"""How wide a README shows a picture, and how high the smallest letters then are."""


class Word(NamedTuple):
    """A text in a picture, its size in points, and its box in pixels."""

    text: str
    size: float
    box: Any
    turned: bool


def figure_of(draw: Callable[[Path], object], path: Path, patch: pytest.MonkeyPatch) -> "Figure":
    """The figure that `draw` saves, which fails unless people can read it and it says what it shows."""
    found: list[tuple[Figure, list[Word]]] = []
    patch.setattr(figures, "save", lambda figure, *_: found.append((figure, words(figure, patch))))
    draw(path)
    [(figure, shown)] = found
    assert_readable(figure, shown)
    return figure


def words(figure: "Figure", patch: pytest.MonkeyPatch) -> list[Word]:
    """All texts of the figure that are drawn; without clips, as a text outside would be."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    found: list[Word] = []
    draw = Text.draw

    def seen(text: Text, renderer: Any, *arguments: Any) -> None:
        draw(text, renderer, *arguments)
        if text.get_visible() and text.get_text().strip():
            box = text.get_window_extent(renderer)
            found.append(Word(text.get_text(), float(text.get_size()), box, text.get_rotation() % 90 != 0))

    with patch.context() as once, figures._any_letters():
        once.setattr(Text, "draw", seen)
        FigureCanvasAgg(figure).draw()
    return found


def assert_readable(figure: "Figure", shown: list[Word]) -> None:
    """Fail where texts lie on each other or leave the picture, are small, or do not say what is shown."""
    for one, other in itertools.combinations(shown, 2):
        if not (one.turned and other.turned):
            assert not _meet(one.box, other.box), (one.text, other.text)
    width, height = figure.bbox.width, figure.bbox.height
    for word in shown:
        box = word.box
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, word
    pixels = min(word.size for word in shown) / 72 * README_PIXELS / figure.get_figwidth()
    assert figure.get_figwidth() > figures.WIDTH or pixels >= LEAST_PIXELS, pixels
    by_height = sorted(shown, key=lambda word: word.box.y0)
    assert by_height[-1].size == figures.TITLE
    assert re.search(r"\S.*, \d{4}-\d\d-\d\d", by_height[0].text), "no machine and date below all"


def _meet(one: Any, other: Any) -> bool:
    """Whether boxes overlap by more than a pixel, as those of letters without descenders do."""
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    return bool(across > 1 and min(one.y1, other.y1) - max(one.y0, other.y0) > 1)
