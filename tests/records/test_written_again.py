"""A file that is read and written again is the same to the byte: fields, their order, what it lacks."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgefashion import bundle, zoo
from edgefashion.artifacts import artifact, metadata
from edgefashion.data import Dataset
from edgefashion.records.manifest import Manifest
from edgefashion.records.run import Story
from edgefashion.records.zoo import Zoo
from edgefashion.training import runs
from edgefashion.training.runs import Run

SHIPPED = Path(zoo.__file__).parent
MANIFESTS = sorted(SHIPPED.glob("*-int8-qat.*.json"))


def written(record: Any) -> str:
    return json.dumps(record.to_dict())


def test_the_zoo_and_the_trainings_that_it_tells_of() -> None:
    content = json.loads((SHIPPED / "zoo.json").read_text())
    assert written(msgspec.convert(content, Zoo)) == json.dumps(content)
    for model in content["models"].values():
        for story in model["runs"]:
            assert written(msgspec.convert(story, Story)) == json.dumps(story)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_manifests_and_what_files_say_inside(path: Path) -> None:
    content = json.loads(path.read_text())
    assert written(msgspec.convert(content, Manifest)) == json.dumps(content)
    inside = metadata.read(path.with_suffix(""))
    assert inside is not None
    assert json.dumps(inside.to_dict(), ensure_ascii=False).encode() in path.with_suffix("").read_bytes()


def test_a_name_that_is_no_utf8_is_told_readably() -> None:
    """Not at the end of a long training, that it cannot be written."""
    content = json.loads((SHIPPED / "zoo.json").read_text())
    story = msgspec.convert(next(iter(content["models"].values()))["runs"][0], Story)
    recipe = replace(story.recipe, teacher=os.fsdecode(b"\xffa.onnx"))
    told = msgspec.structs.replace(story, recipe=recipe).to_dict()
    expected = story.to_dict()
    assert told == {**expected, "recipe": {**expected["recipe"], "teacher": "\\udcffa.onnx"}}


def test_what_is_made_today(exported: Run, sample: Dataset, tmp_path: Path) -> None:
    path = exported.folder / runs.INFO
    assert written(exported.info) == json.dumps(json.loads(path.read_text()))
    files = [artifact.read(path) for path in artifact.find(exported.artifacts)]
    for each in files:
        content = json.loads(artifact.manifest_path(each.path).read_text())
        assert written(each.manifest) == json.dumps(content)
    made = bundle.make(tmp_path / "made.zip", files, sample, 20)
    with bundle.open_bundle(made.path) as opened:
        text = json.dumps(opened.info.to_dict(), indent=1) + "\n"
    assert text.encode() in made.path.read_bytes()  # it is not compressed
