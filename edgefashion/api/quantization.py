"""A model that was trained elsewhere, as verified int8 files beside what it was."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, Unpack

from edgefashion.api.measure import evaluate
from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.formats import FORMATS, PRECISIONS, QAT_PRECISIONS, Variant, title
from edgefashion.artifacts.formats import of as format_of
from edgefashion.benchmarking import BenchmarkOptions
from edgefashion.data import FASHION_MNIST, Dataset, Task, load_dataset, locate, split
from edgefashion.data.picture_sets.options import PictureOptions
from edgefashion.errors import BadInput
from edgefashion.errors.arguments import OPTIONAL_PATH, PATH, takes
from edgefashion.errors.wording import setting
from edgefashion.evaluation.results import Results
from edgefashion.export.selection import DEFAULT_PRECISIONS, check_names, variants_of
from edgefashion.importing.options import ImportOptions
from edgefashion.importing.preprocessing.labels import check_count, read_labels
from edgefashion.importing.reading import kind_of
from edgefashion.reporting import Progress, Report, silent
from edgefashion.stats import wilson_interval
from edgefashion.tables import Page
from edgefashion.tables.presentable import Presentable
from edgefashion.training.runs import Run

if TYPE_CHECKING:
    from edgefashion.importing.network.imported import Imported
    from edgefashion.importing.preprocessing.finding import Load

USUAL_DROP = 1.0
"""Points of accuracy that int8 may lose before layers are left in float."""
KNOWN_PRECISIONS = tuple(name for name in PRECISIONS if name not in QAT_PRECISIONS)
FLOAT = "float32"


@dataclass(frozen=True, eq=False)
class Quantization(Presentable):
    """What became of a model of others.

    run: its folder. artifacts: its files, the float ones first. results: what `evaluate` says of them.
    unmet: what could not be reached, a line each. untold: what chance may be, a line each.
    """

    run: Run
    artifacts: list[Artifact]
    results: Results
    unmet: tuple[str, ...]
    untold: tuple[str, ...] = ()

    def page(self) -> Page:
        """How right the model is as it was given, then the files beside each other."""
        found = self.results.page()
        return replace(found, header=[*self.told(), *found.header])

    def told(self) -> list[str]:
        """How right the model is as it was given, and whether it seems to know the validation pictures: a
        line each, or none; then what cannot be told.
        """
        return [*self._given(), *self.untold]

    def _given(self) -> list[str]:
        given = next((row for row in self.results.rows if row.precision == FLOAT and row.accuracy_ci95), None)
        told = self.run.info.imported
        if not given or not told or given.accuracy is None or not given.accuracy_ci95:
            return []
        low, high = (100 * end for end in given.accuracy_ci95)
        lines = [
            f"Given: {told.file} ({told.format}), in float right on {100 * given.accuracy:.2f} % of "
            f"{given.images:,} test images (95 % interval {low:.2f}–{high:.2f}); what follows is compared "
            "with that"
        ]
        return [*lines, *self._familiar(high)]

    def _familiar(self, high: float) -> list[str]:
        """A warning where it is right on validation more often than the `high` % of what it does not know."""
        right, splits = self.run.info.validation_accuracy, self.run.info.splits
        if not splits or 100 * wilson_interval(right * splits.validation, splits.validation)[0] <= high:
            return []
        return [
            f"warning: on the {splits.validation:,} validation images it is right on {100 * right:.2f} %: it "
            "seems to have learned from them, and is so sure there that int8 looks better than it is; the "
            "test images say what is lost; put pictures that it has not seen into val/"
        ]

    def to_dict(self) -> dict[str, Any]:
        """The results."""
        return self.results.to_dict()


@takes(model=PATH, folder=OPTIONAL_PATH, data=OPTIONAL_PATH, max_drop=Real, options=(ImportOptions, NoneType))
def quantize(
    model: str | Path,
    folder: str | Path | None = None,
    *,
    data: str | Path | None = None,
    options: ImportOptions | None = None,
    formats: Sequence[str] | None = None,
    precisions: Sequence[str] | None = None,
    max_drop: float = USUAL_DROP,
    force: bool = False,
    report: Report = silent,
    progress: Progress | None = None,
    **pictures: Unpack[PictureOptions],
) -> Quantization:
    """Read a trained classifier (.keras, .h5, .onnx, .tflite or a SavedModel), keep it as the run `folder`,
    by default `runs/` with the file's name, export it, and measure it on the test split of `data`.

    `data` and `pictures` are as `load_dataset` takes them; `size` is for a model that leaves its own open.
    How the model wants its pixels, and which output is of which class, is found on labelled pictures unless
    `options` say it. Without `formats` an ONNX or TFLite file stays what it is and others become both,
    without `precisions` in float32 and int8. Where int8 loses more than `max_drop` points, by more than
    chance, a file with the fewest layers in float that meets it is made too.

    Raises BadInput for a file that cannot be read so, pictures of other classes, and where nothing can be
    told; VerificationError where no file can be kept; RunError, DataError, OutputError.
    """
    path, options = Path(model), options or ImportOptions()
    _check_files(path, options, Path(data) if data else None)
    from edgefashion.importing.importing import check_free, import_run

    folder, limit = folder_of(path, folder), _share(max_drop)
    variants = variants_for(path, formats, precisions)
    check_free(folder, force)
    report(_plan(variants, formats is None or precisions is None))
    imported = _read(path, pictures.pop("size", None), report)
    load = _loader(imported, options, Path(data) if data else None, pictures, report, progress)
    unsaid = [name for name in ("fit", "background") if pictures.get(name) is None]
    run = import_run(
        path, imported, load, folder, options, unsaid=unsaid, force=force, report=report, progress=progress
    )
    return _exported(run, load(run.task), variants, limit, report, progress)


def _share(points: float) -> float:
    if not points >= 0:
        raise BadInput(f"{setting('--max-drop')} {points:g} is no number of points: give 0 or more")
    return points / 100


def _exported(
    run: Run,
    dataset: Dataset,
    variants: Sequence[Variant],
    limit: float,
    report: Report,
    progress: Progress | None,
) -> Quantization:
    """The files of a run, and what they are worth."""
    from edgefashion.export.limited import export_within

    found = export_within(run, split(dataset), variants, limit, report, progress)
    results = evaluate(found.made, dataset, threads=(1,), options=BenchmarkOptions(), progress=progress)
    return Quantization(run, found.made, results, tuple(found.unmet.values()), tuple(found.untold.values()))


def folder_of(model: Path, folder: str | Path | None) -> Path:
    """The run that becomes of a file."""
    return Path(folder) if folder else Path("runs") / (model.resolve().stem.lstrip(".") or "imported")


def variants_for(
    model: Path, formats: Sequence[str] | None = None, precisions: Sequence[str] | None = None
) -> list[Variant]:
    """What is to be made of a file: what is asked for, or is usual, and a float32 file to compare with."""
    if formats is None:
        own = format_of(model)
        formats = (own.name,) if own else tuple(FORMATS)
    precisions = DEFAULT_PRECISIONS if precisions is None else precisions
    check_names("format", formats, tuple(FORMATS))
    check_names("precision", precisions, KNOWN_PRECISIONS)
    wanted = variants_of(formats, precisions)
    return wanted if FLOAT in precisions else [Variant(formats[0], FLOAT), *wanted]


def _plan(variants: Sequence[Variant], usual: bool) -> str:
    """What is going to be made, and how to have it otherwise."""
    by_format: dict[str, list[str]] = {}
    for format, precision in variants:
        by_format.setdefault(title(format), []).append(precision)
    files = "; ".join(f"{format} {', '.join(precisions)}" for format, precisions in by_format.items())
    otherwise = f" ({setting('--format')}, {setting('--precision')}: fewer or others)" if usual else ""
    return f"to be made: {files}{otherwise}"


def _check_files(path: Path, options: ImportOptions, data: Path | None) -> None:
    """Raise what is missing, before TensorFlow is opened."""
    options.check()
    kind_of(path)
    if options.labels:
        read_labels(options.labels)
    if data and not data.exists():
        load_dataset(data)


def _read(path: Path, size: int | tuple[int, int] | None, report: Report) -> "Imported":
    """The model in a file, for images of that size where it leaves it open."""
    from edgefashion.importing.reading import read_model

    edges = (size, size) if isinstance(size, int) else size
    imported = read_model(path, edges)
    height, width = imported.model.input_shape[1:3]
    if edges not in (None, (height, width)):
        raise BadInput(f"{path} takes images of {height}x{width}: leave out {setting('--size')}")
    for note in imported.notes:
        report(note)
    return imported


def _loader(
    imported: "Imported",
    said: ImportOptions,
    folder: Path | None,
    options: PictureOptions,
    report: Report,
    progress: Progress | None,
) -> "Load":
    """What gives the pictures as images that the model takes."""
    shape = height, width, channels = tuple(imported.model.input_shape[1:])
    if channels not in (1, 3):
        raise BadInput(f"the model reads {channels} channels, and pictures have 1 (gray) or 3 (RGB)")
    named = locate.named(folder)
    if named is None:  # before it is fetched
        _check_shape(shape, FASHION_MNIST)
        if not said.labels:
            check_count(imported.model.output_shape[-1], FASHION_MNIST.classes, None)
    made: PictureOptions = {"size": (height, width), "gray": channels == 1}
    first = options if named is None or locate.is_idx(named) else options | made
    again: PictureOptions = {
        "skip_bad": options.get("skip_bad", False),
        "drop_duplicates": options.get("drop_duplicates", False),
        "follow_links": options.get("follow_links", False),
    }

    def load(task: Task | None) -> Dataset:
        told, asked = (silent, again) if task else (report, first)
        found = load_dataset(folder, told, progress, task=task, **asked)
        _check_shape(shape, found.task)
        return found

    return load


def _check_shape(shape: tuple[int, ...], task: Task) -> None:
    """Raise BadInput where the images of a task are not those that the model takes."""
    if task.image_shape != shape:
        given, wanted = ("x".join(map(str, each)) for each in (task.image_shape, shape))
        raise BadInput(
            f"the images of {task.name} are {given}, and the model takes {wanted}: name pictures, a folder a "
            "class, of which such images are made"
        )
