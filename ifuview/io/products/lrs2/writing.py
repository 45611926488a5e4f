"""Products of one exposure or of the calibrations, written as a set: all files or none."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from astropy.io import fits

from ifuview.engine.context import SILENT, JobContext
from ifuview.files import Name, told
from ifuview.io.products.lrs2.cards import image, primary, provenance
from ifuview.io.products.lrs2.exposure import CUBES, write_cube, write_multi, write_spectrum
from ifuview.io.products.lrs2.folders import (
    CALS,
    ROOT,
    calibration_name,
    cube_name,
    folder_of,
    multi_name,
    spectrum_name,
)
from ifuview.model.reduction.products import ReducedCalibration, ReducedExposure
from ifuview.sets import filled

CALIBRATION = (
    "wavelength", "trace", "flat", "bigW", "masterbias", "xypos", "dead", "arcspec", "fltspec", "Flatspec", "bigF",
    "masterarc", "masterFlat", "response",
)  # fmt: skip
UNITS = {"wavelength": "Angstrom", "trace": "pix", "bigW": "Angstrom", "masterbias": "electron", "xypos": "arcsec"}


def write_exposure(
    folder: Name, done: ReducedExposure, standards: Iterable[str] = (), ctx: JobContext = SILENT
) -> tuple[str, ...]:
    """Write the products of one exposure of one channel below a folder.

    Parameters
    ----------
    folder : path
        LRS2/PROGRAM (or STANDARDS, ORPHANS) is made in it.
    done : ReducedExposure
    standards : iterable of str
        Names of standard stars.
    ctx : JobContext, optional

    Returns
    -------
    tuple of str
        The files.

    Raises
    ------
    UsageError
        They cannot be written. What was there before is as it was.
    """
    place = folder_of(done.header, done.name.night, tuple(standards))
    names = [multi_name(done.name), spectrum_name(done.name)]
    cubes = [kind for kind in CUBES if kind in done.cubes]
    with told(folder, "the products", "choose another folder"), filled(folder) as part:
        inside = part / place
        inside.mkdir(parents=True)
        ctx.checkpoint(0.0, names[0])
        write_multi(inside / names[0], done)
        ctx.checkpoint(0.5, names[1])
        write_spectrum(inside / names[1], done)
        for number, kind in enumerate(cubes):
            names.append(cube_name(done.name, kind))
            ctx.checkpoint(0.6 + 0.1 * number, names[-1])
            write_cube(inside / names[-1], done, kind)
        ctx.checkpoint(1.0, "")
    return tuple(str(Path(folder) / place / name) for name in names)


def write_calibration(folder: Name, done: ReducedCalibration) -> str:
    """Write the calibrations of a channel to LRS2/CALS below a folder; the name of the file.

    Raises
    ------
    UsageError
        It cannot be written.
    """
    name = calibration_name(done.night, done.channel)
    own = {**done.images, **done.spectra, "xypos": done.xypos}
    hdus: list[fits.ImageHDU | fits.PrimaryHDU | fits.BinTableHDU] = []
    for key in CALIBRATION:
        data = np.asarray(own.get(key, np.zeros((1, 1))), np.float32 if key in done.images else np.float64)
        if hdus:
            hdus.append(image(data, key, unit=UNITS.get(key, "")))
        else:
            cards = {"CHANNEL": done.channel, "INSTRUME": "lrs2", "DATE": str(done.night)}
            hdus.append(primary(data, key, fits.Header(), cards, UNITS[key]))
    hdus.append(provenance(done.record))
    with told(folder, "the calibrations", "choose another folder"), filled(folder) as part:
        inside = part / ROOT / CALS
        inside.mkdir(parents=True)
        fits.HDUList(hdus).writeto(inside / name, output_verify="silentfix")
    return str(Path(folder) / ROOT / CALS / name)
