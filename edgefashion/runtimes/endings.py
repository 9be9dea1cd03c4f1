"""How a child process ended, in words."""

import re
import signal
from pathlib import Path

_KILLER = "; this looks like the system's out-of-memory killer: close other programs"
_LAST_BYTES = 1 << 16
_OF_MEMORY = re.compile(
    r"bad_alloc|bad allocation|memoryerror|out of memory|(can\s?not|failed to|unable to) allocate",
    re.IGNORECASE,
)


def how(code: int) -> str:
    """What an exit status means, as `subprocess` gives it: negative for a signal."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"died with {signal.Signals(-code).name}"
    except ValueError:  # Python has names for the first and the last real-time signal only
        return f"died with signal {-code}"


def advice(code: int) -> str:
    """What to do about an exit status; empty where that is not known."""
    return _KILLER if code == -signal.SIGKILL else ""


def last_words(log: Path) -> str:
    """The last line that says something, of what the child wrote to its standard error; empty for none."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LAST_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    said = [line.strip() for line in lines if line.strip() and not line.startswith("INFO")]
    return said[-1] if said else ""


def is_of_memory(said: str) -> bool:
    """Whether a runtime's words are those of one that got no memory."""
    return bool(_OF_MEMORY.search(said))
