"""The command line: one module a verb, which parses, calls and prints; what they share has an underscore.

Its README.md describes every verb and option.
"""

import gc
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgefashion.system.interruption import Interruption


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a verb and exit: 0 done, 1 failed, 2 bad input; 128 and the number of the signal that ended it,
    so 130 for Ctrl-C. Errors are one line on stderr.

    Without `arguments`, they are the process's own, and so are then its streams and signals.
    """
    from edgefashion.system import descriptors
    from edgefashion.system.interruption import Interruption

    descriptors.fill()
    interruption = Interruption()
    if arguments is not None:
        sys.exit(_run(arguments, interruption))
    interruption.take_over()
    try:
        from edgefashion.cli import _streams

        stdout = _streams.replace()
        code = _run(None, interruption) or _streams.end(stdout)
    except KeyboardInterrupt:  # between the lines
        code = interruption.exit_code
    interruption.give_back()
    gc.freeze()  # to look for garbage once more would take an eighth of the time of a short command
    sys.exit(code)


def _run(arguments: Sequence[str] | None, interruption: "Interruption") -> int:
    from edgefashion.cli import _failures

    try:
        from edgefashion.cli._group import cli

        return int(cli.main(arguments, prog_name="edgefashion", standalone_mode=False) or 0)
    except BaseException as error:
        return _failures.tell(error, interruption.exit_code, asked=interruption.count > 0)
