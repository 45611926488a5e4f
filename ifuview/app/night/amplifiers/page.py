"""The page about amplifiers, and their numbers as JSON, as files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ifuview import __version__
from ifuview.files import make_folder, told
from ifuview.model.reduction.quality import AmplifierQuality
from ifuview.report.night.amplifiers import as_json, page
from ifuview.sets import together


def rows_as_json(rows: Sequence[AmplifierQuality]) -> str:
    """The numbers with their limits and states."""
    return as_json(rows)


def write_rows(rows: Sequence[AmplifierQuality], title: str, html: str = "", numbers: str = "") -> None:
    """Write the page and the numbers, those that have a name: both or none.

    Raises
    ------
    UsageError
        They cannot be written.
    """
    texts = {html: lambda: page(rows, title, __version__), numbers: lambda: as_json(rows)}
    paths = tuple(path for path in (html, numbers) if path)
    if not paths:
        return
    with told(paths[0], "the page and the numbers of the amplifiers"), together(*paths) as parts:
        for path, part in zip(paths, parts, strict=True):
            Path(part).write_text(texts[path](), encoding="utf-8", errors="backslashreplace")


def write_quality(folder: str, name: str, rows: Sequence[AmplifierQuality]) -> tuple[str, ...]:
    """Write NAME_qa.html and NAME_qa.json to a folder; their paths.

    Raises
    ------
    UsageError
        They cannot be written.
    """
    make_folder(folder)
    html, numbers = (os.path.join(folder, f"{name}_qa.{suffix}") for suffix in ("html", "json"))
    write_rows(rows, f"Amplifiers of {name}", html, numbers)
    return html, numbers
