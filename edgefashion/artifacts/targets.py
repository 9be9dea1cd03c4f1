"""The processors that an int8 ONNX file can be made for, and which of them this machine has.

x86 without VNNI adds up the products of two weights and two activations in 16 bits, where 8-bit weights
overflow, silently. With VNNI, and on Arm, the sum has 32 bits.

    any        right everywhere: weights of 7 bits, but in depthwise layers, whose kernels sum otherwise
    x86-avx2   the same integers: there is nothing better for x86 without VNNI
    x86-vnni   weights of 8 bits
    arm64      weights of 8 bits

Activations are unsigned for all of them: signed ones take 7 % more instructions on a Cortex-A72 (Raspberry
Pi 4), 4 % fewer on a Cortex-A76 (Pi 5), and twice the time in MobileNetV2 on x86 (ONNX Runtime 1.32.0).
"""

from edgefashion import device
from edgefashion.device import SYSTEM, Machine
from edgefashion.errors.wording import setting

ANY, ARM64, X86_AVX2, X86_VNNI = "any", "arm64", "x86-avx2", "x86-vnni"
TARGETS = (ANY, ARM64, X86_AVX2, X86_VNNI)
WITH_8_BIT_WEIGHTS = (ARM64, X86_VNNI)
_VNNI = {"avx_vnni", "avx512_vnni"}


def of_this_machine(sources: Machine = SYSTEM) -> str:
    """The target that this machine's processor is; `any` for one that is none of the others."""
    machine, isa = sources.kernel()[2].lower(), set(device.isa(sources) or ())
    if machine in ("aarch64", "arm64"):
        return ARM64
    if machine in ("x86_64", "amd64"):
        return X86_VNNI if isa & _VNNI else X86_AVX2
    return ANY


def misfit(target: str, here: str) -> str | None:
    """Why a file made for `target` is out of place on a machine that is `here`; None where it is not."""
    if target == ANY or here == target:
        return None
    if target in WITH_8_BIT_WEIGHTS and here not in WITH_8_BIT_WEIGHTS:
        return (
            f"made for {target}: here, on {here}, its sums may overflow and its predictions may be wrong: "
            f"export it with {setting('--target')} any"
        )
    return (
        f"made for {target}: its predictions are correct here, on {here}, "
        f"but its speed is not that of {target}"
    )
