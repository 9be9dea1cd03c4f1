"""What the command line accepts as values, and how it asks back when it cannot."""

import difflib
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import click

from edgefashion.cli._output import OutputFile, PictureFile
from edgefashion.escaping import visible
from edgefashion.recipes import AUTO, NAMED_RECIPES, RECIPES, SHORT, WIDTHS

ThreadCount = int | Literal["all"]
MOST_CPUS = 9999
MOST = 10**9
"""No count, and no number of seconds or megabytes, is larger."""


class Finite(click.FloatRange):
    """A number above 0, or with `zero` from 0 on, that is one: `nan` is in no range, `inf` in too many."""

    def __init__(self, most: float | None = None, zero: bool = False) -> None:
        super().__init__(min=0, max=most, min_open=not zero)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        if isinstance(value, str) and not math.isfinite(_float(value)):
            self.fail(f"{brief(value)} is not a number{' above 0' if self.min_open else ''}", param, ctx)
        found = float(super().convert(value, param, ctx))
        if found > MOST:
            self.fail(f"{brief(str(value))} is too large: give {MOST:,} at most", param, ctx)
        return found


class Whole(click.IntRange):
    """A whole number, of no more digits than anything has."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        if isinstance(value, str) and len(value) > _DIGITS:
            self.fail(f"{brief(value)} is too large", param, ctx)
        found = int(super().convert(value, param, ctx))
        if self.max is None and found > MOST:
            self.fail(f"{brief(str(value))} is too large: give {MOST:,} at most", param, ctx)
        return found


def brief(text: str) -> str:
    """A text as it was given, or its start where it is long."""
    return repr(text if len(text) <= _DIGITS else f"{text[:_DIGITS]}…")


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0  # the range says what is wrong with it


_DIGITS = 20
COUNT = Whole(min=1)
FOLDER = click.Path(file_okay=False, readable=False, path_type=Path)
PATH = click.Path(readable=False, path_type=Path)
"""Read later, with errors that say what to do."""
FILE = click.Path(dir_okay=False, readable=False, path_type=Path)
OUTPUT, PICTURE = OutputFile(), PictureFile()


def check_name(fail: Callable[[str], Any], what: str, name: str, names: Sequence[str]) -> None:
    """Call `fail` for a name that is none of `names`, with the nearest one of them."""
    if name not in names:
        near = difflib.get_close_matches(name, names, 1, cutoff=0.3)
        hint = f": did you mean {near[0]}?" if near else "."
        fail(f"unknown {what} {name!r}{hint} Choose from {', '.join(names)}")


class Name(click.ParamType[str]):
    """One of a few names; the nearest one is suggested for any other."""

    name = "name"

    def __init__(self, what: str, names: Sequence[str]) -> None:
        self.what, self.names = what, names

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """How --help shows it."""
        return "|".join(self.names)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name itself."""
        check_name(self.fail, self.what, value, self.names)
        return str(value)


class OneOf(click.ParamType[tuple[str, ...]]):
    """One of a few names, or `all`, of `every`; the nearest one is suggested for any other."""

    name = "name"

    def __init__(self, what: str, names: Sequence[str], every: Sequence[str] | None = None) -> None:
        self.what, self.names, self.every = what, (*names, "all"), every or names

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """How --help shows it."""
        return "|".join(self.names)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """The names meant."""
        if isinstance(value, tuple):
            return value
        return tuple(name for name in self.names[:-1] if name in self._meant(value))

    def _meant(self, value: str) -> set[str]:
        check_name(self.fail, self.what, value, self.names)
        return set(self.every if value == "all" else [value])


class Several(OneOf):
    """Some of a few names, separated by commas, or `all`."""

    def _meant(self, value: str) -> set[str]:
        return {name for part in value.split(",") for name in super(Several, self)._meant(part.strip())}


class ThreadCounts(click.ParamType[tuple[ThreadCount, ...]]):
    """Numbers of threads, separated by commas; `all` is as many as there are CPUs where they run."""

    name = "threads"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[ThreadCount, ...]:
        """Each number once, in the order given."""
        if isinstance(value, tuple):
            return value
        parts = (part.strip() for part in value.split(","))
        return tuple(dict.fromkeys("all" if part == "all" else self._number(part) for part in parts))

    def _number(self, part: str) -> int:
        if not part.isdecimal() or len(part) > _DIGITS or int(part) < 1:
            self.fail(f"{brief(part)} is not a number of threads: give 1 or more, or all")
        return int(part)


class Threads(ThreadCounts):
    """The same on this computer, which has so many cores."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Each number once, in the order given."""
        from edgefashion.device import cores

        found = tuple(
            dict.fromkeys(cores() if each == "all" else each for each in super().convert(value, param, ctx))
        )
        if max(found) > cores():
            self.fail(
                f"{max(found)} threads are more than the {cores()} cores this process may use: give fewer"
            )
        return found


