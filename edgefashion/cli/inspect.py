"""The verb that shows what is inside model files."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgefashion.artifacts import artifact
from edgefashion.cli import _resolve
from edgefashion.cli._options import runs_option
from edgefashion.cli._output import following, show_json, show_pages
from edgefashion.errors import ArtifactError, RunError
from edgefashion.files import reading

if TYPE_CHECKING:
    from edgefashion.artifacts.inspection import Inspection


@click.command()
@click.argument("names", metavar="FILE|RUN|zoo:NAME...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead, with every operator.")
@runs_option
def inspect(names: tuple[str, ...], as_json: bool, root: Path) -> None:
    """Show what is inside model files.

    Shows inputs and outputs, operators, parameters, multiply-accumulates, the size of each layer and
    edgefashion's own metadata, for any .tflite or .onnx file, for a run's exports and for the shipped
    models. Nothing is run.

    Example: edgefashion inspect model.tflite other.onnx
    """
    from edgefashion.artifacts.inspection import inspect_all

    names = tuple(_place(name, root) for name in names)
    found, errors = inspect_all([path for name in names for path in _files(name)])
    if found or as_json:
        _show(found, as_json)
    if errors:
        raise ArtifactError("; ".join(map(str, errors)))
    verb = "evaluate" if all(each.metadata for each in found) else "bench"
    following(f"edgefashion {verb} {shlex.join(names)}")


def _show(found: "list[Inspection]", as_json: bool) -> None:
    from edgefashion.artifacts.inspection import text

    if as_json:
        show_json(text.to_json(found))
    else:
        show_pages(each.page() for each in found)


def _place(name: str, root: Path) -> str:
    """A name as it is, unless it is a run's: then the run's folder."""
    from edgefashion import zoo

    plain = zoo.is_name(name) or artifact.is_model(Path(name))
    return name if plain else str(_resolve.run_folder(name, root))


def _files(name: str) -> list[Path]:
    from edgefashion import zoo
    from edgefashion.training import runs

    if zoo.is_name(name):
        return [each.path for each in zoo.open_zoo().artifacts(name)]
    path = Path(name)
    if artifact.is_model(path) and not reading.is_folder(path, ArtifactError):
        return [path]
    if found := artifact.find(path / runs.ARTIFACTS):
        return found
    if not reading.is_folder(path, RunError):
        runs.read(path)  # says that there is none
    raise ArtifactError(
        f"{path} is a folder without exports: name .tflite and .onnx files, or an exported run"
    )
