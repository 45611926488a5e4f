"""What the night log says of exposures: exposures csv and fits, exposure_table csv and ecsv, and camera words."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ifuview.errors import IfuviewError

ARMS = "brz"
BAD_AMP = re.compile(r"([a-z]\d)([A-D1-4]+)", re.ASCII)
FITS_COLUMNS = (
    *("EXPID", "CAMERA", "NIGHT", "TILEID", "OBSTYPE", "FLAVOR", "PROGRAM", "FAPRGRM", "SURVEY", "EXPTIME"),
    *("EFFTIME_SPEC", "AIRMASS", "SEEING_GFA", "TRANSPARENCY_GFA", "SKY_MAG_R_SPEC", "CAMWORD", "BADCAMWORD"),
    *("BADAMPS", "COMMENTS", "EXPFLAG"),
)  # of tables with many more
CAMERA_WORD = re.compile(r"([a-z]+)(\d+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """The rows of all tables about one exposure, put together."""

    columns: dict[str, str] = field(default_factory=dict)

    def number(self, *names: str) -> float | None:
        """The first of some columns that holds a number."""
        for name in names:
            try:
                return float(self.columns.get(name, ""))
            except ValueError:
                continue
        return None

    @property
    def off(self) -> tuple[str, ...]:
        """Cameras that are bad as a whole."""
        return cameras_of(self.columns.get("BADCAMWORD", ""))

    @property
    def cameras(self) -> tuple[str, ...]:
        """Cameras that were used."""
        return cameras_of(self.columns.get("CAMWORD", ""))

    @property
    def bad_amplifiers(self) -> dict[str, str]:
        """Camera -> letters of its bad amplifiers."""
        return bad_amplifiers(self.columns.get("BADAMPS", ""))


def cameras_of(word: str) -> tuple[str, ...]:
    """Cameras of a camera word: `a01b2` is b0 r0 z0 b1 r1 z1 b2."""
    out: list[str] = []
    for arms, digits in CAMERA_WORD.findall(word.strip().lower()):
        for digit in digits:
            out += [arm + digit for arm in (ARMS if arms == "a" else arms)]
    return tuple(dict.fromkeys(out))


def bad_amplifiers(text: str) -> dict[str, str]:
    """Camera -> amplifiers of a list like `b7D,z8AC`."""
    out: dict[str, str] = {}
    for camera, letters in BAD_AMP.findall(text):
        out[camera] = out.get(camera, "") + letters
    return out


def read_logs(paths: Iterable[str], notes: list[str]) -> dict[int, LogEntry]:
    """Join tables by EXPID; the first table that has a value for a column wins. What cannot be read gives a note."""
    out: dict[int, LogEntry] = {}
    paths = tuple(paths)
    twins = {path.removesuffix(".csv") for path in paths if path.endswith(".csv")}
    for path in paths:
        if path.removesuffix(".fits") in twins:
            continue  # the same as text
        try:
            rows = _fits_rows(path) if path.endswith(".fits") else _rows(path)
        except (OSError, UnicodeDecodeError, csv.Error, IfuviewError) as problem:
            notes.append(f"{os.path.basename(path)} is left out: it cannot be read ({problem})")
            continue
        if not rows or "EXPID" not in rows[0]:
            notes.append(f"{os.path.basename(path)} is left out: it has no column EXPID")
            continue
        for row in rows:
            try:
                entry = out.setdefault(int(float(row["EXPID"])), LogEntry())
            except ValueError:
                continue  # a row without a number is a remark
            for name, value in row.items():
                if value and value not in ("|", "--"):
                    entry.columns.setdefault(name, value)
    return out


def _fits_rows(path: str) -> list[dict[str, str]]:
    """Rows of the first table with one row an exposure, the columns of FITS_COLUMNS as text."""
    from ifuview.io.fits.fast import read_fits
    from ifuview.io.fits.table import read_table

    for hdu in read_fits(path).hdus:
        if hdu.info.kind != "table":
            continue
        columns = {n.upper(): v for n, v in read_table(hdu, FITS_COLUMNS).columns.items() if v.ndim == 1}
        if "EXPID" in columns and "CAMERA" not in columns:
            texts = [[_text(value) for value in values.tolist()] for values in columns.values()]
            return [dict(zip(columns, row)) for row in zip(*texts)]
    return []


def _text(value: object) -> str:
    """A value as a csv would have it; "" for NaN."""
    return "" if value != value else str(value).strip()


def _rows(path: str) -> list[dict[str, str]]:
    """Rows of a csv or ecsv table by upper-case column; a short or long row gives what it has."""
    with open(path, newline="", encoding="utf-8") as file:
        lines = [line for line in file if line.strip() and not line.startswith("#")]
    if not lines:
        return []
    space = "," not in lines[0]
    table = csv.reader(lines, delimiter=" " if space else ",", skipinitialspace=True)
    names = [name.strip().upper() for name in next(table)]
    return [{name: value.strip() for name, value in zip(names, row)} for row in table]
