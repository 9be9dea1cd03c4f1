"""What `debug --json` wrote of layers, read again."""

from pathlib import Path

from edgefashion.errors import BadInput
from edgefashion.files import reading
from edgefashion.records.debug import Debug

SCHEMA = 1
_WHAT = "the errors of layers that edgefashion debug wrote"
_MEND = "name a results file, or measure again"


def read(path: Path) -> Debug:
    """The errors of layers in a file. Raises BadInput for any other file."""
    found: Debug = reading.read_json(
        path, _WHAT, BadInput, reading.INFO_BYTES, Debug, newest=SCHEMA, mend=_MEND
    )
    return found


def is_one(path: Path) -> bool:
    """Whether a file has the form of such errors, and not that of results."""
    try:
        found = reading.read_json(path, _WHAT, BadInput, reading.INFO_BYTES)
    except BadInput:
        return False
    return isinstance(found, dict) and "models" in found and "run_id" in found
