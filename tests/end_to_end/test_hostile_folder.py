"""Nothing that lies in the current folder is run, however the command line is started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MODULES = [
    *(
        "PIL",
        "array",
        "click",
        "export",
        "filelock",
        "gzip",
        "json",
        "matplotlib",
        "msgspec",
        "numpy",
        "rich",
    ),
    *("onnxruntime", "ai_edge_litert", "pathlib", "platformdirs", "struct", "tempfile", "tensorflow", "zlib"),
    *("tf_keras", "tomllib", "typing", "zipfile", "sitecustomize", "usercustomize"),
]
COMMANDS = ("apt-get", "dpkg-deb", "python", "python3", "uname", "vcgencmd")


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    for name in MODULES:
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'RUN')!r}, 'a').write(__name__)\n")
    for name in COMMANDS:
        (tmp_path / name).write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/RUN\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("started", ["module", "command"])
@pytest.mark.parametrize("verb", ["predict", "doctor"])
def test_nothing_of_the_current_folder_is_run(started: str, verb: str, hostile: Path) -> None:
    words = {"predict": ["predict", "zoo:cnn-64k", "--index", "3"], "doctor": ["doctor"]}[verb]
    command = "import sys; from edgefashion.cli import main; main()"
    start = {"module": ["-m", "edgefashion"], "command": ["-P", "-c", command]}[started]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, *start, *words],
        cwd=hostile,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    assert not (hostile / "RUN").exists(), (hostile / "RUN").read_text()
