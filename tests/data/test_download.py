"""Downloads from mirrors that serve, fail, break off, hang and lie; and two processes at once."""

import contextlib
import gzip
import http.server
import os
import re
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from edgefashion.data import download, fashion_mnist, load_dataset, progress, transfer
from edgefashion.data.fashion_mnist import CHECKSUMS, FILES
from edgefashion.data.idx import gzip_path
from edgefashion.errors import DataError

NAMES = [f"{name}.gz" for name in FILES]


class Mirror(http.server.ThreadingHTTPServer):
    """Serves the sample; a file name in `trouble` takes its next way to fail from there first."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.trouble: defaultdict[str, list[str]] = defaultdict(list)
        self.asked: list[str] = []
        self.someone_asked = threading.Event()
        self.go_on = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/"


BOMB = gzip.compress(bytes(10_000_000)) * 5


def endless(stream: BinaryIO) -> None:
    stream.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        stream.write(bytes(1 << 16))


def endless_chunks(stream: BinaryIO) -> None:
    stream.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        stream.write(b"1000\r\n" + bytes(4096) + b"\r\n")


def drip(start: bytes, again: bytes) -> Callable[[BinaryIO], None]:
    """Sends something again and again, which never is a whole answer."""

    def send(stream: BinaryIO) -> None:
        stream.write(start)
        while True:
            stream.write(again)
            stream.flush()
            time.sleep(0.02)

    return send


SENDING = {
    "endless": endless,
    "endless chunks": endless_chunks,
    "large promise": lambda stream: stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000000\r\n\r\n"),
    "cut chunks": lambda stream: stream.write(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\nabc"
    ),
    "dripping status": drip(b"HTTP/1.1 200 O", b"K"),
    "dripping headers": drip(b"HTTP/1.1 200 OK\r\nA: ", b"b\r\nA: "),
    "dripping body": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", b"."),
    "dripping chunk": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "escape": lambda stream: stream.write(b"HTTP/1.1 404 \x1b[2Jgone\r\n\r\n"),
}


class Handler(http.server.BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        name = self.path[1:]
        self.server.asked.append(name)
        self.server.someone_asked.set()
        content = (self.server.folder / name).read_bytes()
        trouble = self.server.trouble[name]
        kind = trouble.pop(0) if trouble else "none"
        if kind == "absent":
            self.send_error(404)
            return
        if kind == "lie":
            content = b"<html>sign in to the network</html>"
        if kind == "bomb":
            content = BOMB
        if kind in SENDING:
            with contextlib.suppress(OSError):  # nobody listens any more
                SENDING[kind](self.wfile)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        self.wfile.flush()
        if kind == "wait":
            self.server.go_on.wait(30)
        if kind != "break":
            self.wfile.write(content[len(content) // 2 :])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def pair(
    nowhere: Path, sample_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Mirror, Mirror]]:
    """Two mirrors, in the order in which they are asked."""
    servers = Mirror(sample_folder), Mirror(sample_folder)
    monkeypatch.setattr(fashion_mnist, "MIRRORS", tuple(server.url for server in servers))
    for server in servers:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    yield servers
    for server in servers:
        server.go_on.set()
        server.shutdown()
        server.server_close()


def only_good_files_in(cache: Path) -> bool:
    return sorted(path.name for path in cache.iterdir()) == sorted([*NAMES, "lock", "source.txt"])


def test_the_first_mirror_serves_and_is_named(pair: tuple[Mirror, Mirror], nowhere: Path) -> None:
    lines: list[str] = []
    dataset = load_dataset(report=lines.append)
    host = pair[0].url[7:-1]
    assert dataset.source == f"user's cache, fetched from {host}"
    assert dataset.complete
    assert lines == [f"downloading {name} from {host}" for name in NAMES]
    assert pair[0].asked == NAMES
    assert only_good_files_in(nowhere)
    assert load_dataset(report=lines.append).source == dataset.source
    assert pair[0].asked == NAMES


@pytest.mark.parametrize("kind", ["absent", "break", "lie"])
def test_a_mirror_that_fails_at_its_first_file_is_left_at_once(
    pair: tuple[Mirror, Mirror], nowhere: Path, kind: str
) -> None:
    pair[0].trouble[NAMES[0]] = [kind]
    dataset = load_dataset(report=lambda line: None)
    assert pair[0].asked == NAMES[:1]
    assert pair[1].asked == NAMES
    assert dataset.source == f"user's cache, fetched from {pair[1].url[7:-1]}"
    assert only_good_files_in(nowhere)


def test_a_mirror_that_hangs_is_left_after_the_time_out(
    pair: tuple[Mirror, Mirror], nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    pair[0].trouble[NAMES[0]] = ["wait"]
    lines: list[str] = []
    load_dataset(report=lines.append)
    assert pair[1].asked == NAMES
    assert "the connection broke: no answer within 0.2 s; leaving this mirror" in lines[1]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("endless", "it sends more than the 135,544 bytes of the file"),
        ("endless chunks", "it sends more than the 135,544 bytes of the file"),
        ("large promise", "it offers 9,000,000,000 bytes, more than the 135,544 of the file"),
        ("cut chunks", "the connection broke: IncompleteRead"),
        ("dripping status", "too slow: 0 bytes in 0 s"),
        ("dripping headers", "too slow: 0 bytes in 0 s|got more than 100 headers"),
        ("dripping body", r"too slow: \d+ bytes in \d s"),
        ("dripping chunk", "too slow: 0 bytes in 0 s"),
        ("bomb", "more than 70,008 bytes inside, which no such file has"),
        ("escape", r"HTTP 404 \\x1b\[2Jgone"),
    ],
)
def test_a_mirror_that_never_ends_is_left(
    pair: tuple[Mirror, Mirror], nowhere: Path, monkeypatch: pytest.MonkeyPatch, kind: str, said: str
) -> None:
    monkeypatch.setattr(transfer, "PATIENCE", 0.3)
    pair[0].trouble[NAMES[0]] = [kind]
    lines: list[str] = []
    load_dataset(report=lines.append)
    assert re.search(said, lines[1]), lines
    assert lines[1].endswith("leaving this mirror")
    assert pair[1].asked == NAMES
    assert only_good_files_in(nowhere)


def test_a_mirror_that_does_not_answer_at_all(
    pair: tuple[Mirror, Mirror], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fashion_mnist, "MIRRORS", ("http://127.0.0.1:1/", pair[1].url))
    lines: list[str] = []
    load_dataset(report=lines.append)
    assert lines[1] == "127.0.0.1:1: Connection refused; leaving this mirror"


def test_a_file_that_breaks_off_starts_anew(pair: tuple[Mirror, Mirror], nowhere: Path) -> None:
    pair[0].trouble[NAMES[3]] = ["break", "break"]
    lines: list[str] = []
    load_dataset(report=lines.append)
    assert pair[0].asked == [*NAMES, NAMES[3], NAMES[3]]
    assert pair[1].asked == []
    total = gzip_path(nowhere, FILES[3]).stat().st_size
    said = f"the connection ended after {total // 2:,} of {total:,} bytes; trying again"
    assert sum(said in line for line in lines) == 2


def test_another_mirror_serves_only_what_is_still_lacking(pair: tuple[Mirror, Mirror], nowhere: Path) -> None:
    pair[0].trouble[NAMES[2]] = ["break"] * download.ATTEMPTS
    dataset = load_dataset(report=lambda line: None)
    assert pair[1].asked == NAMES[2:]
    hosts = [server.url[7:-1] for server in pair]
    assert dataset.source == f"user's cache, fetched from {hosts[0]} and {hosts[1]}"


def test_when_all_mirrors_fail_no_half_file_is_left(pair: tuple[Mirror, Mirror], nowhere: Path) -> None:
    for server in pair:
        server.trouble[NAMES[0]] = ["break"]
    with pytest.raises(DataError, match="nobody served it"):
        load_dataset(report=lambda line: None)
    assert [path.name for path in nowhere.iterdir()] == ["lock"]


def test_an_interruption_keeps_what_was_verified_and_goes_on_from_there(
    pair: tuple[Mirror, Mirror], nowhere: Path
) -> None:
    def interrupt(line: str) -> None:
        if NAMES[2] in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_dataset(report=interrupt)
    assert sorted(path.name for path in nowhere.iterdir()) == sorted([*NAMES[:2], "lock", "source.txt"])
    load_dataset(report=lambda line: None)
    assert pair[0].asked == NAMES


def test_what_a_killed_fetch_left_is_cleared(pair: tuple[Mirror, Mirror], nowhere: Path) -> None:
    (nowhere / "staging/apt/lists").mkdir(parents=True)
    (nowhere / f"staging/{NAMES[0]}").write_bytes(b"half")
    load_dataset(report=lambda line: None)
    assert only_good_files_in(nowhere)


def test_a_damaged_file_in_the_cache_is_fetched_anew(pair: tuple[Mirror, Mirror], nowhere: Path) -> None:
    load_dataset(report=lambda line: None)
    gzip_path(nowhere, FILES[2]).write_bytes(b"damaged")
    lines: list[str] = []
    assert load_dataset(report=lines.append).complete
    assert "not a gzip file" in lines[0]
    assert pair[0].asked == [*NAMES, NAMES[2]]


def test_lines_now_and_then_where_there_is_no_terminal(
    pair: tuple[Mirror, Mirror], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    lines: list[str] = []
    load_dataset(report=lines.append)
    assert "train-images-idx3-ubyte.gz: 0.5 MB of 0.5 MB" in lines


def test_a_bar_on_a_terminal(
    pair: tuple[Mirror, Mirror], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    load_dataset(report=lambda line: None)
    out, err = capsys.readouterr()
    assert out == ""
    assert all(name in err for name in NAMES)


PROCESS = """
import sys
from edgefashion.data import fashion_mnist, load_dataset, locate
from pathlib import Path
fashion_mnist.MIRRORS = (sys.argv[1],)
locate.PACKAGE_FOLDER = Path("/nonexistent")
fashion_mnist.CHECKSUMS.update(zip(fashion_mnist.FILES, sys.argv[2:]))
print(load_dataset(report=lambda line: print(line, file=sys.stderr, flush=True)).source)
"""


def test_two_processes_fetch_once(pair: tuple[Mirror, Mirror], nowhere: Path) -> None:
    server = pair[0]
    server.trouble[NAMES[0]] = ["wait"]
    command = [sys.executable, "-c", PROCESS, server.url, *(CHECKSUMS[name] for name in FILES)]

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            command, env=os.environ.copy(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    with start() as first:
        assert server.someone_asked.wait(30)
        with start() as second:
            assert second.stderr is not None
            assert "another process is fetching" in second.stderr.readline()
            server.go_on.set()
            outputs = [process.communicate(timeout=30) for process in (first, second)]
    source = f"user's cache, fetched from {server.url[7:-1]}\n"
    assert [out for out, _ in outputs] == [source, source], outputs
    assert server.asked == NAMES
    assert only_good_files_in(nowhere)
