"""What the verbs are made of: from names on the command line to runs, artifacts and results."""

import contextlib
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import (
    AUTO,
    CALIBRATIONS,
    INTEGER_PRECISIONS,
    PRECISIONS,
    QAT_PRECISIONS,
    TARGETED,
    Artifact,
)
from edgefashion.artifacts.targets import ANY, of_this_machine
from edgefashion.cli.bar import Bar
from edgefashion.cli.output import say
from edgefashion.errors import BadInput, MissingExtra, RunError
from edgefashion.files import reading
from edgefashion.installation import is_installed
from edgefashion.recipes import NAMED_RECIPES, RECIPES, Recipe

if TYPE_CHECKING:
    from edgefashion.benchmarking import BenchmarkOptions
    from edgefashion.bundle.write import Made
    from edgefashion.data import Dataset
    from edgefashion.evaluation.results import Results
    from edgefashion.export.debug import Report
    from edgefashion.export.options import ExportOptions
    from edgefashion.training.runs import Run

DEFAULT_PRECISIONS = ("float32", "int8")
Kinds = list[tuple[str, str]]


def load_data(folder: Path | None) -> "Dataset":
    """The data set, and a line that says who served it."""
    from edgefashion.data import load

    dataset = load(folder, say)
    whole = "" if dataset.complete else ", a part of the data set"
    say(f"data: {dataset.source}{whole}")
    return dataset


def need_tensorflow() -> None:
    """Raise MissingExtra where TensorFlow is not installed, without opening it: before data are fetched."""
    if not is_installed("tensorflow"):
        raise MissingExtra("Training and exporting need tensorflow", "train")


def recipe_for(model: str, **changes: Any) -> Recipe:
    """The model's recipe with every change that is not None. Raises BadInput for a change it cannot take."""
    return changed(RECIPES[model], **changes)


def changed(recipe: Recipe, **changes: Any) -> Recipe:
    """A recipe with every change that is not None. Raises BadInput for a change it cannot take."""
    if changes.get("weights") and recipe.weights is None:
        raise BadInput(
            f"{recipe.model} is trained from scratch and takes no initial weights: leave out --weights"
        )
    result = replace(recipe, **{key: value for key, value in changes.items() if value is not None})
    result.check()
    return result


def run_name(recipe: Recipe) -> str:
    """The run's name where none is given: the model's or the recipe's, and the limit that makes it small."""
    usual = RECIPES.get(recipe.model)
    name = recipe.model if usual and usual.name == recipe.name else recipe.name
    return f"{name}-limit-{recipe.limit}" if recipe.limit else str(name)


def new_recipes(models: Sequence[str], name: str | None, **changes: Any) -> dict[str, Recipe]:
    """The recipe called `name`, or else one for each model, by the name its run gets."""
    chosen = [NAMED_RECIPES[name]] if name else [RECIPES[model] for model in models]
    recipes = [changed(recipe, **changes) for recipe in chosen]
    return {run_name(recipe): recipe for recipe in recipes}


@contextlib.contextmanager
def resumable(folder: Path, how: str) -> Iterator[None]:
    """Say how a training into `folder` goes on, where it is interrupted and can."""
    try:
        yield
    except KeyboardInterrupt as interruption:
        from edgefashion.training.train import interrupted

        if not interrupted(folder):
            raise
        raise KeyboardInterrupt(f"interrupted; {how} goes on from there") from interruption


def train_or_reuse(
    recipe: Recipe, dataset: "Dataset", folder: Path, hardware: str | None, force: bool
) -> "Run":
    """The run in `folder`: as it is, or resumed, or trained from the start."""
    from edgefashion.training import runs

    if recipe.teacher:
        from edgefashion.training import teacher

        recipe, _ = teacher.named(recipe, dataset.checksums)
    if not force and reading.exists(folder, RunError):
        run = runs.read(folder)
        if run.recipe == recipe and run.info["data"]["checksums"] == dataset.checksums:
            say(f"reusing {folder}, trained with the same recipe on the same data{_by_others(run)}")
            return run
    from edgefashion.training.train import interrupted, train

    resume = not force and interrupted(folder)
    with resumable(folder, "the same command"):
        return train(recipe, dataset, folder, hardware=hardware, resume=resume, force=force, report=say)


