"""The results file of `evaluate` and `bench`: one row per (model file, runtime, threads).

Its fields are those of `edgefashion.records.results`. It is JSON, with one object a row under `results`, and
all samples of the row, in microseconds, under `raw_us`. Files of schema 1 (`evaluate` before `bench` was
there) lack the newer fields; reading fills them.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from edgefashion.errors import ArtifactError, BadInput, RuntimeCrash
from edgefashion.files import json_text, reading
from edgefashion.records.device import Device
from edgefashion.records.results import Results as Head
from edgefashion.records.results import Row, Samples
from edgefashion.records.values import Dataset as DatasetInfo
from edgefashion.tables import Page
from edgefashion.tables.presentable import Presentable
from edgefashion.version import __version__

SCHEMA = 2
MOST_BYTES, MOST_PARTS, PART_BYTES = 1 << 30, 4_000_000, 40 << 20
"""Of a file, of the lists and fields in it, and of the largest, which has a million samples of a row."""
_NAME = 64
"""Characters of a field's name in a message."""
MEND = "name a results file, or measure again"


@dataclass(frozen=True)
class Results(Presentable):
    """Rows and what they were measured on, with and how; see `edgefashion.records.results`."""

    device: Device
    dataset: DatasetInfo | None
    rows: list[Row]
    verb: str = "evaluate"
    protocol: dict[str, Any] | None = None
    edgefashion: str | None = __version__

    def __repr__(self) -> str:
        return f"<Results of {self.verb}: {len(self.rows)} rows; .table() shows them>"

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the measurement."""
        return any(flag.flag == "interrupted" for row in self.rows for flag in row.flags)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was measured, since no file could be loaded."""
        return bool(self.rows) and all(row.bad_file for row in self.rows)

    def raise_failures(self) -> None:
        """Raise what failed rows say: ArtifactError when a file could not be loaded, else RuntimeCrash."""
        failed = [row for row in self.rows if row.status != "ok"]
        if failed:
            kind = ArtifactError if any(row.bad_file for row in failed) else RuntimeCrash
            raise kind("; ".join(dict.fromkeys(filter(None, (row.error for row in failed)))))

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            "schema": SCHEMA,
            "edgefashion": self.edgefashion,
            "verb": self.verb,
            "device": self.device.to_dict(),
            "dataset": self.dataset and self.dataset.to_dict(),
            "protocol": self.protocol,
            "results": [row.to_dict() for row in self.rows],
        }

    def to_json(self) -> str:
        """JSON, one row a line, so that it can be read in spite of all its samples."""
        content = self.to_dict()
        rows = ",\n".join(f"    {json_text(row)}" for row in content.pop("results"))
        head = ",\n".join(f'  "{name}": {json_text(value)}' for name, value in content.items())
        return f'{{\n{head},\n  "results": [\n{rows}\n  ]\n}}\n'

    def page(self) -> Page:
        """The tables, with what was measured on what above them, and what one must know below."""
        from edgefashion.evaluation import page

        return page.page(self)

    def to_csv(self) -> str:
        """CSV, one result a row: the fields of the JSON without the raw samples; nothing is an empty cell."""
        from edgefashion.evaluation import page

        return page.to_csv(self)

    def ways_to_save(self) -> dict[str, Callable[[], str]]:
        """CSV too."""
        return super().ways_to_save() | {".csv": self.to_csv}


def read(path: str | Path) -> Results:
    """The results in a file, of this schema or an older one; samples as an array of floats.

    Raises BadInput for any other file, and for one with a field that makes no sense.
    """
    path = Path(path)
    what, name = "a results file of edgefashion", str(path)
    content = reading.read_bytes(path, "a results file", BadInput, MOST_BYTES).removeprefix(reading.BOM)
    if sum(map(content.count, (b"{", b"[", b":"))) > MOST_PARTS:
        raise BadInput(f"{path} has more parts than any results file: {MEND}")
    # In parts, since all samples at once would take six times the size of the file.
    parts = _decoded(content, dict[str, msgspec.Raw], name, what)
    results = parts.pop("results", None)
    _check_sizes(parts, name)
    head = {field: _plain(part, f"{name}, field {field[:_NAME]},", what) for field, part in parts.items()}
    reading.check_schema(head, SCHEMA, name, BadInput)
    known: Head = reading.converted(head, Head, name, what, BadInput, mend=MEND)
    if results is None:
        lacks = ValueError("it lacks results")
        raise reading.damaged(name, what, BadInput, MEND, lacks)
    rows = _decoded(results, list[dict[str, msgspec.Raw]], f"{name}, field results,", what)
    found = [_row(row, f"{path}, result {number}") for number, row in enumerate(rows, 1)]
    protocol = head.get("protocol")  # all of it, of which only a part is known
    return Results(known.device, known.dataset, found, known.verb, protocol, known.edgefashion)


def _row(parts: dict[str, Any], name: str) -> Row:
    """A row from the JSON of its fields."""
    what = "a row of a results file"
    _check_sizes(parts, name)
    raw = parts.pop("raw_us", b"[]")
    samples = array("d", _decoded(raw, Samples, f"{name}, field raw_us,", what))
    fields = {field: _plain(part, f"{name}, field {field[:_NAME]},", what) for field, part in parts.items()}
    row: Row = reading.converted(fields, Row, name, what, BadInput, mend=MEND)
    return msgspec.structs.replace(row, raw_us=samples)


def _check_sizes(parts: dict[str, Any], name: str) -> None:
    """Raise BadInput for a field that is larger than any can be."""
    if any(memoryview(part).nbytes > PART_BYTES for part in parts.values()):
        raise BadInput(f"{name} has a field of more than {PART_BYTES:,} bytes: {MEND}")


def _plain(part: Any, name: str, what: str) -> Any:
    """A field that has no samples, from its JSON."""
    return reading.load_json(bytes(part), name, what, BadInput, mend=MEND)


def _decoded(part: Any, kind: Any, name: str, what: str) -> Any:
    """A part of the JSON, of this type. Raises BadInput for one of another."""
    try:
        return msgspec.json.decode(part, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise reading.damaged(name, what, BadInput, MEND, error) from error
