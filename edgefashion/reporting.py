"""What goes on, for whoever asks for it: nothing below the command line prints."""

from collections.abc import Callable

Report = Callable[[str], None]
"""Gets each line, without its end."""
Progress = Callable[[str, int, int], None]
"""Called with what is being done, and how many steps of how many are done."""


def silent(line: str) -> None:
    """Who did not ask."""
