"""Corrected traces as Legendre coefficients or sampled arrays: the numbers in the FITS file replaced, the rest kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import legendre

from ifuview.instrument import instrument, recognize
from ifuview.io.fits.fast import read_fits
from ifuview.io.traces.correction import Correction, say
from ifuview.io.traces.legendre import own_orientation
from ifuview.io.traces.sampled import centers_hdu, is_sampled
from ifuview.model.checks import Array
from ifuview.model.trace import TraceSet

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU, HDUList

ENOUGH = 0.003  # px; a fit that misses the corrected traces by less needs no further coefficient
SAME = 1e-7  # px; a smaller correction is none
NODES = 1024  # samples of a correction along the wavelength
MORE = 4  # coefficients added at a time
MOST = 96  # coefficients


def correct_legendre(correction: Correction) -> bool:
    """XTRACE, or the row X of the PSF table, replaced; YTRACE and everything else as it is."""
    from astropy.io import fits

    given = correction.given
    if given.coeff is None or given.argument != "wave" or given.wave is None or given.domain is None:
        return False
    flipped = (correction.orientation or own_orientation(read_fits(correction.source))).flip_cross
    step = _polynomial(given, correction.traces)
    coefficients = np.zeros(step.shape)
    coefficients[:, : given.coeff.shape[1]] = given.coeff
    coefficients += -step if flipped else step
    with fits.open(correction.source, mode="readonly", memmap=False, do_not_scale_image_data=True) as hdus:
        names = [hdu.name.upper() for hdu in hdus]
        if "XTRACE" in names:
            hdu = hdus[names.index("XTRACE")]
            kind = hdu.data.dtype if hdu.data.dtype.kind == "f" else np.dtype("f8")
            hdu.data = coefficients.astype(kind)
            say(hdu, correction.what)
        if _has_row_x(hdus):
            place = names.index("PSF")
            hdus[place] = _with_row_x(hdus[place], coefficients)
            say(hdus[place], correction.what)
        hdus.writeto(correction.part, overwrite=True, output_verify="silentfix+ignore")
    return True


def _polynomial(given: TraceSet, traces: TraceSet) -> Array:
    """Legendre coefficients (nfiber, n) of the correction against the scaled wavelength, n as large as needed."""
    assert given.coeff is not None and given.wave is not None and given.domain is not None
    low, high = given.domain
    nodes = np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)[::-1]
    difference = np.zeros((given.nfiber, NODES))
    changed = []
    for fiber in range(given.nfiber):
        good = given.valid[fiber] & np.isfinite(traces.center[fiber]) & np.isfinite(given.wave[fiber])  # type: ignore[index]
        step = traces.center[fiber, good] - given.center[fiber, good]
        if step.size and np.abs(step).max() > SAME:
            u = 2 * (given.wave[fiber, good] - low) / (high - low) - 1
            order = slice(None, None, 1 if u[-1] >= u[0] else -1)
            difference[fiber] = np.interp(nodes, u[order], step[order])
            changed.append(fiber)
    count = given.coeff.shape[1]
    wanted = difference[changed]
    while True:
        basis = legendre.legvander(nodes, count - 1)
        found = wanted @ np.linalg.pinv(basis).T
        miss = np.abs(found @ basis.T - wanted).max(initial=0.0)
        if miss <= ENOUGH or count + MORE > MOST:
            break
        count += MORE
    out = np.zeros((given.nfiber, count))
    out[changed] = found
    return out


def _has_row_x(hdus: HDUList) -> bool:
    """Whether there is a PSF table with the row X."""
    table = next((hdu for hdu in hdus if hdu.name.upper() == "PSF"), None)
    if table is None or not hasattr(table, "columns") or "PARAM" not in table.columns.names:
        return False
    return "X" in {str(name).strip() for name in table.data["PARAM"]}


def _with_row_x(table: BinTableHDU, coefficients: Array) -> BinTableHDU:
    """The PSF table with another row X; all rows are padded with zeros if X has more coefficients."""
    from astropy.io import fits

    old = table.data["COEFF"]
    count = max(old.shape[2], coefficients.shape[1])
    new = np.zeros((old.shape[0], old.shape[1], count), old.dtype.newbyteorder("="))
    new[:, :, : old.shape[2]] = old
    row = [str(name).strip() for name in table.data["PARAM"]].index("X")
    new[row] = 0
    new[row, :, : coefficients.shape[1]] = coefficients
    columns = [
        fits.Column(c.name, f"{new[0].size}{c.format[-1]}", dim=f"({count},{new.shape[1]})", array=new)
        if c.name == "COEFF"
        else c
        for c in table.columns
    ]
    out = fits.BinTableHDU.from_columns(columns, name=table.name)
    layout = {"XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "PCOUNT", "GCOUNT", "TFIELDS", "EXTNAME"}
    for card in table.header.cards:
        if card.keyword not in layout and not card.keyword.startswith(
            ("TTYPE", "TFORM", "TDIM", "CHECKSUM", "DATASUM")
        ):
            out.header.append(card, end=True)
    if "LEGDEG" in out.header:
        out.header["LEGDEG"] = count - 1
    if "LEGDEGW" in (out.columns.names or ()):
        out.data["LEGDEGW"][row] = coefficients.shape[1] - 1
    return out


def correct_sampled(correction: Correction) -> bool:
    """The image of centers replaced; coefficients beside it are kept with a card that says that they are of old."""
    from astropy.io import fits

    given, traces = correction.given, correction.traces
    known = read_fits(correction.source)
    found = centers_hdu(known)
    if found is None or not is_sampled(known):
        return False
    step = np.where(np.isfinite(traces.center) & np.isfinite(given.center), traces.center - given.center, 0.0)
    lies = correction.orientation or instrument(recognize(known.primary, known.names)).orientation
    step = step[:, :: -1 if lies.flip_disp else 1] * (-1 if lies.flip_cross else 1)
    with fits.open(correction.source, mode="readonly", memmap=False) as hdus:
        hdu = hdus[next(i for i, one in enumerate(known.hdus) if one is found)]
        kind = hdu.data.dtype if hdu.data.dtype.kind == "f" else np.dtype("f4")
        hdu.data = (hdu.data + step).astype(kind)
        say(hdu, correction.what)
        if "COEFFS" in hdus:
            hdus["COEFFS"].header.add_history("These are the coefficients before the correction; the samples are right")
        hdus.writeto(correction.part, overwrite=True, output_verify="silentfix+ignore")
    return True
