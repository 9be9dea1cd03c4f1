"""The house is as it should be, and the tool that counts would see it if it were not."""

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools/structure"


def read(checkout: Path) -> Any:
    return runpy.run_path(str(TOOL))["read"](checkout)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A checkout with two rooms, of which the later imports the former, and a part that stands beside it."""
    for name, text in {
        "edgefashion/__init__.py": "__version__ = '1'\n",
        "edgefashion/errors.py": "from edgefashion import __version__\n",
        "edgefashion/data/__init__.py": "",
        "edgefashion/data/splits.py": "from edgefashion.errors import DataError\n",
        "export/__init__.py": "import edgefashion.data.splits\n",
        "tests/test_splits.py": "\n\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "def nothing() -> None:\n    pass\n")
    (tmp_path / "edgefashion/export").symlink_to("../export")
    return tmp_path


def broken(checkout: Path) -> dict[str, list[str]]:
    return {words: found for words, found in read(checkout).faults().items() if found}


def test_every_limit_is_kept_here() -> None:
    assert broken(ROOT) == {}


def test_rooms_arrows_and_floors_are_counted(house: Path) -> None:
    found = read(house)
    assert found.arrows == {"__init__": set(), "errors": set(), "data": {"errors"}, "export": {"data"}}
    assert {name: found.floor(name) for name in found.arrows} == {
        "__init__": 0, "errors": 0, "data": 1, "export": 2,
    }  # fmt: skip
    assert len(found.files) == 5 and found.functions == [2] * 5
    assert broken(house) == {}


@pytest.mark.parametrize(
    "text",
    ["def late():\n    import edgefashion.data\n", "if TYPE_CHECKING:\n    from edgefashion import data\n"],
)
def test_an_arrow_up_and_its_circle_are_found_wherever_the_import_is(text: str, house: Path) -> None:
    (house / "edgefashion/errors.py").write_text(text)
    assert broken(house) == {"arrows up": ["errors -> data"], "rooms in circles": ["data", "errors"]}


def test_long_files_long_functions_and_loose_modules_are_found(house: Path) -> None:
    for number in range(8):
        (house / f"edgefashion/loose{number}.py").write_text("def long():\n" + "    pass\n" * 30)
    (house / "edgefashion/data/splits.py").write_text("\n" * 301)
    found = broken(house)
    assert found["files over 300 lines"] == ["data/splits.py"]
    assert found["p90 of functions over 20 lines"] == ["31"]
    assert found["more loose modules than 8"] == ["errors", *(f"loose{number}" for number in range(8))]
    assert len(found["rooms without a place in ROOMS"]) == 8


def test_the_figures_are_printed_and_the_exit_code_says_whether_limits_are_kept(house: Path) -> None:
    done = subprocess.run([sys.executable, TOOL, house], capture_output=True, text=True, check=True)
    assert "5 files, 14 lines of code, 4 of tests" in done.stdout
    assert "4 rooms on 3 floors, 2 arrows\n" in done.stdout
    assert done.stdout.count(": none\n") == len(read(house).faults())
    (house / "edgefashion/new.py").write_text("")
    done = subprocess.run([sys.executable, TOOL, house], capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "rooms without a place in ROOMS: new")
