"""The notebooks: each is what its .py says, and runs."""

import json
import os
import runpy
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "tools/notebooks").glob("*.ipynb"))
SMALL = """
EPOCHS, LIMIT, SECONDS, RUN = 1, 100, 0.01, "runs/small"
plt.rcParams["figure.dpi"] = 20

from edgefashion.benchmarking import watch
from edgefashion.runtimes import content, in_process

watch.LOOK_S, watch.RAMP_S, content.ModelProcess = 0.01, 0.005, in_process.InProcessModel
"""
SHORT = """
EPOCHS, LIMIT, SECONDS, RUN = 1, 100, 0.01, "runs/short"
WIDTH, WEIGHTS = 0.35, "random.h5"

from dataclasses import replace
from functools import cache
from edgefashion.models import mobilenetv2
from edgefashion.tensorflow import keras

builder = keras.applications.MobileNetV2.__globals__
block_of = builder["_inverted_res_block"]
builder["_inverted_res_block"] = lambda tensor, block_id, **more: (
    block_of(tensor, block_id=block_id, **more) if block_id < 3 else tensor
)

@cache
def whole(width, size):
    return keras.applications.MobileNetV2(
        input_shape=(*size, 3), include_top=False, weights=None, alpha=width
    )

def first_blocks(width, size):
    found = whole(width, size)
    return keras.models.clone_model(keras.Model(found.input, found.get_layer("block_2_add").output))

mobilenetv2.SIZE, mobilenetv2._untrained = 48, first_blocks
first_blocks(WIDTH, (48, 48)).save_weights(WEIGHTS)
fast = "mobilenetv2-fast"
ef.RECIPES[fast] = replace(ef.RECIPES[fast], frozen="block_1_project_BN")
"""
PARAMETERS = {"custom_cnn": SMALL, "mobilenetv2": SHORT}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_what_its_source_says_and_has_no_outputs(path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "tools")
        notebook = runpy.run_path(str(ROOT / "tools/make_notebooks"))["notebook"](path.with_suffix(".py"))
    assert path.read_text() == notebook, "tools/make_notebooks writes it"
    cells = json.loads(notebook)["cells"]
    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]


def test_a_notebook_opens_nothing_but_the_public_face() -> None:
    for path in NOTEBOOKS:
        source = path.with_suffix(".py").read_text()
        imports = [line for line in source.splitlines() if line.startswith(("import ", "from "))]
        assert imports == [
            "import matplotlib.pyplot as plt",
            "import numpy as np",
            "import edgefashion as ef",
        ]


def test_they_run(sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other in one kernel, which forgets the first: TensorFlow is imported once."""
    monkeypatch.setenv("EDGEFASHION_DATA", str(sample_folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    both = nbformat.v4.new_notebook()
    for path in NOTEBOOKS:
        cells = nbformat.read(path, 4).cells
        (given,) = (cell for cell in cells if "parameters" in cell.metadata.get("tags", ()))
        given.source += PARAMETERS[path.stem]
        both.cells += [*cells, nbformat.v4.new_code_cell("%reset -f")]
    NotebookClient(
        both, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    shown = [output for cell in both.cells for output in cell.get("outputs", ())]
    assert sum("image/png" in output.get("data", ()) for output in shown) == 13
    assert not [output for output in shown if output.get("name") == "stderr"]
    assert (tmp_path / "runs/small/artifacts/small-int8.tflite").is_file()
