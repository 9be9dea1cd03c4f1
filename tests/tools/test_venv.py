"""tools/venv.sh: .venv is made once, whole, by one process at a time; with a Python and a pip of straw."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BASH = shutil.which("bash") or "bash"
PYTHON = """\
#!{bash}
# A Python: makes an environment with a copy of itself, "installs" slowly, imports what was installed.
here="${{BASH_SOURCE[0]%/bin/*}}"
case "$*" in
    *"-m venv"*) mkdir -p .venv; rm -rf .venv/*; mkdir .venv/bin; cp "${{BASH_SOURCE[0]}}" .venv/bin/python ;;
    *"-m pip install"*)
        echo "begun" >>pip.log
        trap 'echo "ERROR: Operation cancelled by user"; exit 1' INT
        for i in {{1..{tenths}}}; do [ -e .venv ] || exit 1; sleep 0.1; done
        [ -e broken ] || touch "$here/installed"
        cp .venv/bin/python .venv/bin/ruff; cp .venv/bin/python .venv/bin/mypy
        echo "ended" >>pip.log ;;
    *"import click, numpy, edgefashion"*) [ -e "$here/installed" ] ;;
    *"-m pytest"*) touch "$TMPDIR/left behind"; exit "$(cat code)" ;;
    *"--version"*) echo "Python 3.11.0" ;;
esac
"""
MORE = ("dirname", "grep", "mktemp")
SCRIPT = 'set -euo pipefail; source tools/venv.sh; prepare dev; echo "done"'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with what venv.sh reads, and a Python whose pip takes half a second."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/venv.sh", tmp_path / "tools")
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("as it was")
    write_python(tmp_path, tenths=5)
    return tmp_path


def write_python(checkout: Path, tenths: int) -> None:
    (checkout / "bin").mkdir(exist_ok=True)
    python = checkout / "bin/python3"
    python.write_text(PYTHON.format(bash=BASH, tenths=tenths))
    python.chmod(0o755)


def start(checkout: Path, *words: str) -> subprocess.Popen[str]:
    """`prepare dev`, or another program, in a process group of its own; the usual programs are there, but
    not uv.
    """
    for name in ("flock", "cat", "cksum", "mkdir", "rm", "cp", "sleep", "touch", "bash", *MORE):
        if not (checkout / "bin" / name).exists():
            (checkout / "bin" / name).symlink_to(shutil.which(name) or name)
    return subprocess.Popen(
        [BASH, *(words or ("-c", SCRIPT))],
        cwd=checkout,
        env={"PATH": str(checkout / "bin"), "TMPDIR": str(checkout / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def prepare(checkout: Path, code: int = 0) -> str:
    process = start(checkout)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == code, said
    return said


def pip_log(checkout: Path) -> list[str]:
    return (checkout / "pip.log").read_text().split()


def test_a_second_call_uses_what_the_first_made(checkout: Path) -> None:
    assert "making .venv with Python 3.11.0" in prepare(checkout)
    said = prepare(checkout)
    assert "using .venv as it is" in said
    assert pip_log(checkout) == ["begun", "ended"]


def test_two_calls_at_once_make_it_once(checkout: Path) -> None:
    calls = [start(checkout) for _ in range(3)]
    said = [call.communicate(timeout=30)[0] for call in calls]
    assert [call.returncode for call in calls] == [0, 0, 0], said
    assert pip_log(checkout) == ["begun", "ended"]
    assert sorted("another process is making .venv; waiting for it" in text for text in said) == [
        False,
        True,
        True,
    ]
    assert "using .venv as it is" in prepare(checkout)


def test_ctrl_c_while_pip_installs_is_130_and_the_next_call_starts_over(checkout: Path) -> None:
    write_python(checkout, tenths=100)
    call = start(checkout)
    while not (checkout / "pip.log").exists():
        time.sleep(0.02)
    os.killpg(call.pid, signal.SIGINT)
    said, _ = call.communicate(timeout=30)
    assert call.returncode == 130, said
    assert not (checkout / ".venv/edgefashion-stamp").exists()
    write_python(checkout, tenths=1)
    assert prepare(checkout).endswith("done\n")


def test_what_pip_leaves_broken_is_not_called_whole(checkout: Path) -> None:
    (checkout / "broken").touch()
    assert "cannot import it" in prepare(checkout, code=2)
    assert not (checkout / ".venv/edgefashion-stamp").exists()
    (checkout / "broken").unlink()
    assert prepare(checkout).endswith("done\n")


def test_an_environment_that_lost_the_package_is_made_anew(checkout: Path) -> None:
    prepare(checkout)
    (checkout / ".venv/installed").unlink()
    assert "making .venv" in prepare(checkout)
    assert "using .venv as it is" in prepare(checkout)


def test_other_dependencies_are_brought_up_to_date(checkout: Path) -> None:
    prepare(checkout)
    (checkout / "constraints.txt").write_text("as it is now")
    said = prepare(checkout)
    assert "bringing .venv up to date" in said
    assert "making .venv" not in said


@pytest.mark.parametrize("code", [0, 1])
def test_the_suite_leaves_nothing_in_the_temporary_folder(checkout: Path, code: int) -> None:
    """Whatever libraries forget there; its exit code is that of pytest."""
    shutil.copy(ROOT / "tools/test", checkout / "tools")
    (checkout / "code").write_text(str(code))
    (checkout / "tmp").mkdir()
    process = start(checkout, "tools/test")
    said, _ = process.communicate(timeout=30)
    assert process.returncode == code, said
    assert list((checkout / "tmp").iterdir()) == []
