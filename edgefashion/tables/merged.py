"""What several rows have in common, written once."""

import re
from collections.abc import Sequence

_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")


def merged(lines: Sequence[str]) -> str | None:
    """One line for several that differ in their figures only, each given as `1.2 to 3.4`, and after `up to`
    as the highest; None for others.
    """
    if len(set(map(pattern, lines))) != 1:
        return None
    columns = zip(*(_FIGURE.findall(line) for line in lines), strict=True)
    found = iter([_range(column) for column in columns])

    def figure(place: re.Match[str]) -> str:
        least, most = next(found)
        return most if least == most or lines[0][: place.start()].endswith("up to ") else f"{least} to {most}"

    return _FIGURE.sub(figure, lines[0])


def pattern(line: str) -> tuple[str, ...]:
    """What stands between the figures of a line: of lines that `merged` makes one it is the same."""
    return tuple(_FIGURE.split(line))


def _range(figures: Sequence[str]) -> tuple[str, str]:
    least, most = (pick(figures, key=lambda each: float(each.replace(",", ""))) for pick in (min, max))
    return least, most
