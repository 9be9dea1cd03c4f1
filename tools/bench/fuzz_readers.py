"""What edgefashion reads of others: for each kind of file sound ones to damage, and all that reads them."""

import gzip
import io
import json
import random
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from model_mutations import mutate
from mutations import mutated
from PIL import Image

from edgefashion import bundle, files, tables, zoo
from edgefashion.artifacts import artifact
from edgefashion.artifacts.formats import FORMATS
from edgefashion.artifacts.inspection import inspect, text
from edgefashion.bundle import archive, layout
from edgefashion.data import dataset, idx, load_dataset
from edgefashion.data.fashion_mnist import FASHION_MNIST, FILES, TEST_IMAGES, TEST_LABELS
from edgefashion.data.picture_sets import layouts, scanning
from edgefashion.data.picture_sets.examining import tree_of
from edgefashion.data.picture_sets.trees import Tree
from edgefashion.pictures import convert
from edgefashion.recipes import overrides
from edgefashion.report import compare
from edgefashion.report.compare import page
from edgefashion.report.compare import records as compare_records
from edgefashion.training import lineage, runs
from edgefashion.zoo.read import INFO

ROOT = Path(__file__).resolve().parents[2]
ZOO, SAMPLE, MODELS = (
    ROOT / "edgefashion/zoo",
    ROOT / "tests/files/fashion-mnist-sample",
    ROOT / "tests/files/models",
)
MODEL_FOLDERS = (ZOO, MODELS, ROOT / "tests/files/foreign-models", ROOT / "tests/files/cases")
TOML = b'recipe = "cnn-64k"\nepochs = 30\nerase = 0.25\nflip = true\nschedule = "one-cycle"\n'


@dataclass(frozen=True)
class Kind:
    """A kind of file: where it has to lie in a folder, sound contents, and all that reads it."""

    name: str
    sound: list[bytes]
    read: Callable[[Path], object]
    seal: Callable[[Path], object] = lambda path: None
    """Makes the checksums around a damaged file right, so that reading goes on behind them."""


def damaged(kind: Kind, seed: int) -> bytes:
    """One of the sound contents with a few changes: of bytes, or of values where it is JSON."""
    content = kind.sound[seed % len(kind.sound)]
    if kind.name.endswith(".json") and seed // len(kind.sound) % 4:
        return json.dumps(mutated(json.loads(content), random.Random(seed))).encode()
    return mutate(content, seed, kind.sound[(seed * 7 + 3) % len(kind.sound)])


def kinds(folder: Path, models: list[Path]) -> list[Kind]:
    """All kinds, which may lie in `folder`; of model files those that are given, or the included ones."""
    models = models or [path for each in MODEL_FOLDERS for path in artifact.find(each)]
    suffixes = [each.suffix for each in FORMATS.values()]
    by_suffix = {
        suffix: [path.read_bytes() for path in models if path.suffix == suffix] for suffix in suffixes
    }
    found = [Kind(f"model{suffix}", sound, _model) for suffix, sound in by_suffix.items() if sound]
    return [*found, *_records(folder), *_data(), *_sets(folder), *_archives(folder)]


def _model(path: Path) -> None:
    found = inspect(path)
    text.to_text([found])
    text.to_json([found])
    artifact.inspect(path)


def _records(folder: Path) -> list[Kind]:
    shutil.copy(MODELS / "tiny-int8.tflite", folder)
    run = folder / "cnn"
    run.mkdir()
    (run / runs.MODEL).write_bytes(b"a model")
    known = json.loads((ZOO / INFO).read_text())
    story = next(iter(known["models"].values()))["runs"][0]
    digest = files.sha256(run / runs.MODEL)
    story |= {"id": digest[: runs.ID_DIGITS], "model": {**story["model"], "sha256": digest}}
    manifests = [path.read_bytes() for path in sorted(ZOO.glob("*.tflite.json"))]
    return [
        Kind("results.json", [_results()], _compared),
        Kind(
            "cnn/run.json", [json.dumps(story).encode()], lambda path: lineage.lineage(runs.read(path.parent))
        ),
        Kind("tiny-int8.tflite.json", manifests, lambda path: artifact.inspect(path.with_suffix(""))),
        Kind("recipe.toml", [TOML], overrides.read),
    ]


def _results() -> bytes:
    """Of the shipped models, measured as little as can be."""
    from edgefashion.api.measure import evaluate
    from edgefashion.benchmarking import BenchmarkOptions

    found, quick = zoo.open_zoo(), BenchmarkOptions().lasting(0.01)
    results = evaluate(found.all_artifacts(), found.sample(), threads=[1], limit=20, options=quick)
    return results.to_json().encode()


