"""The page about amplifiers, and their numbers as JSON, as files."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ifuview import __version__
from ifuview.files import make_folder, whole_file
from ifuview.model.reduction.quality import AmplifierQuality
from ifuview.report.night.amplifiers import as_json, page


def rows_as_json(rows: Sequence[AmplifierQuality]) -> str:
    """The numbers with their limits and states."""
    return as_json(rows)


def write_page(path: str, rows: Sequence[AmplifierQuality], title: str) -> None:
    """Write the page.

    Raises
    ------
    UsageError
        It cannot be written.
    """
    with whole_file(path, "the page about the amplifiers") as part, open(part, "w", encoding="utf-8") as file:
        file.write(page(rows, title, __version__))


def write_quality(folder: str, name: str, rows: Sequence[AmplifierQuality]) -> tuple[str, ...]:
    """Write NAME_qa.html and NAME_qa.json to a folder; their paths.

    Raises
    ------
    UsageError
        They cannot be written.
    """
    make_folder(folder)
    html, numbers = (os.path.join(folder, f"{name}_qa.{suffix}") for suffix in ("html", "json"))
    write_page(html, rows, f"Amplifiers of {name}")
    with whole_file(numbers, "the numbers of the amplifiers") as part, open(part, "w", encoding="utf-8") as file:
        file.write(as_json(rows))
    return html, numbers
