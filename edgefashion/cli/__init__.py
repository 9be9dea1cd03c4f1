"""The command line.

verbs.py    one short function a verb: parse, call, print
options.py  the values a verb accepts
naming.py   from names to runs, artifacts and the images they are measured on
steps.py    what the verbs are made of
"""

import errno
import sys
from collections.abc import Sequence

INTERRUPTED = 130
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a verb and exit: 0 done, 1 failed, 2 bad input, 130 interrupted. Errors are one line on stderr."""
    import click

    from edgefashion import descriptors

    descriptors.fill()
    from edgefashion.cli.verbs import cli
    from edgefashion.errors import BadInput, EdgefashionError

    try:
        code = cli.main(arguments, prog_name="edgefashion", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = BadInput.exit_code
    except click.ClickException as error:
        code = _fail(error.format_message(), error.exit_code)
    except EdgefashionError as error:
        code = _fail(str(error), error.exit_code)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        code = _fail(f"{error.strerror}: {error.filename or 'a temporary file'}", BadInput.exit_code)
    except (click.Abort, KeyboardInterrupt):
        code = _fail("interrupted; what was finished is kept", INTERRUPTED)
    sys.exit(code)


def _fail(message: str, code: int) -> int:
    print(f"edgefashion: {' '.join(message.split())}", file=sys.stderr)
    return code
