"""How good and how fast model files are: one row per (file, threads).

The rows are those of a results file, see `edgefashion.results`.

The reference is a float32 artifact: that of the run which the artifact's own was fine-tuned from, if it is
there, else that of its own run; in the same format if there is one, else in another. An artifact without
any, like the float32 of a run that was not fine-tuned, compares with nothing, and those fields are null.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgefashion import bench, device, files, results, targets
from edgefashion.artifact import Artifact
from edgefashion.bench import Measurement, Progress, Protocol
from edgefashion.errors import ArtifactError, EdgefashionError, RuntimeCrash
from edgefashion.results import Results
from edgefashion.runtimes.base import Images
from edgefashion.runtimes.process import ModelProcess
from edgefashion.statistics import mcnemar_exact, wilson_interval

Labels = NDArray[np.uint8]
Classes = NDArray[np.intp]


@dataclass
class Answers:
    """What one artifact says of the test images: its classes [N], or why there are none."""

    classes: Classes | None = None
    note: str | None = None
    error: EdgefashionError | None = None


def evaluate(
    artifacts: Sequence[Artifact],
    dataset_info: dict[str, Any],
    images: Images,
    labels: Labels,
    threads: Sequence[int],
    protocol: Protocol | None = None,
    progress: Progress | None = None,
) -> Results:
    """Measure accuracy (once per artifact, on all cores) and then latency (per number of threads).

    `images` are uint8 [N, 28, 28, 1], `labels` uint8 [N]. An artifact that fails is a failed row; the
    others go on. `dataset_info` is `Dataset.describe()`.
    """
    machine = {**device.describe(), "before": device.state()}
    answers = [_ask(artifact, images, progress) for artifact in artifacts]
    sound = [number for number, answer in enumerate(answers) if not answer.error]
    measured = _measure([artifacts[number] for number in sound], images, threads, protocol, progress)
    rows: list[dict[str, Any]] = []
    for number, artifact in enumerate(artifacts):
        answer, score = answers[number], _score(artifacts, answers, number, labels)
        runs = [
            measured.get((artifact.path, count)) or Measurement(artifact.path, count, error=answer.error)
            for count in threads
        ]
        rows += _rows(artifact, runs, score, answer.note)
    return Results({**machine, "after": device.state()}, dataset_info, rows)


def time_only(
    artifacts: Sequence[Artifact],
    threads: Sequence[int],
    images: Images | None = None,
    protocol: Protocol | None = None,
    progress: Progress | None = None,
) -> Results:
    """Measure latency without labels, on images uint8 [N, 28, 28, 1] or else on noise."""
    images = bench.random_images() if images is None else images
    machine = {**device.describe(), "before": device.state()}
    measured = _measure(artifacts, images, threads, protocol, progress)
    rows: list[dict[str, Any]] = []
    for artifact in artifacts:
        rows += _rows(artifact, [measured[artifact.path, count] for count in threads], _NO_SCORE, None)
    return Results({**machine, "after": device.state()}, None, rows)


def predict(artifact: Artifact, images: Images, progress: Progress | None = None) -> Answers:
    """Classes of images uint8 [N, 28, 28, 1], on all cores. Raises ArtifactError and RuntimeCrash."""
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress:
            progress(f"classifying with {artifact.path.name}", done, len(images))

    with ModelProcess(artifact.path, device.cores()) as model:
        logits = model.predict(images, advance)
    if bad := int(np.count_nonzero(~np.isfinite(logits).all(axis=1))):
        raise RuntimeCrash(
            f"{artifact.path} gives logits that are no numbers for {bad} of {len(images)} images"
        )
    return Answers(logits.argmax(axis=1), model.note)


def reference(artifacts: Sequence[Artifact], number: int) -> int | None:
    """Which of the artifacts the one at `number` is compared with; None where there is none."""
    own = artifacts[number]
    runs = [own.base_run_id] if own.precision == "float32" else [own.base_run_id, own.run_id]
    for run_id in filter(None, runs):
        floats = [
            index
            for index, other in enumerate(artifacts)
            if other.run_id == run_id and other.precision == "float32"
        ]
        same = [index for index in floats if artifacts[index].format == own.format]
        if floats:
            return (same or floats)[0]
    return None


_NO_SCORE: dict[str, Any] = dict.fromkeys(
    ("images", "accuracy", "accuracy_ci95", "accuracy_delta", "agreement", "mcnemar_p")
)


def _ask(artifact: Artifact, images: Images, progress: Progress | None) -> Answers:
    if artifact.defect:
        return Answers(error=ArtifactError(artifact.defect))
    try:
        return predict(artifact, images, progress)
    except EdgefashionError as error:
        return Answers(error=error)


def _measure(
    artifacts: Sequence[Artifact],
    images: Images,
    threads: Sequence[int],
    protocol: Protocol | None,
    progress: Progress | None,
) -> dict[tuple[Path, int], Measurement]:
    jobs = [(artifact.path, count) for artifact in artifacts for count in threads]
    return {(run.path, run.threads): run for run in bench.measure(jobs, images, protocol, progress)}


def _score(
    artifacts: Sequence[Artifact], answers: Sequence[Answers], number: int, labels: Labels
) -> dict[str, Any]:
    """The fields that come from predictions."""
    own = answers[number].classes
    if own is None:
        return _NO_SCORE
    right = own == labels
    correct, n = int(right.sum()), len(labels)
    score = {
        **_NO_SCORE,
        "images": n,
        "accuracy": correct / n,
        "accuracy_ci95": list(wilson_interval(correct, n)),
    }
    index = reference(artifacts, number)
    other = None if index is None else answers[index].classes
    if other is None:
        return score
    other_right = other == labels
    return {
        **score,
        "accuracy_delta": (correct - int(other_right.sum())) / n,
        "agreement": float(np.mean(own == other)),
        "mcnemar_p": mcnemar_exact(int((right & ~other_right).sum()), int((other_right & ~right).sum())),
    }


def _rows(
    artifact: Artifact, runs: Sequence[Measurement], score: dict[str, Any], note: str | None
) -> list[dict[str, Any]]:
    """One row for each number of threads; the file is read and compressed once."""
    file = _file(artifact.path)
    misfit = targets.misfit(artifact.target, targets.of_this_machine())
    return [_row(artifact, run, file, score, [misfit, note]) for run in runs]


def _file(path: Path) -> dict[str, Any]:
    """The fields that a file has without being run; null where it is missing."""
    if not path.is_file():
        return dict.fromkeys(("size_bytes", "gzip_bytes", "sha256"))
    content = path.read_bytes()
    return {
        "size_bytes": len(content),
        "gzip_bytes": files.gzip_size(content),
        "sha256": files.sha256(path),
    }


def _row(
    artifact: Artifact,
    run: Measurement,
    file: dict[str, Any],
    score: dict[str, Any],
    notes: Sequence[str | None],
) -> dict[str, Any]:
    row = {
        "model": artifact.model,
        "format": artifact.format,
        "precision": artifact.precision,
        "target": artifact.target,
        "kept_float": artifact.kept_float,
        "runtime": run.runtime,
        "threads": run.threads,
        "path": str(artifact.path),
        "size_bytes": file["size_bytes"],
        "gzip_bytes": file["gzip_bytes"],
        **{
            name: score[name]
            for name in ("images", "accuracy", "accuracy_ci95", "accuracy_delta", "agreement")
        },
        "latency_us": bench.summary(run.raw_us),
        "load_ms": run.load_ms,
        "first_inference_us": run.first_inference_us,
        "peak_rss_mb": run.peak_rss_mb,
        "status": "failed" if run.error else "ok",
        "error": str(run.error) if run.error else None,
        "runtime_version": run.version,
        "mcnemar_p": score["mcnemar_p"],
        "small_run": artifact.small_run,
        "sha256": file["sha256"],
        "bad_file": isinstance(run.error, ArtifactError),
        "note": "; ".join(filter(None, [*notes, run.note])) or None,
        "raw_us": run.raw_us,
    }
    return results.complete(row)
