"""What runs on another machine: `python -m edgefashion.shelf.served`, see `messages`.

It reads one request, answers it, and ends. It ends before that where its input does or brings nothing:
nobody listens any more, since the connection was cut or somebody has interrupted. The work is interrupted as
by Ctrl-C and, where it does not end in time, killed: the processes that run models end with this one.
"""

import contextlib
import os
import platform
import re
import select
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from edgefashion.errors import EdgefashionError, RuntimeCrash, first_line, wording
from edgefashion.files import make_folder
from edgefashion.shelf import lines, messages
from edgefashion.shelf.lines import Alive
from edgefashion.shelf.messages import Answer, Done, Failed, Part, Progress, Request
from edgefashion.system.interruption import Interruption

GRACE_S = 3.0
"""How long interrupted work may take to end."""
TELL_S = 0.5
"""How often progress is told: to tell it takes time of a processor that is being measured."""
BUSY_S = 10.0
"""How long another benchmark of this user on this machine is waited for: one that is just ending."""


_PIECE_BYTES = 1 << 16


class Answers:
    """The way home; several threads may use it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._lock, self._told = descriptor, threading.Lock(), -TELL_S

    def give(self, answer: Answer, patience_s: float = -1) -> None:
        """Send an answer; nothing where another is on its way for longer than that. Raises OSError."""
        if self._lock.acquire(timeout=patience_s):
            try:
                lines.write(self._descriptor, answer)
            finally:
                self._lock.release()

    def progress(self, doing: str, done: int, total: int) -> None:
        """Tell how far the work is, now and then."""
        if time.monotonic() - self._told >= TELL_S:
            self._told = time.monotonic()
            self.give(Progress(doing[: messages.PART_CHARACTERS], done, total))

    def report(self, text: str) -> None:
        """Send a report."""
        for start in range(0, len(text), messages.PART_CHARACTERS):
            self.give(Part(text[start : start + messages.PART_CHARACTERS]))
        self.give(Done(len(text)))


def main() -> None:
    """Serve one request."""
    interruption = Interruption()
    interruption.take_over()
    answers = Answers(lines.way_home())
    try:
        request = messages.request(_first_line())
        threading.Thread(target=_watch, args=(answers,), daemon=True).start()
        with wording.for_the_command_line():
            answers.report(_VERBS[request.verb](request, answers))
    except KeyboardInterrupt:
        sys.exit(interruption.exit_code)
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        why = str(error) if isinstance(error, EdgefashionError) else f"a fault there: {first_line(error)}"
        answers.give(Failed(why[: messages.PART_CHARACTERS]))
        sys.exit(1)


def _first_line() -> bytes:
    """The first line of the input; what comes along behind it says nothing."""
    content = b""
    while b"\n" not in content and len(content) <= messages.LINE_BYTES:
        if not (piece := os.read(0, _PIECE_BYTES)):
            break
        content += piece
    return content.partition(b"\n")[0]


def _watch(answers: Answers) -> None:
    """Say now and then that this end is there, until the other is not; then end."""
    heard = time.monotonic()
    while time.monotonic() - heard < messages.SILENCE_S:
        try:
            if select.select([0], [], [], messages.BEAT_S)[0]:
                if not os.read(0, _PIECE_BYTES):
                    break
                heard = time.monotonic()
            else:
                answers.give(Alive(), messages.BEAT_S)
        except OSError:
            break
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(GRACE_S)
    os.kill(os.getpid(), signal.SIGKILL)


def _bench(request: Request, answers: Answers) -> str:
    from edgefashion.api.measure import benchmark

    with _alone() as ours, _laid_out(request.files, ours / f"work-{_node()}"):
        found = benchmark(
            request.models,
            threads=request.threads,
            options=request.options,
            runtime=request.runtime,
            progress=answers.progress,
        )
    if found.interrupted:
        raise KeyboardInterrupt
    return found.to_json()


def _doctor(_: Request, answers: Answers) -> str:
    from edgefashion.diagnosis import examine

    return examine().to_json()


_VERBS: dict[str, Callable[[Request, Answers], str]] = {"bench": _bench, "doctor": _doctor}
"""Each gives a report, as JSON."""


@contextlib.contextmanager
def _alone() -> Iterator[Path]:
    """A block that no other of this user on this machine is in: two benchmarks would disturb each other.

    Gives the folder of what is ours.
    """
    from filelock import FileLock, Timeout
    from platformdirs import user_cache_path

    folder = user_cache_path("edgefashion") / "hosts"
    make_folder(folder)
    try:
        with FileLock(folder / f"bench-{_node()}.lock").acquire(timeout=BUSY_S):
            yield folder
    except Timeout:
        raise RuntimeCrash(
            "another benchmark runs on this machine: name it once, or wait for who else measures there"
        ) from None


def _node() -> str:
    """What this machine calls itself, as part of a file's name: several may have the same home."""
    return re.sub(r"[^A-Za-z0-9.-]", "_", platform.node())[:64]


@contextlib.contextmanager
def _laid_out(files: dict[str, str], folder: Path) -> Iterator[None]:
    """A block in a folder where files have the names that they have where they come from."""
    shutil.rmtree(folder, ignore_errors=True)  # of one that was killed
    folder.mkdir()
    try:
        for name, path in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            try:
                (folder / name).hardlink_to(path)  # weights behind a symbolic link would be refused
            except OSError:
                shutil.copyfile(path, folder / name)
        os.chdir(folder)
        yield
    finally:
        os.chdir(folder.parent)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
