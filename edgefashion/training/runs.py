"""Run folders: `runs/<name>/` holds one trained model and the record of its training.

    model.keras      the best epoch by validation accuracy, or the last, float32
    run.json         task, recipe, history, seed, versions, device, data checksums, validation accuracy,
                     and of a pruned or clustered model what was found in its layers
    architecture.json  of a model that was trained elsewhere, and of what was fine-tuned from it: its layers
    learned.npy      of a set of pictures, which were learned from: see `training.learned`
    tensorboard/     logs
    artifacts/       what was exported from it

While a training goes on it lives in `runs/.<name>.training/`, and the folder as a whole takes its final
name at the end, so that an interruption leaves the old run or the new one.
"""

import contextlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from edgefashion import files
from edgefashion.data.fashion_mnist import FASHION_MNIST
from edgefashion.errors import OutputError, RunError
from edgefashion.errors.wording import setting
from edgefashion.escaping import visible
from edgefashion.files import reading
from edgefashion.recipes import NAMED_RECIPES, RECIPES, FineTuning, Recipe
from edgefashion.task import Task

if TYPE_CHECKING:
    from edgefashion.records.run import Run as RunInfo

SCHEMA = 1
ID_DIGITS = 12
"""How many digits of its model's SHA-256 a run is called by."""
MODEL = "model.keras"
INFO = "run.json"
ARCHITECTURE = "architecture.json"
ARTIFACTS = "artifacts"
WHAT = f"the {INFO} of a run"
MEND = "train again with edgefashion train --force"


@dataclass(frozen=True)
class Run:
    """A finished training."""

    folder: Path
    info: "RunInfo"

    def __repr__(self) -> str:
        return f"<Run {self.folder}: validation accuracy {self.info.validation_accuracy:.4f}>"

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def id(self) -> str:
        """The first 12 digits of the model file's SHA-256: equal for equal models only."""
        return self.info.id

    @property
    def model_path(self) -> Path:
        """The Keras model."""
        return self.folder / MODEL

    @property
    def artifacts(self) -> Path:
        """The folder of its exported files; it may not exist yet."""
        return self.folder / ARTIFACTS

    @property
    def recipe(self) -> Recipe:
        """How it was trained; what an older version did not write has its default."""
        return self.info.recipe

    @property
    def history(self) -> tuple[dict[str, float], ...]:
        """Of each epoch: `loss` and `accuracy` of training, `val_loss` and `val_accuracy`, `seconds`."""
        return self.info.history or ()

    @property
    def task(self) -> Task:
        """What its model is for. Raises RunError for anything that is not a task."""
        return _task(self.info, self.folder / INFO)

    @property
    def fine_tuning(self) -> FineTuning | None:
        """What was done to the model of another run; None of a run that did not start from one."""
        return self.recipe.fine_tuning

    @property
    def base_run_id(self) -> str | None:
        """Of a fine-tuned run: the `id` of the run it was made from; else None."""
        return self.recipe.base_run_id

    @property
    def quantized(self) -> bool:
        """Whether it was trained quantization-aware."""
        return self.fine_tuning == "qat"

    @property
    def small_run(self) -> bool:
        """Whether it was trained on a part of the data only."""
        return self.info.small_run


def read(folder: str | Path) -> Run:
    """The run in `folder`, checked. Raises RunError where it is missing or damaged."""
    folder = Path(folder)
    restore(folder)
    if not reading.is_folder(folder, RunError):
        if reading.is_folder(staging(folder), RunError):
            again = f"go on with the command that began it and {setting('--resume')}"
            raise RunError(f"the training of {folder} is not finished: where it was interrupted, {again}")
        raise RunError(f"there is no run {folder}: make it with {_training(folder.name)}")
    return _checked(folder)


def unknown(run: Run, what: str) -> RunError:
    """The error for a run whose model, `what`, is none of this version's."""
    return RunError(f"{run.folder} has a model that is not known here ({what}): train it again")


def _training(name: str) -> str:
    """What makes a run of that name, as far as the name says it."""
    if name in RECIPES:
        return f"edgefashion train --model {name}"
    if name in NAMED_RECIPES:
        return f"edgefashion train --recipe {name}"
    return "edgefashion train"


