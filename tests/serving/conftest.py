"""A server in a thread of this process, on a port of its own, and what asks it."""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgefashion import zoo
from edgefashion.artifacts.artifact import Artifact
from edgefashion.serving import address, origins
from edgefashion.serving.about import About
from edgefashion.serving.pool import OwnProcess, Pool, SameProcess
from edgefashion.serving.selection import choose
from edgefashion.serving.server import Server
from edgefashion.serving.site import Site


@dataclass
class Asked:
    """What was answered."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Served:
    """A server, and how it is asked."""

    port: int
    pool: Pool
    server: Server
    reports: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Asked:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): v for name, v in headers.items()})
            answer = connection.getresponse()
            return Asked(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def predict(self, picture: bytes, query: str = "", **headers: str) -> Asked:
        return self.ask("POST", f"/predict{query}", picture, **headers)

    def raw(self, content: bytes) -> bytes:
        """All that is answered to these very bytes, after which nothing more is sent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as stream:
            stream.sendall(content)
            stream.shutdown(socket.SHUT_WR)
            parts = []
            while part := stream.recv(1 << 16):
                parts.append(part)
        return b"".join(parts)


Serve = Callable[..., AbstractContextManager[Served]]


@contextmanager
def serving(artifacts: Sequence[Artifact], workers: int = 1, in_process: bool = True) -> Iterator[Served]:
    """A server of these model files, until the end of the block."""
    chosen = choose(artifacts)
    pool = Pool(partial(SameProcess if in_process else OwnProcess, chosen), workers)
    listener = address.listen("127.0.0.1", 0)
    reports: list[str] = []
    site = Site(pool, About.of(chosen, pool.versions), origins.own_names(), reports.append)
    served = Served(listener.getsockname()[1], pool, Server(listener, site), reports)
    thread = threading.Thread(target=served.server.run)
    thread.start()
    try:
        yield served
    finally:
        served.server.stop()
        thread.join(20)
        pool.close()
        assert not thread.is_alive()


@pytest.fixture
def serve() -> Serve:
    """serve(artifacts, workers=2): a block with a server of model files."""
    return serving


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A server of the smaller shipped model, in this process."""
    with serving(zoo.open_zoo().artifacts("zoo:cnn-64k")) as made:
        yield made


def encode(pixels: "np.ndarray[Any, Any]", kind: str = "PNG") -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


@pytest.fixture(scope="session")
def shoe() -> bytes:
    """A picture of a sandal, as product pictures are, in PNG."""
    with np.load(Path(zoo.__file__).parent / "sample.npz") as sample:
        image = sample["images"][list(sample["labels"]).index(5)][..., 0]
    return encode(np.kron(255 - image, np.ones((4, 4), np.uint8)))


@pytest.fixture
def encoded() -> Callable[..., bytes]:
    """encoded(pixels, "PNG"): a picture file."""
    return encode
