"""What is documented of the JSON files is what they are checked against."""

import runpy
from pathlib import Path

import msgspec

from edgefashion.records.results import Row

ROOT = Path(__file__).parents[2]


def test_the_readme_has_the_fields_of_the_records() -> None:
    made = runpy.run_path(str(ROOT / "tools/make_record_docs"))["documentation"]()
    assert (ROOT / "edgefashion/records/README.md").read_text() == made, "run tools/make_record_docs"
    for field in msgspec.structs.fields(Row):
        assert f"\n| {field.name} | `" in made
