"""What the verb `debug` advises."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgefashion.cli.debug import _advise


@pytest.mark.parametrize(("agreements", "advised"), [((1.0, 1.0), False), ((1.0, 0.98), True)])
def test_layers_in_float_are_advised_where_classes_differ_only(
    agreements: tuple[float, ...], advised: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    models = {str(each): SimpleNamespace(agreement=each) for each in agreements}
    report: Any = SimpleNamespace(models=models, images=200, precision="int8", costliest="conv")
    _advise(report, Path("runs/mine"))
    said = "".join(capsys.readouterr())
    assert ("edgefashion export runs/mine --precision int8 --keep-float conv" in said) == advised
    assert ("the same classes for all 200 images" in said) != advised
