"""Checks of the runtimes: each is started in a process of its own, and multiplies int8 matrices there.

So one that dies of an instruction that the processor lacks, or hangs, is a line and nothing more.
"""

from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from edgefashion import runtimes
from edgefashion.artifacts import formats
from edgefashion.benchmarking import roofline
from edgefashion.diagnosis.check import Check
from edgefashion.diagnosis.machine import MEND_32_BITS
from edgefashion.errors import EdgefashionError, MissingExtra, RuntimeCrash
from edgefashion.errors.wording import setting
from edgefashion.installation import is_installed, pip_install
from edgefashion.records.device import Device
from edgefashion.runtimes.base import Runtime
from edgefashion.runtimes.process import ModelProcess

PROBES = tuple(roofline.matrix_product(name, integer=True).path for name in roofline.formats())
PROBE_SECONDS, EMULATED_SECONDS = 20.0, 120.0
"""How long a runtime may be silent. Importing one takes seconds from a slow card, half a minute emulated."""


def findings(about: Device, probes: tuple[Path, ...] = PROBES) -> list[Check]:
    """A finding for each runtime that runs one of `probes`, of a machine given as `device.describe()`."""
    patience = EMULATED_SECONDS if about.emulated else PROBE_SECONDS
    tried = [(model, name) for model in probes for name in _runtimes_of(model)]
    with ThreadPoolExecutor(len(tried)) as pool:
        started = [pool.submit(_probe, model, name, patience) for model, name in tried]
        found = [each.result() for each in started]
    if all(finding == _missing(*each) for finding, each in zip(found, tried, strict=True)):
        mend = MEND_32_BITS if about.bits == 32 else pip_install("pi")
        found.append(Check("problem", "runtimes", "none is installed: no model can be run", mend))
    return found


def _runtimes_of(model: Path) -> list[str]:
    """The default one of its format, and others whose packages are installed; of each package one."""
    format = formats.of(model)
    default, *others = runtimes.names(format.name) if format else []
    by_package = {runtimes.for_file(model, name).package: name for name in reversed(others)}
    return [default, *(name for package, name in by_package.items() if is_installed(package))]


def _probe(model: Path, name: str, patience: float) -> Check:
    runtime = runtimes.for_file(model, name)
    try:
        with ModelProcess(model, 1, patience, start_timeout=patience, runtime=name) as process:
            process.warm_up(seconds=0)
            return Check("ok", runtime.name, f"{process.version} runs {model.suffix} files")
    except MissingExtra:
        return _missing(model, name)
    except (EdgefashionError, OSError) as error:  # OSError: no folder for temporary files
        return _failed(runtime, model, error)


def _failed(runtime: Runtime, model: Path, error: Exception) -> Check:
    if isinstance(error, RuntimeCrash) and isinstance(error.__cause__, OSError):  # the system starts no child
        return _untried(runtime, model, error.__cause__)
    text = str(error).replace(f" {model}", " a matrix product")
    return Check("problem", runtime.name, text, f"pip install --upgrade {runtime.package}")


def _untried(runtime: Runtime, model: Path, why: OSError) -> Check:
    try:
        installed = version(runtime.package)
    except PackageNotFoundError:
        return _missing(model, runtime.name)
    text = f"{installed}, not tried: no child process can be started here ({why.strerror or why})"
    return Check("note", runtime.name, text, f"measure with {setting('--in-process')}")


def _missing(model: Path, name: str) -> Check:
    runtime = runtimes.for_file(model, name)
    text = f"not installed: {model.suffix} files cannot be run"
    return Check("note", runtime.name, text, pip_install(runtime.extra))
