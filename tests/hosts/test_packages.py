"""What a machine without an index needs is fetched here, for its Python and system, and kept."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from edgefashion.hosts import packages, wheel
from edgefashion.hosts.probe import Interpreter, Probe
from edgefashion.reporting import silent

PI = Probe("a", "Linux", "aarch64", 64, "/home/pi/.cache/edgefashion/hosts", 0.0)
PYTHON = Interpreter("/usr/bin/python3", (3, 13, 5), 64, ("glibc", "2.41"))


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(packages, "cache_folder", lambda: tmp_path / "for-hosts")
    return wheel.pack_edgefashion(tmp_path)


def fetch(ours: Path, stop: threading.Event) -> list[Path]:
    return packages.fetch(PI, PYTHON, ours, "", ours, silent, stop)


def test_they_are_for_its_processor_and_for_no_newer_library_than_it_has() -> None:
    tags = packages._platforms(PI, PYTHON)
    assert (tags[0], tags[-2:]) == (
        "manylinux_2_41_aarch64",
        ["manylinux_2_17_aarch64", "manylinux2014_aarch64"],
    )
    assert packages._platforms(replace(PI, machine="../x"), PYTHON)[0] == "manylinux_2_41_unknown"
    mac = replace(PYTHON, libc=("", ""), macos="14.5")
    assert packages._platforms(replace(PI, system="Darwin", machine="arm64"), mac) == ["macosx_14_0_arm64"]


def test_they_are_fetched_once_and_without_our_own(
    ours: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    (packages.cache_folder() / "half").mkdir(parents=True)  # of one that was killed
    (packages.cache_folder() / "half/half.whl").touch()
    found = fetch(ours, threading.Event())
    assert sorted(path.name for path in found) == sorted(path.name for path in index.iterdir())
    monkeypatch.setattr(packages, "_run", None)
    assert fetch(ours, threading.Event()) == found


def test_who_interrupts_does_not_wait_for_pip(ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://10.255.255.1/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    stop, start = threading.Event(), time.monotonic()
    threading.Timer(0.5, stop.set).start()
    with pytest.raises(packages.NotFetched, match="pip was interrupted"):
        fetch(ours, stop)
    assert time.monotonic() - start < 10
    assert [path.name for path in packages.cache_folder().iterdir()] == ["lock"]
