"""From the bytes of a picture to an answer: what a worker does, in a process of its own or in this one."""

import base64
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edgefashion.errors import ArtifactError, RuntimeCrash
from edgefashion.evaluation.rejection import is_rejected
from edgefashion.pictures import UNNAMED, convert_bytes
from edgefashion.records.manifest import Rejection
from edgefashion.runtimes import allowance
from edgefashion.runtimes.base import Images
from edgefashion.runtimes.loaded import LoadedModel
from edgefashion.stats import log_softmax
from edgefashion.task import Task

WARM_UP_S = 0.05
_SPOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAAAAACMmsGiAAAAGklEQVR4nAXBAQEAAAiAIGpm/38YTJBrwsIDOT8EW4LL"
    "VF4AAAAASUVORK5CYII="
)
"""A picture, in PNG, of 4x4 pixels, two of them dark on white: with the first one, Pillow is imported."""


class Classifier:
    """The models that are served, loaded, of one thread each. Its methods are the operations of a child
    process: see `edgefashion.runtimes.worker`.
    """

    def start(
        self, paths: Sequence[str], rejections: Sequence[dict[str, Any] | None], task: dict[str, Any]
    ) -> dict[str, Any]:
        """Import the runtimes of these files; `rejections` say which pictures no class fits, where that is
        known. Raises MissingExtra.
        """
        self._task = Task.from_dict(task, "what is served", ArtifactError)
        self._models = [LoadedModel(Path(path)) for path in paths]
        self._names = [Path(path).name for path in paths]
        self._rejections = [known and msgspec.convert(known, Rejection) for known in rejections]
        return {"versions": [model.start() for model in self._models]}

    def load(self, memory_mb: float | None) -> dict[str, Any]:
        """Load the models and run each for a moment; all this may take so much memory, now or later.

        Raises ArtifactError for a model that is no classifier of this task, MissingExtra without Pillow.
        """
        if memory_mb:
            allowance.hold(memory_mb, threads=1)
        image = convert_bytes(_SPOT, UNNAMED, self._task).pixels[np.newaxis]
        for model in self._models:
            model.load(threads=1)
            model.session.check(self._task.image_shape, len(self._task.classes))
            model.warm_up(image, WARM_UP_S)
        return {}

    def classify(
        self, content: bytes, invert: bool | None = None, pixels: bool | None = None
    ) -> dict[str, Any]:
        """The answer of each model to a picture, with `pixels` also the image that they saw.

        Raises PictureError, RuntimeCrash and MissingExtra.
        """
        begin = time.perf_counter_ns()
        found = convert_bytes(content, UNNAMED, self._task, invert)
        picture = {"size": list(found.size), "steps": found.steps, "us": _us(begin)}
        image = found.pixels[np.newaxis]
        answers = [self._answer(number, image) for number in range(len(self._models))]
        return {"picture": picture, "models": answers, **(_seen(found.pixels) if pixels else {})}

    def _answer(self, number: int, image: Images) -> dict[str, Any]:
        """That of a model to uint8 [1, height, width, channels]."""
        session, name, rejection = self._models[number].session, self._names[number], self._rejections[number]
        begin = time.perf_counter_ns()
        output = session.infer([image])[0]
        inference_us = _us(begin)
        logits = session.logits(output)
        if not np.isfinite(logits).all():
            raise RuntimeCrash(f"{name} returned NaN or infinite logits")
        shares = np.exp(log_softmax(logits))[0]
        label = int(shares.argmax())
        return {
            "file": name,
            "class": self._task.classes[label],
            "label": label,
            "none_of_these": bool(is_rejected(logits, rejection)[0]) if rejection else None,
            "probabilities": [round(share, 6) for share in shares.tolist()],
            "inference_us": inference_us,
        }


def _us(begin: int) -> float:
    return round((time.perf_counter_ns() - begin) / 1e3, 1)


def _seen(pixels: Images) -> dict[str, Any]:
    return {"seen": {"shape": list(pixels.shape), "base64": base64.b64encode(pixels.tobytes()).decode()}}
