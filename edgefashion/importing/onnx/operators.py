"""What the operators of an `.onnx` file are made into layers with."""

from collections.abc import Callable

from edgefashion.artifacts.inspection.onnx_file import Operation
from edgefashion.importing.network.layout import Data
from edgefashion.importing.network.network import Network
from edgefashion.importing.network.operands import Read

Layer = Callable[[Network, Operation, Read], Data | tuple[Data, ...]]
"""What makes the layers of one kind of operator."""


def named(operation: Operation) -> str:
    """What its layer is called."""
    return operation.name or next(iter(operation.outputs), "")
