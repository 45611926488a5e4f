"""Files of redshifts and of best fits that lie beside a file of spectra."""

from __future__ import annotations

from pathlib import Path

from ifuview.engine.context import SILENT, JobContext
from ifuview.model.dataset import Dataset


def tables_beside(path: str) -> tuple[str, ...]:
    """Files of redshifts that belong to a file of spectra, by their names."""
    name = Path(path).name
    if not name.startswith(("coadd", "spectra")):  # nothing need be loaded for the others
        return ()
    from ifuview.io.products.tables import beside

    return beside(path)


def models_beside(path: str) -> tuple[str, ...]:
    """Files of best fits that belong to a file of spectra, by their names."""
    if not Path(path).name.startswith(("coadd", "spectra")):
        return ()
    from ifuview.io.products.tables import models_beside as beside

    return beside(path)


def read_tables(path: str, ctx: JobContext = SILENT) -> Dataset:
    """The tables of a file that has no pixels."""
    from ifuview.io.products.tables import read_tables as read

    return read(path, ctx)