class Cpus(click.ParamType[tuple[int, ...]]):
    """CPUs by number, separated by commas, and ranges of them: `0,2-3`."""

    name = "cpus"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """The numbers in order, each once."""
        if isinstance(value, tuple):
            return value
        return tuple(sorted({cpu for part in value.split(",") for cpu in self._range(part.strip())}))

    def _range(self, part: str) -> range:
        first, dash, last = part.partition("-")
        last = last if dash else first
        numbers = first.isdecimal() and last.isdecimal() and max(len(first), len(last)) <= _DIGITS
        if not numbers or int(first) > int(last) or int(last) > MOST_CPUS:
            self.fail(f"{brief(part)} names no CPUs: give numbers and ranges, like 3 or 0,2-3")
        return range(int(first), int(last) + 1)


def options(*decorators: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several options as one decorator, shown in the order given."""

    def apply(command: Any) -> Any:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


model_option = click.option(
    "--model", "models", type=OneOf("model", list(RECIPES), SHORT), default="cnn", show_default=True
)
recipe_option = click.option(
    "--recipe",
    "recipe_name",
    type=Name("recipe", [AUTO, *NAMED_RECIPES]),
    help="Train after this recipe instead of the --model's own, see edgefashion recipes; auto, usual where "
    "the data is not Fashion-MNIST: by how many pictures there are.",
)
RUNS = "runs"
"""The folder of all runs where none is named."""
runs_option = click.option("--runs", "root", type=FOLDER, default=RUNS, show_default=True, help="All runs.")
_WIDTHS = ", ".join(f"{width:g}" for width in WIDTHS)


class Hardware(click.ParamType[str]):
    """What TensorFlow computes on: `cpu`, `gpu` for all that there are, or `gpu:1`."""

    name = "cpu|gpu|gpu:N"

    def convert(self, value: str, param: click.Parameter | None, context: click.Context | None) -> str:
        """As it is typed."""
        if not re.fullmatch(r"cpu|gpu(:[0-9]{1,3})?", value):
            self.fail(f"{visible(repr(value))} is not cpu, gpu or the number of one, as in gpu:0")
        return value


training_options = options(
    click.option("--epochs", type=COUNT, help="Passes over the training split."),
    click.option("--batch-size", type=COUNT, help="Images a training step."),
    click.option("--learning-rate", type=Finite(), help="The highest one."),
    click.option("--seed", type=Whole(0, 2**32 - 1), help="Decides weights and order at the start."),
    click.option("--limit", type=COUNT, help="Train on so many images only; the run is marked as small."),
    click.option("--weights", help="Initial weights of MobileNetV2: imagenet, none, or an .h5 file."),
    click.option("--width", type=Finite(), help=f"Of MobileNetV2's layers: {_WIDTHS}; default: 1."),
    click.option(
        "--device", "hardware", type=Hardware(), help="What to train on; default: all GPUs that there are."
    ),
    click.option(
        "--mixed-precision", is_flag=True, default=None, help="Compute in float16 where safe (GPU)."
    ),
    click.option(
        "--force",
        is_flag=True,
        help="Replace a run once the new one is ready; train on very few pictures.",
    ),
)
output_options = options(
    click.option("--json", "json_file", type=OUTPUT, help="Write all results, with every sample, as JSON."),
    click.option("--csv", "csv_file", type=OUTPUT, help="Write the results as CSV."),
    click.option("--markdown", "markdown_file", type=OUTPUT, help="Write the tables as Markdown."),
)
seconds_option = click.option(
    "--seconds",
    type=Finite(),
    help="Time each row for so long at least; default: 1.",
)
in_process_option = click.option(
    "--in-process", is_flag=True, help="Where there are no child processes: no crash is survived."
)
limit_options = options(
    click.option(
        "--at-most",
        metavar="SECONDS",
        type=Finite(),
        help="Time of each row, starting and loading included; a fifth for its first answer. Default: 150.",
    ),
    click.option(
        "--memory",
        "memory_mb",
        metavar="MIB",
        type=Finite(),
        help="What a model may take; default: by its size, and three quarters of what is free at most.",
    ),
    in_process_option,
)


def _split(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """The parts of each, separated by commas."""
    return tuple(part.strip() for value in values for part in value.split(","))


runtime_option = click.option(
    "--runtime",
    metavar="NAME",
    multiple=True,
    callback=_split,
    help="What runs files that it can: litert, onnxruntime, openvino, openvino-bf16; several side by side, "
    "comma-separated.",
)
threads_option = click.option(
    "--threads", type=Threads(), default="1,all", show_default=True, help="Comma-separated."
)
