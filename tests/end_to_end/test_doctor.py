"""`edgefashion doctor` from the command line: on this machine, and on one whose firmware is a script."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def doctor(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edgefashion", "doctor", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
    )


def examined(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(done.stdout)
    wrong = [finding["topic"] for finding in content["findings"] if finding["falsifies"]]
    assert content["fit"] == (not wrong)
    assert done.returncode == (1 if wrong else 0), done.stderr
    return content


@pytest.fixture
def firmware(tmp_path: Path) -> Path:
    """A vcgencmd; put its folder in front of PATH."""
    path = tmp_path / "bin/vcgencmd"
    path.parent.mkdir()
    path.touch(0o755)
    return path


def path_with(command: Path) -> str:
    return f"{command.parent}:{os.environ['PATH']}"


def levels(content: dict[str, Any], topic: str) -> list[str]:
    return [finding["level"] for finding in content["findings"] if finding["topic"] == topic]


def test_this_machine() -> None:
    content = examined(doctor("--json"))
    assert content["schema"] == 1
    assert levels(content, "LiteRT") == levels(content, "ONNX Runtime") == ["ok"]
    assert content["device"]["cores"] >= 1
    assert content["state"]["other_cores"] is not None


def test_text_has_a_line_for_each_finding_and_one_that_mends_it() -> None:
    done = doctor()
    assert done.returncode in (0, 1)
    lines = done.stdout.splitlines()
    verdict = "Not fit to measure: " if done.returncode else "Nothing was found that would falsify"
    assert lines[-1].startswith(verdict)
    assert {line.split()[0] for line in lines[:-2]} <= {"ok", "note", "problem", "→"}
    assert "Traceback" not in done.stderr


def test_a_throttled_raspberry_pi(firmware: Path) -> None:
    firmware.write_text(
        '#!/bin/sh\ncase $1 in get_throttled) echo throttled=0x50005;; measure_temp) echo "temp=84.0\'C";; '
        "measure_clock) echo 'frequency(48)=600169920';; *) exit 1;; esac\n"
    )
    done = doctor("--json", PATH=path_with(firmware))
    content = examined(done)
    assert done.returncode == 1
    for topic in ("throttled", "under-voltage", "hot"):
        assert levels(content, topic) == ["problem"]
    assert content["state"]["mhz"] == 600.2


def test_a_firmware_that_hangs_does_not_hang_us(firmware: Path) -> None:
    firmware.write_text("#!/bin/sh\nexec sleep 1000\n")
    content = examined(doctor("--json", PATH=path_with(firmware)))
    (found,) = [finding for finding in content["findings"] if finding["topic"] == "firmware"]
    assert "no answer within" in found["text"]


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A folder of modules that come before all others, in child processes too."""
    folder = tmp_path / "modules"
    folder.mkdir()
    return folder


def searched(folder: Path) -> str:
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))


def test_without_any_runtime(modules: Path) -> None:
    gone = "'onnxruntime', 'openvino', 'ai_edge_litert', 'tensorflow', 'onnx'"
    (modules / "sitecustomize.py").write_text(f"import sys\nfor name in ({gone}): sys.modules[name] = None\n")
    content = examined(doctor("--json", PYTHONPATH=searched(modules)))
    assert levels(content, "LiteRT") == levels(content, "ONNX Runtime") == ["note"]
    assert levels(content, "runtimes") == ["problem"]
    assert levels(content, "export") == ["note"]


def test_a_runtime_that_dies_of_an_illegal_instruction(modules: Path) -> None:
    (modules / "onnxruntime.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGILL)\n")
    content = examined(doctor("--json", PYTHONPATH=searched(modules)))
    (found,) = [finding for finding in content["findings"] if finding["topic"] == "ONNX Runtime"]
    assert found["level"] == "problem"
    assert "died with SIGILL" in found["text"]
    assert found["mend"] == "pip install --upgrade onnxruntime"
    assert levels(content, "LiteRT") == ["ok"]


def test_an_emulated_machine_exits_1() -> None:
    done = doctor(EDGEFASHION_EMULATED="qemu-aarch64")
    assert done.returncode == 1
    assert "Not fit to measure: emulated" in done.stdout
