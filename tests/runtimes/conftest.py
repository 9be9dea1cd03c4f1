"""What becomes of a child process when its parent is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def dies_with_its_parent(fake_runtime: Path) -> Callable[..., bool]:
    """dies_with_its_parent(path, "predict(...)"): whether the child that a model of a `.fake` file is in ends
    when the process that asked it for that is killed.
    """

    def run(path: Path, request: str, seconds: float = 0) -> bool:
        script = (
            f"import numpy, sys; sys.path.append({str(fake_runtime.parent)!r}); import fake_runtime;"
            "from pathlib import Path; from edgefashion.runtimes import child;"
            f"fake_runtime.register(); child.WORKER = [{str(fake_runtime)!r}];"
            "from edgefashion.runtimes.process import ModelProcess;"
            f"model = ModelProcess(Path({str(path)!r}), 1); print(model.pid, flush=True);"
            f"model.{request}"
        )
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
            assert parent.stdout
            pid = int(parent.stdout.readline())
            time.sleep(seconds)
            parent.kill()
        return _ends(pid)

    return run


def _ends(pid: int) -> bool:
    """Whether a process is gone, or a zombie that its new parent has yet to bury, within ten seconds; one
    that is still there is killed.
    """
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    return False
