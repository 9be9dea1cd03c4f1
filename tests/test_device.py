"""Device descriptions, from files laid out as the kernel does."""

import json
from pathlib import Path

import pytest

from edgefashion import device

PI_CPUINFO = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
Model\t\t: Raspberry Pi 5 Model B Rev 1.0
"""
PC_CPUINFO = """processor\t: 0
model name\t: Some Processor 9000
flags\t\t: fpu sse2 avx avx2 avx512f avx512_vnni
"""


@pytest.fixture
def pi(tmp_path: Path) -> Path:
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(PI_CPUINFO)
    (tmp_path / "proc/meminfo").write_text("MemTotal:        8245000 kB\nMemFree: 1 kB\n")
    (tmp_path / "proc/device-tree/model").write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    (tmp_path / "etc/os-release").write_text('NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
    return tmp_path


def test_a_raspberry_pi(pi: Path) -> None:
    found = device.describe(pi)
    assert found["board"] == "Raspberry Pi 5 Model B Rev 1.0"
    assert found["isa"] == ["asimd", "asimddp"]
    assert found["memory_mb"] == 8051
    assert found["os"].startswith("Debian GNU/Linux 12 (bookworm), ")


def test_a_pc(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(PC_CPUINFO)
    found = device.describe(tmp_path)
    assert found["cpu"] == "Some Processor 9000"
    assert found["isa"] == ["avx2", "avx512f", "avx512_vnni"]
    assert found["board"] is None


def test_missing_sources_are_none(tmp_path: Path) -> None:
    found = device.describe(tmp_path)
    assert [found[name] for name in ("board", "isa", "memory_mb")] == [None] * 3
    assert found["os"]


def test_the_state_of_a_raspberry_pi(pi: Path) -> None:
    for name, content in {
        "proc/loadavg": "0.52 0.58 0.59 1/467 12345\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "2400000\n",
        "sys/class/thermal/thermal_zone0/temp": "61750\n",
        "sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n",
    }.items():
        (pi / name).parent.mkdir(parents=True, exist_ok=True)
        (pi / name).write_text(content)
    throttled = pi / "sys/devices/platform/soc/soc:firmware/get_throttled"
    state = {"load": 0.52, "governor": "ondemand", "mhz": 2400, "temperature_c": 61.75, "throttled": True}
    assert device.state(pi) == state
    throttled.write_text("50000\n")  # it was, since the start, but is not now
    assert device.state(pi)["throttled"] is False
    throttled.write_text("?")
    assert device.state(pi)["throttled"] is None


def test_a_state_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    assert set(device.state(tmp_path).values()) == {None}


def test_this_machine_is_json() -> None:
    found = json.loads(json.dumps(device.describe()))
    assert found["cores"] >= 1
    assert found["date"].endswith("+00:00")
