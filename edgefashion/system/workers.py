"""Work shared among processes: Python's lock leaves threads little of the second core.

A process is neither forked, which TensorFlow does not survive, nor one of `multiprocessing`, which would run
the user's own script a second time.
"""

import contextlib
import os
import pickle
import queue
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from edgefashion.errors import RuntimeCrash

FEW = 8
"""Jobs, of some ten pictures each."""
Job = TypeVar("Job")
Answer = TypeVar("Answer")


def spread(work: Callable[[Job], Answer], jobs: Sequence[Job], count: int) -> Iterator[Answer]:
    """What `work` gives for each of the jobs, in their order, by at most so many processes.

    `work` is a function of a module; it, the jobs and what it gives are pickled. A few jobs are done in this
    process: sooner than others start. Raises what `work` raises, and RuntimeCrash where a process ends before
    its time.
    """
    count = min(count, len(jobs))
    if count < 2 or len(jobs) <= FEW:
        yield from map(work, jobs)
        return
    with contextlib.ExitStack() as workers, ThreadPoolExecutor(count) as pool:
        idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for _ in range(count):
            idle.put(workers.enter_context(_Worker()))

        def ask(job: Job) -> Answer:
            worker = idle.get()
            try:
                answer: Answer = worker.ask(work, job)
            finally:
                idle.put(worker)
            return answer

        yield from pool.map(ask, jobs)


def environment() -> dict[str, str]:
    """That of a Python process that is to find this very package, whatever lies in the current folder: with
    its option -P.
    """
    root = str(Path(__file__).parents[2])
    search = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": search}


class _Worker:
    """A process that does jobs; it ends with this one, whatever ends it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C in a terminal is for the parent
            env=environment(),
        )

    def ask(self, work: Callable[[Any], Any], job: Any) -> Any:
        """What `work` gives for a job. Raises what it raises, RuntimeCrash where the process ends."""
        requests, replies = self._process.stdin, self._process.stdout
        assert requests and replies
        try:
            pickle.dump((work, job), requests)
            requests.flush()
            done, answer = pickle.load(replies)
        except (BrokenPipeError, EOFError, pickle.UnpicklingError):
            code = self._process.wait()
            raise RuntimeCrash(f"a process that was to share the work ended with {code}: try again") from None
        if not done:
            raise answer
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()


def main() -> None:
    """Do jobs until there are no more. What a library prints goes nowhere."""
    with os.fdopen(os.dup(1), "wb") as replies, sys.stdin.buffer as requests:
        os.dup2(2, 1)
        while True:
            try:
                work, job = pickle.load(requests)
            except EOFError:
                return
            try:
                answer = True, work(job)
            except Exception as error:
                answer = False, error
            pickle.dump(answer, replies)
            replies.flush()


if __name__ == "__main__":
    main()
