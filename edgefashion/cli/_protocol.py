"""From options on the command line to how latency is measured."""

from dataclasses import replace

from edgefashion import benchmarking
from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.errors import BadInput


def protocol_for(
    seconds: float | None,
    at_most: float | None,
    memory_mb: float | None,
    in_process: bool,
    pin: tuple[int, ...] | None = None,
    is_full: bool = False,
    sustained: float | None = None,
) -> BenchmarkOptions:
    """The protocol asked for. Raises BadInput where the options disagree."""
    if is_full and seconds:
        raise BadInput("--full is for 600 s and --seconds for another time: give one of them")
    protocol = benchmarking.full() if is_full else BenchmarkOptions()
    if seconds:
        protocol = protocol.lasting(seconds)
    if at_most and at_most < protocol.seconds:
        raise BadInput(
            f"--at-most {at_most:g} is less than the {protocol.seconds:g} s that each row is to be timed "
            f"for: give it more, or --seconds less"
        )
    if at_most:
        protocol = protocol.within(at_most)
    minutes = sustained or 0.0
    return replace(protocol, pin=pin, in_process=in_process, memory_mb=memory_mb, sustained_minutes=minutes)
