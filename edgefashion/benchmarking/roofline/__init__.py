"""A matrix product as a model file, for each format and number type: what a machine can reach there.

How many multiply-accumulates per second a model does says little until it is known how many the machine
could do. Timed like any model, in the same runtime and with as many threads, these files tell. That is the
rate of a plain matrix product, which has the best kernels that the runtime has for this processor, and not
the processor's theoretical peak. A convolution that is cheaper than its multiply-accumulates (Winograd) or
a model that does them in other numbers may pass it.

Each file multiplies a matrix by the same constant one `CHAIN` times in a row, so that copying the input in
and the output out weighs little. On an AMD EPYC of 2024 (AVX-512 with VNNI, one thread), in 10^9
multiply-accumulates per second, by chain and by N and K of the constant:

    rows x N x K, chain     LiteRT float32  int8    ONNX Runtime float32  int8
    256 x 256 x 256, 1                 117   406                     124   335
    256 x 256 x 256, 4                 124   435                     121   364
    256 x 256 x 256, 8                 122   433                     121   370
    256 x 512 x 512, 4                 126   474                     130   411

Hence 512 for int8 (1024 gives no more, 474 and 421, for four times the bytes), and 256 for float32: its
constant has then the same bytes, and stays in the cache of a Raspberry Pi too. ONNX takes uint8 values and
int8 weights: int8 values are some 20 times slower on x86, uint8 weights take twice as long. The constant is
a Hadamard matrix, whose product neither grows nor fades and which compresses to nothing;
`tools/make_limit_models` writes the files.
"""

from dataclasses import dataclass
from pathlib import Path

from edgefashion.artifacts.formats import rank

ROWS = 256
CHAIN = 4
SIZE = {"float32": 256, "int8": 512}
"""N and K of the constant matrix, by the type of the numbers."""


@dataclass(frozen=True)
class MatrixProduct:
    """A model file, and the multiply-accumulates of one inference."""

    path: Path
    macs: int


def matrix_product(format: str, integer: bool) -> MatrixProduct:
    """The file for a format that computes in int8 or else in float32. Raises ValueError without one."""
    numbers = "int8" if integer else "float32"
    path = Path(__file__).with_name(f"matrix-product-{numbers}.{format}")
    if not path.is_file():
        raise ValueError(f"there is no matrix product as a {format} file")
    return MatrixProduct(path, ROWS * SIZE[numbers] ** 2 * CHAIN)


def formats() -> list[str]:
    """Those that have such files."""
    files = Path(__file__).parent.glob("matrix-product-int8.*")
    return sorted((path.suffix[1:] for path in files), key=rank)
