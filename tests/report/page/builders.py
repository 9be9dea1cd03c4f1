"""A report without TensorFlow or a runtime: files that answer at random, results as devices write them."""

from dataclasses import asdict, dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edgefashion.artifacts.artifact import Artifact
from edgefashion.benchmarking import BenchmarkOptions, Job, Measurement
from edgefashion.data import Dataset, Picture, Subset, Task
from edgefashion.evaluation import rows, scores
from edgefashion.evaluation.predictions import Candidate, LabeledImages, Predictions
from edgefashion.evaluation.results import Results
from edgefashion.recipes import RECIPES
from edgefashion.records.debug import Debug
from edgefashion.records.device import Device
from edgefashion.records.manifest import Manifest
from edgefashion.records.results import Row
from edgefashion.records.run import Story
from edgefashion.report import compare as comparing
from edgefashion.report.card import Card
from edgefashion.report.compare import Comparison, File
from edgefashion.report.page import Model, Report

PICTURE = Picture("crop", (255, 255, 255), (0, 0, 0))
EVIL = ('</script><img src=x onerror="alert(1)">', "a\u202eb", "'\"><b>&amp;{{ 7 * 7 }}")
"""Class names of a stranger."""
PETS = Task("pets", (40, 32, 3), ("cat", "dog", "bird"), PICTURE)
MACHINE = Device(
    cpu="Cortex-A76", board="Raspberry Pi 5", cores=4, date="2026-11-20T10:00:00+00:00", os="Debian"
)


def story(name: str, task: Task, **changes: Any) -> Story:
    """A run.json of six epochs."""
    history = [
        {"loss": 2.0 / n, "accuracy": 0.5 + 0.05 * n, "val_loss": 2.2 / n, "val_accuracy": 0.45 + 0.05 * n}
        for n in range(1, 7)
    ]
    content = {
        **{"name": name, "id": "0123456789ab", "small_run": False, "validation_accuracy": 0.75},
        **{"best_epoch": 6, "history": history, "seconds": 61.0, "trained_on": "CPU", "task": task.to_dict()},
        "recipe": {**asdict(RECIPES["cnn"]), "name": name, "epochs": 6},
        "model": {"sha256": "a" * 64, "parameters": 225_034, "macs": 2_600_000},
        "data": {
            **{"name": task.name, "complete": True, "checksums": {"pictures": "b" * 64}},
            "counts": {"train": 90, "test": 60},
        },
        "splits": {"train": 80, "validation": 10, "test": 60},
        "versions": {"tensorflow": "2.21.0"},
    }
    return msgspec.convert({**content, **changes}, Story)


def images(task: Task, count: int = 60) -> Dataset:
    """Test pictures of one color each, as many of each class."""
    random = np.random.default_rng(5)
    colors = random.integers(0, 255, (count, 1, 1, task.channels))
    pixels = np.broadcast_to(colors, (count, *task.image_shape)).astype(np.uint8)
    labels = np.arange(count).astype(np.uint8) % len(task.classes)
    test = Subset(pixels, labels, np.arange(count))
    return Dataset("drawn", Path("/pets"), {"pictures": "b" * 64}, test.take(np.arange(0)), test, task)


def artifact(task: Task, name: str, precision: str) -> Artifact:
    """A file that is not there, with its manifest."""
    file = f"{name}-{precision}.tflite"
    told = {
        **{"run": name, "run_id": "0123456789ab", "small_run": False, "precision": precision, "file": file},
        **{
            "sha256": f"{len(name):x}".zfill(63) + precision[0].replace("i", "1"),
            "versions": {"tensorflow": "2.21.0"},
        },
        "calibration": {"split": "train", "count": 80, "seed": 0, "method": "entropy", "chosen": "measured"},
        "task": task.to_dict(),
    }
    return Artifact(Path("/nowhere") / file, msgspec.convert(told, Manifest), sha256=str(told["sha256"]))


