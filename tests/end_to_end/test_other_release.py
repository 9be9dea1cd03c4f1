"""edgefashion on the supported Debian release that this machine is not: that one's libraries and Python."""

import json
import platform
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path

import pytest

RELEASES = {"bookworm": "3.11", "trixie": "3.13"}
Run = Callable[..., str]


def others() -> list[str]:
    """The releases that this machine is not."""
    try:
        here = platform.freedesktop_os_release().get("VERSION_CODENAME")
    except OSError:
        here = None
    return [name for name in RELEASES if name != here]


@pytest.fixture(scope="module", params=others())
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def run(release: str, wanting_downloads: Callable[[], AbstractContextManager[None]]) -> Run:
    """Runs that release's Python in a root of it: run("-c", "…")."""
    with wanting_downloads():
        root = import_module("debian_root").prepare(release)
        import_module("emulation").prepare("pi4", "bookworm")

    def run(*words: object) -> str:
        command = root.command([str(word) for word in words])
        done = subprocess.run(command, env=root.environment(), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    return run


def test_nothing_of_this_machine_is_used(run: Run, release: str) -> None:
    script = (
        "import platform, sys, edgefashion; found = platform.freedesktop_os_release();"
        "print(found['VERSION_CODENAME'], platform.python_version(), edgefashion.__file__)"
    )
    found, python, package = run("-P", "-c", script).split()
    assert found == release
    assert python.startswith(RELEASES[release])
    assert Path(package).is_relative_to("/cache")


def test_the_light_install_inspects_measures_and_classifies(run: Run, verbs: str) -> None:
    """In one process, as that Python compiles what it opens each time."""
    assert "Usage: edgefashion" in run("-P", "-m", "edgefashion", "--help")
    commands = [
        ["inspect", "/checkout/tests/files/models/tiny-int8.tflite"],
        ["bench", "zoo:cnn-64k-int8-qat.onnx", "--threads", "1", "--seconds", "0.01"],
        ["predict", "zoo:cnn-64k", "--index", "3"],
    ]
    inspected, measured, classified, end = run("-P", "-c", verbs, json.dumps(commands)).split("ended\n")
    assert "parameters  1,490" in inspected
    assert " cnn-64k" in measured
    assert " ok" not in measured
    assert classified.count("%") >= 3 and not end


def test_a_raspberry_pi_is_emulated_there_too(run: Run) -> None:
    """By what was built here: the emulator brings its own loader and libraries."""
    tool = "/checkout/tools/emulation/emulated_pi"
    script = "import platform, edgefashion; print(platform.machine())"
    assert run(tool, "--board", "pi5", "python", "-c", script) == "aarch64\n"
