"""Filling the zoo from trained and exported runs: the same bytes from the same runs."""

import hashlib
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import UNSET, convert, structs

from edgefashion import __version__, files
from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact, manifest_path
from edgefashion.artifacts.formats import FORMATS, INTEGER_PRECISIONS
from edgefashion.artifacts.targets import ANY
from edgefashion.data import Dataset, stratified_sample
from edgefashion.errors import BadInput, RunError
from edgefashion.export.selection import check_task
from edgefashion.recipes import Recipe
from edgefashion.training import lineage
from edgefashion.training.runs import Run
from edgefashion.zoo.read import INFO, PREFIX, SAMPLE, SCHEMA, Zoo, open_zoo, present

MOST_BYTES = 900_000
"""Of all model files together."""
IMAGES, SEED = 500, 0
VERSION = re.compile(r"-v\d+$")


@dataclass(frozen=True)
class Model:
    """What the zoo has of one model: its files, and how it was trained, the last run first."""

    name: str
    files: list[Artifact]
    stories: list[dict[str, Any]]

    @property
    def bytes(self) -> int:
        """Of its files."""
        return sum(each.path.stat().st_size for each in self.files)


def make(folder: Path, trained: Sequence[Run], dataset: Dataset, kept: Sequence[str] = ()) -> Zoo:
    """Fill `folder` with models `kept` of the shipped zoo, by name, the int8 files of each run, and a sample
    of the test split; the smallest model first.

    A model is called by its architecture, of whatever version. What was in the folder before and does not
    belong to it now is deleted, last of all. Raises RunError for a run without int8 exports of its own,
    BadInput for two models or files of one name, models that are too large together or for another task than
    the data, ZooError for one that is not in the zoo, ArtifactError and OutputError.
    """
    found = [
        *(_shipped(open_zoo(), name, dataset) for name in kept),
        *(_trained(run, dataset) for run in trained),
    ]
    models = sorted(found, key=lambda model: model.bytes)
    _check(models)
    content = dict(_contents(models, dataset))
    former = _former(folder) - {folder / name for name in (INFO, *content)}
    files.make_folder(folder)
    for name, data in content.items():
        files.write_bytes(folder / name, data)
    described = structs.replace(dataset.describe(), source=UNSET, folder=UNSET).to_dict()
    info = {
        "schema": SCHEMA,
        "edgefashion": __version__,
        "dataset": described,
        "task": dataset.task.to_dict(),
        "sample": {"split": "test", "images": min(IMAGES, len(dataset.test)), "seed": SEED},
        "models": {
            model.name: {"files": [each.path.name for each in model.files], "runs": model.stories}
            for model in models
        },
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in content.items()},
    }
    files.write_text(folder / INFO, json.dumps(info, indent=1, sort_keys=False) + "\n")
    for path in former:
        path.unlink()
    return open_zoo(folder)


def _shipped(shipped: Zoo, name: str, dataset: Dataset) -> Model:
    """All of the model that NAME means."""
    name = shipped.model(name)
    if shipped.task != dataset.task:
        raise BadInput(f"{PREFIX}{name} is for {shipped.task.name}, and the data are {dataset.task.name}")
    return Model(name, shipped.artifacts(name), [story.to_dict() for story in shipped.runs(name)])


def _trained(run: Run, dataset: Dataset) -> Model:
    check_task(run, dataset.task)
    name = VERSION.sub("", run.recipe.model)
    return Model(name, _int8_files(run), _with_shipped([_story(each) for each in lineage.lineage(run)]))


