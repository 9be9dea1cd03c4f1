"""The descriptors 0 to 2: a caller may have closed them (`<&-`), and native code writes to the last."""

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator


def fill() -> None:
    """Open what of them is closed on nothing: else a file or pipe of ours gets such a number.

    A child process would lose it, and what some library prints would be written into it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hold back what native code writes to stderr; it is shown after all when the block fails."""
    import tempfile  # with what it opens itself, a tenth of what --help takes

    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except BaseException:
            held.seek(0)
            os.write(terminal, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
