"""One file for a target: all channels and exposures on one grid of wavelengths."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from ifuview.files import Name, told
from ifuview.io.products.lrs2.cards import (
    comments,
    error_of,
    image,
    mask_image,
    primary,
    provenance,
    raw_cards,
    scaled,
    single,
)
from ifuview.io.products.lrs2.exposure import AIR, RIGHT_CUBE, grid_cards
from ifuview.io.products.lrs2.folders import folder_of, target_name
from ifuview.model.checks import Array, Header
from ifuview.model.reduction.products import ProductName, ReductionRecord
from ifuview.model.reduction.source import SkyCube, SourceSpectrum
from ifuview.sets import filled

ROWS = ("wavelength", "F_lambda", "Sky_lambda", "e_F_lambda", "e_Sky_lambda", "count")
GRID = (3650.0, 10500.0, 0.7)  # Angstrom: what follow-up tools stack channels on
CUBE = "_cube"  # at the end of its name
MATCHED = "borders: factors of the table FACTORS bring neighbors to one level where they overlap"


@dataclass(frozen=True, slots=True, eq=False)
class CombinedTarget:
    """What is known of a target from all its spectra.

    Parameters
    ----------
    night : int
        YYYYMMDD of the first exposure.
    header : mapping
        Cards of the first exposure.
    spectrum : SourceSpectrum
        On `GRID`, or any even one.
    count : ndarray of int, shape (nwave,)
        Spectra at each wavelength.
    names : sequence of ProductName
        That it was made from.
    factor, factor_error : sequence of float
        What each was multiplied with.
    cube : SkyCube or None
        Of the light without sky.
    record : ReductionRecord
    """

    night: int
    header: Header
    spectrum: SourceSpectrum
    count: Array
    names: Sequence[ProductName]
    factor: Sequence[float]
    factor_error: Sequence[float]
    record: ReductionRecord
    cube: SkyCube | None = None


def common_grid() -> Array:
    """Wavelengths of the combined spectrum, Angstrom in air."""
    return np.arange(*GRID)


def combined_name(done: CombinedTarget, end: str = "") -> str:
    """Of a file."""
    target = re.sub(r"[^A-Za-z0-9+-]+", "_", target_name(str(done.header.get("OBJECT") or "target"))).strip("_")
    return f"combined_{done.night:08d}_{target or 'target'}{end}.fits"


def write_combined(folder: Name, done: CombinedTarget, standards: Sequence[str] = ()) -> tuple[str, ...]:
    """Write the spectrum of a target and its cube below a folder, both or none; the names of the files.

    Raises
    ------
    UsageError
        It cannot be written.
    """
    place, names = folder_of(done.header, done.night, standards), [combined_name(done)]
    with told(folder, "the combined product", "choose another folder"), filled(folder) as part:
        inside = part / place
        inside.mkdir(parents=True)
        fits.HDUList(_hdus(done)).writeto(inside / names[0], output_verify="silentfix")
        if done.cube is not None:
            names.append(combined_name(done, CUBE))
            fits.HDUList(_cube_hdus(done, done.cube)).writeto(inside / names[1], output_verify="silentfix")
    return tuple(str(Path(folder) / place / name) for name in names)


def _hdus(done: CombinedTarget) -> list[fits.PrimaryHDU | fits.ImageHDU | fits.BinTableHDU]:
    found = done.spectrum
    rows = np.zeros((len(ROWS), found.wave.size))
    rows[0], rows[5] = found.wave, done.count
    (rows[1], unit), rows[2] = scaled(found.flux, found.unit), scaled(found.sky, found.unit)[0]
    rows[3] = error_of(found.variance, found.mask, found.unit)
    rows[4] = scaled(np.sqrt(np.maximum(found.sky_variance, 0)), found.unit)[0]
    cards: dict[str, object] = {
        "DWAVE": float((found.wave[-1] - found.wave[0]) / (found.wave.size - 1)),
        "WAVE0": float(found.wave[0]),
        "WAVEUNIT": "A",
        "FLUXUNIT": unit,
        **{f"ROW{n}": name for n, name in enumerate(ROWS, 1)},
    }
    first = primary(rows, "extracted_spectrum", raw_cards(done.header), cards, "")
    comments(first.header, (AIR, MATCHED, *done.record.notes))
    return [first, mask_image(found.mask, "source_mask"), _factors(done), provenance(done.record)]


def _cube_hdus(done: CombinedTarget, cube: SkyCube) -> list[fits.PrimaryHDU | fits.ImageHDU | fits.BinTableHDU]:
    data, unit = single(cube.data, cube.unit)
    first = primary(data, "skysub", raw_cards(done.header), grid_cards(cube), unit)
    comments(first.header, (AIR, RIGHT_CUBE, MATCHED, *done.record.notes))
    error = image(error_of(cube.variance, cube.mask, cube.unit), "error", grid_cards(cube), unit)
    return [first, error, mask_image(cube.mask), _factors(done), provenance(done.record)]


def _factors(done: CombinedTarget) -> fits.BinTableHDU:
    """What each spectrum was multiplied with."""
    texts = np.array([name.text for name in done.names], dtype="S40")
    columns = [
        fits.Column("name", "40A", array=texts),
        fits.Column("factor", "D", array=np.asarray(done.factor, np.float64)),
        fits.Column("error", "D", array=np.asarray(done.factor_error, np.float64)),
    ]
    return fits.BinTableHDU.from_columns(columns, name="factors")
