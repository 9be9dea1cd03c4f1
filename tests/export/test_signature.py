"""TFLite files name their input and output, as tools of others ask for."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from edgefashion.export.tflite.converters import embed
from edgefashion.training.runs import Run

MODELS = Path(__file__).parents[1] / "files/models"
TOOLS = ("litert-cli==0.2.1", "litert-quantizer==0.11.0", "ai-edge-quantizer==0.9.0")
"""Two of these ask for different versions of LiteRT, so that they are installed without what they ask for."""
NEEDS = ("immutabledict", "litert-lm-builder")
CALIBRATION = """
import numpy as np
def get_calibration_data():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 1, 28, 28, 1), np.uint8)
    return {"serving_default": [{"image": image} for image in pixels]}
"""
QUANTIZE = """
import sys
from calibration import get_calibration_data
from litert_quantizer import quantizer, recipe
model = quantizer.Quantizer(sys.argv[1])
model.load_quantization_recipe(recipe.static_wi8_ai8())
model.quantize(model.calibrate(get_calibration_data())).export_model(sys.argv[2])
"""


@pytest.mark.parametrize("name", ["tiny-float32.tflite", "tiny-int8.tflite"])
def test_the_signature_runs_the_model(name: str) -> None:
    from ai_edge_litert.interpreter import Interpreter

    content = embed((MODELS / name).read_bytes(), b"{}")
    assert embed(content, b"{}") == content
    assert len(content) <= (MODELS / name).stat().st_size + 112
    interpreter = Interpreter(model_content=content)
    assert interpreter.get_signature_list() == {
        "serving_default": {"inputs": ["image"], "outputs": ["logits"]}
    }
    (details,) = interpreter.get_input_details()
    image = np.arange(np.prod(details["shape"])).reshape(details["shape"]).astype(details["dtype"])
    logits = interpreter.get_signature_runner("serving_default")(image=image)["logits"]
    interpreter.allocate_tensors()
    interpreter.set_tensor(details["index"], image)
    interpreter.invoke()
    np.testing.assert_array_equal(
        logits, interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    )


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory,
    wanting_downloads: Callable[[], AbstractContextManager[None]],
) -> Path:
    """A folder with litert-cli and litert-quantizer, and pictures as both of them take."""
    folder = tmp_path_factory.mktemp("tools")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    with wanting_downloads():
        run = import_module("emulation_parts").run
        run([*install, "--target", str(folder), *TOOLS, *NEEDS], "the tools of LiteRT cannot be installed")
    (folder / "calibration.py").write_text(CALIBRATION)
    return folder


CLI = ["-c", "from litert_cli.litert import cli; cli()", "quantize", "--recipe", "static_wi8_ai8"]


@pytest.mark.parametrize(
    "words",
    [
        [*CLI, "--calibration-data", "calibration.py", "{model}", "--output", "{made}"],
        ["-c", QUANTIZE, "{model}", "{made}"],
    ],
    ids=["litert-cli", "litert-quantizer"],
)
def test_other_quantizers_take_the_float_file(
    folder: Path, exported: Run, tmp_path: Path, words: list[str]
) -> None:
    model, made = exported.artifacts / "cnn-float32.tflite", tmp_path / "made.tflite"
    command = [
        sys.executable,
        *(word.replace("{model}", str(model)).replace("{made}", str(made)) for word in words),
    ]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert made.stat().st_size < 0.3 * model.stat().st_size
