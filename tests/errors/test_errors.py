"""What an error says where its usual advice is of no use."""

from pathlib import Path

import pytest

from edgefashion import errors, runtimes
from edgefashion.errors import MissingExtra
from edgefashion.installation import pip_install
from edgefashion.runtimes import base


def test_on_32_bits_no_pip_can_help(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = runtimes.for_file(Path("model.tflite"))
    assert pip_install("litert") in str(base.missing(runtime, ".tflite"))
    monkeypatch.setattr(errors, "_32_BITS", True)
    said = str(base.missing(runtime, ".tflite"))
    assert said.endswith("which is not built for 32 bits: a 64-bit operating system is required")
    assert "pip" not in said
    assert pip_install("plot") in str(MissingExtra("Drawing needs matplotlib", "plot"))
