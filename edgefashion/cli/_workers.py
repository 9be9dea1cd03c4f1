"""Training with other processes, which TF_CONFIG or Slurm names, and starting it on other machines."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgefashion.cli._options import options
from edgefashion.cli._output import say
from edgefashion.errors import BadInput, RunError

if TYPE_CHECKING:
    from edgefashion.data import Dataset
    from edgefashion.hosts.host import Host
    from edgefashion.recipes import Recipe
    from edgefashion.training.cluster import Cluster
    from edgefashion.training.runs import Run

TYPED = "edgefashion.typed"
_OWN = ("--workers", "--python", "--runs", "--name", "--seeds")
"""Options with a value that are for this computer."""
_NOT_THERE = ("--folds", "--teacher", "--config", "--from", "--qat", "--prune", "--cluster")
"""Those that need what is here, or several trainings of which one comes after the other."""

workers_options = options(
    click.option(
        "--workers",
        metavar="HOST,HOST...",
        help="Train on other machines, over your own ssh: all share each batch; with --seeds, whole "
        "trainings are dealt out. --data is where the pictures are there.",
    ),
    click.option(
        "--python",
        metavar="PATH",
        help="Of --workers: an interpreter there that has this edgefashion with [train]; default: an "
        "environment of ours is made there.",
    ),
)


class Typed(click.Command):
    """A verb that knows how it was typed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As any command does."""
        ctx.meta[TYPED] = tuple(args)
        return super().parse_args(ctx, args)


def cluster_of(models: tuple[str, ...], several: bool) -> "Cluster | None":
    """The cluster that this process belongs to. Raises BadInput for one that makes no sense, and where more
    than one run is asked for: its processes train one and end.
    """
    from edgefashion.training.cluster import from_environment

    cluster = from_environment()
    if cluster and (several or len(models) > 1):
        raise BadInput(
            f"{cluster.source} names {len(cluster.addresses)} workers, which train one run: leave out "
            "--seeds and --folds, and name one --model"
        )
    return cluster


def follow(recipe: "Recipe", dataset: "Dataset", folder: Path, hardware: str | None) -> None:
    """Train with the chief, which keeps the run `folder`."""
    from edgefashion.training.joining import follow

    folder.parent.mkdir(parents=True, exist_ok=True)
    follow(recipe, dataset, folder.parent, hardware=hardware, report=say)
    say("done: the run is the chief's")


def asked(
    workers: str | None, python: str | None, models: tuple[str, ...], cluster: "Cluster | None"
) -> bool:
    """Whether other machines are to train. Raises BadInput for what does not go together."""
    if workers is None:
        if python:
            raise BadInput("--python is for other machines: name some with --workers")
        return False
    if len(models) > 1:
        raise BadInput("--workers train one run: name one --model")
    if cluster:
        raise BadInput(f"{cluster.source} names workers already: unset it, or leave out --workers")
    return True


def hosts_of(workers: str) -> "Sequence[Host]":
    """The machines that are named. Raises BadInput for none, for one twice, and for what cannot be one."""
    from edgefashion.hosts.host import parse_all

    names = [name.strip() for name in workers.split(",") if name.strip()]
    if not names:
        raise BadInput("--workers names no machine: give one or more, as in --workers pi@a,pi@b")
    return parse_all(names, None)


def words_for_there() -> tuple[str, ...]:
    """How the verb was typed, without what is for this computer. Raises BadInput for what cannot be there."""
    typed: tuple[str, ...] = click.get_current_context().meta[TYPED]
    words, skipped = [], False
    for word in typed:
        option, is_assigned, _ = word.partition("=")
        if option in _NOT_THERE:
            raise BadInput(f"--workers trains from the start, by what is there: leave out {option}")
        if option in _OWN:
            skipped = not is_assigned
        elif skipped:
            skipped = False
        elif option != "--resume":
            words.append(word)
    return tuple(words)


def train_shared(workers: str, python: str | None, folder: Path, resume: bool, force: bool) -> "Run":
    """One run, trained by all workers together. Raises HostError for the one at fault."""
    from edgefashion.shelf.training import Training
    from edgefashion.training import checkpoints, runs

    hosts, words = hosts_of(workers), words_for_there()
    _check_free(folder, force or resume)
    with runs.lock(folder):
        staging = runs.staging(folder)
        if resume and (staging / runs.INFO).is_file():
            return runs.publish(folder)  # it was interrupted when all but that was done
        is_there = checkpoints.has_checkpoint(staging)
        if resume and not is_there:
            raise RunError("there is nothing to resume: train without --resume")
        if is_there and not resume and not force:
            raise RunError(
                f"the training of {folder} was interrupted: go on with --resume, or begin with --force"
            )
        training = Training(hosts, folder.name, words, staging, python, resume)
        with _going_on(folder):
            training.run(_tell, _say)
        return runs.publish(folder)


def train_seeds(
    workers: str, python: str | None, folder: Path, count: int, resume: bool, force: bool
) -> "dict[int, Run]":
    """The runs of so many seeds, each trained by one worker alone."""
    from edgefashion.files import reading
    from edgefashion.shelf.training import Deal
    from edgefashion.training import runs

    hosts, words = hosts_of(workers), words_for_there()
    _check_free(folder, force or resume)
    folders = {seed: folder.with_name(f"{folder.name}-seed-{seed}") for seed in range(count)}
    left = {seed: one for seed, one in folders.items() if not (resume and reading.exists(one, RunError))}
    for one in left.values():
        _check_free(one, force)
    deal = Deal(
        hosts,
        {one.name: (*words, f"--seed={seed}") for seed, one in left.items()},
        {one.name: runs.staging(one) for one in left.values()},
        python,
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _going_on(folder):
        deal.run(_tell, _say)
    for one in left.values():
        with runs.lock(one):
            runs.publish(one)
    return {seed: runs.read(one) for seed, one in folders.items()}


def _check_free(folder: Path, replaces: bool) -> None:
    """Raise RunError where a run would be replaced that nobody has said may be."""
    from edgefashion.files import reading

    if reading.exists(folder, RunError) and not replaces:
        raise RunError(f"{folder} exists: choose another --name, or replace it with --force")


@contextmanager
def _going_on(folder: Path) -> Iterator[None]:
    """Say how it goes on after an interruption."""
    try:
        yield
    except KeyboardInterrupt as interruption:
        again = "the same command with --resume, without --force, goes on from there"
        raise KeyboardInterrupt(f"interrupted; {again}") from interruption


def _say(host: "Host", line: str) -> None:
    if line and not line.startswith("next: "):
        say(f"{host}: {line}")


def _tell(host: "Host", doing: str, done: int, total: int) -> None:
    if not done:
        say(f"{host}: {doing}")