def _checked(folder: Path) -> Run:
    info_path, model_path = folder / INFO, folder / MODEL
    info = info_of(folder)
    if not reading.is_file(model_path, RunError):
        raise RunError(f"{folder} has no {MODEL}: train it again with edgefashion train --force")
    found, expected = reading.sha256(model_path, "a Keras model", RunError), info.model.sha256
    if found != expected:
        raise RunError(
            f"{model_path} is damaged: SHA-256 {found[:12]}, {INFO} expects {expected[:12]}; "
            "train again with edgefashion train --force"
        )
    run = Run(folder, info)
    if run.id != found[:ID_DIGITS]:
        raise RunError(
            f"{info_path} has the id {visible(run.id)!r}, and the SHA-256 of {MODEL} begins with "
            f"{found[:ID_DIGITS]}: train again with edgefashion train --force"
        )
    if strange := [each for each in run.recipe.parent_ids if not is_id(each)]:
        raise RunError(
            f"{info_path} names another run by {visible(strange[0])!r}, and the id of a run is "
            f"{ID_DIGITS} hexadecimal digits: train again with edgefashion train --force"
        )
    return run


def info_of(folder: Path) -> "RunInfo":
    """The content of its run.json. Raises RunError."""
    if reading.is_file(folder / INFO, RunError):
        return read_info(folder / INFO)
    inside = reading.is_file(folder.parent / INFO, RunError)
    mend = f"did you mean {folder.parent}?" if inside else "train it with edgefashion train"
    raise RunError(f"{folder} has no {INFO}: it is not a finished run; {mend}")


def is_id(text: str) -> bool:
    """Whether this may be the id of a run."""
    return re.fullmatch(f"[0-9a-f]{{{ID_DIGITS}}}", text) is not None


def read_info(path: Path) -> "RunInfo":
    """What a run.json says. Raises RunError where it is damaged, lacks something or is of a later version."""
    from edgefashion.records.run import Run as Record

    found: RunInfo = reading.read_json(
        path, WHAT, RunError, reading.INFO_BYTES, Record, newest=SCHEMA, mend=MEND
    )
    _task(found, path)
    return found


def _task(info: "RunInfo", path: Path) -> Task:
    """That of a run.json; an older version wrote none, and trained on nothing but Fashion-MNIST."""
    return Task.from_dict(info.task, f"the task in {path}", RunError) if info.task else FASHION_MNIST


def find(root: Path) -> list[Path]:
    """The folders of all runs under `root`, by name; those too that may not be looked into, which `read`
    says. Raises RunError where `root` may not be read.
    """
    for name in (path.name for path in reading.entries(root, RunError)):
        if name.startswith(".") and name.endswith(".replaced"):
            restore(root / name[1 : -len(".replaced")])
    visible = [path for path in reading.entries(root, RunError) if not path.name.startswith(".")]
    return [path for path in visible if _may_be_run(path)]


def _may_be_run(folder: Path) -> bool:
    try:
        return reading.is_file(folder / INFO, RunError)
    except RunError:
        return True


def staging(folder: Path) -> Path:
    """Where the training of the run `folder` keeps its state until it is finished."""
    return folder.with_name(f".{folder.name}.training")


def _replaced(folder: Path) -> Path:
    whole = folder.absolute()  # `.` has no name of its own
    return whole.parent / f".{whole.name}.replaced"


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the right to change the run `folder`; what a killed `publish` left is put in order first.

    Raises RunError when another process holds it.
    """
    with files.naming_output(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.with_name(f".{folder.name}.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise RunError(f"{folder} is being trained by another process: wait for it to end") from error
    try:
        _settle(folder)
        yield
    finally:
        lock.release()


def publish(folder: Path) -> Run:
    """Give the finished training its final name; an older run of that name goes away only after that.

    Must be called under `lock`. A kill between the two renames is repaired by `restore`. Raises RunError
    for a damaged training, which replaces nothing.
    """
    finished, old = staging(folder), _replaced(folder)
    info = _checked(finished).info
    with files.naming_output(folder):
        if folder.exists():
            folder.rename(old)
        finished.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    return Run(folder, info)


def restore(folder: Path) -> None:
    """Bring back the older run when `publish` was killed half way, unless another process is at work."""
    if reading.exists(_replaced(folder), RunError):
        with contextlib.suppress(RunError, OutputError), lock(folder):
            pass


def _settle(folder: Path) -> None:
    old = _replaced(folder)
    with files.naming_output(folder):
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
        elif old.exists():
            old.rename(folder)
