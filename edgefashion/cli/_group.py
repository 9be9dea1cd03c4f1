"""The command line as a whole: a verb's module is imported when the verb is named."""

from importlib import import_module
from typing import Any

import click

from edgefashion.errors import wording
from edgefashion.version import __version__

VERBS = {
    "bench": "Measure latency and memory of model files, on any computer.",
    "bundle": "Pack model files for a Raspberry Pi, with labeled images and the predictions made here.",
    "card": "Write a model's card: data, recipe, accuracy, sizes, latencies, weaknesses.",
    "compare": "Lay results of several devices and dates beside each other.",
    "data": "Find or fetch the data set, check it and describe it: your own pictures too.",
    "debug": "Rank the layers of a run's int8 models by the error they cause.",
    "doctor": "Check whether this machine is fit to measure and to export.",
    "evaluate": "Measure accuracy, size, latency and memory.",
    "export": "Turn runs into verified TFLite and ONNX files.",
    "inspect": "Show what is inside model files.",
    "predict": "Classify pictures: the three likeliest classes, or that none fits.",
    "quantize": "Turn a trained model of yours into verified TFLite and ONNX files.",
    "recipes": "Show the recipes that models are trained with.",
    "report": "Write a page to look at: training, results, charts, mistakes.",
    "run": "Train, export and evaluate, reusing what is there and valid.",
    "serve": "Serve a model: a page for people, and a JSON endpoint for programs.",
    "train": "Train a model into runs/NAME, or a trained one further.",
}
"""The verbs and the first line of their own help: --help imports none of them."""


class Verbs(click.Group):
    """One module of this package a verb."""

    def invoke(self, context: click.Context) -> Any:
        """Run a verb, whose messages name options."""
        with wording.for_the_command_line():
            return super().invoke(context)

    def list_commands(self, context: click.Context) -> list[str]:
        """The verbs, by name."""
        return list(VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The verb of that name; None if there is none."""
        return command(name) if name in VERBS else None

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As of any group; the nearest verb is suggested for what is none."""
        if not args[0].startswith("-"):
            from edgefashion.cli._options import check_name

            check_name(context.fail, "verb", args[0], list(VERBS))
        return super().resolve_command(context, args)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs, a line each."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


def command(verb: str) -> click.Command:
    """The command of a verb."""
    found: click.Command = getattr(import_module(f"edgefashion.cli.{verb}"), verb)
    return found


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def cli() -> None:
    """Train, quantize, export and measure small image classifiers for edge devices."""
