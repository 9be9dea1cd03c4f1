"""Errors as one line, and their exit codes."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from edgefashion.cli import _failures, main
from edgefashion.errors import ArtifactError, MissingExtra, RuntimeCrash


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "a.json"), 2, "a.json: Permission denied; give"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "No space left on device; free some space"),
        (OSError(errno.EMFILE, "Too many open files", b"x"), 2, "x: Too many open files; name fewer files"),
        (OSError("h5py says something"), 2, "h5py says something"),
        (MemoryError(), 1, "there is not enough memory"),
        (ImportError("failed to map segment", name="libx"), 1, "libx cannot be loaded: failed to map"),
        (RecursionError("deep"), 2, "what was read nests too deeply"),
        (OverflowError("int too large"), 2, "a number is too large: int too large"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), 2, "text of another encoding: "),
        (KeyboardInterrupt(), 143, "interrupted; what was finished is kept"),
        (KeyboardInterrupt("interrupted; go on"), 143, "interrupted; go on"),
        (caused(click.Abort(), KeyboardInterrupt("interrupted; go on")), 143, "interrupted; go on"),
        (caused(ImportError(), KeyboardInterrupt()), 143, "interrupted; what was finished is kept"),
        (
            caused(MissingExtra("a", "b"), caused(ImportError(), KeyboardInterrupt())),
            143,
            "interrupted; what",
        ),
        (click.UsageError("no such option"), 2, "no such option"),
        (ArtifactError("two\nlines \x1b[31m"), 2, "two lines \\x1b[31m"),
        (RuntimeCrash("died"), 1, "died"),
    ],
)
def test_an_error_is_one_line(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _failures.tell(error, 143) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"edgefashion: {said}")


def test_an_error_that_nobody_thought_of_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        _failures.tell(ZeroDivisionError("a fault of ours"), 130)


def test_what_a_library_makes_of_an_interruption_is_still_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert _failures.tell(AttributeError("of TensorFlow's own"), 143, asked=True) == 143
    assert capsys.readouterr().err == f"edgefashion: {_failures.INTERRUPTED}\n"


def test_developers_see_where_an_error_comes_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(_failures.TRACEBACK, "1")
    with pytest.raises(SystemExit):
        main(["bench", "none.tflite"])
    assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.parametrize("megabytes", [120, 250, 400])
def test_little_memory_is_one_line(megabytes: int, sample_folder: Path) -> None:
    words = [sys.executable, "-m", "edgefashion", "data", "--data", str(sample_folder)]
    limit = f"--as={megabytes << 20}"
    done = subprocess.run(
        ["prlimit", limit, *words],
        capture_output=True,
        text=True,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr
    if done.returncode:
        assert "edgefashion: " in done.stderr.splitlines()[-1]
