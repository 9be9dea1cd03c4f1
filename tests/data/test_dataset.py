"""Reading a folder: what is there, and every way in which it can be wrong."""

import gzip
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgefashion.data import Dataset, load_dataset
from edgefashion.data.dataset import read_folder
from edgefashion.data.fashion_mnist import (
    CHECKSUMS,
    FILES,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
)
from edgefashion.data.idx import gzip_path, pack

Refusal = Callable[[Path], str]


@pytest.fixture
def folder(sample_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sample_folder, tmp_path / "data")


def content(folder: Path, name: str) -> bytes:
    return gzip.decompress(gzip_path(folder, name).read_bytes())


def declare(folder: Path, name: str, raw: bytes) -> None:
    """Put `raw` into the folder, in its SHA256SUMS too: only the header and the counts can find fault."""
    old = hashlib.sha256(content(folder, name)).hexdigest()
    gzip_path(folder, name).write_bytes(gzip.compress(raw))
    sums = folder / "SHA256SUMS"
    sums.write_text(sums.read_text().replace(old, hashlib.sha256(raw).hexdigest()))


def test_the_sample_is_read_as_a_declared_part(sample: Dataset) -> None:
    assert not sample.complete
    for subset, count in ((sample.train, 1200), (sample.test, 400)):
        assert subset.images.shape == (count, 28, 28, 1)
        assert subset.images.dtype == subset.labels.dtype == np.uint8
        assert subset.indices.tolist() == list(range(count))
        assert np.bincount(subset.labels).tolist() == [count // 10] * 10
    assert 60 < sample.train.images.mean() < 85  # the whole set has 73: these are pictures, not noise


def test_the_description_is_json_without_the_folder_it_was_read_from(sample: Dataset) -> None:
    described = json.loads(json.dumps(sample.describe().to_dict()))
    assert described.pop("source").startswith("folder ")
    assert described == {
        "name": "Fashion-MNIST",
        "complete": False,
        "checksums": sample.checksums,
        "counts": {"train": 1200, "test": 400},
    }


def test_a_folder_with_the_official_checksums_is_complete(nowhere: Path, sample_folder: Path) -> None:
    assert read_folder(sample_folder, "here").complete


def test_what_is_packed_reads_back(sample: Dataset, folder: Path) -> None:
    assert pack(sample.test.images) == content(folder, TEST_IMAGES)
    assert pack(sample.test.labels) == content(folder, TEST_LABELS)


def test_no_such_folder(tmp_path: Path, refusal: Refusal) -> None:
    message = refusal(tmp_path / "absent")
    assert "no such folder" in message
    assert "folders named by class" in message and "the four IDX files" in message


def test_missing_files_are_named_together(folder: Path, refusal: Refusal) -> None:
    gzip_path(folder, TRAIN_LABELS).unlink()
    gzip_path(folder, TEST_IMAGES).unlink()
    message = refusal(folder)
    assert "lacks t10k-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz" in message


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            lambda good: b"<html>sign in",
            "not a gzip file: it starts with 3c 68 74 6d 6c 3e 73 69, expected 1f 8b",
        ),
        (lambda good: b"", "not a gzip file: it starts with nothing, it is empty"),
        (lambda good: good[:-100], "truncated gzip"),
        (lambda good: good[:9], "truncated gzip"),
        (lambda good: good[:500] + b"\xff" * 64 + good[564:], "damaged gzip"),
        (lambda good: good[:-8] + b"\0" * 8, "damaged gzip"),
    ],
)
def test_a_file_that_cannot_be_unpacked(
    folder: Path, damage: Callable[[bytes], bytes], said: str, refusal: Refusal
) -> None:
    path = gzip_path(folder, TEST_IMAGES)
    path.write_bytes(damage(path.read_bytes()))
    message = refusal(folder)
    assert str(path) in message
    assert said in message


def test_a_wrong_checksum_names_both(folder: Path, sample: Dataset, refusal: Refusal) -> None:
    other = content(folder, TEST_LABELS).replace(b"\1", b"\2")
    gzip_path(folder, TEST_LABELS).write_bytes(gzip.compress(other))
    message = refusal(folder)
    assert "wrong checksum" in message
    assert hashlib.sha256(other).hexdigest() in message
    assert sample.checksums[TEST_LABELS] in message


def test_without_its_checksums_a_part_is_not_taken_for_the_whole(folder: Path) -> None:
    (folder / "SHA256SUMS").unlink()
    lines: list[str] = []
    found = load_dataset(folder, lines.append)
    assert found.task.name == folder.name
    assert found.task.classes == tuple("0123456789")
    assert lines == [f"{folder} is not Fashion-MNIST: its classes are 0, 1, 2 and 7 more"]


def test_the_names_of_classes_may_lie_beside_undeclared_files(folder: Path, refusal: Refusal) -> None:
    (folder / "SHA256SUMS").unlink()
    (folder / "classes.txt").write_text("".join(f"class {number}\n" for number in range(10)))
    assert load_dataset(folder).task.classes[9] == "class 9"
    (folder / "classes.txt").write_text("one\ntwo\n")
    assert "classes.txt names 2 classes, and there are labels up to 9" in refusal(folder)


