"""Targets: what this machine is, and what is out of place on it."""

import platform
from pathlib import Path

import pytest

from edgefashion.artifacts import targets
from edgefashion.artifacts.targets import ANY, ARM64, X86_AVX2, X86_VNNI
from edgefashion.device import System


@pytest.mark.parametrize(
    ("machine", "flags", "expected"),
    [
        ("x86_64", "flags : fpu avx2", X86_AVX2),
        ("x86_64", "flags : fpu avx2 avx512f avx512_vnni", X86_VNNI),
        ("AMD64", "flags : fpu avx2 avx_vnni", X86_VNNI),
        ("aarch64", "Features : fp asimd asimddp", ARM64),
        ("riscv64", "isa : rv64imafdc", ANY),
        ("x86_64", "", X86_AVX2),
    ],
)
def test_this_machine(
    machine: str, flags: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(flags + "\n")
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert targets.of_this_machine(System(tmp_path)) == expected


@pytest.mark.parametrize("here", targets.TARGETS)
def test_a_file_for_any_processor_or_for_this_one_is_in_place(here: str) -> None:
    assert targets.misfit(ANY, here) is None
    assert targets.misfit(here, here) is None


@pytest.mark.parametrize(
    ("target", "here", "wrong"),
    [
        (X86_VNNI, X86_AVX2, True),
        (ARM64, X86_AVX2, True),
        (ARM64, ANY, True),
        (ARM64, X86_VNNI, False),
        (X86_VNNI, ARM64, False),
        (X86_AVX2, X86_VNNI, False),
    ],
)
def test_a_file_made_for_another_processor(target: str, here: str, wrong: bool) -> None:
    message = targets.misfit(target, here)
    assert message is not None
    assert message.startswith(f"made for {target}: ")
    assert ("its predictions may be wrong: export it with target any" in message) == wrong
    assert ("its predictions are correct here" in message) != wrong
