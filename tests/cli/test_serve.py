"""The verb `serve`: what it says before it listens, and how it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgefashion.cli import main

MODEL = "zoo:cnn-64k"


def said(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(["serve", *map(str, words)])
    assert stopped.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()[-1]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this process listens, with a descriptor above a free one: that is whose who reads the
    folder of all, and gone then.
    """
    free = os.open(os.devnull, os.O_RDONLY)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        os.close(free)
        yield listener.getsockname()[1]


def test_a_port_that_is_taken_is_named_with_its_process_and_another(
    taken: int, capsys: pytest.CaptureFixture[str]
) -> None:
    found = said(capsys, MODEL, "--port", taken)
    own = Path("/proc/self/comm").read_text().strip()
    match = re.fullmatch(rf"edgefashion: port {taken} is taken by (.*): --port (\d+) is free", found)
    assert match and match[1] == f"{own} (process {os.getpid()})"
    with socket.create_server(("127.0.0.1", int(match[2]))):
        pass


def test_without_proc_a_port_is_taken_by_nobody_named(
    taken: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgefashion.serving.address._inodes", lambda port: [])
    assert said(capsys, MODEL, "--port", taken).startswith(f"edgefashion: port {taken} is taken: --port ")


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("192.0.2.77", "192.0.2.77 is not an address of this machine: --host 127.0.0.1 is"),
        ("no such host.invalid", "nothing is known by the name no such host.invalid"),
        ("", "nothing is known by the name"),
    ],
)
def test_an_address_of_another_machine_is_refused(
    host: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert why in said(capsys, MODEL, "--port", 0, "--host", host)


def test_a_model_that_is_no_classifier_or_says_nothing_of_its_task_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from onnx import TensorProto, helper

    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "relu", [x], [y])
    path = tmp_path / "relu.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    assert "does not say how a picture becomes its input" in said(capsys, path, "--port", 0)


def test_what_is_damaged_or_missing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "damaged.tflite"
    path.write_bytes(b"not a model")
    assert str(path) in said(capsys, path, "--port", 0)
    assert "missing.onnx" in said(capsys, tmp_path / "missing.onnx", "--port", 0)
    assert "zoo" in said(capsys, "zoo:nothing", "--port", 0)


@contextmanager
def running(*words: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """The verb in a process of its own, and the port that it listens on."""
    command = [sys.executable, "-m", "edgefashion", "serve", MODEL, "--port", "0", "--workers", "1", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process, int(process.stdout.readline().strip("/\n").rpartition(":")[2])
        finally:
            process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_when_what_was_asked_is_answered(number: signal.Signals, code: int) -> None:
    picture = photo()
    request = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(picture)
    with running() as (process, port), ExitStack() as open_ones:
        with connected(port) as stream:
            stream.sendall(b"GET /about.json HTTP/1.0\r\nHost: localhost\r\n\r\n")
            assert b" 200 OK" in received(stream)
        streams = [open_ones.enter_context(connected(port)) for _ in range(5)]
        for stream in streams[1:]:  # the first one says nothing
            stream.sendall(request + picture)
        process.send_signal(number)
        answers = [received(stream) for stream in streams]
        _, err = process.communicate(timeout=20)
    assert answers[0] == b"" and all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers[1:])
    assert process.returncode == code
    assert err.splitlines()[-1] == "edgefashion: stopped; what had been asked was answered"


def photo() -> bytes:
    """A picture that takes a while to decode."""
    pixels = np.full((600, 800), 255, np.uint8)
    pixels[150:450, 150:650] = np.linspace(0, 120, 500, dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def received(stream: socket.socket) -> bytes:
    parts = []
    while part := stream.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)
