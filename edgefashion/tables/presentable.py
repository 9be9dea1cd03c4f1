"""What a result can do for people, notebooks and programs, whatever it is a result of."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgefashion import files, tables
from edgefashion.errors import BadInput
from edgefashion.errors.arguments import PATH, takes
from edgefashion.tables import Page
from edgefashion.tables.html import to_document, to_html


class Presentable(ABC):
    """Something with a page, and with a dictionary that JSON can hold."""

    @abstractmethod
    def page(self) -> Page:
        """Its tables, with the lines above and below them."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON has it."""

    def table(self, width: int | None = None) -> str:
        """The page as text, for a terminal of so many columns, or whole."""
        return tables.to_text(self.page(), width)

    def to_markdown(self) -> str:
        """The page in Markdown."""
        return tables.to_markdown(self.page())

    def to_json(self) -> str:
        """The dictionary as the text of a JSON file."""
        return files.json_text(self.to_dict(), indent=2) + "\n"

    @takes(path=PATH)
    def save(self, path: str | Path) -> None:
        """Write it into a file, whole or not at all: what it is written as is what the file's suffix says.

        Raises BadInput for a suffix that says nothing here, OutputError.
        """
        path, ways = Path(path), self.ways_to_save()
        if path.suffix.lower() not in ways:
            raise BadInput(f"{path} is to end in {', '.join(ways)}: that says what is written")
        files.write_text(path, ways[path.suffix.lower()]())

    def ways_to_save(self) -> dict[str, Callable[[], str]]:
        """What `save` writes, by the suffix of the file."""
        return {
            ".json": self.to_json,
            ".md": self.to_markdown,
            ".txt": lambda: f"{self.table()}\n",
            ".html": lambda: to_document(self.page()),
        }

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return to_html(self.page())
