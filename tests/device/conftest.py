"""Machines as folders; see tests/data/machines/README.md."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edgefashion.device import Recorded

MACHINES = Path(__file__).parents[1] / "data/machines"


@pytest.fixture
def machine() -> Callable[[str], Recorded]:
    """machine("pi4"): that machine's sources."""
    return lambda name: Recorded(MACHINES / name)
