"""Who types commands reads of options, and who calls functions of arguments."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

import edgefashion as ef
from edgefashion.cli import main
from edgefashion.data.picture_sets.options import PictureOptions
from edgefashion.errors import wording
from edgefashion.errors.wording import setting

ROOT = Path(__file__).parents[2]
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
COMMAND = re.compile(r"edgefashion [a-z]+\b[^;:,]*$|pip install\b[^;:,]*$")
OWN = {
    *("edgefashion/errors/wording.py", "edgefashion/data/debian.py", "export/debug/__init__.py"),
    *("edgefashion/hosts/packages.py", "edgefashion/hosts/there.py"),
    "edgefashion/shelf/worker.py",
}
"""The table itself, options of dpkg-deb and pip, and commands that are put together."""


def sources() -> list[Path]:
    found = [
        path.relative_to(ROOT) for room in ("edgefashion", "export") for path in (ROOT / room).rglob("*.py")
    ]
    return sorted(path for path in found if path.parts[1] != "cli" and str(path) not in OWN)


def options_in(source: Path) -> Iterator[str]:
    """Options in the texts of a module, but for those in a whole command, and those given to `setting`."""
    tree = ast.parse((ROOT / source).read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    worded = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "setting"]
    comments = [node for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    left_out = {id(part) for node in (*worded, *comments) for part in ast.walk(node) if node is not part}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
            assert "{setting(" not in node.value, f"{source}, line {node.lineno} is no f-string"
            found = OPTION.finditer(node.value)
            yield from (each[0] for each in found if not COMMAND.search(node.value[: each.start()]))


def test_no_message_names_an_option_to_who_calls_functions() -> None:
    found = {str(source): options for source in sources() if (options := list(options_in(source)))}
    assert found == {}


def test_every_setting_that_is_named_is_one() -> None:
    text = "".join((ROOT / source).read_text() for source in sources())
    named = {setting(option) for option in re.findall(r"setting\([\"'](--[a-z -]+)[\"']\)", text)}
    assert {"force=True", "keep_float", "memory_mb"} <= named
    functions = [getattr(ef, name) for name in ef.__all__]
    known = {name for each in functions if callable(each) for name in parameters(each)}
    known |= {
        field.name for each in (ef.Recipe, ef.BenchmarkOptions, ef.ExportOptions) for field in fields(each)
    }
    known |= {*dir(ef.Results), *dir(ef.BenchmarkOptions), *parameters(ef.Model.classify), "load_dataset"}
    known |= PictureOptions.__annotations__.keys()
    assert {re.split(r"[=(]", name)[0] for name in named} - known == set()


def parameters(function: object) -> set[str]:
    try:
        return set(inspect.signature(function).parameters)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return set()


def test_a_setting_is_called_as_its_reader_gives_it(capsys: pytest.CaptureFixture[str]) -> None:
    for option, argument in {
        "--force": "force=True",
        "--keep-float": "keep_float",
        "--data": "load_dataset(FOLDER)",
    }.items():
        assert setting(option) == argument
        with wording.for_the_command_line():
            assert setting(option) == option
    assert setting("--force") == "force=True"
    with pytest.raises(ef.BadInput, match="leave out weights"):
        ef.recipe("cnn", weights="imagenet")
    with pytest.raises(SystemExit):
        main(["train", "--weights", "imagenet"])
    assert "leave out --weights" in capsys.readouterr().err
    assert setting("--force") == "force=True"
