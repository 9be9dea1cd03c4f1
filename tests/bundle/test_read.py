"""What is truncated, tampered with, malicious or of another version is refused, in one line."""

import io
import json
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgefashion import bundle
from edgefashion.artifacts.artifact import Artifact
from edgefashion.bundle import archive, layout
from edgefashion.data import Dataset
from edgefashion.errors import BundleError, OutputError

MODELS = Path(__file__).parents[1] / "files/models"
Members = dict[str, bytes]


@pytest.fixture(scope="module")
def made(sample: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundles") / "tiny.zip"
    names = ("tiny-int8.tflite", "tiny-float32.onnx")
    bundle.make(path, [Artifact(MODELS / name, None) for name in names], sample, 50)
    return path


@pytest.fixture
def changed(made: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy whose members were changed; with `listed`, bundle.json has their new sizes and checksums."""

    def change(do: Callable[[Members, dict[str, Any]], object], listed: bool = True) -> Path:
        with zipfile.ZipFile(made) as file:
            members = {name: file.read(name) for name in file.namelist()}
        info = json.loads(members.pop("bundle.json"))
        do(members, info)
        if listed:
            info["members"] = {name: archive.digest(content).to_dict() for name, content in members.items()}
        path = tmp_path / "changed.zip"
        archive.write(path, {"bundle.json": json.dumps(info).encode(), **members})
        return path

    return change


def refusal(path: Path) -> str:
    """Why a bundle is not opened, which is one line."""
    with pytest.raises(BundleError) as refused, bundle.open_bundle(path):
        pytest.fail("it was opened")
    message = str(refused.value)
    assert refused.value.exit_code == 2
    assert "\n" not in message
    assert str(path) in message
    return message


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize("kept", [0, 10, 500, 5000, -1, -22, -60])
def test_a_truncated_bundle(made: Path, tmp_path: Path, kept: int) -> None:
    path = tmp_path / "cut.zip"
    path.write_bytes(made.read_bytes()[:kept])
    assert "truncated, damaged or no bundle" in refusal(path)


def test_what_is_no_bundle(made: Path, tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "gone.zip")
    assert "Is a directory" in refusal(tmp_path)
    other = tmp_path / "other.zip"
    archive.write(other, {"artifacts/a.txt": b""})
    assert "no bundle.json" in refusal(other)
    other.write_bytes(made.read_bytes() + b"tail")
    assert "truncated, damaged or no bundle" in refusal(other)


def test_every_changed_byte_is_found(made: Path, tmp_path: Path) -> None:
    """Of one in every 97 bytes: nothing but a name's or a date's copy may be changed unnoticed."""
    content = made.read_bytes()
    with bundle.open_bundle(made) as found:
        expected = npy(found.images), npy(found.labels), [each.path.read_bytes() for each in found.artifacts]
    path = tmp_path / "changed.zip"
    for position in range(0, len(content), 97):
        path.write_bytes(content[:position] + bytes([content[position] ^ 0x41]) + content[position + 1 :])
        try:
            with bundle.open_bundle(path) as found:
                unpacked = [each.path.read_bytes() for each in found.artifacts]
                assert (npy(found.images), npy(found.labels), unpacked) == expected
        except BundleError:
            pass


def set_array(name: str, array: Any) -> Callable[[Members, dict[str, Any]], object]:
    return lambda members, info: members.update({name: npy(array)})


LOGITS = "predictions/tiny-int8.tflite.npy"
NESTED = b"\x93NUMPY\x01\x00" + struct.pack("<H", 9000) + b"-" * 9000
HUGE = (
    b"\x93NUMPY\x01\x00v\x00"
    + repr({"descr": "|u1", "fortran_order": False, "shape": (10**15, 28, 28, 1)}).encode().ljust(117)
    + b"\n"
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m, i: m.pop("labels.npy"), "'labels.npy' is missing"),
        (lambda m, i: m.pop("artifacts/tiny-int8.tflite"), "'artifacts/tiny-int8.tflite' is missing"),
        (lambda m, i: m.pop(LOGITS), "is missing"),
        (lambda m, i: m.update({"artifacts/more.tflite": b"x"}), "does not list"),
        (lambda m, i: m.update({"artifacts/tiny-int8.tflite.json": b"{}"}), "and its manifest do not fit"),
        (set_array("images.npy", np.zeros((49, 28, 28, 1), np.uint8)), "not uint8 [50, 28, 28, 1]"),
        (set_array("images.npy", np.zeros((50, 28, 28, 1), np.float32)), "not uint8 [50, 28, 28, 1]"),
        (set_array("images.npy", np.zeros((28, 28, 1, 50), np.uint8).T), "not uint8"),
        (set_array("labels.npy", np.full(50, 10, np.uint8)), "a label above 9"),
        (set_array("labels.npy", np.array([{}] * 50)), "not uint8 [50]"),
        (set_array(LOGITS, np.full((50, 10), np.nan, np.float32)), "NaN or infinite logits"),
        (lambda m, i: m.update({"images.npy": HUGE}), "not uint8 [50, 28, 28, 1]"),
        (
            lambda m, i: m.update({"images.npy": NESTED}),
            "'images.npy': ",
        ),
        (lambda m, i: m.update({"images.npy": b"no array"}), "'images.npy': "),
        (lambda m, i: m.update({"images.npy": m["images.npy"] + b"x"}), "not uint8 [50, 28, 28, 1]"),
        (lambda m, i: i.update(artifacts=[]), "artifacts: "),
        (lambda m, i: i.update(artifacts=i["artifacts"] * 2), "makes no sense"),
        (lambda m, i: i["artifacts"][0].update(file="../x.tflite"), "makes no sense"),
        (lambda m, i: i["artifacts"][0].update(file="x.sh"), "makes no sense"),
        (lambda m, i: i["artifacts"][0].update(tolerance=-1), "artifacts[0].tolerance: "),
        (lambda m, i: i["artifacts"][0].update(tolerance=float("nan")), "malformed"),
        (lambda m, i: i["artifacts"][0].update(tolerance=float("inf")), "malformed"),
        (lambda m, i: i["sample"].update(images="50"), "expected a whole number"),
        (lambda m, i: i["sample"].update(images=100_001), "makes no sense"),
        (lambda m, i: i.update(classes=["Trouser"]), "classes: "),
        (lambda m, i: i.pop("host"), "it lacks host"),
        (lambda m, i: i.update(dataset={"a": 1}), "dataset: it lacks name"),
        (lambda m, i: i.update(dataset={**i["dataset"], "counts": {"test": 1}}), "dataset.counts: "),
        (lambda m, i: i.update(schema=None), "expected a whole number"),
        (lambda m, i: i.update(schema=10**400), "too large"),
        (
            lambda m, i: i.update(schema=2, edgefashion="7.1.0"),
            "install edgefashion 7.1.0 or later here",
        ),
        (lambda m, i: i.update(schema=2, edgefashion="\x1b[2J"), "install edgefashion of a later version"),
        (lambda m, i: i.update(schema=0), "make it again with edgefashion bundle"),
    ],
)
def test_content_that_does_not_hold_together(
    changed: Callable[..., Path], change: Callable[[Members, dict[str, Any]], object], said: str
) -> None:
    assert said in refusal(changed(change))


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", LOGITS, "artifacts/tiny-float32.onnx"])
def test_a_wrong_checksum_or_size(changed: Callable[..., Path], name: str) -> None:
    def flip(members: Members, info: dict[str, Any]) -> None:
        members[name] = members[name][:-1] + bytes([members[name][-1] ^ 1])

    assert f"{name!r} has not the size or SHA-256" in refusal(changed(flip, listed=False))
    longer = changed(lambda members, info: members.update({name: members[name] + b"x"}), listed=False)
    assert f"{name!r} has not the size or SHA-256" in refusal(longer)


@pytest.mark.parametrize(
    "name",
    [
        "../evil.tflite",
        "artifacts/../../evil.tflite",
        "/etc/evil",
        "C:evil",
        "artifacts\\evil.tflite",
        "artifacts/.bashrc",
        "artifacts/deep/evil.tflite",
        "artifacts/",
        "other/evil.tflite",
        "artifacts/\x1b[2J.tflite",
        "artifacts/\u202eetilft.tflite",
        "artifacts/a?.tflite",
        "artifacts/a.tflite ",
        "artifacts/a.",
        "artifacts/" + "x" * 201,
    ],
)
def test_a_path_that_leads_out_or_deceives(changed: Callable[..., Path], name: str) -> None:
    assert "has a member called" in refusal(changed(lambda members, info: members.update({name: b"x"})))


def rewritten(made: Path, path: Path, compress_type: int = zipfile.ZIP_STORED, **header: int) -> Path:
    """The bundle's members in a zip file with other headers."""
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(path, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            for name, value in header.items():
                setattr(member, name, value)
            new.writestr(member, content, compress_type)
    return path


def test_links_folders_and_compressed_members(made: Path, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    for mode in (0o120777, 0o040755, 0o010644):
        assert "a link or no plain file" in refusal(rewritten(made, path, external_attr=mode << 16))
    said = refusal(rewritten(made, path, zipfile.ZIP_DEFLATED))
    assert "compressed" in said


def test_a_zip_bomb_is_not_unpacked(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        member = zipfile.ZipInfo("images.npy")
        member.external_attr = 0o100644 << 16
        member.compress_type = zipfile.ZIP_DEFLATED
        file.writestr(member, bytes(layout.MEMBER_BYTES + 1))
    assert path.stat().st_size < 1 << 20
    assert "compressed" in refusal(path)
    monkeypatch.setattr(layout, "MEMBER_BYTES", 10_000)
    assert "'images.npy' of 39,328 bytes" in refusal(made)
    monkeypatch.setattr(layout, "TOTAL_BYTES", 20_000)
    assert "more than 20,000" in refusal(made)


def directory(content: bytes) -> int:
    """Where the directory of a zip file starts."""
    return int(struct.unpack("<L", content[-6:-2])[0])


def test_sizes_that_lie_and_members_that_overlap(made: Path, tmp_path: Path) -> None:
    """The directory says that the first member is as long as the file, or starts where the next one does."""
    content, path = bytearray(made.read_bytes()), tmp_path / "b.zip"
    start = directory(content)
    lying = bytearray(content)
    lying[start + 20 : start + 28] = struct.pack("<LL", len(content), len(content))
    path.write_bytes(lying)
    assert "overlap" in refusal(path)
    lying[start + 20 : start + 28] = struct.pack("<LL", 0xF0000000, 0xF0000000)
    path.write_bytes(lying)
    assert "of 4,026,531,840 bytes" in refusal(path)
    second = content.index(b"PK\1\2", start + 4)
    content[second + 42 : second + 46] = bytes(4)
    path.write_bytes(content)
    assert "truncated, damaged or no bundle" in refusal(path)


def test_names_that_are_not_utf_8_and_sizes_of_a_large_file(made: Path, tmp_path: Path) -> None:
    content, path = bytearray(made.read_bytes()), tmp_path / "b.zip"
    start = directory(content)
    content[start + 9] |= 0x08  # names are UTF-8
    content[start + 46] = 0xFF
    path.write_bytes(content)
    assert "truncated, damaged or no bundle" in refusal(path)
    large = bytearray(made.read_bytes())
    large[start + 20 : start + 28] = b"\xff" * 8
    path.write_bytes(large)
    assert "of 4,294,967,295 bytes" in refusal(path)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.zip")
    (tmp_path / "device.zip").symlink_to("/dev/zero")
    for name in ("fifo.zip", "device.zip"):
        assert f"{name} cannot be read (it is not a regular file)" in refusal(tmp_path / name)


def test_encrypted_twin_and_too_many_members(made: Path, tmp_path: Path) -> None:
    content, path = bytearray(made.read_bytes()), tmp_path / "b.zip"
    content[directory(content) + 8] |= 1
    path.write_bytes(content)
    assert "encrypted" in refusal(path)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "w") as file:
        for _ in range(2):
            file.writestr("images.npy", b"")
    assert "two members of one name" in refusal(path)
    archive.write(path, {"images.npy": b"", "IMAGES.npy": b""})
    assert "two members of one name" in refusal(path)
    archive.write(path, {f"artifacts/{number}.tflite": b"" for number in range(layout.MOST_MEMBERS + 1)})
    assert "more than 1,000 members" in refusal(path)


def test_a_directory_that_hides_behind_a_large_file_record(made: Path, tmp_path: Path) -> None:
    """zipfile would follow the record before the end to another directory, of any length."""
    path = tmp_path / "b.zip"
    content = made.read_bytes()
    end, locator = content[-22:], b"PK\6\7" + bytes(16)
    length = len(content) - 22 - directory(content) + len(locator)
    end = end[:12] + struct.pack("<L", length) + end[16:]
    path.write_bytes(content[:-22] + locator + end)
    assert "was not made by edgefashion bundle" in refusal(path)


def test_no_room_to_unpack_is_one_line_and_leaves_nothing(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    usual = Path.open

    def full(path: Path, mode: str = "r") -> Any:
        if "x" in mode:
            raise OSError(28, "No space left on device")
        return usual(path, mode)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OutputError, match="No space left"), bundle.open_bundle(made):
        pytest.fail("it was opened")
    assert list(tmp_path.iterdir()) == []


def test_opening_needs_no_runtime(made: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from edgefashion import bundle\n"
        f"with bundle.open_bundle(Path({str(made)!r})) as found: assert len(found.artifacts) == 2\n"
        "heavy = {'tensorflow', 'onnx', 'onnxruntime', 'ai_edge_litert', 'matplotlib', 'scipy'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
