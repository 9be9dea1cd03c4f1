"""What the tests of reports share."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from edgefashion.report.page import Report


@pytest.fixture(scope="session")
def build() -> ModuleType:
    """`builders.py`, which lies beside this file."""
    sys.path.insert(0, str(Path(__file__).parent))
    try:
        return import_module("builders")
    finally:
        sys.path.pop(0)


@pytest.fixture(scope="session")
def whole(build: ModuleType) -> Report:
    """All that a report can have."""
    made: Report = build.report()
    return made


@pytest.fixture(scope="session")
def html(whole: Report) -> str:
    """Its page."""
    return whole.to_html()
