"""From names on the command line to runs, artifacts and the images that they are measured on."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import PRECISIONS, Artifact, is_model
from edgefashion.cli.output import say
from edgefashion.cli.steps import load_data
from edgefashion.errors import RunError
from edgefashion.files import reading

if TYPE_CHECKING:
    from edgefashion.data import Dataset
    from edgefashion.training.runs import Run


def named_runs(names: Sequence[str], root: Path) -> "list[Run]":
    """The runs meant, all under `root` when none is named; a name is a folder or one under `root`."""
    from edgefashion.training import runs

    folders = [run_folder(name, root) for name in names] or runs.find(root)
    if not folders:
        raise RunError(f"there are no runs in {root}: make one with edgefashion train")
    return [runs.read(folder) for folder in folders]


def named_artifacts(names: Sequence[str], root: Path) -> list[Artifact]:
    """The artifacts meant: model files, those of the zoo and of runs. When nothing is named, those of all
    runs, or of the zoo where there is none.
    """
    found = [each for name in names for each in _named(name, root)] if names else _all_artifacts(root)
    return list({each.path: each for each in found}.values())


def _named(name: str, root: Path) -> list[Artifact]:
    from edgefashion import zoo

    if zoo.is_name(name):
        return zoo.opened().artifacts(name)
    path = Path(name)
    return [artifact.inspect(path)] if is_model(path) else _exported(named_runs([name], root))


def _all_artifacts(root: Path) -> list[Artifact]:
    """Those of all runs; where there is none, the models that come along."""
    from edgefashion import zoo
    from edgefashion.training import runs

    if runs.find(root) or not zoo.present():
        return _exported(named_runs([], root))
    found = zoo.opened()
    say(f"there are no runs in {root}: taking the models that come along, {', '.join(found.names)}")
    return found.all_artifacts()


def run_folder(name: str, root: Path) -> Path:
    """The folder of the run `name`: one under `root`, or a path to one; a bare name means that under `root`
    where both are there. Raises RunError for a file.
    """
    from edgefashion.training import runs

    path, under = Path(name), root / name
    runs.restore(under)
    here, there = reading.is_folder(path, RunError), reading.is_folder(under, RunError)
    if reading.is_file(path, RunError) and not there:
        run = reading.is_file(path.parent / runs.INFO, RunError)
        inside = f": did you mean {path.parent}?" if run else ""
        raise RunError(f"{path} is a file, neither a run nor a .tflite or .onnx model{inside}")
    if path.parts != (name,) or name == os.pardir:
        return under if there and not here else path
    return path if here and not there else under


def _exported(found: "Iterable[Run]") -> list[Artifact]:
    """What was exported from each run, in the order of formats and precisions."""
    order = [(format, precision) for format, precisions in PRECISIONS.items() for precision in precisions]

    def rank(one: Artifact) -> tuple[int, int]:
        kind = (one.format, one.precision or "")
        return order.index(kind) if kind in order else len(order), len(one.kept_float)

    artifacts: list[Artifact] = []
    for run in found:
        own = [artifact.inspect(path) for path in artifact.find(run.artifacts)]
        if not own:
            raise RunError(f"{run.folder} has no exports: make them with edgefashion export {run.folder}")
        artifacts += sorted(own, key=rank)
    return artifacts


def data_for(artifacts: "Iterable[Artifact]", folder: Path | None) -> "Dataset":
    """The data set; of models that come along, the sample beside them where no data set is at hand."""
    from edgefashion import zoo
    from edgefashion.data import locate

    named = folder or os.environ.get(locate.VARIABLE)
    if named or locate.at_hand() or not all(map(zoo.holds, artifacts)):
        return load_data(folder)
    sample = zoo.opened().sample()
    say(f"data: no data set is at hand: taking {sample.source}, {len(sample.test)} test images")
    return sample