def _with_shipped(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same, and what the shipped zoo tells of teachers that are not among them, and of their teachers.
    Teachers are called as they are told of: what zoo:NAME is may change.
    """
    shipped = open_zoo() if present() else None
    known = {story.id: story for name in shipped.names for story in shipped.runs(name)} if shipped else {}
    found = list(told)
    for each in found:
        there = {other["id"] for other in found}
        parents = dict.fromkeys(convert(each["recipe"], Recipe).parent_ids)
        found += [known[parent].to_dict() for parent in parents if parent in known.keys() - there]
    names = {each["id"]: each["name"] for each in found}
    return [{**each, "recipe": _renamed(each["recipe"], names)} for each in found]


def _renamed(recipe: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """The same, with the names that its teachers have by their ids."""
    teacher, others = recipe.get("teacher"), recipe.get("other_teachers") or ()
    pairs = zip(others, recipe.get("other_teacher_ids") or (), strict=True)
    return {
        **recipe,
        **({"teacher": names.get(recipe.get("teacher_id") or "", teacher)} if teacher else {}),
        **({"other_teachers": [names.get(id, name) for name, id in pairs]} if others else {}),
    }


def _int8_files(run: Run) -> list[Artifact]:
    """One int8 file of each format, made of this very model, for any processor and without layers in float.
    Raises RunError.
    """
    found = [artifact.read(path) for path in artifact.find(run.artifacts)]
    chosen = []
    for format in FORMATS:
        own = [
            each
            for each in found
            if each.format == format
            and each.precision in INTEGER_PRECISIONS
            and each.run_id == run.id
            and each.target == ANY
            and not each.kept_float
        ]
        if len(own) != 1:
            raise RunError(
                f"{run.folder} has {len(own)} int8 {format} files of its model: there must be one; "
                f"make it with edgefashion export {run.folder}"
            )
        chosen += own
    return chosen


def _check(models: Sequence[Model]) -> None:
    """Raise BadInput for models that cannot lie together."""
    names = [model.name for model in models]
    if twice := _repeated(names):
        raise BadInput(f"two models are of the architecture {twice}: choose one")
    for model in models:
        if twice := _repeated([story["name"] for story in model.stories]):
            raise BadInput(f"two trainings of {model.name} are called {twice}: rename the run, and export it")
    called = [each.path.name for model in models for each in model.files]
    if twice := _repeated(called):
        raise BadInput(f"two models have a file {twice}: call one of the runs otherwise, and export it")
    size = sum(model.bytes for model in models)
    if size > MOST_BYTES:
        raise BadInput(f"the models have {size:,} bytes together, and may have {MOST_BYTES:,}: leave one out")


def _repeated(names: Sequence[str]) -> str | None:
    """The first by the alphabet that is there more than once."""
    return min((name for name in names if names.count(name) > 1), default=None)


def _contents(models: Sequence[Model], dataset: Dataset) -> Iterable[tuple[str, bytes]]:
    """Every file but zoo.json."""
    for model in models:
        for each in model.files:
            for path in (each.path, manifest_path(each.path)):
                yield path.name, path.read_bytes()
    sample = stratified_sample(dataset.test, min(IMAGES, len(dataset.test)), SEED)
    stream = io.BytesIO()
    np.savez_compressed(stream, images=sample.images, labels=sample.labels)
    yield SAMPLE, stream.getvalue()


def _former(folder: Path) -> set[Path]:
    """The files of a zoo that is there already."""
    if not (folder / INFO).is_file():
        return set()
    return {folder / name for name in open_zoo(folder).info.files if (folder / name).is_file()}


def _story(run: Run) -> dict[str, Any]:
    """run.json without what is long or tells of the machine, under the name of its folder."""
    info, recipe = run.info, run.recipe
    kept = structs.replace(
        info,
        name=run.name,
        recipe=replace(
            recipe,
            weights=_name(recipe.weights),
            teacher=_name(recipe.teacher),
            other_teachers=tuple(Path(path).name for path in recipe.other_teachers),
        ),
        data=structs.replace(info.data, source=UNSET, folder=UNSET),
        history=UNSET,
        device=UNSET,
    )
    return kept.to_dict()


def _name(path: str | None) -> str | None:
    """The last part of a path; of "imagenet" and "none" all."""
    return path and Path(path).name
