"""The verb that takes a model of the user's own."""

import contextlib
import math
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgefashion.artifacts.formats import FORMATS, INTEGER_PRECISIONS, PRECISIONS, QAT_PRECISIONS
from edgefashion.cli import _data
from edgefashion.cli._data import FITS, Chosen, Color, Size, takes_data
from edgefashion.cli._next_step import after_evaluation
from edgefashion.cli._options import FILE, FOLDER, PATH, RUNS, Finite, Name, Several, options, output_options
from edgefashion.cli._output import following, give_out, keep_inputs, say
from edgefashion.cli._progress import Bar
from edgefashion.errors import VerificationError

if TYPE_CHECKING:
    from edgefashion.api.quantization import Quantization
    from edgefashion.artifacts.formats import Variant

WAYS = ("none", "unit", "tf", "torch", "caffe", "standardized")
MOST_CHANNELS = 3


class Numbers(click.ParamType[tuple[float, ...]]):
    """A number, or one a channel, separated by commas: `-1`, `1/127.5`, `123.7,116.8,103.9`."""

    name = "numbers"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """How --help shows it."""
        return "X[,X,X]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """The numbers, in the order given."""
        if isinstance(value, tuple):
            return value
        parts = [self._number(part.strip()) for part in value[:200].split(",")]
        found = tuple(part for part in parts if part is not None)
        if len(found) != len(parts) or len(found) not in (1, MOST_CHANNELS) or len(value) > 200:
            self.fail(f"{value[:20]!r} is no number, nor three: give one like 1/127.5, or one a channel")
        return found

    def _number(self, text: str) -> float | None:
        found = re.fullmatch(r"([-+]?[0-9.]+(?:e[-+]?[0-9]+)?)(?:/([0-9.]+(?:e[-+]?[0-9]+)?))?", text, re.I)
        try:
            number = float(found[1]) / float(found[2] or 1) if found else math.nan
        except (ValueError, ZeroDivisionError):
            return None
        return number if math.isfinite(number) else None


preparing_options = options(
    click.option(
        "--preprocess",
        type=Name("preprocessing", WAYS),
        help="How the model wants its pixels; default: found on labelled pictures.",
    ),
    click.option("--scale", type=Numbers(), help="Instead: what a pixel, 0 to 255, is multiplied by."),
    click.option("--offset", type=Numbers(), help="And what is added then."),
    click.option("--bgr", is_flag=True, help="The model reads blue first."),
    click.option("--labels", type=FILE, help="What each output is for: a name a line, or a JSON list."),
    click.option("--size", type=Size(), help="Of the images, of a model that leaves it open."),
    click.option(
        "--fit", type=click.Choice(FITS), help="How pictures become images; default: found, or crop."
    ),
    click.option(
        "--background",
        type=Color(),
        help="Seen where a picture is transparent; none: the colors kept there; default: found, or white.",
    ),
)


@click.command()
@click.argument("model", type=PATH)
@preparing_options
@click.option(
    "--format",
    "formats",
    type=Several("format", list(FORMATS)),
    help="One or more, separated by commas; default: that of an ONNX or TFLite file, and all of others.",
)
@click.option(
    "--precision",
    "precisions",
    type=Several("precision", [name for name in PRECISIONS if name not in QAT_PRECISIONS]),
    help="One or more, separated by commas; default: float32,int8.",
)
@click.option(
    "--max-drop",
    type=Finite(most=100, zero=True),
    default=1.0,
    show_default=True,
    help="Points of accuracy that int8 may lose, by more than chance, before layers are left in float.",
)
@click.option(
    "-o", "--output", "folder", type=FOLDER, help=f"The run to make; default: {RUNS}/ and the file's name."
)
@click.option("--force", is_flag=True, help="Replace a run once the new one is ready.")
@output_options
@takes_data()
def quantize(
    model: Path,
    json_file: Path | None,
    csv_file: Path | None,
    markdown_file: Path | None,
    folder: Path | None,
    chosen: Chosen,
    **said: Any,
) -> None:
    """Turn a trained model of yours into verified TFLite and ONNX files.

    MODEL is a classifier: a .keras or .h5 file of Keras, float .onnx or .tflite, or a SavedModel. How it
    wants its pixels, and which output is of which class, is found on labelled pictures unless you say it.

    Example: edgefashion quantize mine.keras --data photos
    """
    from edgefashion.api import quantization

    _data.check_tensorflow()
    keep_inputs([model, *filter(None, [said["labels"]])], (json_file, csv_file, markdown_file))
    folder = quantization.folder_of(model, folder)
    variants = quantization.variants_for(model, said["formats"], said["precisions"])
    with _going_on(folder, variants):
        found = _quantized(model, folder, chosen, said)
    for line in found.told():
        say(line)
    give_out(found.results, json_file, csv_file, markdown_file)
    _end(found)


def _quantized(model: Path, folder: Path, chosen: Chosen, said: dict[str, Any]) -> "Quantization":
    """What becomes of it, as the options say."""
    from edgefashion.api import quantization
    from edgefashion.importing.options import ImportOptions

    how = {name: said.pop(name) for name in ("formats", "precisions", "max_drop", "force")}
    made = {name: value for name in ("size", "fit", "background") if (value := said.pop(name)) is not None}
    options, pictures = ImportOptions(**said), {**chosen.options, **made}
    with Bar(at_once=False) as progress:
        return quantization.quantize(
            model,
            folder,
            data=chosen.folder,
            options=options,
            report=say,
            progress=progress,
            **how,
            **pictures,
        )


@contextlib.contextmanager
def _going_on(folder: Path, variants: "Sequence[Variant]") -> Iterator[None]:
    """Say how it goes on, where it is interrupted and the run is there already."""
    before = _written(folder)
    try:
        yield
    except KeyboardInterrupt as interruption:
        if _written(folder) == before:
            raise
        formats, precisions = (",".join(dict.fromkeys(names)) for names in zip(*variants, strict=True))
        command = shlex.join(
            ("edgefashion", "export", str(folder), "--format", formats, "--precision", precisions)
        )
        again = _data.with_data(command, _params())
        raise KeyboardInterrupt(f"interrupted; {folder} is kept, and {again} goes on") from interruption


def _params() -> dict[str, Any]:
    context = click.get_current_context(silent=True)
    return context.params if context else {}


def _written(folder: Path) -> object:
    """What tells the run that is there from another; None of none."""
    from edgefashion.errors import RunError
    from edgefashion.training import runs

    with contextlib.suppress(RunError):
        found = (runs.read(folder).folder / runs.INFO).stat()
        return found.st_mtime_ns, found.st_ino
    return None


def _end(found: "Quantization") -> None:
    """Say what is next, and raise what was not reached."""
    if found.results.interrupted:
        again = _data.with_data(f"edgefashion evaluate {shlex.quote(str(found.run.folder))}", _params())
        raise KeyboardInterrupt(f"interrupted; all files are there, and {again} measures them")
    found.results.raise_failures()
    if found.unmet:
        raise VerificationError("; ".join(found.unmet))
    integer = [each for each in found.artifacts if each.precision in INTEGER_PRECISIONS]
    mixed = {each.format for each in integer if each.kept_float}  # the others of these lose too much
    meeting = [each for each in integer if each.kept_float or each.format not in mixed]
    if steps := after_evaluation(meeting or found.artifacts, found.results):
        following(*steps)
