"""What several rows have in common, said once."""

import re
from collections.abc import Sequence

_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")


def merged(lines: Sequence[str]) -> str | None:
    """One line for several that differ in their figures only, each given as `1.2 to 3.4`; None for others."""
    if len({_FIGURE.sub("#", line) for line in lines}) != 1:
        return None
    columns = zip(*(_FIGURE.findall(line) for line in lines), strict=True)
    figures = iter([_range(column) for column in columns])
    return _FIGURE.sub(lambda _: next(figures), lines[0])


def _range(figures: Sequence[str]) -> str:
    least, most = (pick(figures, key=lambda each: float(each.replace(",", ""))) for pick in (min, max))
    return least if least == most else f"{least} to {most}"
