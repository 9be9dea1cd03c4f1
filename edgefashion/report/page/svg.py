"""A figure of matplotlib as a part of a page: text stays text, and the page decides the colors.

Figures are drawn in colors that stand for names (`COLORS`); here they become the page's CSS variables, so
that a chart is light or dark with it. What matplotlib writes as styles becomes attributes: the page's
Content-Security-Policy allows no style but its own.
"""

import contextlib
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from edgefashion import figures
from edgefashion.escaping import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER = "#000001", "#000002", "#000003", "#000004"
SERIES = tuple(f"#0001{number:02x}" for number in range(8))
COLORS = {INK: "ink", MUTED: "muted", GRID: "grid", PAPER: "paper"} | {
    color: f"series-{number}" for number, color in enumerate(SERIES)
}
"""Color → the name of the page's variable for it."""
POINT = "point-"
"""How the identity of what can be pointed at begins; its number follows."""
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": ["sans-serif"],
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
}
_DROPPED = ("font", "font-family", "font-size-adjust", "stroke-linejoin")
_TO_COLOR = re.compile(r"#[0-9a-f]{6}")


@contextlib.contextmanager
def drawing(width: float, height: float) -> Iterator["Figure"]:
    """An empty figure of this size in inches, and a block to draw into it. Raises MissingExtra."""
    figures.new_figure(1, 1)  # which imports matplotlib, whatever lies in this folder
    import matplotlib

    with matplotlib.rc_context(dict(_SETTINGS)):
        yield figures.new_figure(width, height)


def inline(figure: "Figure", name: str, title: str, points: Sequence[str] = ()) -> str:
    """A figure as an SVG element; `name` tells its parts from those of other charts of the page.

    `title` is what a screen reader says of it; `points` what it, and a tip, say of each part that has the
    identity POINT and a number.
    """
    import matplotlib

    text = io.StringIO()
    with matplotlib.rc_context({**_SETTINGS, "svg.hashsalt": name}), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a script that a font lacks: the page has others
        figure.savefig(text, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(text.getvalue())
    _clean(root)
    for element in root.iter():
        _restyle(element)
        if (own := element.get("id", "")).startswith(POINT):
            _point(element, points[int(own.removeprefix(POINT))], name)
        elif own and element.tag == "g":
            del element.attrib["id"]
    _name(root, title, bool(points))
    return ElementTree.tostring(root, encoding="unicode")


def _clean(root: ElementTree.Element) -> None:
    """Without namespaces, which HTML has no need of, and without what is said of the file."""
    for parent in root.iter():
        for child in list(parent):
            if child.tag.endswith(("}metadata", "}style")):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for key in [key for key in element.attrib if key.startswith("{")]:
            element.set(key.rpartition("}")[2], element.attrib.pop(key))


def _restyle(element: ElementTree.Element) -> None:
    for declaration in element.attrib.pop("style", "").split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key == "font":  # matplotlib: size and family, 9px 'sans-serif'
            size = re.search(r"([\d.]+)px", value)
            element.set("font-size", size[1] if size else "9")
        elif key and key not in _DROPPED:
            element.set(key, _TO_COLOR.sub(_variable, value).removesuffix("px"))


def _variable(found: re.Match[str]) -> str:
    name = COLORS.get(found[0])
    return f"var(--{name})" if name else found[0]


def _point(element: ElementTree.Element, label: str, chart: str) -> None:
    first = element.get("id") == f"{POINT}0"
    element.set("id", f"{chart}-{element.get('id')}")
    element.set("class", "point")
    element.set("role", "img")
    element.set("tabindex", "0" if first else "-1")
    element.set("aria-label", visible(label))


def _name(root: ElementTree.Element, title: str, has_parts: bool) -> None:
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.set("class", "chart")
    root.set("role", "group" if has_parts else "img")
    root.set("aria-label", visible(title))
