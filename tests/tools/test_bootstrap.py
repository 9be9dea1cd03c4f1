"""The Python tools find .venv themselves, whichever Python they are started with."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
BARE = [sys.executable, "-E", "-S"]
"""A Python without any package."""


def scripts() -> list[Path]:
    return sorted(
        path
        for path in TOOLS.rglob("*")
        if path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/env py")
    )


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """A tool in a checkout without .venv."""
    (tmp_path / "tools").mkdir()
    shutil.copy(TOOLS / "bootstrap.py", tmp_path / "tools")
    path = tmp_path / "tools/tool"
    path.write_text("import bootstrap, sys; print('ran with', sys.argv[1:])\n")
    return path


def run(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done


def make_python(tool: Path, text: str) -> None:
    python = tool.parents[1] / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(text)
    python.chmod(0o755)


def test_a_python_that_has_edgefashion_is_used_as_it_is(tool: Path) -> None:
    make_python(tool, "#!/bin/sh\nexit 7\n")
    assert run(sys.executable, tool, "--all", "a b").stdout == "ran with ['--all', 'a b']\n"


def test_else_that_of_the_checkout_goes_on_with_the_same_words(tool: Path, tmp_path: Path) -> None:
    make_python(tool, '#!/bin/sh\nprintf "%s|" "$@"\n')
    link = tmp_path / "elsewhere"
    link.symlink_to(tool)
    for path in (tool, link):
        assert run(*BARE, path, "--all", "a b").stdout == f"-E|-S|{path}|--all|a b|"


def test_no_environment_and_a_broken_one_are_one_line(tool: Path) -> None:
    venv = tool.parents[1] / ".venv"
    advice = "tools/quickstart or tools/test makes it\n"
    assert run(*BARE, tool, code=2).stderr == f"tool: {venv} is not there: {advice}"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/python").symlink_to(sys.executable)
    assert run(*BARE, tool, code=2).stderr == f"tool: {venv} lacks edgefashion: {advice}"


@pytest.mark.parametrize("script", scripts(), ids=lambda path: path.name)
def test_every_tool_does_so_before_anything_else_of_ours(script: Path) -> None:
    imports = [line for line in script.read_text().splitlines() if line.startswith(("import ", "from "))]
    own = [line for line in imports if line.split()[1].split(".")[0] not in sys.stdlib_module_names]
    assert not own or own[0].split()[1] == "bootstrap"