def test_one_damaged_file_of_fashion_mnist_is_not_another_data_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    (folder / "SHA256SUMS").unlink()
    labels = hashlib.sha256(content(folder, TEST_LABELS)).hexdigest()
    monkeypatch.setitem(CHECKSUMS, TEST_LABELS, labels)
    assert "wrong checksum" in refusal(folder)


def test_checksums_must_cover_the_four_files(folder: Path, refusal: Refusal) -> None:
    sums = folder / "SHA256SUMS"
    sums.write_text("".join(line for line in sums.open() if TRAIN_LABELS not in line))
    assert f"no SHA-256 of {TRAIN_LABELS};" in refusal(folder)


NAMINGS: dict[str, Callable[[str], str]] = {
    "decompressed": lambda name: name,
    "with a dot": lambda name: name.replace("-idx", ".idx"),
    "with a dot and gzipped": lambda name: f"{name.replace('-idx', '.idx')}.gz",
    "in upper case": lambda name: f"{name.upper()}.GZ",
    "decompressed by a browser, which kept the name": lambda name: f"{name}.gz",
}


@pytest.mark.parametrize("naming", NAMINGS)
def test_the_files_may_be_decompressed_and_called_as_mirrors_call_them(
    folder: Path, sample: Dataset, naming: str
) -> None:
    for name in FILES:
        raw, called = content(folder, name), NAMINGS[naming](name)
        gzip_path(folder, name).unlink()
        (folder / called).write_bytes(gzip.compress(raw) if "gzipped" in naming or "upper" in naming else raw)
    found = load_dataset(folder)
    assert found.checksums == sample.checksums
    assert (found.train.images == sample.train.images).all()


def test_a_folder_that_is_called_like_a_file_is_passed_over(folder: Path) -> None:
    """As in an archive that a well-known site serves: the file lies in a folder of its own name."""
    (folder / TRAIN_IMAGES).mkdir()
    assert load_dataset(folder).checksums


