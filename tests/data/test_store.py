"""Decoded pictures are kept whole or not at all, are made once, and take a bounded room."""

import errno
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgefashion.data import store
from edgefashion.errors import BadInput, OutputError, PictureError
from edgefashion.files.stored import StoredArray
from edgefashion.pictures import image_of
from edgefashion.task import Picture, Task

Image = pytest.importorskip("PIL.Image")

TASK = Task("shelf", (8, 6, 3), ("a", "b"), Picture("pad", (255,) * 3, (9, 9, 9)))
COUNT = 5


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/edgefashion/decoded"


def picture(path: Path, seed: int) -> Any:
    values = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(values).save(path)
    return source(path)


def source(path: Path) -> Any:
    """It can be pickled."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return SimpleNamespace(path=path, digest=digest, read=path.read_bytes)


@pytest.fixture
def sources(tmp_path: Path) -> list[Any]:
    return [picture(tmp_path / f"pictures/{number}.png", number) for number in range(COUNT)]


def expected(sources: Sequence[Any]) -> Any:
    return np.stack([image_of(each.read(), each.path, TASK) for each in sources])


def unread(sources: Sequence[Any]) -> list[Any]:
    """The same, of which none may be opened again."""
    return [SimpleNamespace(path=each.path, digest=each.digest, read=None) for each in sources]


def kept(cache: Path) -> list[Path]:
    return [path for path in cache.iterdir() if path.name != "lock"]


def test_pictures_are_what_predict_makes_of_them_in_the_order_given(sources: list[Any]) -> None:
    found = store.decoded(sources[::-1], TASK)
    assert isinstance(found, StoredArray)
    assert found.shape == (COUNT, 8, 6, 3) and found.dtype == np.uint8
    assert np.array_equal(found, expected(sources[::-1]))


def test_many_pictures_are_decoded_by_several_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "TOGETHER", 2)
    monkeypatch.setattr("edgefashion.system.workers.FEW", 1)
    monkeypatch.setattr("edgefashion.device.cores", lambda: 2)
    sources = [picture(tmp_path / f"pictures/{number}.png", number) for number in range(7)]
    said: list[tuple[str, int, int]] = []
    found = store.decoded(sources, TASK, lambda *how: said.append(how))
    assert np.array_equal(found, expected(sources))
    assert said[-1] == ("decoding pictures", 7, 7)


def test_what_was_decoded_is_not_opened_again(sources: list[Any], cache: Path) -> None:
    store.decoded(sources, TASK)
    again = unread(sources[2:] + sources[:2])
    assert np.array_equal(store.decoded(again, TASK), expected(sources[2:] + sources[:2]))
    assert len(kept(cache)) == 1


def test_the_same_picture_twice_is_decoded_once(sources: list[Any], cache: Path) -> None:
    twice = [sources[0], sources[1], sources[0]]
    assert np.array_equal(store.decoded(twice, TASK), expected(twice))
    assert kept(cache)[0].stat().st_size < 2.5 * (32 + TASK.pixels)


def test_of_a_set_with_one_picture_more_only_that_is_decoded(tmp_path: Path, sources: list[Any]) -> None:
    store.decoded(sources, TASK)
    more = picture(tmp_path / "pictures/more.png", 99)
    assert np.array_equal(store.decoded([*unread(sources), more], TASK), expected([*sources, more]))


@pytest.mark.parametrize(
    "other",
    [
        Task("shelf", (6, 6, 3), TASK.classes, TASK.picture),
        Task("shelf", TASK.image_shape, TASK.classes, Picture("crop", (255,) * 3, (9, 9, 9))),
        Task("shelf", TASK.image_shape, TASK.classes, Picture("pad", (255,) * 3, (0, 0, 0))),
    ],
)
def test_another_way_to_decode_is_another_set(sources: list[Any], other: Task) -> None:
    first = np.asarray(store.decoded(sources, TASK))
    found = np.asarray(store.decoded(sources, other))
    assert found.shape[1:] == other.image_shape and not np.array_equal(found, first)


def test_other_names_of_the_task_and_its_classes_are_the_same_pictures(sources: list[Any]) -> None:
    store.decoded(sources, TASK)
    store.decoded(unread(sources), Task("cupboard", TASK.image_shape, ("x", "y", "z"), TASK.picture))


def test_an_empty_split_has_no_images() -> None:
    assert store.decoded([], TASK).shape == (0, 8, 6, 3)
    assert len(np.asarray(store.decoded([], TASK))) == 0


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def lengthen(path: Path) -> None:
    os.truncate(path, path.stat().st_size + 1)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def change_digest(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)


def change_head(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [truncate, lengthen, empty, change_digest, change_head])
def test_a_damaged_file_is_made_again(
    sources: list[Any], cache: Path, damage: Callable[[Path], None]
) -> None:
    store.decoded(sources, TASK)
    damage(*kept(cache))
    assert np.array_equal(store.decoded(sources, TASK), expected(sources))


def test_a_damaged_picture_leaves_nothing_and_is_named(sources: list[Any], cache: Path) -> None:
    path = sources[3].path
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(PictureError, match=str(path)):
        store.decoded([*sources[:3], source(path)], TASK)
    assert kept(cache) == []


def test_what_a_killed_process_left_is_cleared(sources: list[Any], cache: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from edgefashion.data import store
from edgefashion.task import Picture, Task
def read():
    print("reading", flush=True)
    time.sleep(60)
task = Task("shelf", (8, 6, 3), ("a", "b"), Picture("pad", (255,) * 3, (9, 9, 9)))
store.decoded([SimpleNamespace(path=Path("a.png"), digest="00" * 32, read=read)], task)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"reading\n"
        process.send_signal(signal.SIGKILL)
    assert [path.suffixes[-2:] for path in kept(cache)] == [[".part", ".pixels"]]
    assert np.array_equal(store.decoded(sources, TASK), expected(sources))
    assert [path.suffixes for path in kept(cache)] == [[".pixels"]]


def test_two_processes_at_once_decode_a_set_once(tmp_path: Path, sources: list[Any], cache: Path) -> None:
    log = tmp_path / "log"
    code = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
import numpy as np
from edgefashion.data import store
from edgefashion.task import Picture, Task
log, path, digest = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
def read():
    with log.open("a") as file:
        file.write("read ")
    time.sleep(0.5)
    return path.read_bytes()
task = Task("shelf", (8, 6, 3), ("a", "b"), Picture("pad", (255,) * 3, (9, 9, 9)))
found = store.decoded([SimpleNamespace(path=path, digest=digest, read=read)], task)
print(np.asarray(found).sum())
"""
    command = [sys.executable, "-c", code, str(log), str(sources[0].path), sources[0].digest]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [process.communicate()[0] for process in both]
    assert {int(answer) for answer in answers} == {int(expected(sources[:1]).sum())}
    assert log.read_text() == "read "
    assert len(kept(cache)) == 1


