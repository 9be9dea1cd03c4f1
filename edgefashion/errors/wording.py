"""How messages name a setting, as an option to who types commands, as an argument to who calls functions; and
many things at once.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_ARGUMENTS = {
    "--at-most": "within()",
    "--data": "load_dataset(FOLDER)",
    "--device cpu": "hardware='cpu'",
    "--device gpu:0": "hardware='gpu:0'",
    "--drop-duplicates": "drop_duplicates=True",
    "--follow-links": "follow_links=True",
    "--force": "force=True",
    "--format": "formats",
    "--gray": "gray=True",
    "--in-process": "in_process=True",
    "--invert": "invert=True",
    "--json": "to_dict()",
    "--markdown": "to_markdown()",
    "--memory": "memory_mb",
    "--name": "folder",
    "--no-invert": "invert=False",
    "--precision": "precisions",
    "--resume": "resume=True",
    "--rgb": "gray=False",
    "--skip-bad": "skip_bad=True",
}
"""What an option is in Python, where its name alone does not say so."""


class _Reader:
    types_commands = False


def setting(option: str) -> str:
    """An option as its reader gives it: `--force`, or `force=True`."""
    if _Reader.types_commands:
        return option
    return _ARGUMENTS.get(option) or option.removeprefix("--").replace("-", "_")


@contextmanager
def for_the_command_line() -> Iterator[None]:
    """For the length of the block, messages are read by who typed a command."""
    before, _Reader.types_commands = _Reader.types_commands, True
    try:
        yield
    finally:
        _Reader.types_commands = before


def few(names: Sequence[object], most: int) -> str:
    """The first `most` names, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more
