"""The FITS files of a fiber head: its fibers in two dimensions, its cubes with their errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from ifuview.io.products.lrs2.cards import (
    comments,
    error_of,
    image,
    mask_image,
    primary,
    provenance,
    raw_cards,
    wave_cards,
)
from ifuview.model.reduction.ccd import UNUSABLE
from ifuview.model.reduction.placed import HeadProducts
from ifuview.model.reduction.source import SkyCube

AIR = "Wavelengths are in air"
CUBE = "The sum over spaxels is the flux; 1e-17 erg/s/cm2/A in each; 0 error is masked"
STARS = "Catalog stars: their profile was taken off the fibers and put back as wide as the seeing"
ROWS = "Rows: exposure after exposure, fibers in the order LL, LU, RL, RU; 0 error is masked"
UNIT = "1e-17 erg/s/cm2/Angstrom"
COLLAPSED = (3900.0, 5450.0)  # Angstrom, of the picture: about g


def names_of(head: HeadProducts) -> dict[str, str]:
    """File names by kind."""
    out = {"spectra": f"{head.text}.fits"}
    if head.done.cube is not None:
        out |= {"cube": f"{head.text}_cube.fits", "error_cube": f"{head.text}_error_cube.fits"}
    if head.done.simulated is not None:
        out["cube_sim"] = f"{head.text}_cube_sim.fits"
    return out


def write_head(folder: Path, head: HeadProducts) -> tuple[str, ...]:
    """Write the files of a head to a folder; their names."""
    names = names_of(head)
    _write_spectra(folder / names["spectra"], head)
    cube = head.done.cube
    if cube is not None:
        _write_cube(folder / names["cube"], head, cube, False)
        _write_cube(folder / names["error_cube"], head, cube, True)
    if head.done.simulated is not None:
        _write_cube(folder / names["cube_sim"], head, head.done.simulated, False)
    return tuple(names.values())


def _write_spectra(path: Path, head: HeadProducts) -> None:
    """Fibers of all exposures without sky, with errors, sky, response, mask, table of fibers and picture."""
    spectra = head.done.spectra
    joined, wave = spectra.joined(), wave_cards(spectra.wave)
    cards = {**wave, **_common(head)}
    first = primary(joined.flux, "spectra", raw_cards(head.header), cards, UNIT)
    comments(first.header, (AIR, ROWS, *head.notes))
    hdus = [
        first,
        image(error_of(joined.variance, joined.mask, ""), "error", wave, UNIT),
        image(spectra.sky.astype(np.float32), "sky", wave, UNIT),
        image(np.concatenate([one.response for one in spectra.fields]), "fiber_to_fiber", wave),
        mask_image(joined.mask),
    ]
    if head.done.cube is not None:
        hdus.append(image(picture(head.done.cube), "collapsed_image", _place_cards(head, head.done.cube), UNIT))
    fits.HDUList([*hdus, _fiber_table(head), provenance(head.record)]).writeto(path, output_verify="silentfix")


def _fiber_table(head: HeadProducts) -> fits.BinTableHDU:
    """A row for each row of the spectra."""
    spectra = head.done.spectra
    amplifier, number = [], []
    for one in spectra.fields:
        for state in one.amplifiers:
            amplifier += [state.name] * (state.last - state.first)
            number += [one.number] * (state.last - state.first)
    columns = [
        fits.Column("fiber", "J", array=np.tile(np.arange(1, spectra.nfiber + 1), len(spectra.fields))),
        fits.Column("exposure", "J", array=np.array(number)),
        fits.Column("amp", "2A", array=np.array(amplifier, "S2")),
        fits.Column("ifu_x", "D", unit="arcsec", array=spectra.x),
        fits.Column("ifu_y", "D", unit="arcsec", array=spectra.y),
        fits.Column("ra", "D", unit="deg", array=np.concatenate([one.ra for one in spectra.fields])),
        fits.Column("dec", "D", unit="deg", array=np.concatenate([one.dec for one in spectra.fields])),
        fits.Column("sky", "L", array=np.concatenate([one.sky_fibers for one in spectra.fields])),
        fits.Column("dead", "L", array=np.tile(np.asarray(spectra.dead, bool), len(spectra.fields))),
    ]
    hdu = fits.BinTableHDU.from_columns(columns, name="fibers")
    hdu.header["EXTNAME"] = "fibers"
    return hdu


def picture(cube: SkyCube) -> NDArray[np.float32]:
    """Mean light of each spaxel about g, (ny, nx); NaN where nothing is known."""
    inside = (cube.wave >= COLLAPSED[0]) & (cube.wave <= COLLAPSED[1])
    good = (cube.mask[inside] & int(UNUSABLE)) == 0
    count = good.sum(axis=0)
    total = np.where(good, cube.data[inside], 0).sum(axis=0, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _write_cube(path: Path, head: HeadProducts, cube: SkyCube, error: bool) -> None:
    """Write a cube, or its errors."""
    data = error_of(cube.variance, cube.mask, "") if error else cube.data.astype(np.float32, copy=False)
    cards = {**_cube_cards(head, cube), **_common(head)}
    first = primary(data, "error" if error else "cube", raw_cards(head.header), cards, UNIT)
    comments(first.header, (AIR, CUBE, STARS, *head.notes))
    hdus = [first, provenance(head.record)] if error else [first, mask_image(cube.mask), provenance(head.record)]
    fits.HDUList(hdus).writeto(path, output_verify="silentfix")


def _common(head: HeadProducts) -> dict[str, object]:
    spectra = head.done.spectra
    return {
        "INSTRUME": "virus", "IFUSLOT": spectra.slot, "SPECID": spectra.specid, "IFUID": spectra.ifuid,
        "CONTID": spectra.contid, "VSEEING": head.seeing, "GSEEING": head.guided, "NEXP": len(spectra.fields),
    }  # fmt: skip


def _cube_cards(head: HeadProducts, cube: SkyCube) -> dict[str, object]:
    """Axes in arcsec of the head and Angstrom; the sky as the second description, A."""
    step = float((cube.wave[-1] - cube.wave[0]) / (cube.wave.size - 1))
    first = float(cube.wave[0])
    out = {**_place_cards(head, cube), "CRVAL3": first, "CDELT3": step, "CRPIX3": 1.0, "CTYPE3": "pixel",
           "CUNIT3": "Angstrom"}  # fmt: skip
    if "WCSNAMEA" in out:
        out |= {"CTYPE3A": "AWAV", "CRVAL3A": first, "CRPIX3A": 1.0, "CD3_3A": step, "CUNIT3A": "Angstrom"}
    return out


def _place_cards(head: HeadProducts, cube: SkyCube) -> dict[str, object]:
    """Axes of the head in arcsec, and the tangent projection as the second description."""
    grid = cube.grid
    out: dict[str, object] = {}
    for axis, values in ((1, grid.x), (2, grid.y)):
        out |= {f"CRVAL{axis}": float(values[0]), f"CDELT{axis}": grid.step, f"CRPIX{axis}": 1.0,
                f"CTYPE{axis}": "pixel", f"CUNIT{axis}": "arcsec"}  # fmt: skip
    if head.sky_place is not None and np.isfinite(head.sky_place).all():
        ra, dec, turn, focal_x, focal_y = (float(v) for v in head.sky_place)
        c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        size = grid.step / 3600.0
        out |= {
            "WCSNAMEA": "sky", "CTYPE1A": "RA---TAN", "CTYPE2A": "DEC--TAN", "CRVAL1A": ra, "CRVAL2A": dec,
            "CRPIX1A": 1.0 - (grid.x[0] + focal_x) / grid.step, "CRPIX2A": 1.0 - (grid.y[0] + focal_y) / grid.step,
            "CD1_1A": -size * c, "CD1_2A": -size * s, "CD2_1A": -size * s, "CD2_2A": size * c, "RADESYSA": "ICRS",
        }  # fmt: skip
    return out