def card(name: str, task: Task, data: Dataset) -> Card:
    """Of an int8 file that is wrong with one image in four, and a float32 one that is less often."""
    sample = LabeledImages.of(data.test, task)
    subjects = [Candidate(artifact(task, name, each), each, sample) for each in ("float32", "int8")]
    replies = []
    for seed, wrong in enumerate((5, 4)):
        random = np.random.default_rng(seed)
        answers = np.where(np.arange(len(data.test)) % wrong, data.test.labels, (data.test.labels + 1) % 2)
        logits = random.random((len(data.test), len(task.classes)), np.float32)
        logits[np.arange(len(answers)), answers] += 3
        replies.append(Predictions(logits, "LiteRT", "2.3.0"))
    found = []
    for number, subject in enumerate(subjects):
        file = rows.File(241_088, 200_000, subject.artifact.sha256)
        score = scores.score(subjects, replies, number)
        common = rows.Common(
            subject.artifact, subject.artifact.path.name, file, rows.Computation(2_600_000), score, None, None
        )
        job = Job(subject.artifact.path, 1)
        found.append(rows.row(common, Measurement(job, "LiteRT", "2.3.0"), [], BenchmarkOptions(), None))
    here = Results(MACHINE, data.describe(), found, "card")
    artifacts = [subject.artifact for subject in subjects]
    return Card(
        name, [story(name, task)], artifacts, replies, task, sample.labels, data.describe(), here, [], []
    )


def model(name: str, task: Task) -> Model:
    """A run, and what its files say of test pictures."""
    data = images(task)
    own = card(name, task, data)
    return Model(name, (story(name, task),), tuple(own.artifacts), task, own, data.test, None)


def timed(row: Row, p50: float, **changes: Any) -> Row:
    """A row with a latency."""
    latency = {"p50": p50, "p90": 1.2 * p50, "p99": None, "mean": p50, "samples": 100}
    return msgspec.convert({**row.to_dict(), "latency_us": latency, **changes}, Row)


def compared(*found: Results) -> Comparison:
    """Results side by side."""
    files = [File((Path(f"results {number}.json"),), each) for number, each in enumerate(found, 1)]
    sources = comparing.name_all(files)
    return comparing.compare(sources, comparing.choose(sources, None))


def layers(name: str) -> Debug:
    """What debug wrote of a run."""
    layer = {"kind": "Conv2D", "shape": [1, 2], "snr_db": 30.0, "own_snr_db": None, "share_output": 0.1}
    content = {
        **{"schema": 1, "split": "validation", "run": name, "run_id": "0123456789ab", "precision": "int8"},
        **{"images": 50, "machine": "AMD EPYC", "date": "2026-11-20T10:00:00+00:00"},
        "models": {
            "tflite": {
                **{"file": f"{name}-int8.tflite", "runtime": "LiteRT 2.3.0", "kernels_differ": 0.0},
                **{"snr_db": 30.0, "agreement": 0.98, "explained": 1.0},
                "layers": [
                    {**layer, "layer": "conv1", "share": 0.7, "share_weights": 0.6},
                    {**layer, "layer": "logits", "share": 0.3, "share_weights": 0.2},
                ],
            }
        },
    }
    return msgspec.convert(content, Debug)


def report(task: Task = PETS, name: str = "pets") -> Report:
    """All that a report can have: a model, two devices, layers, and a file that could not be read."""
    own = model(name, task)
    assert own.card is not None
    results = own.card.results
    flag = {"flag": "throttled", "why": "held back by heat at 82 °C"}
    slow = [timed(row, p50) for row, p50 in zip(results.rows, (900.0, 400.0), strict=True)]
    fast = [timed(row, p50, flags=[flag]) for row, p50 in zip(results.rows, (90.0, 40.0), strict=True)]
    other = msgspec.structs.replace(MACHINE, board="Raspberry Pi 4")
    both = compared(replace(results, rows=fast), replace(results, device=other, rows=slow))
    return Report((own,), both, (layers(name),), ("lost.json is damaged",))


@dataclass
class Read(HTMLParser):
    """A page as a browser reads it: its elements, and its text."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        (self.scripts if self._inside in ("script", "style") else self.texts).append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def read(html: str) -> Read:
    page = Read()
    page.feed(html)
    return page