@pytest.mark.parametrize("kind", ["images", "labels"])
def test_a_file_that_swells_without_end_is_not_unpacked(folder: Path, kind: str, refusal: Refusal) -> None:
    name, most = {"images": (TRAIN_IMAGES, "54,880,016"), "labels": (TRAIN_LABELS, "70,008")}[kind]
    size = {"images": 1_000_000_000, "labels": 80_000}[kind]
    gzip_path(folder, name).write_bytes(gzip.compress(bytes(size // 8)) * 8)
    tracemalloc.start()
    message = refusal(folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert f"more than {most} bytes inside, which no such file has" in message
    assert peak < 160e6


def test_a_file_in_parts_is_read_and_one_of_countless_parts_is_not(
    folder: Path, sample: Dataset, refusal: Refusal
) -> None:
    raw = content(folder, TEST_LABELS)
    path = gzip_path(folder, TEST_LABELS)
    path.write_bytes(gzip.compress(raw[:100]) + gzip.compress(raw[100:]) + bytes(512))
    assert (load_dataset(folder).test.labels == sample.test.labels).all()
    path.write_bytes(gzip.compress(b"") * 1000 + gzip.compress(raw))
    assert "damaged gzip: more than 10 parts" in refusal(folder)


def test_a_file_that_is_too_large_is_not_read(folder: Path, refusal: Refusal) -> None:
    with gzip_path(folder, TRAIN_LABELS).open("wb") as file:
        file.truncate(1 << 34)
    assert "has more than 135,544 bytes" in refusal(folder)


@pytest.mark.parametrize("name", ["SHA256SUMS", f"{TEST_LABELS}.gz"])
@pytest.mark.parametrize("kind", ["device", "fifo"])
def test_what_is_no_file_is_not_waited_for(folder: Path, name: str, kind: str, refusal: Refusal) -> None:
    (folder / name).unlink()
    if kind == "fifo":
        os.mkfifo(folder / name)
    else:
        (folder / name).symlink_to("/dev/zero")
    message = refusal(folder)
    assert "not a regular file" in message or f"lacks {TEST_LABELS}.gz" in message


SPELLINGS: dict[str, Callable[[str], bytes]] = {
    "a byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "lines of Windows": lambda text: text.replace("\n", "\r\n").encode(),
    "no last line end": lambda text: text.rstrip().encode(),
    "binary markers": lambda text: text.replace("  ", " *").encode(),
    "digests in upper case": lambda text: re.sub(
        "[0-9a-f]{64}", lambda found: found[0].upper(), text
    ).encode(),
    "this folder": lambda text: text.replace("  ", "  ./").encode(),
    "names with a dot": lambda text: text.replace("-idx", ".idx").encode(),
    "all at once": lambda text: (
        b"\xef\xbb\xbf" + text.upper().replace("  ", " *").replace("\n", "\r\n").encode()
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_checksums_however_they_are_spelled(folder: Path, sample: Dataset, spelling: str) -> None:
    sums = folder / "SHA256SUMS"
    sums.write_bytes(SPELLINGS[spelling](sums.read_text()))
    assert load_dataset(folder).checksums == sample.checksums


def test_checksums_in_another_encoding_are_refused_in_one_line(folder: Path, refusal: Refusal) -> None:
    sums = folder / "SHA256SUMS"
    sums.write_bytes(sums.read_text().encode("utf-16"))
    assert "is not UTF-8 text" in refusal(folder)


def test_every_class_needs_a_test_image(folder: Path, sample: Dataset, refusal: Refusal) -> None:
    kept = sample.test.take(np.flatnonzero(sample.test.labels != 7))
    declare(folder, TEST_IMAGES, pack(kept.images))
    declare(folder, TEST_LABELS, pack(kept.labels))
    assert "has no test image of Sneaker, and every class needs one" in refusal(folder)
    declare(folder, TEST_IMAGES, pack(kept.images[:0]))
    declare(folder, TEST_LABELS, pack(kept.labels[:0]))
    assert "has no test image of T-shirt/top, Trouser" in refusal(folder)


@pytest.mark.parametrize("closed", ["", "SHA256SUMS", f"{TRAIN_IMAGES}.gz"])
@pytest.mark.parametrize("mode", [0o000, 0o100])
def test_what_may_not_be_read_is_one_line(
    folder: Path, closed: str, mode: int, unprivileged: Callable[..., tuple[int, str]]
) -> None:
    (folder / closed).chmod(mode)
    code, out = unprivileged("-m", "edgefashion", "data", "--data", folder)
    (folder / closed).chmod(0o700)
    if closed == "" and mode == 0o100:
        assert code == 0, out
    else:
        assert (code, out.count("\n")) == (2, 1), out
        assert "cannot be read (Permission denied): its owner can allow it with chmod" in out


def test_a_wrong_magic_number(folder: Path, refusal: Refusal) -> None:
    raw = content(folder, TRAIN_IMAGES)
    declare(folder, TRAIN_IMAGES, struct.pack(">I", 0x0D03) + raw[4:])
    assert "wrong magic number: 0x00000d03, expected 0x00000803" in refusal(folder)


def test_labels_in_the_place_of_images(folder: Path, refusal: Refusal) -> None:
    declare(folder, TRAIN_IMAGES, content(folder, TRAIN_LABELS))
    assert "wrong magic number: 0x00000801, expected 0x00000803" in refusal(folder)


def test_images_of_another_size(folder: Path, refusal: Refusal) -> None:
    declare(
        folder, TRAIN_IMAGES, struct.pack(">4I", 0x0803, 1200, 14, 56) + content(folder, TRAIN_IMAGES)[16:]
    )
    assert "images of 14 x 56 pixels, expected 28 x 28" in refusal(folder)


@pytest.mark.parametrize("count", [399, 401, 0xFFFFFFFF])
def test_a_count_that_the_bytes_do_not_bear_out(folder: Path, count: int, refusal: Refusal) -> None:
    raw = content(folder, TEST_IMAGES)
    declare(folder, TEST_IMAGES, raw[:4] + struct.pack(">I", count) + raw[8:])
    assert f"wrong count: its header promises {count:,} items" in refusal(folder)


def test_a_label_for_each_image(folder: Path, sample: Dataset, refusal: Refusal) -> None:
    declare(folder, TEST_LABELS, pack(sample.test.labels[:-1]))
    assert "wrong count: 399 labels, expected 400" in refusal(folder)


def test_a_label_out_of_range(folder: Path, refusal: Refusal) -> None:
    raw = content(folder, TEST_LABELS)
    declare(folder, TEST_LABELS, raw[:-1] + b"\x0a")
    assert "label out of range: 10, expected 0 to 9" in refusal(folder)


def test_a_file_shorter_than_its_header(folder: Path, refusal: Refusal) -> None:
    declare(folder, TRAIN_LABELS, b"\0\0\x08")
    assert "3 bytes inside, expected an IDX header of 8" in refusal(folder)


def test_the_sample_can_be_made_again(sample_folder: Path, sample: Dataset, tmp_path: Path) -> None:
    """All of the sample, drawn from the sample, is the sample: nothing in the files depends on the day."""
    tool = Path(__file__).parents[2] / "tools/make_sample"
    subprocess.run([sys.executable, str(tool), str(sample_folder), str(tmp_path)], check=True)
    again = load_dataset(tmp_path)
    assert again.checksums == sample.checksums
    for name in FILES:
        assert gzip_path(tmp_path, name).read_bytes()[:10] == b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"


def test_importing_costs_numpy_at_most() -> None:
    heavy = ["rich", "filelock", "platformdirs", "urllib.request", "http.client", "matplotlib", "tensorflow"]
    code = f"import sys, edgefashion.data; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
