"""Runtimes are tried where they can do no harm."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edgefashion.diagnosis import runtimes
from edgefashion.diagnosis.runtimes import findings
from edgefashion.installation import is_installed
from edgefashion.records.device import Device

ABOUT = Device(bits=64)
Fake = Callable[..., Path]


def test_each_format_s_usual_runtime_and_others_that_are_installed_run_their_model() -> None:
    found = findings(ABOUT)
    others = ["OpenVINO"] if is_installed("openvino") else []
    topics = ["LiteRT", "ONNX Runtime", *others]
    assert [(finding.level, finding.topic) for finding in found] == [("ok", topic) for topic in topics]


@pytest.mark.parametrize("stage", ["load", "infer"])
def test_a_runtime_that_dies_is_a_line(stage: str, fake: Fake) -> None:
    good, bad = findings(ABOUT, (fake("good"), fake("bad", **{stage: "SIGILL"})))
    assert (good.level, bad.level, bad.falsifies) == ("ok", "problem", False)
    assert "died with SIGILL" in bad.text
    assert "bad.fake" not in bad.text
    assert (bad.mend or "").startswith("pip install --upgrade ")


def test_a_runtime_that_hangs_is_a_line(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "PROBE_SECONDS", 1.0)
    begin = time.monotonic()
    (found,) = findings(ABOUT, (fake(load="hang"),))
    assert time.monotonic() - begin < 30
    assert found.level == "problem"
    assert "no answer in the 1 s" in found.text


def test_where_no_child_process_can_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    foreign = tmp_path / "python"
    foreign.write_bytes(b"\x7fELF of another processor")
    foreign.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(foreign))
    for finding in findings(ABOUT):
        assert finding.level == "note"
        assert "no child process can be started here (Exec format error)" in finding.text
        assert finding.mend == "measure with in_process=True"


def test_a_disk_too_full_for_temporary_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("tempfile._candidate_tempdir_list", lambda: [str(tmp_path / "missing")])
    assert {finding.level for finding in findings(ABOUT)} == {"problem"}
