"""Every error edgefashion raises on purpose.

    EdgefashionError          exit code 1: the work was understood and failed
    ├── MissingExtra          a package is not installed; names the extra that brings it
    ├── VerificationError     an exported artifact disagrees with the model it was made from
    ├── Diverged              a training came to NaN or infinite numbers
    ├── WorkerLost            a process that trains with this one is not there any more
    ├── RuntimeCrash          the process running a model died, hung or reported an error
    │   ├── OutOfMemory       it wanted more memory than it may have
    │   └── OutOfTime         it gave no answer in the time it may take
    ├── HostError             another machine cannot be reached or used
    ├── Untrusted             figures cannot be trusted, and such that can were asked for
    └── BadInput              exit code 2: what was asked for cannot be done as asked
        ├── DataError         the data set is missing, damaged or not what it claims to be
        ├── RunError          a run folder is missing, damaged, busy or in the way
        ├── ArtifactError     a .tflite or .onnx file is missing, damaged or of another kind
        ├── BundleError       a bundle is missing, damaged, unsafe or of another version
        ├── PictureError      a picture is missing, damaged or not a picture
        │   └── PictureTooLarge   it has more pixels than are decoded
        ├── ZooError          the models that come with edgefashion are missing or damaged
        └── OutputError       a result cannot be written: no permission, no space

A message is one line: what happened, why, and the command that fixes it.
"""

import sys

from edgefashion.escaping import visible

_32_BITS = sys.maxsize < 2**32
_FOR_32_BITS = {"plot"}


class EdgefashionError(Exception):
    """The work was understood and failed."""

    exit_code = 1


class MissingExtra(EdgefashionError):
    """A package is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        from edgefashion.installation import pip_install

        mend = f"which is not installed: {pip_install(extra)}"
        if _32_BITS and extra not in _FOR_32_BITS:
            mend = "which is not built for 32 bits: a 64-bit operating system is required"
        super().__init__(f"{what}, {mend}")


class VerificationError(EdgefashionError):
    """An exported artifact disagrees with the model it was made from."""


class Diverged(EdgefashionError):
    """A training came to NaN or infinite numbers."""

    WORDS = "diverged in epoch"
    """By which it is known from a training on another machine."""


class WorkerLost(EdgefashionError):
    """A process that trains with this one is not there any more."""


class RuntimeCrash(EdgefashionError):
    """The process running a model died, hung or reported an error."""


class OutOfMemory(RuntimeCrash):
    """The process running a model wanted more memory than it may have."""


class OutOfTime(RuntimeCrash):
    """The process running a model gave no answer in the time it may take."""


class Untrusted(EdgefashionError):
    """Figures cannot be trusted, and such that can were asked for."""


class HostError(EdgefashionError):
    """Another machine cannot be reached or used: its name, why, and what mends it."""

    def __init__(self, host: str, why: str, mend: str) -> None:
        self.host, self.why, self.mend = host, why, mend
        super().__init__(f"{host}: {why}; {mend}")


class BadInput(EdgefashionError):
    """What was asked for cannot be done as asked."""

    exit_code = 2


class DataError(BadInput):
    """The data set is missing, damaged or not what it claims to be."""


class RunError(BadInput):
    """A run folder is missing, damaged, busy or in the way."""


class ArtifactError(BadInput):
    """A model file is missing, damaged or of another kind."""


class BundleError(BadInput):
    """A bundle is missing, damaged, unsafe or of another version."""


class PictureError(BadInput):
    """A picture is missing, damaged or not a picture."""


class PictureTooLarge(PictureError):
    """A picture has more pixels than are decoded."""


class ZooError(BadInput):
    """The models that come with edgefashion are missing or damaged."""


class OutputError(BadInput):
    """A result cannot be written."""


def first_line(error: BaseException) -> str:
    """The first line of a foreign error, made safe for a terminal; its type if it has no text."""
    text = str(error).strip() or type(error).__name__
    return visible(text.splitlines()[0])
