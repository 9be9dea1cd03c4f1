"""Train, quantize, export and measure small image classifiers for edge devices.

    import edgefashion as ef

Importing this package imports no framework: each name is fetched from its module when it is first used, and
TensorFlow, LiteRT and ONNX Runtime are opened by what needs them. Functions print nothing. Nothing that is
opened reports to anybody: ONNX Runtime would, to its maker and while it is measured, unless the environment
says no before it is imported, here and in child processes.
"""

import os

from edgefashion.version import __version__ as __version__

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# `python -m edgefashion` comes here before what lies in the current folder is shut out: import nothing else.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from edgefashion.api.bundles import make_bundle
    from edgefashion.api.cards import make_card
    from edgefashion.api.comparison import compare
    from edgefashion.api.debugging import debug
    from edgefashion.api.inspection import doctor, inspect
    from edgefashion.api.measure import benchmark, evaluate
    from edgefashion.api.model import Classification, Model, load_model
    from edgefashion.api.quantization import Quantization, quantize
    from edgefashion.api.reading import read_artifact, read_results, read_run
    from edgefashion.api.recipes import automatic_recipe
    from edgefashion.api.reports import make_report
    from edgefashion.api.summary import Summary, summarize
    from edgefashion.artifacts.artifact import Artifact
    from edgefashion.artifacts.inspection import Inspection
    from edgefashion.benchmarking import BenchmarkOptions
    from edgefashion.bundle import Bundle, open_bundle
    from edgefashion.data import Dataset, Picture, Splits, Subset, Task, load_dataset, split
    from edgefashion.diagnosis import DoctorReport
    from edgefashion.errors import (
        ArtifactError,
        BadInput,
        BundleError,
        DataError,
        Diverged,
        EdgefashionError,
        HostError,
        MissingExtra,
        OutOfMemory,
        OutOfTime,
        OutputError,
        PictureError,
        PictureTooLarge,
        RunError,
        RuntimeCrash,
        Untrusted,
        VerificationError,
        WorkerLost,
        ZooError,
    )
    from edgefashion.evaluation.results import Results
    from edgefashion.export.debug import DebugReport
    from edgefashion.export.export import export_model
    from edgefashion.export.options import ExportOptions
    from edgefashion.importing.options import ImportOptions
    from edgefashion.prediction import Guess, Prediction
    from edgefashion.recipes import NAMED_RECIPES as RECIPES
    from edgefashion.recipes import Recipe
    from edgefashion.recipes.selection import recipe
    from edgefashion.records.results import Row
    from edgefashion.report.card import Card
    from edgefashion.report.compare import Comparison
    from edgefashion.report.page import Report
    from edgefashion.shelf.benchmark import benchmark_hosts
    from edgefashion.shelf.table import HostResults
    from edgefashion.training.reuse import train_or_reuse
    from edgefashion.training.runs import Run
    from edgefashion.training.train import train