def test_a_disk_without_room_is_said_before_anything_is_written(
    sources: list[Any], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=100))
    with pytest.raises(OutputError, match=r"take [0-9,.]+ (bytes|kB), and .* has 100 bytes left: free"):
        store.decoded(sources, TASK)
    assert kept(cache) == []


def test_a_disk_that_becomes_full_leaves_nothing(
    sources: list[Any], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(store, "_do", full)
    with pytest.raises(OutputError, match="No space left") as caught:
        store.decoded(sources, TASK)
    assert "\n" not in str(caught.value)
    assert kept(cache) == []


def test_a_cache_that_cannot_be_written_is_an_error_of_one_line(sources: list[Any], cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text("a file")
    with pytest.raises(OutputError, match=r"cannot keep decoded pictures in .*XDG_CACHE_HOME"):
        store.decoded(sources, TASK)


def test_what_was_not_used_for_longest_goes_first(
    tmp_path: Path, sources: list[Any], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [sources[:2], sources[2:4]]
    for number, part in enumerate(parts):
        store.decoded(part, TASK)
        for path in kept(cache):
            if time.time() - path.stat().st_mtime < 1000:
                os.utime(path, (1000 + number, 1000 + number))
    store.decoded(unread(parts[0]), TASK)  # used again
    monkeypatch.setenv(store.VARIABLE, str(1.1 * store.size() / 1e9))
    third = [picture(tmp_path / f"pictures/{number}.png", number) for number in (50, 51)]
    store.decoded(third, TASK)
    assert len(kept(cache)) == 2
    store.decoded(unread(parts[0]), TASK)
    store.decoded(unread(third), TASK)


def test_a_set_larger_than_the_limit_is_kept_alone(
    sources: list[Any], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.decoded(sources[:1], TASK)
    monkeypatch.setenv(store.VARIABLE, "0")
    assert np.array_equal(store.decoded(sources, TASK), expected(sources))
    assert len(kept(cache)) == 1


@pytest.mark.parametrize("value", ["much", "-1", "inf", "nan"])
def test_a_limit_that_is_none_is_refused(
    sources: list[Any], monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(store.VARIABLE, value)
    with pytest.raises(BadInput, match=store.VARIABLE):
        store.decoded(sources, TASK)


def test_a_set_is_forgotten_with_all_its_versions_and_others_are_not(sources: list[Any], cache: Path) -> None:
    mine, others = sources[:2], sources[2:]
    store.decoded(mine, TASK)
    store.decoded(mine, Task("shelf", (4, 4, 3), TASK.classes, TASK.picture))
    before = store.size()
    assert before == sum(path.stat().st_size for path in kept(cache))
    store.decoded(others, TASK)
    store.decoded([mine[0], *others], TASK)  # shares a picture
    assert store.forget([each.digest for each in mine]) == before
    store.decoded(unread(others), TASK)
    assert len(kept(cache)) == 2


def test_what_is_open_stays_readable_when_it_is_forgotten(sources: list[Any]) -> None:
    found = store.decoded(sources, TASK)
    assert store.forget([each.digest for each in sources])
    assert np.array_equal(found, expected(sources))
