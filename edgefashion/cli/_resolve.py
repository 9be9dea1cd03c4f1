"""From names on the command line to runs and artifacts."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgefashion.artifacts.artifact import Artifact, is_model
from edgefashion.cli._output import say
from edgefashion.errors import RunError
from edgefashion.files import reading

if TYPE_CHECKING:
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
    runs, or of the zoo if there are none.
    """
    found = [each for name in names for each in _named(name, root)] if names else _all_artifacts(root)
    return list({each.path: each for each in found}.values())


def _named(name: str, root: Path) -> "list[Artifact]":
    from edgefashion.api.names import artifacts_of

    return artifacts_of(model_or_run(name, root))


def model_or_run(name: str, root: Path) -> str:
    """`zoo:NAME`, the path of a model file, or else the folder of the run `name`, which may be called as a
    model file is. Raises RunError for another file.
    """
    from edgefashion import zoo

    is_run = any(reading.is_folder(path, RunError) for path in (root / name, Path(name)))
    is_file = is_model(Path(name)) and not is_run
    return name if zoo.is_name(name) or is_file else str(run_folder(name, root))


def _all_artifacts(root: Path) -> list[Artifact]:
    """Those of all exported runs, or, if there are no runs, the shipped models.

    Raises RunError where no run is exported.
    """
    from edgefashion import zoo
    from edgefashion.training import runs

    if runs.find(root) or not zoo.present():
        return _of_all_runs(root)
    found = zoo.open_zoo()
    say(f"there are no runs in {root}: taking the shipped models, {', '.join(found.names)}")
    return found.all_artifacts()


def _of_all_runs(root: Path) -> list[Artifact]:
    from edgefashion.api.names import exported

    exports = {run.folder: exported(run) for run in named_runs([], root)}
    bare = [str(folder) for folder, own in exports.items() if not own]
    found = [each for own in exports.values() for each in own]
    if not found:
        raise RunError(f"no run in {root} has exports: make them with edgefashion export")
    if bare:
        command = shlex.join(("edgefashion", "export", *bare))
        say(f"left out, not exported: {', '.join(bare)}; export them with {command}")
    return found


def run_or_file(name: str, root: Path) -> str:
    """The folder of the run `name` where that is one, or else the name: of a file, or zoo:NAME."""
    from edgefashion import zoo

    here, there = reading.is_file(Path(name), RunError), reading.is_folder(root / name, RunError)
    if zoo.is_name(name) or (here and not there):
        return name
    folder = run_folder(name, root)
    return str(folder) if reading.is_folder(folder, RunError) else name


def run_folder(name: str, root: Path) -> Path:
    """The folder of the run `name`: one under `root`, or a path to one; a bare name means that under `root`
    where both are there. Raises RunError for a file and for zoo:NAME.
    """
    from edgefashion import zoo
    from edgefashion.training import runs

    if zoo.is_name(name):
        raise RunError(f"{name} is shipped without its run: name a run of edgefashion train, like {root}/cnn")
    path, under = Path(name), root / name
    runs.restore(under)
    here, there = reading.is_folder(path, RunError), reading.is_folder(under, RunError)
    if reading.is_file(path, RunError) and not there:
        raise RunError(_no_run(path))
    if path.parts != (name,) or name == os.pardir:
        return under if there and not here else path
    return path if here and not there else under


def _no_run(path: Path) -> str:
    """Why a file is not the run that it was taken for."""
    from edgefashion.bundle.layout import SUFFIX
    from edgefashion.training import runs

    if path.suffix.lower() == SUFFIX:
        return (
            f"{path} is neither a run nor a model: measure a bundle with edgefashion bench {path}; unzipped, "
            "the models in its artifacts/ are for every verb"
        )
    what = "a model file, not a run" if is_model(path) else "neither a run nor a .tflite or .onnx model"
    homes = (path.parent, path.parent.parent)
    home = next((each for each in homes if reading.is_file(each / runs.INFO, RunError)), None)
    return f"{path} is {what}" + (f": did you mean {home}?" if home else "")
