"""The verb that measures on any computer: see verbs.py."""

import shlex
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import is_model
from edgefashion.cli.bar import Bar
from edgefashion.cli.options import (
    PICTURE,
    Cpus,
    Finite,
    Threads,
    limit_options,
    options,
    output_options,
    seconds_option,
)
from edgefashion.cli.output import following, give_out, keep_inputs, say
from edgefashion.errors import ArtifactError, BadInput, BundleError, Untrusted
from edgefashion.files import reading

if TYPE_CHECKING:
    from edgefashion.benchmarking import BenchmarkOptions
    from edgefashion.evaluation.predictions import Candidate
    from edgefashion.evaluation.results import Results

    Measured = tuple[list[Candidate], dict[str, Any] | None]

BUNDLE = ".zip"
MOST_MINUTES = 10_000
protocol_options = options(
    click.option("--threads", type=Threads(), help="Comma-separated; default: 1,all."),
    click.option("--pin", type=Cpus(), help="Keep the models on these CPUs, like 3 or 2-3."),
    seconds_option,
    click.option("--full", "is_full", is_flag=True, help="MLPerf's single-stream rules: 600 s for each row."),
    click.option(
        "--sustained",
        metavar="MINUTES",
        type=Finite(MOST_MINUTES),
        help="Then run each row for so long without a pause: what heat does.",
    ),
    click.option(
        "--plot", "picture", type=PICTURE, help="Draw --sustained into this .png, .svg or .pdf file."
    ),
    limit_options,
    click.option("--strict", is_flag=True, help="Exit with 1 where a row cannot be trusted."),
)


@click.command()
@click.argument("names", metavar="[BUNDLE|FILE|zoo:NAME]...", nargs=-1)
@protocol_options
@output_options
def bench(
    names: tuple[str, ...],
    threads: tuple[int, ...] | None,
    picture: Path | None,
    strict: bool,
    json_file: Path | None,
    csv_file: Path | None,
    markdown_file: Path | None,
    **settings: Any,
) -> None:
    """Measure latency and memory of model files, on any computer.

    Of any .tflite or .onnx file, on random inputs. Of a bundle's (see edgefashion bundle) on its images, and
    then also accuracy, and whether the answers are those that its maker got. Of zoo:NAME, which comes
    along, on the test images beside it, with accuracy. Without a name: of all that comes along.

    Example: edgefashion bench cnn.zip --json results.json
    """
    from edgefashion.evaluation.evaluate import assess

    protocol = protocol_for(**settings)
    counts = threads_for(protocol, threads)
    if picture and not protocol.sustained_minutes:
        raise BadInput("--plot draws latency over minutes: add --sustained MINUTES")
    keep_inputs(names, (json_file, csv_file, markdown_file, picture))
    with ExitStack() as stack:
        subjects, data = subjects_named(names, stack)
        with Bar() as progress:
            found = assess(subjects, data, counts, protocol, progress)
    give_out(found, json_file, csv_file, markdown_file, picture)
    if found.interrupted:
        raise KeyboardInterrupt
    if step := next_step(names, found, json_file):
        following(step)
    found.raise_failures()
    if strict:
        check_trusted(found)


def protocol_for(
    seconds: float | None,
    at_most: float | None,
    memory_mb: float | None,
    in_process: bool,
    pin: tuple[int, ...] | None = None,
    is_full: bool = False,
    sustained: float | None = None,
) -> "BenchmarkOptions":
    """The protocol asked for. Raises BadInput where the options disagree."""
    from edgefashion.benchmarking import BenchmarkOptions, full
    from edgefashion.runtimes import pinning

    if is_full and seconds:
        raise BadInput("--full is for 600 s and --seconds for another time: give one of them")
    pinning.check(pin)
    protocol = full() if is_full else BenchmarkOptions()
    if seconds:
        protocol = protocol.lasting(seconds)
    if at_most and at_most < protocol.seconds:
        raise BadInput(
            f"--at-most {at_most:g} is less than the {protocol.seconds:g} s that each row is to be timed "
            f"for: give it more, or --seconds less"
        )
    if at_most:
        protocol = protocol.within(at_most)
    minutes = sustained or 0.0
    return replace(protocol, pin=pin, in_process=in_process, memory_mb=memory_mb, sustained_minutes=minutes)


