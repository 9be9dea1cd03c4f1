"""What is said of a run that is trained, and of several in a row."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from edgefashion.cli import _fine_tuning
from edgefashion.cli._output import say

if TYPE_CHECKING:
    from edgefashion.training.folds import Folds
    from edgefashion.training.runs import Run
    from edgefashion.training.seeds import Seeds

FEW = 100
"""Validation pictures, below which folds tell more."""


def tell(run: "Run") -> None:
    """Say what came of one."""
    say(f"{run.folder}: {sentence(run)}{_fine_tuning.compressed(run)}")


def tell_seeds(run: "Run", seeds: "Seeds") -> None:
    """Say what came of several seeds, and of the best."""
    spread = "" if seeds.deviation is None else f", standard deviation {seeds.deviation:.4f}"
    best = seeds.runs[seeds.best]["run"]
    say(f"{len(seeds.runs)} seeds: mean validation accuracy {seeds.mean:.4f}{spread}; best: {best}")
    tell(run)


def tell_folds(found: "Folds", count: int) -> None:
    """Say what came of all folds."""
    from edgefashion.cli import _folds

    for precision in _folds.PRECISIONS:
        say(_folds.sentence(precision, found.pooled.get(precision), count))


def sentence(run: "Run") -> str:
    """Which epoch is kept, and how right it is on validation."""
    info = run.info
    said = f"epoch {info.best_epoch} of {info.recipe.epochs} is kept"
    if info.recipe.use_validation:
        return f"{said}, the last: validation images were learned from, and none was left to choose by"
    said += f": validation accuracy {info.validation_accuracy:.4f}"
    count = _validated(run)
    if not count:
        return said
    from edgefashion.stats import wilson_interval

    right = round(info.validation_accuracy * count)
    low, high = wilson_interval(right, count)
    return f"{said}, {right:,} of {count:,} (95 % interval {low:.4f} to {high:.4f})"


def hint(run: "Run") -> str | None:
    """What tells more, where few pictures of the user's validate."""
    if not run.info.data.folder or run.info.data.fold or not 0 < _validated(run) < FEW:
        return None
    few = f"{_validated(run)} pictures say little"
    return f"{few}: --folds 4 has every picture judged, by a model that did not see it"


def said_once() -> Callable[[str], None]:
    """Says each line, but none that it said already: of several runs, what is of all of them. An empty line
    goes with the one before.
    """
    seen: set[str] = set()
    new = True

    def report(line: str) -> None:
        nonlocal new
        new = line not in seen if line else new
        if new:
            seen.add(line)
            say(line)

    return report


def _validated(run: "Run") -> int:
    return run.info.splits.validation if run.info.splits else 0
