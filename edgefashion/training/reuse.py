"""Training only the runs that do not exist yet."""

import contextlib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from edgefashion.data import Dataset
from edgefashion.errors import RunError
from edgefashion.errors.arguments import PATH, takes
from edgefashion.errors.wording import setting
from edgefashion.files import reading
from edgefashion.recipes import Recipe
from edgefashion.reporting import Progress, Report, silent
from edgefashion.training import runs
from edgefashion.training.runs import Run


@takes(recipe=Recipe, dataset=Dataset, folder=PATH)
def train_or_reuse(
    recipe: Recipe,
    dataset: Dataset,
    folder: str | Path,
    *,
    hardware: str | None = None,
    force: bool = False,
    report: Report = silent,
    progress: Progress | None = None,
) -> Run:
    """The run in `folder`: as it is where its recipe and data are the same, or resumed, or trained.

    With `force` it is trained in any case. `report` and `progress` are as of `train`. Raises what `train` and
    `runs.read` raise.
    """
    folder = Path(folder)
    if recipe.teacher:
        from edgefashion.training.teacher import resolve_teachers

        recipe, _ = resolve_teachers(recipe, dataset)
    if not force and reading.exists(folder, RunError):
        run = runs.read(folder)
        if run.recipe == recipe and run.info.data.checksums == dataset.checksums:
            report(f"reusing {folder}, trained with the same recipe on the same data{_by_others(run)}")
            return run
    from edgefashion.training.train import is_interrupted, train

    resume = not force and is_interrupted(folder)
    with resumable(folder, "the same command"):
        return train(
            recipe,
            dataset,
            folder,
            hardware=hardware,
            resume=resume,
            force=force,
            report=report,
            progress=progress,
        )


@contextlib.contextmanager
def resumable(folder: Path, how: str) -> Iterator[None]:
    """Say how a training into `folder` goes on, where it is interrupted and can."""
    try:
        yield
    except KeyboardInterrupt as interruption:
        from edgefashion.training.train import is_interrupted

        if not is_interrupted(folder):
            raise
        raise KeyboardInterrupt(f"interrupted; {how} goes on from there") from interruption


def _by_others(run: Run) -> str:
    """To be added to a line: which packages that a run was trained with are here in another version."""
    made_with = run.info.versions or {}
    there = {package: there for package, there in made_with.items() if there != _installed(package)}
    others = ", ".join(f"{package} {there} (here {_installed(package)})" for package, there in there.items())
    return f", by {others}: {setting('--force')} trains it again" if others else ""


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
