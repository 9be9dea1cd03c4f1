"""Training with other processes, which TF_CONFIG or Slurm names."""

from pathlib import Path
from typing import TYPE_CHECKING

from edgefashion.cli._output import say
from edgefashion.errors import BadInput

if TYPE_CHECKING:
    from edgefashion.data import Dataset
    from edgefashion.recipes import Recipe
    from edgefashion.training.cluster import Cluster


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
