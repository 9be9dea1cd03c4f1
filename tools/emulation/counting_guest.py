"""Runs on the emulated Pi, where every call of `os.getpgid` marks an instant: count from here, to here.

    python counting_guest.py FILE INFERENCES

First, between INFERENCES + 1 marks, nothing is done, and then, between as many, an inference each.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from edgefashion import runtimes
from edgefashion.runtimes.inputs import Array, Inputs, random_inputs

WARM_UP = 3


def nothing(inputs: Inputs) -> list[Array]:
    """What is counted for every inference besides: the call, and the mark."""
    return []


def mark_calls(call: Callable[[Inputs], list[Array]], inputs: Inputs, number: int) -> None:
    """Call once between each two of `number` + 1 marks, after calls that count for nothing."""
    for _ in range(WARM_UP):
        call(inputs)
    os.getpgid(0)
    for _ in range(number):
        call(inputs)
        os.getpgid(0)


def main() -> None:
    """Load the file with one thread, mark, and say on stdout what computed it."""
    path, number = Path(sys.argv[1]), int(sys.argv[2])
    runtime = runtimes.for_file(path)
    version = runtime.start()
    session = runtime.load(path, threads=1)
    (inputs,) = random_inputs(session.inputs, 1)
    mark_calls(nothing, inputs, number)
    mark_calls(session.infer, inputs, number)
    print(json.dumps({"runtime": runtime.name, "runtime_version": version}))


if __name__ == "__main__":
    main()
