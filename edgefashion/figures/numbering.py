"""Where the numbers of points and lines stand in a panel: beside them, and on nothing else."""

from collections.abc import Iterator, Sequence
from math import cos, hypot, pi, sin
from typing import TYPE_CHECKING, NamedTuple

from edgefashion import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Place = tuple[float, float]
NEAR, MARK = 6.0, 4.0
"""Points of type: closer together than that, places share a label; half of what a mark covers."""
STEPS = (7.0, 11.0, 16.0, 22.0, 29.0, 37.0, 46.0, 56.0, 67.0, 80.0)
"""From a point to its label's edge, the nearest that has room."""
DIRECTIONS = (0, 4, 1, 7, 3, 5, 2, 6)
"""Eighths of a turn, in the order they are tried: the right first, where no interval is."""


class Box(NamedTuple):
    """A rectangle."""

    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: "Box") -> bool:
        """Whether they have a part in common."""
        apart = self.left >= other.right or other.left >= self.right
        return not (apart or self.bottom >= other.top or other.bottom >= self.top)


def write(axes: "Axes", ends: Sequence[tuple[Place, int]], marks: Sequence[Place]) -> None:
    """Write a number beside each place, or several where places are one; a line leads to those further away.

    `marks` are all places of the panel, in its units. A number without room is left out.
    """
    if not ends:
        return
    points = 72 / axes.figure.dpi
    frame = axes.bbox
    inside = Box(*(points * end for end in (frame.x0, frame.y0, frame.x1, frame.y1)))
    taken = [Box(x - MARK, y - MARK, x + MARK, y + MARK) for x, y in _points(axes, marks)]
    places = list(
        zip(_points(axes, [place for place, _ in ends]), (number for _, number in ends), strict=True)
    )
    for (x, y), text in grouped(places):
        size = 72 * figures.width_of(text, figures.SMALL) + 3, 1.3 * figures.SMALL
        for box in _boxes(x, y, size):
            if box.left < inside.left or box.right > inside.right or box.top > inside.top:
                continue
            if box.bottom >= inside.bottom and not any(box.meets(other) for other in taken):
                taken.append(box)
                _write(axes, (x, y), box, text)
                break


def grouped(places: Sequence[tuple[Place, int]]) -> list[tuple[Place, str]]:
    """Places that lie on each other as one, with the numbers of all."""
    groups: list[tuple[Place, list[int]]] = []
    for place, number in places:
        near = [group for group in groups if hypot(group[0][0] - place[0], group[0][1] - place[1]) < NEAR]
        if near:
            near[0][1].append(number)
        else:
            groups.append((place, [number]))
    return [(place, listed(numbers)) for place, numbers in groups]


def listed(numbers: Sequence[int]) -> str:
    """Numbers in rising order as text: 1, 2, 5–9."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def _points(axes: "Axes", places: Sequence[Place]) -> list[Place]:
    """Places in a panel's units, in points of type from the picture's corner."""
    if not places:
        return []
    scaled: list[Place] = (axes.transData.transform(places) * 72 / axes.figure.dpi).tolist()
    return scaled


def _boxes(x: float, y: float, size: Place) -> Iterator[Box]:
    """Where a text of this size can stand, the nearest to x, y first."""
    width, height = size
    for step in STEPS:
        for eighth in DIRECTIONS:
            turn = pi / 4 * eighth
            middle = x + cos(turn) * (step + width / 2), y + sin(turn) * (step + height / 2)
            yield Box(
                middle[0] - width / 2, middle[1] - height / 2, middle[0] + width / 2, middle[1] + height / 2
            )


def _write(axes: "Axes", point: Place, box: Box, text: str) -> None:
    """Text into a box, with a line to its point unless that is beside it."""
    from matplotlib.patheffects import withStroke

    middle = (box.left + box.right) / 2, (box.bottom + box.top) / 2
    inches = axes.figure.dpi_scale_trans
    end = min(max(point[0], box.left), box.right), min(max(point[1], box.bottom), box.top)
    if hypot(end[0] - point[0], end[1] - point[1]) > STEPS[1]:
        line = [(each / 72, other / 72) for each, other in zip(point, end, strict=True)]
        (drawn,) = axes.plot(*line, color=figures.FAINT, linewidth=0.5, transform=inches, zorder=1.6)
        drawn.set_in_layout(False)
    label = axes.text(
        middle[0] / 72,
        middle[1] / 72,
        text,
        size=figures.SMALL,
        ha="center",
        va="center",
        transform=inches,
        path_effects=[withStroke(linewidth=2, foreground="white")],
    )
    label.set_in_layout(False)
