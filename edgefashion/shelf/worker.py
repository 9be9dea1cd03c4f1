"""What runs on a machine that trains for another: `python -m edgefashion.shelf.worker`, see `work`.

It keeps a port, starts `edgefashion train` when it is told who the others are, and sends home what that says,
and each checkpoint of the chief. When its input ends or brings nothing for long, so does the training.
"""

import contextlib
import json
import os
import queue
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from edgefashion.data.folds import FOLD
from edgefashion.shelf import lines, work
from edgefashion.shelf.lines import Alive
from edgefashion.shelf.work import Arrival, Ended, Go, Learning, Listening, Piece, Said, Start

GRACE_S = 3.0
"""How long an interrupted training may take to end."""
LOOK_S = 0.5
JOIN_S = "20"


class Line:
    """The way home and from there."""

    def __init__(self) -> None:
        self.out, self.lock = lines.way_home(), threading.Lock()
        self.orders = queue.Queue[work.Order | None]()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        content, heard = b"", time.monotonic()
        while time.monotonic() - heard < work.SILENCE_S:
            if not select.select([0], [], [], work.BEAT_S)[0]:
                continue
            if not (piece := os.read(0, 1 << 16)):
                break
            heard = time.monotonic()
            *whole, content = (content + piece).split(b"\n")
            for line in filter(None, whole):
                try:
                    self.orders.put(work.order(line))
                except ValueError:
                    break
        self.orders.put(None)

    def send(self, message: work.Answer) -> None:
        """Send a message; nothing where nobody is there any more."""
        try:
            with self.lock:
                lines.write(self.out, message)
        except OSError:
            self.orders.put(None)

    def next(self) -> work.Order:
        """The next order, beats left out. Raises EOFError at the end."""
        while True:
            order = self.orders.get()
            if order is None:
                raise EOFError
            if not isinstance(order, Alive):
                return order


class Training:
    """The process that trains, and what it leaves in `runs`."""

    def __init__(self, line: Line, start: Start, runs: Path, tf_config: str) -> None:
        self.line, self.start, self.runs = line, start, runs
        self.sent, self.has_told_data = b"", False
        added = {"TF_CONFIG": tf_config, "EDGEFASHION_JOIN_S": JOIN_S} if tf_config else {}
        resume = ["--resume"] if (self.staging / "progress.json").is_file() else []
        data = [f"--data={Path(start.data).expanduser().absolute()}"] if start.data else []
        self.process = subprocess.Popen(
            [*(sys.executable, "-P", "-m", "edgefashion", "train"), *start.words, *data, *resume, "--runs=."],
            cwd=runs,  # so that no line and no record has the path of a folder that goes
            env={**os.environ, **added, "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.reading = threading.Thread(target=self._read, daemon=True)
        self.reading.start()

    @property
    def staging(self) -> Path:
        """The state of the training."""
        return self.runs / f".{self.start.name}.training"

    @property
    def run(self) -> Path:
        """What comes of it."""
        return self.runs / self.start.name

    def _read(self) -> None:
        assert self.process.stdout
        for text in self.process.stdout:
            self.line.send(Said(text.rstrip("\n")[: work.LINE_CHARACTERS]))

    def follow(self) -> int:
        """Send checkpoints home until the process ends, and then the run; its exit code.

        Raises EOFError where nobody is there any more.
        """
        beat = time.monotonic()
        while self.process.poll() is None:
            self._tell_data()
            self._send_checkpoint()
            if time.monotonic() - beat > work.BEAT_S:
                beat = time.monotonic()
                self.line.send(Alive())
            try:
                if self.line.orders.get(timeout=LOOK_S) is None:
                    raise EOFError
            except queue.Empty:
                continue
        self.reading.join(GRACE_S)
        self._tell_data()
        if self.process.returncode == 0 and self.start.is_chief:
            self._send(self.run, finished=True)
        else:
            self._send_checkpoint()
        return self.process.returncode

    def _tell_data(self) -> None:
        """Say once what is learned from, when that is known."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            if not self.has_told_data:
                self.line.send(Learning(_digest(self.staging, self.run)))
                self.has_told_data = True

    def _send_checkpoint(self) -> None:
        """The state of the training, if it is another than before."""
        try:
            state = (self.staging / "progress.json").read_bytes()
            if self.start.is_chief and state != self.sent and list(self.staging.glob("epoch-*.npz")):
                self._send(self.staging, finished=False)
                self.sent = state
        except OSError:
            return  # there is none yet, or the next one has replaced it meanwhile

    def _send(self, folder: Path, finished: bool) -> None:
        for message in work.pieces(folder, finished):
            self.line.send(message)

    def end(self) -> None:
        """Interrupt it, and kill it where that is not enough."""
        for number in (signal.SIGINT, signal.SIGKILL):
            if self.process.poll() is None:
                os.killpg(self.process.pid, number)
                try:
                    self.process.wait(GRACE_S)
                except subprocess.TimeoutExpired:
                    continue


def _digest(staging: Path, run: Path) -> str:
    """Of the data of a training that goes on, or of a run. Raises OSError, ValueError and KeyError."""
    if staging.is_dir():
        checksums = json.loads((staging / "progress.json").read_bytes())["data"]
    else:
        checksums = json.loads((run / "run.json").read_bytes())["data"]["checksums"]
    known = sorted(item for item in checksums.items() if item[0] != FOLD)
    return sha256(json.dumps(known).encode()).hexdigest()


def lay_out(given: dict[str, dict[str, str]], folder: Path) -> None:
    """Give the files that were sent the names that the words have for them. Raises OSError."""
    for name, sent in given.items():
        for file, path in sent.items():
            if not work.is_safe(f"{name}/{file}"):
                raise OSError(f"{name}/{file} is no name")
            target = folder / work.GIVEN / name / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def main() -> None:
    """Serve one training."""
    line = Line()
    start = line.next()
    assert isinstance(start, Start)
    with TemporaryDirectory(prefix="edgefashion-training-") as folder:
        server = socket.create_server(("", 0))
        line.send(Listening(server.getsockname()[1], time.time()))
        lay_out(start.given, Path(folder))
        arrival = Arrival(Path(folder) / f".{start.name}.training")
        while not isinstance(order := line.next(), Go):
            if isinstance(order, Piece):
                arrival.take(order)
        server.close()
        training = Training(line, start, Path(folder), order.tf_config)
        try:
            line.send(Ended(training.follow()))
        finally:
            training.end()


if __name__ == "__main__":
    try:
        main()
    except (EOFError, KeyboardInterrupt):
        sys.exit(1)
