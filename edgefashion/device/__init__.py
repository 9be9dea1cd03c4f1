"""What machine this is, and whether it is in a state to be measured.

sources       what everything here is read from: files and commands, which tests replace
description   describe(): what stays the same
emulation     emulator(): whether the processor is a program
conditions    state(): what changes from minute to minute
container     what a container's limits leave of it
load          LoadMeter: how many cores other processes use
firmware      what a Raspberry Pi's firmware tells
judgement     judge(): what makes a measurement untrustworthy
energy        joules of an inference
"""

from edgefashion.device.conditions import memory_available_mb, memory_is_short, state
from edgefashion.device.description import cores, describe, isa
from edgefashion.device.emulation import emulator
from edgefashion.device.energy import mean_watts, millijoules
from edgefashion.device.load import LoadMeter
from edgefashion.device.machine import SYSTEM, Machine, RecordedMachine, System
from edgefashion.device.trust import Flag, judge

__all__ = [
    "SYSTEM",
    "Flag",
    "LoadMeter",
    "Machine",
    "RecordedMachine",
    "System",
    "cores",
    "describe",
    "emulator",
    "isa",
    "judge",
    "mean_watts",
    "memory_available_mb",
    "memory_is_short",
    "millijoules",
    "state",
]