def threads_for(protocol: "BenchmarkOptions", wanted: tuple[int, ...] | None) -> tuple[int, ...]:
    """What is asked for, or one and as many as there are CPUs to run on. Raises BadInput for more."""
    from edgefashion.device import cores

    cpus = len(protocol.pin) if protocol.pin else cores()
    if wanted and max(wanted) > cpus:
        raise BadInput(
            f"{max(wanted)} threads are more than the {cpus} CPUs of --pin: give fewer, or more CPUs"
        )
    return wanted or tuple(dict.fromkeys((1, cpus)))


def next_step(names: tuple[str, ...], found: "Results", json_file: Path | None) -> str | None:
    """What one may want to know after that; None where nothing was measured."""
    if found.protocol is None or all(row["status"] != "ok" for row in found.rows):
        return None
    bench = shlex.join(("edgefashion", "bench", *names))
    if json_file:
        return f"edgefashion compare {shlex.quote(str(json_file))} OTHER.json  # one of another computer"
    if found.protocol["sustained_minutes"]:
        return f"{bench} --json FILE.json  # to compare it with other computers"
    picture = next((name for name in names or ("zoo:cnn-256k",) if name.startswith("zoo:")), None)
    heat = f"{bench} --sustained 10"
    return f"{heat}, or edgefashion predict {picture} PICTURE.jpg" if picture else f"{heat}  # what heat does"


def subjects_named(names: tuple[str, ...], stack: ExitStack) -> "Measured":
    """What is to be measured, and the data set that its images are of; bundles close with `stack`.

    Raises BadInput for what is neither bundle nor model file, and for images of different data sets.
    """
    from edgefashion import zoo

    subjects: list[Candidate] = []
    data: dict[str, Any] | None = None
    for name in dict.fromkeys(names or all_of_the_zoo()):
        if zoo.is_name(name):
            own, own_data = of_the_zoo(name)
        elif Path(name).suffix.lower() == BUNDLE and not reading.is_folder(Path(name), BundleError):
            own, own_data = of_a_bundle(Path(name), stack)
        else:
            own, own_data = [of_a_file(name)], None
        if None not in (data, own_data) and data != own_data:
            raise BadInput(f"{name} is of other data than what is before it: measure them apart")
        subjects, data = subjects + own, data or own_data
    return subjects, data


def all_of_the_zoo() -> list[str]:
    """The names of all models that come along. Raises ZooError where there is none."""
    from edgefashion import zoo

    names = [f"{zoo.PREFIX}{name}" for name in zoo.opened().names]
    say(f"no file is named: measuring the models that come along, {', '.join(names)}")
    return names


def of_the_zoo(name: str) -> "Measured":
    """A model that comes along, and the data set whose images lie beside it."""
    from edgefashion import zoo
    from edgefashion.evaluation.predictions import Candidate, LabeledImages

    found = zoo.opened()
    artifacts, dataset = found.artifacts(name), found.sample()
    sample = LabeledImages(dataset.test.images, dataset.test.labels, dataset.task)
    return [Candidate(each, zoo.called(each), sample) for each in artifacts], found.info["dataset"]


def of_a_bundle(path: Path, stack: ExitStack) -> "Measured":
    """What is in a bundle, and the data set of its images."""
    from edgefashion import bundle
    from edgefashion.evaluation.predictions import Candidate, LabeledImages

    opened = stack.enter_context(bundle.opened(path))
    sample = LabeledImages(opened.images, opened.labels, opened.task, opened.compare)
    return [Candidate(each, opened.name(each), sample) for each in opened.artifacts], opened.info["dataset"]


def of_a_file(name: str) -> "Candidate":
    """A model file. Raises BadInput for what is none."""
    from edgefashion.evaluation.predictions import Candidate

    path = Path(name)
    folder = reading.is_folder(path, ArtifactError)
    if folder or not is_model(path):
        what = "a folder" if folder else "neither bundle nor model"
        raise BadInput(f"{path} is {what}: name a .zip of edgefashion bundle, or .tflite and .onnx files")
    return Candidate(artifact.inspect(path), name)


def check_trusted(results: "Results") -> None:
    """Raise Untrusted where a row has a flag, or answers that differ from the host's."""
    flagged = sum(bool(row["flags"]) for row in results.rows)
    differing = {row["path"] for row in results.rows if row["host"] and row["host"]["equal"] is False}
    if flagged:
        raise Untrusted(f"--strict: {flagged} of {len(results.rows)} rows are flagged; the reasons are above")
    if differing:
        raise Untrusted(f"--strict: {len(differing)} files do not answer as on the host: {min(differing)}")
