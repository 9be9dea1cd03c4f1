"""`edgefashion compare`: what must not be compared is said in words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgefashion.cli import main

Write = Callable[..., Path]
SIGNS: dict[str, Any] = {
    "name": "signs",
    "complete": True,
    "checksums": {"test-images": "cd"},
    "counts": {"train": 600, "test": 10_000},
}


def test_accuracies_of_different_tasks_are_not_compared(
    write: Write, rows: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    clothing = write("clothing.json", [rows(100)], board="A")
    signs = write("signs.json", [rows(200, accuracy=0.5)], dataset=SIGNS, board="B")
    with pytest.raises(SystemExit) as stopped:
        main(["compare", str(clothing), str(signs)])
    said = " ".join(capsys.readouterr().out.split())
    assert not stopped.value.code
    assert (
        "Different tasks: Fashion-MNIST (1), signs (2). No accuracy of one is compared with that of another."
        in said
    )
    assert "Accuracies were measured on different images" in said
    assert "cnn Fashion-MNIST" in said and "cnn signs" in said
    assert "2.0" not in said  # nor their latencies, of which one is twice the other: they are other models
