"""Training with other processes, which TF_CONFIG or Slurm names, and starting it on other machines."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgefashion.cli import _errands, _trained
from edgefashion.cli._options import options
from edgefashion.cli._output import say
from edgefashion.errors import BadInput, HostError, RunError

if TYPE_CHECKING:
    from edgefashion.data import Dataset
    from edgefashion.hosts.host import Host
    from edgefashion.recipes import FineTuning, Recipe
    from edgefashion.shelf.errands import Errand
    from edgefashion.training.cluster import Cluster
    from edgefashion.training.runs import Run

workers_options = options(
    click.option(
        "--workers",
        metavar="HOST,HOST...",
        help="Train on other machines, over your own ssh: all share each batch; with --seeds or --folds, "
        "whole trainings are dealt out. --data is where the pictures are there.",
    ),
    click.option(
        "--python",
        metavar="PATH",
        help="Of --workers: an interpreter there that has this edgefashion with [train]; default: an "
        "environment of ours is made there.",
    ),
)


def cluster_of(models: tuple[str, ...], several: bool) -> "Cluster | None":
    """The cluster that this process belongs to, whose others can reach it from now on. Raises BadInput for
    one that makes no sense, and where more than one run is asked for: its processes train one and end.
    """
    from edgefashion.training.cluster import from_environment
    from edgefashion.training.meeting import hold

    cluster = from_environment()
    if cluster and (several or len(models) > 1):
        raise BadInput(
            f"{cluster.source} names {len(cluster.addresses)} workers, which train one run: leave out "
            "--seeds and --folds, and name one --model"
        )
    if cluster:
        hold(cluster)
    return cluster


def follow(
    recipe: "Recipe", dataset: "Dataset", folder: Path, hardware: str | None, cluster: "Cluster"
) -> None:
    """Train with the chief, which keeps the run `folder`."""
    from edgefashion.training.joining import follow

    folder.parent.mkdir(parents=True, exist_ok=True)
    follow(recipe, dataset, folder.parent, hardware=hardware, report=say)
    say(f"done; {cluster.name(0)} has the run")


def asked(
    workers: str | None,
    python: str | None,
    models: tuple[str, ...],
    cluster: "Cluster | None",
    fold: int | None,
) -> bool:
    """Whether other machines are to train. Raises BadInput for what does not go together."""
    if workers is None:
        if python:
            raise BadInput("--python is for other machines: name some with --workers")
        return False
    if len(models) > 1:
        raise BadInput("--workers train one run: name one --model")
    if fold is not None:
        raise BadInput("--workers train all folds: leave out --fold")
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


def check_shared(hosts: "Sequence[Host]", kind: "FineTuning", seeds: bool) -> None:
    """Raise BadInput for what several machines cannot share."""
    if kind == "prune" and len(hosts) > 1 and not seeds:
        raise BadInput(
            "pruning is for one machine, since its masks cannot be shared: name one in --workers, or train "
            "several seeds, one a machine, with --seeds"
        )


@dataclass(frozen=True)
class Elsewhere:
    """What machines train into the run `folder`, or beside it."""

    hosts: "Sequence[Host]"
    python: str | None
    errand: "Errand"
    folder: Path
    resume: bool
    force: bool
    _said: "set[tuple[Host, str]]" = field(default_factory=set)

    def run(self, seeds: int | None, folds: int | None) -> None:
        """One run, or those of seeds or of folds. Raises HostError."""
        if self.errand.data is None:
            say("the data: each host finds or fetches its own; --data names a folder there")
        if seeds:
            self.train_seeds(seeds)
        elif folds:
            self.train_folds(folds)
        else:
            self.train()

    def train(self) -> None:
        """One run, by all together. Raises HostError for the machine at fault."""
        from edgefashion.shelf.training import Training
        from edgefashion.training import runs

        self._check_free(self.folder)
        with runs.lock(self.folder):
            if self._is_finished(self.folder):
                _trained.tell(self._publish(self.folder))
                return
            staging, is_there = runs.staging(self.folder), self._has_begun(self.folder)
            if self.resume and not is_there:
                raise RunError("there is nothing to resume: train without --resume")
            name = self.folder.name
            errand = replace(self.errand, words=(*self.errand.words, f"--name={name}"))
            training = Training(self.hosts, name, errand, staging, self.python, self.resume)
            with _going_on([staging]):
                training.run(_tell, self._say)
            _trained.tell(self._publish(self.folder))

    def train_seeds(self, count: int) -> None:
        """The runs of so many seeds, each by one machine, and the best of them."""
        from edgefashion.training import runs
        from edgefashion.training.seeds import is_best_of_seeds, train_seeds

        self._check_free(self.folder)
        folders = [self.folder.with_name(f"{self.folder.name}-seed-{seed}") for seed in range(count)]
        self._deal({one: (f"--name={one.name}", f"--seed={seed}") for seed, one in enumerate(folders)})
        found = [runs.read(one) for one in folders]
        replacing = self.force or (self.resume and is_best_of_seeds(self.folder))
        several = train_seeds(
            found[0].recipe, self.folder, count, lambda one, _: found[one.seed], replacing=replacing
        )
        _trained.tell_seeds(*several)

    def train_folds(self, count: int) -> None:
        """The runs of so many folds and that on all, each by one machine, and what came of all folds."""
        from edgefashion.training import runs
        from edgefashion.training.folds import fold_folder, gather, record

        numbers = [*range(1, count + 1), 0]
        self._deal(
            {
                fold_folder(self.folder, number): (f"--name={self.folder.name}", f"--fold={number}")
                for number in numbers
            }
        )
        run = runs.read(self.folder)
        result = gather(run.recipe, self.folder, count)
        _trained.tell(record(run, result))
        _trained.tell_folds(result, count)

    def _deal(self, words: dict[Path, tuple[str, ...]]) -> None:
        """Let machines train those runs that there are not yet, each with words of its own."""
        from edgefashion.shelf.training import Deal
        from edgefashion.training import runs

        with ExitStack() as locks:
            left = {}
            for folder, own in words.items():
                self._check_free(folder)
                locks.enter_context(runs.lock(folder))
                if self._is_finished(folder):
                    self._publish(folder)
                elif not (self.resume and folder.exists() and not self._has_begun(folder)):
                    self._has_begun(folder)
                    left[folder] = own
            deal = Deal(
                self.hosts,
                self.errand,
                {folder.name: own for folder, own in left.items()},
                {folder.name: runs.staging(folder) for folder in left},
                self.python,
                self.force,
            )
            with _going_on(deal.stagings.values()):
                deal.run(_tell, self._say)
            for folder in left:
                self._publish(folder)

    def _say(self, host: "Host", line: str) -> None:
        """A line of a host, but what is of that computer only, and what it has said before."""
        if not line or line.startswith(("next: ", "in this shell, first: ")):
            return
        for there, here in self.errand.paths.items():
            line = line.replace(there, here)
        if (host, line) not in self._said:
            self._said.add((host, line))
            say(f"{host}: {line}")

    def _check_free(self, folder: Path) -> None:
        """Raise RunError where a run would be replaced that nobody has said may be."""
        from edgefashion.files import reading

        if reading.exists(folder, RunError) and not (self.force or self.resume):
            raise RunError(f"{folder} exists: choose another --name, or replace it with --force")

    def _is_finished(self, folder: Path) -> bool:
        """Whether all was done before, but to give the run its name."""
        from edgefashion.training import runs

        return self.resume and (runs.staging(folder) / runs.INFO).is_file()

    def _has_begun(self, folder: Path) -> bool:
        """Whether there is a state of it to go on from. Raises RunError where that is to be decided."""
        from edgefashion.training import checkpoints, runs

        is_there = checkpoints.has_checkpoint(runs.staging(folder))
        if is_there and not (self.resume or self.force):
            raise RunError(
                f"the training of {folder} was interrupted: go on with --resume, or begin with --force"
            )
        return is_there

    def _publish(self, folder: Path) -> "Run":
        """The run that came home, whose record names what was sent along as it is called here."""
        from msgspec import structs

        from edgefashion import files
        from edgefashion.training import runs

        path = runs.staging(folder) / runs.INFO
        info, paths = runs.read_info(path), self.errand.paths
        named = {name: getattr(info.recipe, name) for name in ("weights", "teacher")}
        recipe = replace(
            info.recipe,
            **{name: paths.get(one or "", one) for name, one in named.items()},
            other_teachers=tuple(paths.get(one, one) for one in info.recipe.other_teachers),
        )
        files.write_json(path, structs.replace(info, recipe=recipe).to_dict())
        return runs.publish(folder)


@contextmanager
def _going_on(stagings: Iterable[Path]) -> Iterator[None]:
    """Say how it goes on after an interruption, or without a machine that was lost."""
    from edgefashion.training import checkpoints, runs

    def is_kept() -> bool:
        return any(checkpoints.has_checkpoint(one) or (one / runs.INFO).is_file() for one in stagings)

    again = f"next, also with other --workers: {_errands.resuming()}"
    try:
        yield
    except KeyboardInterrupt as interruption:
        if not is_kept():
            raise
        raise KeyboardInterrupt(f"interrupted; what has come home is kept; {again}") from interruption
    except HostError as error:
        if is_kept() and error.exit_code != BadInput.exit_code:
            say(f"what has come home is kept; {again}")
        raise


def _tell(host: "Host", doing: str, done: int, total: int) -> None:
    if not done:
        say(f"{host}: {doing}")
