"""What a verb gives: files, tried before the work and written before anything is printed, then words."""

import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from edgefashion import files
from edgefashion.errors import BadInput, OutputError
from edgefashion.escaping import visible
from edgefashion.files import streams
from edgefashion.system.interruption import finishing, start_over

if TYPE_CHECKING:
    from edgefashion.evaluation.results import Results
    from edgefashion.tables import Page

Write = Callable[[Path], None]


class Outputs(NamedTuple):
    """The files that a verb which measures is to write; None for those that nobody wants."""

    json_file: Path | None = None
    csv_file: Path | None = None
    markdown_file: Path | None = None
    picture: Path | None = None


OUTPUTS = "edgefashion.outputs"
"""Where a command's context keeps which option writes which file."""


def say(line: str) -> None:
    """A line about what is going on, apart from the results."""
    from edgefashion.tables.terminal import fitted, width_of

    print(fitted(visible(line), width_of(sys.stderr)), file=sys.stderr)


def following(*commands: str) -> None:
    """Say what one would do next, a command a line, on the data set that was named; first what makes
    `edgefashion` a command where it is none.
    """
    from edgefashion.installation import activation

    if activate := activation():
        say(f"in this shell, first: {activate}")
    context = click.get_current_context(silent=True)
    if context:
        from edgefashion.cli._data import with_data

        commands = tuple(with_data(command, context.params) for command in commands)
    for number, command in enumerate(commands):
        say(f"{'  or' if number else 'next'}: {command}")


def show(text: str) -> None:
    """Results, as lines for people."""
    from edgefashion.tables.terminal import fitted, width_of

    shown = "\n".join(map(visible, text.split("\n")))
    print(fitted(shown, width_of(sys.stdout)))


def show_page(page: "Page") -> None:
    """Results, as tables for people."""
    from edgefashion.tables import print_page

    print_page(page)


def show_pages(pages: "Iterable[Page]") -> None:
    """Results, as several pages for people."""
    for number, page in enumerate(pages):
        if number:
            print()
        show_page(page)


def show_json(text: str) -> None:
    """Results for programs. What the encoding of the output may lack, or a terminal would not print but obey,
    is written as JSON's escapes.
    """
    whole = (sys.stdout.encoding or "").lower().startswith("utf")

    def plain(found: re.Match[str]) -> str:
        return found[0] if whole and found[0].isprintable() else json.dumps(found[0])[1:-1]

    print(re.sub(r"[^\x00-\x7e]", plain, text))


class OutputFile(click.ParamType[Path]):
    """A file to write, tried at once: an error comes before the work."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path. Raises OutputError where it cannot be written, or a file is named twice."""
        path = Path(value)
        self.check(path)
        if ctx is not None and param is not None:
            taken = ctx.meta.setdefault(OUTPUTS, {})
            other = taken.setdefault(os.path.realpath(path), param.opts[0])
            if other != param.opts[0]:
                self.fail(f"{path} is the file of {other} too: name another")
        return path

    def check(self, path: Path) -> None:
        """Raise what would keep the file from being written."""
        files.check_writable(path)


class PictureFile(OutputFile):
    """A picture to draw."""

    def check(self, path: Path) -> None:
        """Raise what would keep the picture from being drawn."""
        from edgefashion import figures

        figures.check(path)


def keep_inputs(names: Iterable[str | Path], outputs: Iterable[Path | None]) -> None:
    """Raise BadInput for an output that would replace one of the files named to be read."""
    read = {os.path.realpath(name) for name in names}
    for path in outputs:
        if path and os.path.realpath(path) in read:
            raise BadInput(f"{path} is one of the files to read: write to another, or it is lost")


def _write_all(outputs: Sequence[tuple[Path | None, Write]]) -> list[OutputError]:
    """Write every file that is wanted, and say so; gives the errors of those that cannot be written."""
    errors = []
    for path, write in outputs:
        if path is None:
            continue
        try:
            write(path)
        except OutputError as error:
            errors.append(error)
        else:
            say(f"written: {shlex.quote(str(path))}")
    return errors


def deliver(outputs: Sequence[tuple[Path | None, Write]], tell: Callable[[], None]) -> None:
    """Write the files, whole even where somebody interrupts, then `tell` the results.

    Into devices and pipes, whose readers may have stalled, only until somebody interrupts. Raises
    OutputError at the end for files that could not be written: what is told is not lost.
    """
    into_streams = [each for each in outputs if each[0] and streams.is_stream(each[0])]
    with finishing():
        errors = _write_all([each for each in outputs if each not in into_streams])
    if into_streams:
        start_over()
    try:
        errors += _write_all(into_streams)
    except KeyboardInterrupt:
        start_over()
        tell()
        raise
    tell()
    if errors:
        raise OutputError("; ".join(map(str, errors)))


def text_of(text: Callable[[], str]) -> Write:
    """How to write a text file whose content is made when it is written."""
    return lambda path: files.write_text(path, text())


def give_out(
    found: "Results",
    json_file: Path | None = None,
    csv_file: Path | None = None,
    markdown_file: Path | None = None,
    picture: Path | None = None,
) -> None:
    """Write results as files, then print the tables, unless no file could be loaded.

    Raises ArtifactError where none could.
    """
    outputs = [
        (json_file, text_of(found.to_json)),
        (csv_file, text_of(found.to_csv)),
        (markdown_file, text_of(found.to_markdown)),
        (picture, lambda path: _draw(found, path)),
    ]
    deliver(outputs, found.raise_failures if found.is_empty else lambda: show_page(found.page()))


def _draw(found: "Results", path: Path) -> None:
    from edgefashion.benchmarking import plot

    plot.plot(found.rows, found.device, path)
