"""What a container leaves of a machine, in control groups of both versions."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from edgefashion import device
from edgefashion.device import RecordedMachine, container
from edgefashion.device.trust import judge

GIB = 1 << 30
V2 = {
    "proc/self/cgroup": "0::/\n",
    "sys/fs/cgroup/memory.max": f"{GIB}\n",
    "sys/fs/cgroup/memory.current": f"{GIB // 2}\n",
    "sys/fs/cgroup/memory.stat": f"anon 7\ninactive_file {GIB // 4}\n",
    "sys/fs/cgroup/cpu.max": "150000 100000\n",
    "sys/fs/cgroup/cpu.stat": "usage_usec 5\nnr_periods 100\nnr_throttled 7\nthrottled_usec 9\n",
}
V1 = {
    "proc/self/cgroup": "4:memory:/docker/12ab\n2:cpu,cpuacct:/docker/12ab\n0::/docker/12ab\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{GIB}\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{GIB // 2}\n",
    "sys/fs/cgroup/memory/memory.stat": f"cache 1\ninactive_file 1\ntotal_inactive_file {GIB // 4}\n",
    "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "150000\n",
    "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    "sys/fs/cgroup/cpu,cpuacct/cpu.stat": "nr_periods 100\nnr_throttled 7\nthrottled_time 9\n",
}
MEMORY = "MemTotal: 8388608 kB\nMemAvailable: 6291456 kB\n"


def recorded(root: Path, files: dict[str, str]) -> RecordedMachine:
    for name, content in {"proc/meminfo": MEMORY, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return RecordedMachine(root)


@pytest.mark.parametrize("files", [V1, V2], ids=["v1", "v2"])
def test_limits_of_both_versions(files: dict[str, str], tmp_path: Path) -> None:
    machine = recorded(tmp_path, files)
    assert container.memory(machine) == container.Memory(GIB, 3 * GIB // 4)
    assert (container.cpu_quota(machine), container.quota_stops(machine)) == (1.5, 7)
    assert device.cores(machine) == 1
    assert device.memory_available_mb(machine) == 768
    assert device.state(machine).quota_stops == 7
    assert not device.memory_is_short(machine)
    used = next(name for name in files if name.endswith(("current", "usage_in_bytes")))
    (tmp_path / used).write_text(str(GIB))
    (tmp_path / used).with_name("memory.stat").write_text("")
    assert device.memory_available_mb(machine) == 0
    assert device.memory_is_short(machine)


def test_the_tightest_group_above_counts(tmp_path: Path) -> None:
    folder = "sys/fs/cgroup/system.slice/bench.service"
    files = {
        "proc/self/cgroup": "0::/system.slice/bench.service\n",
        f"{folder}/memory.max": "max\n",
        f"{folder}/cpu.max": "max 100000\n",
        "sys/fs/cgroup/system.slice/memory.max": f"{GIB}\n",
        "sys/fs/cgroup/system.slice/memory.current": "0\n",
        "sys/fs/cgroup/system.slice/cpu.max": "50000 100000\n",
    }
    machine = recorded(tmp_path, files)
    assert container.memory(machine) == container.Memory(GIB, GIB)
    assert (container.cpu_quota(machine), device.cores(machine)) == (0.5, 1)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"proc/self/cgroup": "nonsense\n:::\n4:memory:/../../etc\n"},
        {"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2**63 - 4096}",
         "sys/fs/cgroup/memory/memory.usage_in_bytes": "5"},
        {"sys/fs/cgroup/memory.max": "-5", "sys/fs/cgroup/memory.current": "x",
         "sys/fs/cgroup/cpu.max": "a b", "sys/fs/cgroup/cpu.stat": "nr_throttled\nnr_throttled x\n"},
        {"sys/fs/cgroup/cpu.max": "100000 0\n"},
    ],
)  # fmt: skip
def test_without_a_limit_the_machine_s_own_counts(files: dict[str, str], tmp_path: Path) -> None:
    machine = recorded(tmp_path, files)
    assert container.memory(machine) is None
    assert (container.cpu_quota(machine), container.quota_stops(machine)) == (None, None)
    assert device.memory_available_mb(machine) == 6144


def test_a_quota_that_stops_a_measurement_is_a_flag(tmp_path: Path) -> None:
    machine = recorded(tmp_path, V2)
    before = device.state(machine)
    assert not judge([before, before, before])
    [flag] = judge([before, before, replace(before, quota_stops=12)])
    assert flag.flag == "CPU quota"
    assert "stopped it 5 times" in flag.why
