"""What the tests of reports share."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edgefashion.evaluation import predictions
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


@pytest.fixture(scope="module", autouse=True)
def answers_in_this_process() -> Iterator[None]:
    """Files answer in this process: a child for each takes longer than to run it. Not for the session, which
    goes on with tests of crashes.
    """
    own = predictions.open_model

    def opened(path: Path, threads: int, timeout: float, interval: None, _: bool, *more: Any) -> Any:
        return own(path, threads, timeout, interval, True, *more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predictions, "open_model", opened)
        yield
