"""Measuring model files: on a data set, on the images of a bundle or of the zoo, or on random inputs."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from types import NoneType
from typing import Literal

from edgefashion import bundle, runtimes, zoo
from edgefashion.api.names import KINDS, Named, artifacts_of
from edgefashion.api.unseen import unseen
from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact, is_model
from edgefashion.benchmarking import BenchmarkOptions, Progress
from edgefashion.bundle import Bundle
from edgefashion.bundle.layout import SUFFIX
from edgefashion.data import Dataset, stratified_sample
from edgefashion.device import cores
from edgefashion.errors import ArtifactError, BadInput, BundleError, RunError
from edgefashion.errors.arguments import OPTIONAL_NUMBER, check, takes
from edgefashion.evaluation.evaluate import assess
from edgefashion.evaluation.predictions import Candidate, LabeledImages
from edgefashion.evaluation.results import Results
from edgefashion.files import reading
from edgefashion.records.values import Dataset as DatasetInfo
from edgefashion.training.runs import INFO, Run

Measurable = Named | Bundle
"""A model file, `zoo:NAME`, a run, or a bundle, opened or by its path."""
MEASURABLE = (*KINDS, Bundle)
ThreadCount = int | Literal["all"]
"""`all` is as many as there are CPUs to run on."""
THREADS, OPTIONS = (Sequence, NoneType), (BenchmarkOptions, NoneType)
RUNTIMES = (str, Sequence, NoneType)
Candidates = tuple[list[Candidate], DatasetInfo | None]
"""What is to be measured, and the data set that its images are of."""


@takes(dataset=Dataset, threads=THREADS, limit=OPTIONAL_NUMBER, options=OPTIONS, runtime=RUNTIMES)
def evaluate(
    models: Named | Sequence[Named],
    dataset: Dataset,
    *,
    threads: Sequence[ThreadCount] | None = None,
    limit: int | None = None,
    options: BenchmarkOptions | None = None,
    runtime: str | Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Results:
    """Accuracy on the test split, size, latency and memory of model files: a row per file, runtime, threads.

    `limit` takes that many test images only, a stratified sample; `threads` are by default one, and all
    cores. `runtime` names what runs the files, as "openvino", or several; files of formats that none of them
    runs keep their usual one. A file that fails is a failed row. `progress` is called with what is being
    done, how much of it is done, and of how much. Test images that a model learned from are left out, which
    the results say. Raises BadInput for anything that is not a model, for a runtime that runs none of them,
    DataError where no image is left.
    """
    artifacts = artifacts_of(models)
    dataset = unseen(dataset, artifacts)
    test = dataset.test
    if limit is not None:
        test = stratified_sample(test, min(limit, len(test)), seed=0)
    sample = LabeledImages.of(test, dataset.task)
    candidates = _in_runtimes(
        [Candidate(each, zoo.display_name(each), sample) for each in artifacts], runtime
    )
    options = options or BenchmarkOptions()
    counts = threads_for(options, threads)
    return assess(candidates, dataset.describe(), counts, options, progress, "evaluate")


@takes(threads=THREADS, options=OPTIONS, runtime=RUNTIMES)
def benchmark(
    models: Measurable | Sequence[Measurable],
    *,
    threads: Sequence[ThreadCount] | None = None,
    options: BenchmarkOptions | None = None,
    runtime: str | Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Results:
    """Latency and memory of model files on random inputs; of a bundle and of `zoo:NAME` on the images that
    come with them, and then accuracy too. Everything else is as in `evaluate`.

    Raises BadInput for anything but bundles and models, and for images of different data sets.
    """
    options = options or BenchmarkOptions()
    counts = threads_for(options, threads)
    names = [models] if isinstance(models, MEASURABLE) else models
    check("what is measured", names, (*MEASURABLE, Iterable))
    if not names:
        raise BadInput("nothing is named to measure: name a bundle, a .tflite or .onnx file, or zoo:NAME")
    with ExitStack() as stack:
        candidates, data = _candidates(names, stack)
        return assess(_in_runtimes(candidates, runtime), data, counts, options, progress)


def threads_for(options: BenchmarkOptions, wanted: Sequence[ThreadCount] | None) -> tuple[int, ...]:
    """What is asked for, or one and as many as there are CPUs to run on. Raises BadInput for more."""
    cpus = len(options.pin) if options.pin else cores()
    counts = [cpus if each == "all" else each for each in wanted or (1, "all")]
    for each in counts:
        check("a number of threads", each, Integral)
    if min(counts) < 1:
        raise BadInput(f"{min(counts)} is not a number of threads: give 1 or more")
    if max(counts) > cpus:
        which = "CPUs it is pinned to" if options.pin else "cores this process may use"
        raise BadInput(f"{max(counts)} threads are more than the {cpus} {which}: give fewer")
    return tuple(dict.fromkeys(counts))


def _candidates(names: Sequence[Measurable], stack: ExitStack) -> Candidates:
    """What is to be measured, each once; bundles close with `stack`."""
    found: dict[str, Candidate] = {}
    data: DatasetInfo | None = None
    for name in names:
        own, own_data = _measurable(name, stack)
        if None not in (data, own_data) and data != own_data:
            raise BadInput(f"{name} is of other data than what is before it: measure them apart")
        found |= {each.name: each for each in own}
        data = data or own_data
    return list(found.values()), data


def _in_runtimes(found: Sequence[Candidate], wanted: str | Sequence[str] | None) -> list[Candidate]:
    """Each candidate once for each of the runtimes wanted that run its format, or once for the default one.

    Raises BadInput for what is no runtime, and for one that runs none of the candidates.
    """
    names = runtimes.chosen(wanted, [each.artifact.format for each in found])
    default: list[str | None] = [None]
    return [replace(each, runtime=name) for each in found for name in names[each.artifact.format] or default]


def _measurable(name: Measurable, stack: ExitStack) -> Candidates:
    check("what is measured", name, MEASURABLE)
    if isinstance(name, Bundle):
        return _of_a_bundle(name)
    if not isinstance(name, Artifact | Run) and zoo.is_name(name):
        return _of_the_zoo(str(name))
    if isinstance(name, Artifact | Run) or reading.is_file(Path(name) / INFO, RunError):
        return [Candidate(each, zoo.display_name(each)) for each in artifacts_of(name)], None
    path = Path(name)
    if path.suffix.lower() == SUFFIX and not reading.is_folder(path, BundleError):
        return _of_a_bundle(stack.enter_context(bundle.open_bundle(path)))
    return [_of_a_file(path)], None


def _of_a_bundle(opened: Bundle) -> Candidates:
    sample = LabeledImages(opened.images, opened.labels, opened.task, opened.compare)
    found = [Candidate(each, opened.name(each), sample) for each in opened.artifacts]
    return found, opened.info.dataset


def _of_the_zoo(name: str) -> Candidates:
    """A model of the zoo, on the images shipped with it."""
    found = zoo.open_zoo()
    artifacts, dataset = found.artifacts(name), found.sample()
    sample = LabeledImages.of(dataset.test, dataset.task)
    return [Candidate(each, zoo.display_name(each), sample) for each in artifacts], found.info.dataset


def _of_a_file(path: Path) -> Candidate:
    folder = reading.is_folder(path, ArtifactError)
    if folder or not is_model(path):
        what = "a folder" if folder else "neither bundle nor model"
        known = "a .zip of edgefashion bundle, .tflite and .onnx files, or a run"
        raise BadInput(f"{path} is {what}: name {known}")
    return Candidate(artifact.inspect(path), str(path))
