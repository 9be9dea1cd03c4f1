"""`python -m edgefashion` is the command line.

Python then looks for modules in the current folder first. What lies there is not imported, unless this
package does: so a folder that somebody sent may hold a `tensorflow.py`, as with the command `edgefashion`.
"""

import os
import sys

if not sys.flags.safe_path and os.path.realpath(sys.path[0]) != os.path.realpath(f"{__file__}/../.."):
    del sys.path[0]

from edgefashion.cli import main

main()