def _compared(path: Path) -> None:
    found = compare.read_all([path])
    sources = compare.name_all(found.files)
    comparison = compare.compare(sources, compare.choose(sources, None))
    tables.to_markdown(page.page(comparison))
    files.json_text(compare_records.to_dict(comparison))
    compare_records.to_csv(comparison)
    found.files[0].results.to_markdown()
    found.files[0].results.to_csv()


def _data() -> list[Kind]:
    packed = {name: idx.gzip_path(SAMPLE, name).read_bytes() for name in FILES}
    images, labels = (gzip.decompress(packed[name]) for name in (TEST_IMAGES, TEST_LABELS))
    count = len(labels) - 8
    return [
        Kind(
            "x.gz",
            [packed[TEST_LABELS]],
            lambda path: idx.read_verified(path, TEST_LABELS, "0" * 64),
        ),
        Kind("images-idx3", [images], lambda path: idx.parse_images(path, path.read_bytes(), FASHION_MNIST)),
        Kind(
            "labels-idx1",
            [labels],
            lambda path: idx.parse_labels(path, path.read_bytes(), count, FASHION_MNIST),
        ),
        Kind(dataset.SUMS, [(SAMPLE / dataset.SUMS).read_bytes()], dataset._declared),
        Kind("picture", _pictures(), lambda path: convert(path, FASHION_MNIST)),
    ]


def _pictures() -> list[bytes]:
    noise, found = Image.effect_noise((60, 50), 80), []
    for mode, format in (
        ("L", "PNG"),
        ("RGB", "PNG"),
        ("LA", "PNG"),
        ("P", "PNG"),
        ("RGB", "JPEG"),
        ("CMYK", "JPEG"),
        ("RGBA", "WEBP"),
        ("RGB", "BMP"),
        ("P", "BMP"),
        ("CMYK", "TIFF"),
        ("L", "TIFF"),
    ):
        written = io.BytesIO()
        noise.convert(mode).save(written, format)
        found.append(written.getvalue())
    return found


def _sets(folder: Path) -> list[Kind]:
    """Sets of pictures: a table beside them, and a .zip file of them."""
    names = ("a/1.png", "a/2.png", "b c/3.jpg")
    photos, made = folder / "photos", io.BytesIO()
    for name, content in zip(names, _pictures(), strict=False):
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        (photos / name).write_bytes(content)
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            file.write(photos / name, f"photos/{name}")
    rows = 'file_name,label,split,group\na/1.png,cat,train,x\na/2.png,"dog, b",test,\nb c/3.jpg,cat,test,y\n'
    return [
        Kind("photos/labels.csv", [rows.encode(), rows.replace(",", ";").encode()], _table),
        Kind("photos.zip", [made.getvalue()], lambda path: _looked_into(tree_of(path))),
    ]


def _table(path: Path) -> None:
    layouts.read(tree_of(path.parent))


def _looked_into(tree: Tree) -> None:
    scanning._scan_all((tree, [entry.file for entry in layouts.read(tree).entries]))


def _archives(folder: Path) -> list[Kind]:
    made = folder / "sound.zip"
    bundle.make(made, [artifact.read(MODELS / "tiny-int8.tflite")], load_dataset(SAMPLE), 20)
    with zipfile.ZipFile(made) as file:
        members = {name: file.read(name) for name in file.namelist()}
    header = members.pop(layout.INFO)
    own = folder / "zoo"
    shutil.copytree(ZOO, own, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    info, sample = own / INFO, (ZOO / "sample.npz").read_bytes()

    def seal(path: Path) -> None:
        content = json.loads((ZOO / info.name).read_text())
        content["files"][path.name] = files.sha256(path)
        info.write_text(json.dumps(content))

    return [
        Kind("bundle.zip", [made.read_bytes()], _bundle),
        Kind("bundle.json", [header], lambda path: _bundle(_with_header(path, members))),
        Kind("zoo/sample.npz", [sample], lambda path: zoo.open_zoo(own).sample(), seal),
        Kind(
            "zoo/zoo.json", [(ZOO / info.name).read_bytes()], lambda path: zoo.open_zoo(own).all_artifacts()
        ),
    ]


def _with_header(path: Path, members: dict[str, bytes]) -> Path:
    whole = path.with_name("whole.zip")
    archive.write(whole, {layout.INFO: path.read_bytes(), **members})
    return whole


def _bundle(path: Path) -> None:
    with bundle.open_bundle(path) as found:
        for each in found.artifacts:
            found.compare(each, found.logits[each.path.name])


def _lineage(path: Path) -> object:
    return lineage.lineage(runs.read(path.parent))
