"""Records that are nearly right: JSON with a thing or two in it wrong, to try readers with."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

DEEP = json.loads("[" * 60 + "]" * 60)
WRONG: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 0.5, 1.5, -0.5, 2, 9, 2**31, 2**63, 2**64, 10**400, 1e308, 1e-320),
    *(
        float("nan"),
        float("inf"),
        float("-inf"),
        "",
        "x",
        "0",
        "\x1b[2J",
        "a\nb",
        "\u202e",
        "\x00",
        "../x",
        "/",
    ),
    *("=1+1", "$\\frac$", "<img src=x>", "\ud800", "x" * 5_000, [], {}, [None], [[]], [{}], {"": None}),
    *({"a": 1}, ["x"], {"flag": ["x"], "why": "y"}, DEEP),
)
"""What stands where something else should."""


def mutated(record: Any, source: random.Random) -> Any:
    """A copy of a record in which one value or more is another, is missing, or is there twice."""
    found = {"": copy.deepcopy(record)}
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        holder, key = source.choice(list(_places(found)))
        how = source.random()
        if how < 0.1 and holder is not found:
            del holder[key]
        elif how < 0.15 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        elif how < 0.2 and isinstance(holder, dict) and holder is not found:
            holder[source.choice(("x", "\x1b[2J", "\ud800", ""))] = holder.pop(key)
        else:
            holder[key] = copy.deepcopy(source.choice(WRONG))
    return found[""]


def _places(holder: Any, most: int = 20) -> Iterator[tuple[Any, Any]]:
    """Where values are: what holds them, and where in it; of a long list the first ones only."""
    keys = list(holder) if isinstance(holder, dict) else range(min(len(holder), most))
    for key in keys:
        yield holder, key
        if isinstance(holder[key], dict | list):
            yield from _places(holder[key])
