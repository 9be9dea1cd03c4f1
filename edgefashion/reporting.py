"""Lines about what goes on, for whoever asks for them: nothing below the command line prints."""

from collections.abc import Callable

Report = Callable[[str], None]
"""Gets each line, without its end."""


def silent(line: str) -> None:
    """Who did not ask."""
