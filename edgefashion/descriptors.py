"""The descriptors 0 to 2, which a caller may have closed (`edgefashion bench <&-`)."""

import os


def fill() -> None:
    """Open what of them is closed on nothing: else a file or pipe of ours gets such a number.

    A child process would lose it, and what some library prints would be written into it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
