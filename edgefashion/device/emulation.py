"""Whether the processor is emulated: times measured here are then not those of the emulated processor."""

from pathlib import PurePosixPath

from edgefashion.device.machine import SYSTEM, Machine

VARIABLE = "EDGEFASHION_EMULATED"
"""What emulates, for a tool that starts an emulator and knows; the signs below need no help."""


def emulator(sources: Machine = SYSTEM) -> str | None:
    """What emulates this process, e.g. `qemu-aarch64`; None for a process that runs on its own processor.

    qemu answers for /proc/self, which it makes look like the guest's. The same files of a single thread it
    does not know, and there the kernel's own answer shows the emulator as the program that runs.
    """
    if told := sources.variable(VARIABLE):
        return told
    own = sources.link("proc/self/exe")
    for thread in ["proc/thread-self", *sources.find("proc/self/task/*")[:1]]:
        program = sources.link(f"{thread}/exe")
        if program and own and program != own:
            return PurePosixPath(program).name
        if program and PurePosixPath(program).name.startswith("qemu-"):
            return PurePosixPath(program).name
    return None
