"""A server of a model, and bare loops that do the same work: processes, and what they use."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from edgefashion.errors import EdgefashionError
from edgefashion.files import temporary
from edgefashion.task import Task

BARE = """
import json, sys, time
from pathlib import Path
from edgefashion.pictures import convert_bytes
from edgefashion.runtimes.loaded import LoadedModel
from edgefashion.task import Task
paths, picture, task = json.loads(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
task, content = Task.from_dict(task, "task", Exception), picture.read_bytes()
models = [LoadedModel(Path(path)) for path in paths]
for model in models:
    model.start()
    model.load(threads=1)
for line in sys.stdin:
    count, cpu, begin, end = 0, time.process_time(), time.perf_counter(), time.perf_counter() + float(line)
    while time.perf_counter() < end:
        image = convert_bytes(content, picture, task).pixels[None]
        for model in models:
            model.session.infer([image])[0].argmax()
        count += 1
    print(json.dumps([count, time.perf_counter() - begin, time.process_time() - cpu]), flush=True)
"""


Loops = list[subprocess.Popen[str]]


class Use(NamedTuple):
    """What processes have used."""

    cpu_s: float
    memory_mb: float


def bare(stack: ExitStack, paths: list[str], content: bytes, task: Task, count: int) -> Loops:
    """So many processes that do nothing but the loop above."""
    folder = Path(stack.enter_context(temporary.Folder()))
    (folder / "picture").write_bytes(content)
    command = [
        sys.executable,
        "-c",
        BARE,
        json.dumps(paths),
        str(folder / "picture"),
        json.dumps(task.to_dict()),
    ]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    found = [
        stack.enter_context(subprocess.Popen(command, stderr=subprocess.DEVNULL, **pipes))
        for _ in range(count)
    ]
    for each in found:
        assert each.stdin
        stack.callback(each.stdin.close)
    return found


def run_bare(processes: Loops, seconds: float) -> tuple[float, float]:
    """Pictures a second of all together, and CPU seconds a picture."""
    for each in processes:
        print(seconds, file=each.stdin, flush=True)
    found = [json.loads(each.stdout.readline()) for each in processes if each.stdout]
    return sum(count / took for count, took, _ in found), sum(cpu for *_, cpu in found) / sum(
        count for count, *_ in found
    )


@contextmanager
def served(model: str, workers: int) -> Iterator[tuple[int, int]]:
    """The server: its number and its port."""
    command = [sys.executable, "-m", "edgefashion", "serve", model, "--port", "0", "--workers", str(workers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout
            url = process.stdout.readline().strip()
            if not url:
                raise EdgefashionError(f"edgefashion serve {model} has ended: run it alone to see why")
            yield process.pid, int(url.rstrip("/").rpartition(":")[2])
        finally:
            process.terminate()
            process.wait(60)


def use(pid: int) -> Use:
    """What a process and its children have used."""
    cpu = memory = 0.0
    for each in (pid, *_children(pid)):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        cpu += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        memory += int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return Use(cpu, memory)


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
        except OSError:
            continue
    return found
