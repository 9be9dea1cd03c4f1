"""How the verb `quantize` reads numbers and ends."""

import sys
from types import SimpleNamespace
from typing import Any

import click
import pytest

from edgefashion.cli.quantize import WAYS, Numbers, _end
from edgefashion.cli.quantize import quantize as verb
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


def test_no_loss_at_all_may_be_asked_for() -> None:
    (option,) = (each for each in verb.params if each.name == "max_drop")
    assert option.type.convert("0", option, None) == 0


def test_what_was_not_reached_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    quantize = sys.modules[_end.__module__]
    monkeypatch.setattr(quantize, "after_evaluation", lambda files, _: [each.name for each in files])
    monkeypatch.setattr(quantize, "following", lambda *steps: said.extend(steps))
    results = SimpleNamespace(interrupted=False, rows=[], raise_failures=lambda: None)
    found: Any = SimpleNamespace(results=results, artifacts=[], unmet=())
    for name, format, kept in (("pure", "tflite", ()), ("mixed", "tflite", ("a",)), ("own", "onnx", ())):
        file = SimpleNamespace(name=name, format=format, precision="int8", kept_float=kept)
        found.artifacts.append(file)
    _end(found)
    assert said == ["mixed", "own"]
    said.clear()
    found.unmet = ("int8 tflite loses too much",)
    with pytest.raises(VerificationError, match="int8 tflite loses too much") as ended:
        _end(found)
    assert ended.value.exit_code == 1
    assert not said  # as if all were well
