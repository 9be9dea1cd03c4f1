"""Imported first by every Python tool: where the Python at hand lacks edgefashion, .venv's goes on."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
NEEDED = ("edgefashion", "numpy", "platformdirs")
AGAIN = "EDGEFASHION_BOOTSTRAP"
"""Set for the Python that was gone on with, so that it does not go on for ever."""


def say(line: str) -> None:
    """A line about what is going on, apart from what is printed."""
    print(line, file=sys.stderr, flush=True)


def go_on() -> None:
    """Return where this Python has what a tool needs, else become .venv's, or end with a line of advice."""
    entered = os.environ.pop(AGAIN, None)
    if all(find_spec(name) for name in NEEDED):
        return
    python = CHECKOUT / ".venv/bin/python"
    if entered or not os.access(python, os.X_OK):
        why = f"{CHECKOUT / '.venv'} {'lacks edgefashion' if entered else 'is not there'}"
        print(f"{Path(sys.argv[0]).name}: {why}: tools/quickstart or tools/test makes it", file=sys.stderr)
        sys.exit(2)
    os.environ[AGAIN] = "1"
    os.execv(python, [str(python), *sys.orig_argv[1:]])


go_on()
