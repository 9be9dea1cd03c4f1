"""Giving out results: tables, then files."""

from pathlib import Path

from edgefashion import files, report, results
from edgefashion.cli.steps import say
from edgefashion.results import Results


def give_out(
    found: Results,
    json_file: Path | None = None,
    csv_file: Path | None = None,
    markdown_file: Path | None = None,
) -> None:
    """Print the tables, then write the files: what cannot be written is not lost."""
    report.print_report(found)
    writers = ((json_file, results.to_json), (csv_file, report.to_csv), (markdown_file, report.to_markdown))
    for path, text in writers:
        if path:
            files.write_text(path, text(found))
            say(f"written: {path}")
