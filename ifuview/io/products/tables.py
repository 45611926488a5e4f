"""Files of tables only: redshifts, fiber tables, exposure and tile QA; and those that lie beside a file of spectra."""

from __future__ import annotations

import os
import re

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, MissingDataError
from ifuview.files import FITS_SUFFIXES, product_stem
from ifuview.instrument import words
from ifuview.io.fits.cards import word
from ifuview.io.fits.fast import Hdu
from ifuview.io.fits.probe import FileProbe, probe_file
from ifuview.io.fits.spec import FileSpec, parse_spec
from ifuview.io.fits.table import read_table
from ifuview.io.products.choose import instrument_of
from ifuview.io.products.companions import family
from ifuview.model.dataset import Dataset, Table
from ifuview.model.fibers import match, take

KIND = "tables"
PETAL = re.compile(r"^-\d(?=-)")  # of a stem like -6-7951-thru20211014


def known(meaning: str) -> tuple[str, ...]:
    """Words of that meaning in the [tables] of all instruments: a table by itself need not say whose it is."""
    return words(meaning, "tables")


class TablesFits:
    """Every table of a file that has no pixels."""

    name = "tables"

    def score(self, probe: FileProbe) -> float:
        """Needs one of the known tables, or one that can be joined to fibers, and no image."""
        if any(h.has_image for h in probe.fits.hdus):
            return 0.0
        return 0.6 if probe.names & set(known("main")) else 0.3 * any(_has_key(h) for h in probe.fits.hdus)

    def read(self, probe: FileProbe, spec: FileSpec, ctx: JobContext = SILENT) -> Dataset:
        """All tables; the redshifts with the columns of the fiber table of the same targets."""
        notes = list(probe.fits.notes)
        tables = {}
        for hdu in probe.fits.hdus:
            if hdu.info.kind != "table" or hdu.data is None:
                continue
            ctx.checkpoint(0.5, f"reading {hdu.info.name}")
            try:
                found = read_table(hdu)
            except IfuviewError as problem:
                notes.append(f"{hdu.info.name} is left out: {problem}")
                continue
            if found.columns:
                tables[hdu.info.name.upper()] = found
        if not tables:
            raise MissingDataError("the tables of this file cannot be read", spec.path, "; ".join(notes))
        instrument = instrument_of(probe)
        return Dataset(
            path=spec.path,
            spec=spec.text,
            instrument=instrument.name,
            kind=KIND,
            tables=_in_order(tables),
            hdus=tuple(hdu.info for hdu in probe.fits.hdus),
            notes=tuple(notes),
            block=instrument.block,
        )


READER = TablesFits()


def _has_key(hdu: Hdu) -> bool:
    """Whether a table has a column that its rows can be joined to fibers by."""
    names = {word(value).upper() for card, value in hdu.header.items() if card.startswith("TTYPE")}
    return hdu.info.kind == "table" and not names.isdisjoint(known("key"))


def read_tables(path: str, ctx: JobContext = SILENT) -> Dataset:
    """The tables of one file.

    Raises
    ------
    FileFormatError, MissingDataError
        The file cannot be read, or it has none.
    """
    spec = parse_spec(path)
    return READER.read(probe_file(spec, ctx), spec, ctx)


def beside(path: str) -> tuple[str, ...]:
    """The files of redshifts and of tile QA that belong to coadded or grouped spectra, by their names."""
    folder, name = os.path.split(path)
    kind = family(path, known("spectra"))
    if not kind:
        return ()
    stem = product_stem(name[len(kind) :])
    names = (os.path.join(folder, f"{other}{stem}{suffix}") for other in known("redshifts") for suffix in FITS_SUFFIXES)
    of_tile = [qa for word in known("quality") if (qa := PETAL.sub(word, stem)) != stem]
    more = (os.path.join(folder, f"{qa}{suffix}") for qa in of_tile for suffix in FITS_SUFFIXES)
    return tuple(file for each in (names, more) for file in [f for f in each if os.path.isfile(f)][:1])


def models_beside(path: str) -> tuple[str, ...]:
    """The file of best fits that belongs to coadded spectra, by its name; () if there is none."""
    folder, name = os.path.split(path)
    kind = family(path, known("spectra"))
    others = tuple(os.path.join(folder, f"{model}{name[len(kind) :]}") for model in known("models")) if kind else ()
    found = [o.removesuffix(end) + suffix for o in others for end in (".gz", ".fz") for suffix in ("", ".gz", ".fz")]
    return tuple(file for file in dict.fromkeys(found) if os.path.isfile(file))[:1]


def expected(path: str) -> str:
    """Name that the redshift file beside a file of spectra would have, "" if it is no such file."""
    kind = family(path, known("spectra"))
    return f"{known('redshifts')[0]}{product_stem(path)[len(kind) :]}.fits" if kind else ""


def _in_order(tables: dict[str, Table]) -> tuple[Table, ...]:
    """The main tables first; redshifts joined to the fibers."""
    target = next((name for name in known("targets") if name in tables), "")
    if target:
        tables[target] = _with_fibers(tables[target], [tables[name] for name in known("side") if name in tables])
    main = known("main")
    first = [tables[name] for name in main if name in tables]
    return (*first, *(t for name, t in tables.items() if name not in main))


def _with_fibers(redshifts: Table, others: list[Table]) -> Table:
    """Redshifts and the columns of tables of the same targets, joined by their identifier."""
    columns, units = dict(redshifts.columns), dict(redshifts.units)
    for other in others:
        key = next((key for key in known("key") if key in columns and key in other.columns), None)
        if key is None:
            continue
        index = match(columns[key], other.columns[key])
        if not np.any(index >= 0):
            continue
        for name, values in other.columns.items():
            if name not in columns and values.ndim == 1:
                columns[name] = take(values, index)
                units[name] = other.units.get(name, "")
    return Table(redshifts.name, columns, units)
