"""The page as a whole: templates, styles and script in one file, and what a browser may do with it."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgefashion.errors import MissingExtra
from edgefashion.escaping import visible
from edgefashion.installation import is_installed
from edgefashion.report.page import sections
from edgefashion.report.page.confusion import Album, Picture
from edgefashion.report.page.data import Report
from edgefashion.report.page.sections import View
from edgefashion.version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent / "templates"
MOST_BYTES = 3_000_000
"""Of a page; images take what the rest leaves of it."""
NEEDED = {"jinja2": "Jinja2", "matplotlib": "matplotlib", "PIL": "pillow"}


def check() -> None:
    """Raise MissingExtra for a report that could not be written here."""
    lacking = [name for package, name in NEEDED.items() if not is_installed(package)]
    if lacking:
        raise MissingExtra(f"A report needs {' and '.join(lacking)}", "report")


def to_html(report: Report) -> str:
    """The page, of no more than MOST_BYTES unless its tables alone have more. Raises MissingExtra."""
    check()
    found, made = sections.view(report), datetime.now(UTC)
    nothing = {each.anchor: Album([], {}, False) for each in found.mistakes}
    bare = _rendered(found, nothing, made)
    room = MOST_BYTES - len(bare.encode())
    return _rendered(found, sections.albums(found.mistakes, room), made) if nothing and room > 0 else bare


def _rendered(found: View, albums: Mapping[str, Album], made: datetime) -> str:
    styles, script = (_text(name) for name in ("page.css", "page.js"))
    return (
        _environment()
        .get_template("page.html")
        .render(
            view=found,
            albums=albums,
            styles=styles,
            script=script,
            policy=_policy(styles, script),
            pictures={anchor: _told(album.cells) for anchor, album in albums.items()},
            version=__version__,
            made=made,
        )
    )


def _told(cells: Mapping[str, Sequence[Picture]]) -> dict[str, list[list[str]]]:
    """The images that cells open, as the page's script reads them."""
    return {
        key: [[each.source, visible(each.caption)] for each in pictures] for key, pictures in cells.items()
    }


def _policy(styles: str, script: str) -> str:
    """A Content-Security-Policy: these styles, this script and images inside the page, and nothing else."""
    hashes = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in (styles, script)]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@cache
def _environment() -> "Environment":
    """The templates. What is put into them is a stranger's: escaped, and made visible."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: Any) -> Any:
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    return Environment(
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FileSystemLoader(FOLDER),
    )
