"""Errors as one line on stderr, and their exit codes."""

import errno
import os

import click

from edgefashion.cli._output import say
from edgefashion.errors import BadInput, EdgefashionError

TRACEBACK = "EDGEFASHION_TRACEBACK"
"""The environment variable that shows where errors come from."""
INTERRUPTED = "interrupted; what was finished is kept"
_ADVICE = {
    (errno.ENOSPC, errno.EDQUOT, errno.EFBIG): "free some space",
    (errno.EACCES, errno.EPERM): "give yourself the permission with chmod, or ask whose it is",
    (errno.EMFILE, errno.ENFILE): "name fewer files, or allow more with ulimit -n",
    (errno.ENOMEM,): "close other programs",
    (errno.EIO,): "the disk or card may be failing",
}


def tell(error: BaseException, interrupted: int, asked: bool = False) -> int:
    """Say what went wrong; gives the exit code, which is `interrupted` for a KeyboardInterrupt.

    An error that nobody thought of goes on, with its traceback: it is a fault of edgefashion. Not where the
    program was `asked` to end: some libraries make an error of their own of that.
    """
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else bool(error.code)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message())
        return BadInput.exit_code
    found = _message(error, interrupted) or ((INTERRUPTED, interrupted) if asked else None)
    if found is None:
        raise error
    if os.environ.get(TRACEBACK):
        import traceback

        traceback.print_exception(error)
    message, code = found
    say(f"edgefashion: {' '.join(message.split())}")
    return code


def _message(error: BaseException, interrupted: int) -> tuple[str, int] | None:
    if stopped := _interruption(error):
        return str(stopped) or INTERRUPTED, interrupted
    match error:
        case click.ClickException():
            return error.format_message(), error.exit_code
        case EdgefashionError():
            return str(error), error.exit_code
        case OSError():
            return _of_the_system(error), BadInput.exit_code
        case MemoryError():
            return "there is not enough memory: close other programs, or name fewer or smaller files", 1
        case ImportError():
            return f"{error.name or 'a package'} cannot be loaded: {_first_line(error.__cause__ or error)}", 1
        case RecursionError():
            return "what was read nests too deeply to be worked on", BadInput.exit_code
        case OverflowError():
            return f"a number is too large: {error}", BadInput.exit_code
        case UnicodeError():
            return f"text of another encoding: {error}", BadInput.exit_code
    return None


def _interruption(error: BaseException | None) -> BaseException | None:
    """The interruption that an error is or comes of, as that of an import does which was cut short."""
    if error is None or isinstance(error, KeyboardInterrupt):
        return error
    return _interruption(error.__cause__) or (error if isinstance(error, click.Abort) else None)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _of_the_system(error: OSError) -> str:
    named = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    advice = next((text for reasons, text in _ADVICE.items() if error.errno in reasons), "")
    return f"{named}{error.strerror or error}" + (f"; {advice}" if advice else "")
