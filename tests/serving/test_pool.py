"""Workers that crash, hang or have too much to do."""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from edgefashion.artifacts import artifact
from edgefashion.artifacts.artifact import Artifact
from edgefashion.errors import ArtifactError
from edgefashion.serving import pool
from edgefashion.serving.messages import Refusal
from edgefashion.serving.pool import OwnProcess, Pool
from edgefashion.task import Picture, Task

if TYPE_CHECKING:
    from conftest import Serve

TASK = Task("clothing", (28, 28, 1), (*"abcdefghi", "<b>j</b>"), Picture("crop", (255,), (255,)))
SAID = {
    "schema": 1,
    "run": "made",
    "run_id": "1",
    "small_run": False,
    "precision": "int8",
    "task": TASK.to_dict(),
}
Fake = Callable[..., Path]


class Busy:
    """A worker that is done when it is told."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.begun = threading.Semaphore(0)

    def start(self) -> list[str]:
        return ["1.0"]

    def classify(self, content: bytes, **options: bool | None) -> dict[str, Any]:
        self.begun.release()
        assert self.done.wait(10)
        return {}

    def close(self) -> None:
        self.done.set()


@pytest.fixture
def model(fake: Fake) -> Callable[..., Artifact]:
    """model(infer="SIGSEGV"): a model of clothing that behaves as told; each inference takes 60 ms, so that a
    process warms up with one.
    """
    return lambda **behavior: artifact.read(fake(edgefashion=SAID, delay_us=60_000, **behavior))


def test_a_crash_is_an_answer_and_the_next_picture_is_answered(
    model: Callable[..., Artifact], serve: "Serve", shoe: bytes
) -> None:
    with serve([model(infer="SIGSEGV", after=2)], in_process=False) as served:
        good, crashed, next_one = (served.predict(shoe) for _ in range(3))
        assert (good.status, crashed.status, next_one.status) == (200, 500, 200)
        assert crashed.json["error"] == "the models failed at this picture; others are answered"
        assert good.json["models"][0]["probabilities"] == next_one.json["models"][0]["probabilities"]
        (report,) = served.reports
        assert report.startswith("the process of the models died with SIGSEGV")


def test_models_that_hang_are_stopped_and_the_next_picture_is_answered(
    model: Callable[..., Artifact], serve: "Serve", shoe: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve([model(infer="lock", after=2)], in_process=False) as served:
        monkeypatch.setattr(pool, "ANSWER_S", 0.5)
        assert served.predict(shoe).status == 200
        answer = served.predict(shoe)
        assert answer.status == 503 and "gave no answer in time" in answer.json["error"]
        monkeypatch.setattr(pool, "ANSWER_S", 30.0)
        assert served.predict(shoe).status == 200
        assert served.reports == ["the models gave no answer in 0.5 s"]


def test_an_error_of_a_runtime_is_told_to_the_host_alone(
    model: Callable[..., Artifact], serve: "Serve", shoe: bytes
) -> None:
    with serve([model(infer="/secret/place", after=1)], in_process=True) as served:
        answer = served.predict(shoe)
        assert answer.status == 500 and b"secret" not in answer.content
        assert "/secret/place" in served.reports[0]


def test_a_process_that_has_ended_meanwhile_is_replaced_before_it_is_asked(
    model: Callable[..., Artifact], shoe: bytes
) -> None:
    worker = OwnProcess([model()])
    try:
        worker.start()
        os.kill(worker.pid, signal.SIGKILL)
        for _ in range(500):
            if worker.has_ended:
                break
            time.sleep(0.01)
        assert worker.classify(shoe)["models"][0]["class"] in TASK.classes
    finally:
        worker.close()


def test_a_model_of_other_classes_than_it_says_is_refused(fake: Fake) -> None:
    wrong = artifact.read(fake(edgefashion=SAID, classes=7))
    with pytest.raises(ArtifactError, match="gives 7 logits"):
        Pool(lambda: OwnProcess([wrong]), 1)


def test_who_waits_too_long_or_with_too_many_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "WAITING", 4)
    busy = Busy()
    waited = Pool(lambda: busy, 1)
    with ThreadPoolExecutor(8) as clients:
        first = clients.submit(waited.classify, b"x", "a")
        assert busy.begun.acquire(timeout=5)
        others = [clients.submit(waited.classify, b"x", address) for address in "aabb"]
        until(lambda: waited.waiting == 4)
        with pytest.raises(Refusal, match="4 pictures are waiting already") as full:
            waited.classify(b"x", "c")
        assert full.value.status == 503 and full.value.headers["Retry-After"] == "1"
        busy.done.set()
        assert [each.result(5) for each in (first, *others)] == [{}] * 5
    assert waited.waiting == 0


def test_one_address_does_not_take_the_whole_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "WAITING", 4)
    busy = Busy()
    waited = Pool(lambda: busy, 1)
    with ThreadPoolExecutor(8) as clients:
        first = clients.submit(waited.classify, b"x", "a")
        assert busy.begun.acquire(timeout=5)
        others = [clients.submit(waited.classify, b"x", "a") for _ in range(2)]
        until(lambda: waited.waiting == 2)
        with pytest.raises(Refusal, match="2 pictures of a are waiting already") as full:
            waited.classify(b"x", "a")
        assert full.value.status == 429
        last = clients.submit(waited.classify, b"x", "b")
        until(lambda: waited.waiting == 3)
        busy.done.set()
        assert [each.result(5) for each in (first, *others, last)] == [{}] * 4


def test_who_waits_for_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "QUEUE_S", 0.05)
    busy = Busy()
    waited = Pool(lambda: busy, 1)
    with ThreadPoolExecutor(1) as clients:
        first = clients.submit(waited.classify, b"x", "a")
        assert busy.begun.acquire(timeout=5)
        with pytest.raises(Refusal, match=r"no worker had time for 0\.05 s"):
            waited.classify(b"x", "a")
        busy.done.set()
        assert first.result(5) == {}


def until(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to that")
