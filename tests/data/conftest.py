"""What tests of data sets share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edgefashion.data import load_dataset
from edgefashion.errors import DataError


@pytest.fixture(scope="session")
def refusal() -> Callable[[Path], str]:
    """refusal(folder): the one line with which `load_dataset` refuses it."""

    def line(folder: Path) -> str:
        with pytest.raises(DataError) as caught:
            load_dataset(folder)
        message = str(caught.value)
        assert "\n" not in message
        return message

    return line
