"""How the verb `quantize` reads numbers and ends."""

from types import SimpleNamespace
from typing import Any

import click
import pytest

from edgefashion.cli.quantize import WAYS, Numbers, _end
from edgefashion.errors import VerificationError
from edgefashion.importing.preprocessing.preprocessing import NAMES


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("-1", (-1.0,)),
        ("1/127.5", (1 / 127.5,)),
        ("1e-3", (0.001,)),
        ("1/58.4, 1/57.1,1/57.4", (1 / 58.4, 1 / 57.1, 1 / 57.4)),
        ("-123.68,-116.779,-103.939", (-123.68, -116.779, -103.939)),
    ],
)
def test_a_number_may_be_a_fraction_and_one_a_channel(text: str, numbers: tuple[float, ...]) -> None:
    assert Numbers().convert(text, None, None) == numbers


@pytest.mark.parametrize("text", ["", "x", "1/0", "nan", "1e999", "1,2", "1,,2", "1/2/3", "1;2;3", "9" * 999])
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no number, nor three"):
        Numbers().convert(text, None, None)


def test_all_ways_have_names_here() -> None:
    assert tuple(NAMES) == WAYS


def test_what_was_not_reached_is_the_end() -> None:
    results = SimpleNamespace(interrupted=False, rows=[], raise_failures=lambda: None)
    found: Any = SimpleNamespace(results=results, artifacts=[], unmet=())
    _end(found)
    found.unmet = ("int8 tflite loses too much",)
    with pytest.raises(VerificationError, match="int8 tflite loses too much") as ended:
        _end(found)
    assert ended.value.exit_code == 1
