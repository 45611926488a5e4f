"""What a person says of detections, as an ECSV table that any reader of tables opens."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ifuview.errors import FileFormatError
from ifuview.files import whole_file
from ifuview.instrument.ecsv import read_ecsv
from ifuview.model.night.detections import DetectionTable, Judgment

ROW, SAID = "row", "judgment"
COLUMNS = {  # name: unit
    "slot": "", "kind": "", "x": "arcsec", "y": "arcsec", "ra": "deg", "dec": "deg", "wave": "Angstrom",
    "flux": "1e-17 erg / (s cm2)", "sn": "",
}  # fmt: skip


def judgments_path(path: str) -> str:
    """Where the judgments on the detections of a file are looked for, and written unless another name is given."""
    return f"{os.path.splitext(path)[0]}_judged.ecsv"


def write_judgments(path: str, source: str, table: DetectionTable, said: Mapping[int, Judgment]) -> None:
    """Write those detections that were judged, a row each.

    Raises
    ------
    UsageError
        It cannot be written, or stands in the place of something else.
    """
    from astropy.table import Table

    rows = np.array(sorted(said), np.int64)
    out = Table(meta={"source": os.path.basename(source), "detections": len(table)})
    out[ROW] = rows
    for name, unit in COLUMNS.items():
        out[name] = getattr(table, name)[rows]
        if unit:
            out[name].unit = unit
    out[SAID] = [str(said[int(row)]) for row in rows] if rows.size else np.zeros(0, "U6")
    with whole_file(path, "the judgments") as part:
        out.write(part, format="ascii.ecsv", overwrite=True)


def read_judgments(path: str, table: DetectionTable) -> dict[int, Judgment]:
    """What was said of the detections of a table.

    Raises
    ------
    FileFormatError
        It is no such file, or of other detections.
    """
    columns = read_ecsv(Path(path), (ROW, SAID, "wave")).columns
    words = {str(one): one for one in Judgment}
    out = {}
    for row, said, wave in zip(columns[ROW], columns[SAID], columns["wave"], strict=True):
        number = int(row)
        if not 0 <= number < len(table) or not np.isclose(table.wave[number], float(wave), equal_nan=True):
            raise FileFormatError("these judgments are of other detections", path, "they are left out")
        if str(said) in words:
            out[number] = words[str(said)]
    return out
