"""`python -m edgefashion` is the command line."""

from edgefashion.cli import main

main()