__all__ = [
    "RECIPES",
    "Artifact",
    "ArtifactError",
    "BadInput",
    "BenchmarkOptions",
    "Bundle",
    "BundleError",
    "Card",
    "Classification",
    "Comparison",
    "DataError",
    "Dataset",
    "DebugReport",
    "Diverged",
    "DoctorReport",
    "EdgefashionError",
    "ExportOptions",
    "Guess",
    "HostError",
    "HostResults",
    "ImportOptions",
    "Inspection",
    "MissingExtra",
    "Model",
    "OutOfMemory",
    "OutOfTime",
    "OutputError",
    "Picture",
    "PictureError",
    "PictureTooLarge",
    "Prediction",
    "Quantization",
    "Recipe",
    "Report",
    "Results",
    "Row",
    "Run",
    "RunError",
    "RuntimeCrash",
    "Splits",
    "Subset",
    "Summary",
    "Task",
    "Untrusted",
    "VerificationError",
    "WorkerLost",
    "ZooError",
    "automatic_recipe",
    "benchmark",
    "benchmark_hosts",
    "compare",
    "debug",
    "doctor",
    "evaluate",
    "export_model",
    "inspect",
    "load_dataset",
    "load_model",
    "make_bundle",
    "make_card",
    "make_report",
    "open_bundle",
    "quantize",
    "read_artifact",
    "read_results",
    "read_run",
    "recipe",
    "split",
    "summarize",
    "train",
    "train_or_reuse",
]
_WHERE = {
    "Artifact": "edgefashion.artifacts.artifact",
    "ArtifactError": "edgefashion.errors",
    "automatic_recipe": "edgefashion.api.recipes",
    "BadInput": "edgefashion.errors",
    "benchmark": "edgefashion.api.measure",
    "benchmark_hosts": "edgefashion.shelf.benchmark",
    "BenchmarkOptions": "edgefashion.benchmarking",
    "Bundle": "edgefashion.bundle",
    "BundleError": "edgefashion.errors",
    "Card": "edgefashion.report.card",
    "Classification": "edgefashion.api.model",
    "compare": "edgefashion.api.comparison",
    "Comparison": "edgefashion.report.compare",
    "DataError": "edgefashion.errors",
    "Dataset": "edgefashion.data",
    "debug": "edgefashion.api.debugging",
    "DebugReport": "edgefashion.export.debug",
    "Diverged": "edgefashion.errors",
    "doctor": "edgefashion.api.inspection",
    "DoctorReport": "edgefashion.diagnosis",
    "EdgefashionError": "edgefashion.errors",
    "evaluate": "edgefashion.api.measure",
    "export_model": "edgefashion.export.export",
    "ExportOptions": "edgefashion.export.options",
    "Guess": "edgefashion.prediction",
    "HostError": "edgefashion.errors",
    "HostResults": "edgefashion.shelf.table",
    "ImportOptions": "edgefashion.importing.options",
    "inspect": "edgefashion.api.inspection",
    "Inspection": "edgefashion.artifacts.inspection",
    "load_dataset": "edgefashion.data",
    "load_model": "edgefashion.api.model",
    "make_bundle": "edgefashion.api.bundles",
    "make_card": "edgefashion.api.cards",
    "make_report": "edgefashion.api.reports",
    "MissingExtra": "edgefashion.errors",
    "Model": "edgefashion.api.model",
    "open_bundle": "edgefashion.bundle",
    "OutOfMemory": "edgefashion.errors",
    "OutOfTime": "edgefashion.errors",
    "OutputError": "edgefashion.errors",
    "Picture": "edgefashion.data",
    "PictureError": "edgefashion.errors",
    "PictureTooLarge": "edgefashion.errors",
    "Prediction": "edgefashion.prediction",
    "Quantization": "edgefashion.api.quantization",
    "quantize": "edgefashion.api.quantization",
    "read_artifact": "edgefashion.api.reading",
    "read_results": "edgefashion.api.reading",
    "read_run": "edgefashion.api.reading",
    "Recipe": "edgefashion.recipes",
    "recipe": "edgefashion.recipes.selection",
    "RECIPES": "edgefashion.recipes:NAMED_RECIPES",
    "Report": "edgefashion.report.page",
    "Results": "edgefashion.evaluation.results",
    "Row": "edgefashion.records.results",
    "Run": "edgefashion.training.runs",
    "RunError": "edgefashion.errors",
    "RuntimeCrash": "edgefashion.errors",
    "split": "edgefashion.data",
    "Splits": "edgefashion.data",
    "Subset": "edgefashion.data",
    "summarize": "edgefashion.api.summary",
    "Summary": "edgefashion.api.summary",
    "Task": "edgefashion.data",
    "train": "edgefashion.training.train",
    "train_or_reuse": "edgefashion.training.reuse",
    "Untrusted": "edgefashion.errors",
    "VerificationError": "edgefashion.errors",
    "WorkerLost": "edgefashion.errors",
    "ZooError": "edgefashion.errors",
}
"""Public name → its module and, behind a colon, what it is called there where that is another name."""


def __getattr__(name: str) -> object:
    """Fetch a public name when it is first used."""
    from importlib import import_module

    if name not in _WHERE:
        raise AttributeError(f"module 'edgefashion' has no attribute {name!r}")
    module, _, other = _WHERE[name].partition(":")
    found = globals()[name] = getattr(import_module(module), other or name)
    return found


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
