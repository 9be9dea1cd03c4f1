"""Looking into pictures, once."""

import hashlib
import io
import os
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgefashion.data import store
from edgefashion.data.picture_sets import scanning
from edgefashion.data.picture_sets.scanning import Scanned, scan
from edgefashion.data.picture_sets.trees import Folder
from edgefashion.system import workers

Write = Callable[[Mapping[str, bytes]], Path]
Picture = Callable[..., bytes]


def scanned(folder: Path) -> dict[str, Scanned]:
    tree = Folder(folder)
    found = tree.contents().files
    return {each.name: one for each, one in zip(found, scan(tree, found), strict=True)}


def test_what_is_in_a_file(write: Write, picture: Picture) -> None:
    found = scanned(
        write({"a.png": picture(1), "b.png": picture(2, "TIFF", (30, 20), 1), "c.jpg": b"GIF89a..."})
    )
    assert [(each.format, each.mode, each.size, each.gray) for each in found.values()] == [
        ("PNG", "RGB", (12, 10), False),
        ("TIFF", "L", (30, 20), True),
        ("", "", (0, 0), False),
    ]
    assert found["c.jpg"].defect.startswith("is not a JPEG, PNG, WebP, BMP or TIFF picture")
    assert len(found["a.png"].thumbnail) == scanning.THUMBNAIL**2


def test_nothing_is_opened_twice(write: Write, picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write({"a.png": picture(1), "b.png": b"none", "c\udce4.png": picture(3)})
    before = scanned(folder)
    opened: list[str] = []
    read = Folder.read
    monkeypatch.setattr(Folder, "read", lambda self, name: opened.append(name) or read(self, name))
    assert scanned(folder) == before
    assert opened == []
    (folder / "a.png").write_bytes(picture(4))
    (folder / "d.png").write_bytes(picture(5))
    assert len(scanned(folder)) == 4
    assert opened == ["a.png", "d.png"]


def test_files_of_one_size_and_time_are_told_apart(write: Write, picture: Picture) -> None:
    folder = write({f"{name}.bmp": picture(n, "BMP") for n, name in enumerate("abc")})
    a, b, c = (folder / f"{name}.bmp" for name in "abc")

    def age() -> None:
        for path in (a, b, c):
            os.utime(path, (1_700_000_000, 1_700_000_000))

    age()
    before = scanned(folder)
    a.rename(folder / "x")
    b.rename(a)
    (folder / "x").rename(b)
    c.write_bytes(picture(9, "BMP"))
    age()
    after = scanned(folder)
    assert [after[name].digest for name in ("a.bmp", "b.bmp")] == [
        before[name].digest for name in ("b.bmp", "a.bmp")
    ]
    assert after["c.bmp"].digest == hashlib.sha256(c.read_bytes()).hexdigest()


@pytest.mark.parametrize("content", [b"", b"junk", b"\x92\x92\x01\xa1x\x80"])
def test_a_damaged_index_is_made_again(content: bytes, write: Write, picture: Picture) -> None:
    folder = write({"a.png": picture(1)})
    before = scanned(folder)
    scanning.index_path(Folder(folder)).write_bytes(content)
    assert scanned(folder) == before


def test_a_cache_that_cannot_be_written_only_costs_time(write: Write, picture: Picture, cache: Path) -> None:
    cache.write_text("a file")
    assert len(scanned(write({"a.png": picture(1)}))) == 1


def test_many_are_looked_into_by_several_processes(
    write: Write, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write({f"{number}.png": picture(number) for number in range(6)})
    alone = scanned(folder)
    scanning.forget(Folder(folder))
    monkeypatch.setattr(scanning, "TOGETHER", 2)
    monkeypatch.setattr(workers, "FEW", 1)
    monkeypatch.setattr(scanning, "cores", lambda: 2)
    assert scanned(folder) == alone


def test_what_is_kept_can_be_forgotten(write: Write, picture: Picture) -> None:
    from edgefashion.data import load_dataset

    folder = write({f"{name}/{n}.png": picture(n + len(name)) for name in ("a", "bbbbbb") for n in range(5)})
    load_dataset(folder)
    path = scanning.index_path(Folder(folder))
    alike = scanning.index_path(Folder(folder), scanning.ALIKE)
    kept = path.stat().st_size + alike.stat().st_size + store.size()
    assert scanning.forget(Folder(folder)) == kept
    assert not path.exists()
    assert not alike.exists()
    assert store.size() == 0
    assert scanning.forget(Folder(folder)) == 0


def test_a_file_gone_or_closed_is_a_defect(write: Write, picture: Picture) -> None:
    folder = write({"a.png": picture(1)})
    tree = Folder(folder)
    found = tree.contents().files
    (folder / "a.png").unlink()
    assert "cannot be read (No such file or directory)" in scan(tree, found)[0].defect


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def test_pictures_of_every_odd_kind_are_taken_or_say_why_not(write: Write, picture: Picture) -> None:
    gray, color = Image.new("L", (9, 9), 77), Image.new("RGB", (9, 9), "red")
    huge = bytearray(picture(1))
    huge[16:24] = (100_000).to_bytes(4, "big") * 2
    huge[29:33] = zlib.crc32(huge[12:29]).to_bytes(4, "big")
    refused = {
        "huge.png": (bytes(huge), "has more than 89,478,485 pixels: make it smaller"),
        "animated.png": (saved(color, "PNG", save_all=True, append_images=[gray]), "is animated"),
        "animated.webp": (saved(color, "WEBP", save_all=True, append_images=[gray]), "is animated"),
        "float.tif": (saved(gray.convert("F"), "TIFF"), "has colors of the kind F: save it as RGB or gray"),
        "half.jpg": (saved(Image.effect_noise((90, 90), 50), "JPEG")[:1500], "is truncated or damaged"),
        "pointer.png": (b"version https://git-lfs.github.com/spec/v1", "is a Git LFS pointer"),
    }
    taken = {
        "renamed.png": saved(color, "JPEG"),
        "cmyk.jpg": saved(color.convert("CMYK"), "JPEG"),
        "palette.png": saved(color.convert("P"), "PNG"),
        "alpha.png": saved(gray.convert("LA"), "PNG"),
        "deep.png": saved(Image.fromarray(np.full((9, 9), 40_000, np.uint16)), "PNG"),
        "pages.tif": saved(color, "TIFF", save_all=True, append_images=[color]),
    }
    found = scanned(write(taken | {name: content for name, (content, _) in refused.items()}))
    assert {name: found[name].defect for name in taken} == dict.fromkeys(taken, "")
    assert all(said in found[name].defect for name, (_, said) in refused.items())
    assert {name for name in taken if found[name].gray} == {"alpha.png", "deep.png"}
