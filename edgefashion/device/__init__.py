"""What machine this is, and whether it is in a state to be measured.

machine.py      what everything here is read from: files and commands, which tests replace
description.py  describe(): what stays the same
emulation.py    emulator(): whether the processor is a program
conditions.py   state(): what changes from minute to minute
container.py    what a container's limits leave of the machine
load.py         LoadMeter: how many cores other processes use
firmware.py     what the firmware of a Raspberry Pi reports
parsing.py      figures in what a kernel prints
trust.py        judge(): what makes a measurement untrustworthy
energy.py       joules of an inference
"""

from edgefashion.device.conditions import memory_available_mb, memory_is_short, state
from edgefashion.device.description import cores, describe, isa
from edgefashion.device.energy import millijoules
from edgefashion.device.load import LoadMeter
from edgefashion.device.machine import SYSTEM, Machine, RecordedMachine, System

__all__ = [
    "SYSTEM",
    "LoadMeter",
    "Machine",
    "RecordedMachine",
    "System",
    "cores",
    "describe",
    "isa",
    "memory_available_mb",
    "memory_is_short",
    "millijoules",
    "state",
]