def _by_others(run: "Run") -> str:
    """To be added to a line: which packages that a run was trained with are here in another version."""
    made_with = run.info.get("versions", {})
    there = {package: there for package, there in made_with.items() if there != _installed(package)}
    others = ", ".join(f"{package} {there} (here {_installed(package)})" for package, there in there.items())
    return f", by {others}: --force trains it again" if others else ""


def _installed(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def kinds(formats: Sequence[str], precisions: Sequence[str]) -> Kinds:
    """The (format, precision) pairs meant. Raises BadInput for a precision that no format has."""
    for precision in precisions:
        if not any(precision in PRECISIONS[format] for format in formats):
            having = next(format for format in PRECISIONS if precision in PRECISIONS[format])
            raise BadInput(f"{' and '.join(formats)} has no {precision} here: add --format {having}")
    pairs = [(format, precision) for format in formats for precision in precisions]
    return [(format, precision) for format, precision in pairs if precision in PRECISIONS[format]]


def kinds_of(run: "Run", formats: Sequence[str], precisions: Sequence[str] | None) -> Kinds:
    """What to export of a run: its usual precisions, or those asked for. Where these are of both sorts, for
    quantization-aware runs and for others, those that the run has. The exporter refuses any other.
    """
    if precisions is None:
        return kinds(formats, QAT_PRECISIONS if run.quantized else DEFAULT_PRECISIONS)
    own = [precision for precision in precisions if (precision in QAT_PRECISIONS) == run.quantized]
    if own and set(precisions) != set(PRECISIONS["tflite"]):
        left_out = ", ".join(precision for precision in precisions if precision not in own)
        if left_out:
            say(f"{run.folder}: it has no {left_out}, which is left out")
    return kinds(formats, own or precisions)


def target_for(wanted: str, kinds: "Iterable[tuple[str, str]]") -> str:
    """The target meant, `auto` being this machine's. Raises BadInput where no file to be made has one."""
    if wanted == ANY:
        return ANY
    if not set(kinds) & set(TARGETED):
        raise BadInput(
            f"--target {wanted} chooses the integers of int8 ONNX files, and none is asked for: "
            "leave it out, or add --format onnx --precision int8"
        )
    if wanted != "auto":
        return wanted
    found = of_this_machine()
    say(f"--target auto: {found}, which this machine is")
    return found


def check_calibration(wanted: str, kinds: "Iterable[tuple[str, str]]") -> None:
    """Raise BadInput for a calibration method that no file to be made has."""
    having = [kind for kind, methods in CALIBRATIONS.items() if wanted in methods]
    if wanted != AUTO and not set(kinds) & set(having):
        formats = " and ".join(f"{precision} {format}" for format, precision in having)
        raise BadInput(
            f"--calibration {wanted} is a way to make {formats} files, and none is asked for: leave it out, "
            f"or add --format {having[0][0]} --precision {having[0][1]}"
        )


def settings_for(
    found: "Sequence[tuple[Run, Kinds]]", settings: "ExportOptions", pattern: str | None
) -> "list[ExportOptions]":
    """The settings of each run: the layers whose names match `pattern` stay in float.

    Raises BadInput where nothing that is to be made computes in integers, or no layer matches.
    """
    if pattern is None:
        return [settings] * len(found)
    if not all(any(precision in INTEGER_PRECISIONS for _, precision in kinds) for _, kinds in found):
        raise BadInput(
            f"--keep-float {pattern} leaves layers of int8 files in float, and none is asked for: "
            "leave it out, or add --precision int8"
        )
    from edgefashion.export.quantization import keep_float, quantization_aware

    return [
        replace(settings, keep_float=keep_float.matching(quantization_aware.float_graph(run), pattern))
        for run, _ in found
    ]


def export_run(
    run: "Run", dataset: "Dataset", wanted: Kinds, settings: "ExportOptions", reuse: bool = False
) -> list[Artifact]:
    """Export a run; with `reuse`, keep those of its artifacts that are sound and up to date."""
    from edgefashion.data import split
    from edgefashion.export import exporter

    paths = {kind: run.artifacts / exporter.file_name(run, kind, settings) for kind in wanted}
    missing = [kind for kind in wanted if not (reuse and exporter.reusable(paths[kind], run, settings))]
    for kind in wanted:
        if kind not in missing:
            say(f"reusing {paths[kind]}")
    if missing:
        say(f"exporting {run.folder}")
        exporter.export_run(run, split(dataset), missing, settings, report=say)
    return [artifact.read(path) for path in paths.values()]


def evaluate_artifacts(
    artifacts: list[Artifact],
    dataset: "Dataset",
    threads: Sequence[int],
    limit: int | None,
    protocol: "BenchmarkOptions | None" = None,
) -> "Results":
    """Measure everything on the test split, or on `limit` of its images, with progress on stderr."""
    from edgefashion import zoo
    from edgefashion.data import stratified_sample
    from edgefashion.evaluation.evaluate import assess
    from edgefashion.evaluation.predictions import Candidate, LabeledImages

    test = dataset.test
    if limit is not None:
        test = stratified_sample(test, min(limit, len(test)), seed=0)
    sample = LabeledImages(test.images, test.labels, dataset.task)
    subjects = [Candidate(each, zoo.called(each), sample) for each in artifacts]
    with Bar() as progress:
        return assess(subjects, dataset.describe(), threads, protocol, progress, "evaluate")


def after_evaluation(artifacts: Sequence[Artifact], found: "Results") -> str | None:
    """What one would do with the model that was right most often; None where nothing was."""
    right = {row["path"]: row["accuracy"] for row in found.rows if row["accuracy"] is not None}
    if not right:
        return None
    from edgefashion import zoo

    by_name = {zoo.called(each): each for each in artifacts}
    best = max(right, key=lambda name: right[name])
    model = best if best in by_name else next(iter(by_name))
    predicting = f"edgefashion predict {shlex.quote(model)} PICTURE.jpg"
    folder = by_name[model].path.parent.parent
    if by_name[model].manifest is None or by_name[model].path.parent.name != "artifacts":
        return predicting
    run = shlex.quote(str(folder))
    packing = f"edgefashion bundle {run} -o {shlex.quote(folder.name)}.zip"
    return f"{predicting}, {packing}, or edgefashion card {run} -o CARD.md"


def debug_run(
    run: "Run", dataset: "Dataset", precision: str | None, formats: Sequence[str] | None, images: int
) -> "Report":
    """Compare a run's int8 models with its float model on `images` validation images, or all there are.

    Where no formats are asked for: in those that are exported, and a line names the others.
    """
    from edgefashion.data import split, stratified_sample
    from edgefashion.export import debug

    validation = split(dataset).validation
    sample = stratified_sample(validation, min(images, len(validation)), seed=0)
    precision = precision or (QAT_PRECISIONS[0] if run.quantized else "int8")
    if formats is None:
        paths = {format: debug.exported(run, format, precision) for format in PRECISIONS}
        formats = [format for format, path in paths.items() if path.is_file()] or list(PRECISIONS)
        for format in PRECISIONS.keys() - set(formats):
            say(f"left out, not exported: {paths[format]}")
    with Bar() as progress:
        return debug.debug_run(run, precision, formats, sample, progress)


def make_bundle(artifacts: list[Artifact], dataset: "Dataset", images: int, path: Path) -> "Made":
    """Write a bundle with `images` test images, with progress on stderr."""
    from edgefashion import bundle

    with Bar() as progress:
        return bundle.make(path, artifacts, dataset, images, progress)
