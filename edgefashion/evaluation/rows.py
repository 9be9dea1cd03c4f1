"""The rows of a results file, whoever measured: see `edgefashion.records.results` for their fields."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from edgefashion import benchmarking, files
from edgefashion.artifacts import inspection, targets
from edgefashion.artifacts.artifact import Artifact
from edgefashion.artifacts.inspection import external
from edgefashion.benchmarking import BenchmarkOptions, Measurement
from edgefashion.errors import ArtifactError, EdgefashionError, OutOfMemory, OutOfTime
from edgefashion.errors.wording import setting
from edgefashion.evaluation.scores import Score
from edgefashion.files import reading
from edgefashion.records.results import Flag, Host, Row
from edgefashion.stats import early_stopping_bound

_NOT_UNDERSTOOD = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError, MemoryError)
MLPERF_PERCENTILE, MLPERF_CONFIDENCE = 90, 0.99


@dataclass(frozen=True)
class Computation:
    """What a model file says that it computes, without being run."""

    macs: int | None = None
    """Multiply-accumulates of one inference; None where the file does not tell."""
    integer: bool = False
    """Whether most of what multiplies does so in integers, or has weights of such and may do so."""
    precision: str | None = None
    """What its operators compute in, whatever the file is called: see `Inspection.precision`."""


def computation(path: Path) -> Computation:
    """Look into a file; what is not understood of a stranger's is left blank, and costs no row."""
    try:
        found = inspection.inspect(path)
        in_integers = [each for each in found.computing if each.integer or each.weights in ("int8", "uint8")]
        return Computation(found.macs, 2 * len(in_integers) > len(found.computing), found.precision)
    except (EdgefashionError, OSError, *_NOT_UNDERSTOOD):
        return Computation()


@dataclass(frozen=True)
class File:
    """The bytes of a model file; None where it cannot be read, or where all are more than 2 GiB.

    Sizes are sums over the file and those that hold its external data; the SHA-256 is that of the bytes of
    all of them, the file's first, the others' in the order of their names.
    """

    size_bytes: int | None = None
    gzip_bytes: int | None = None
    sha256: str | None = None


def file(artifact: Artifact) -> File:
    """Weigh a file, piece by piece. Its SHA-256 is the one that it was checked by, if it was."""
    try:
        paths = [artifact.path, *external.files(artifact.path)]
        size = sum(path.stat().st_size for path in paths)
        if size > reading.MODEL_BYTES:  # compressing them would take minutes
            return File(size)
        return File(size, sum(files.gzip_size(_pieces(path)) for path in paths), sha256(artifact))
    except (ArtifactError, OSError):  # the row says why, once it is run
        return File()


def _pieces(path: Path) -> Iterator[bytes]:
    return reading.pieces(path, "a model file", ArtifactError)


def sha256(artifact: Artifact) -> str | None:
    """That of `File`, in hexadecimal."""
    try:
        paths = [artifact.path, *external.files(artifact.path)]
        if sum(path.stat().st_size for path in paths) > reading.MODEL_BYTES:
            return None
        if artifact.sha256 and len(paths) == 1:
            return artifact.sha256
        digest = hashlib.sha256()
        for piece in chain.from_iterable(map(_pieces, paths)):
            digest.update(piece)
        return digest.hexdigest()
    except (ArtifactError, OSError):
        return None


@dataclass(frozen=True)
class Common:
    """What the rows of one artifact have in common."""

    artifact: Artifact
    name: str
    """What the user calls it."""
    file: File
    computation: Computation
    score: Score
    host: Host | None
    note: str | None


def row(
    common: Common,
    run: Measurement,
    flags: Sequence[Flag],
    protocol: BenchmarkOptions,
    limit: float | None,
) -> Row:
    """The row of an artifact and a number of threads. `limit`: multiply-accumulates per second, see
    `benchmarking.rooflines`.
    """
    latency = benchmarking.summary(run.raw_us)
    p50, macs = latency.p50, common.computation.macs
    return Row(
        **_of_file(common),
        **_of_run(run, protocol),
        note=_note(common, run),
        latency_us=latency,
        inferences_per_s=1e6 / latency.mean if latency.mean else None,
        macs=macs,
        macs_per_s=macs * 1e6 / p50 if macs and p50 else None,
        limit_macs_per_s=limit,
        flags=tuple(flags),
        status="failed" if run.error else "ok",
        error=_error(common, run),
        bad_file=isinstance(run.error, ArtifactError),
        raw_us=run.raw_us,
    )


def _of_file(common: Common) -> dict[str, Any]:
    """What is the same for every number of threads."""
    artifact, content = common.artifact, common.file
    return {
        "model": artifact.model,
        "format": artifact.format,
        "precision": precision(artifact, common.computation),
        "target": artifact.target,
        "kept_float": tuple(artifact.kept_float),
        "path": common.name,
        "small_run": artifact.small_run,
        "pooled": artifact.pooled,
        "size_bytes": content.size_bytes,
        "gzip_bytes": content.gzip_bytes,
        "sha256": content.sha256,
        **asdict(common.score),
        "host": common.host,
    }


def _note(common: Common, run: Measurement) -> str | None:
    misfit = targets.misfit(common.artifact.target, targets.of_this_machine())
    contradiction = _contradiction(common.artifact, common.computation)
    return "; ".join(filter(None, [contradiction, misfit, common.note, run.note])) or None


def precision(artifact: Artifact, found: Computation) -> str | None:
    """What a file is called, or what its operators compute in where that is something else."""
    return found.precision if _contradiction(artifact, found) else artifact.precision


def _contradiction(artifact: Artifact, found: Computation) -> str | None:
    """What to say where a file is called of a precision that its operators do not have."""
    return None if artifact.kept_float else inspection.contradiction(artifact.precision, found.precision)


def _of_run(run: Measurement, protocol: BenchmarkOptions) -> dict[str, Any]:
    """What was measured, and how, but for the samples."""
    return {
        "runtime": run.runtime or run.job.runtime,
        "runtime_version": run.version,
        "threads": run.job.threads,
        "pinned": protocol.pin or None,
        "in_process": protocol.in_process,
        "p90_bound_us": _p90_bound(run, protocol),
        "loops": run.loops,
        "kept_every": run.kept_every,
        "round_samples": tuple(run.round_samples),
        "load_ms": run.load_ms,
        "first_inference_us": run.first_inference_us,
        "peak_rss_mb": run.peak_rss_mb,
        "energy_mj": run.energy_mj,
        "sustained": None if run.sustained is None else tuple(run.sustained),
    }


def _error(common: Common, run: Measurement) -> str | None:
    """What went wrong, with the file called as the user calls it, and the option that may help."""
    if run.error is None:
        return None
    said = str(run.error).replace(str(common.artifact.path), common.name)
    if isinstance(run.error, OutOfMemory):
        return f"{said}: {setting('--memory')} allows more"
    if isinstance(run.error, OutOfTime):
        return f"{said}: {setting('--at-most')} allows more"
    return said


def _p90_bound(run: Measurement, protocol: BenchmarkOptions) -> float | None:
    if not protocol.full or not run.raw_us:
        return None
    return early_stopping_bound(run.raw_us, MLPERF_PERCENTILE, MLPERF_CONFIDENCE)
