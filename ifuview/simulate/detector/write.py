"""Write simulated products as FITS files laid out as DESI's: preproc, frame, sframe, sky, fiberflat, psf."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifuview.files import replacing
from ifuview.model.checks import Array, Header
from ifuview.model.dataset import CardValue
from ifuview.model.fibers import FiberMap, FiberRole
from ifuview.model.trace import TraceSet
from ifuview.simulate.detector.exposure import SimulatedFrame
from ifuview.simulate.detector.spectra import SimulatedRss

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU, HDUList

TRACE_DEGREE = 20  # of the Legendre series in wavelength: a kink needs many terms
FLUX_NAMES = {"sky": "SKY", "fiberflat": "FIBERFLAT"}


def header(camera: str = "r0", expid: int = 1, flavor: str = "science", night: int = 20261121) -> dict[str, CardValue]:
    """Return the header cards that name an exposure."""
    return {
        "NIGHT": night, "EXPID": expid, "CAMERA": camera, "FLAVOR": flavor, "OBSTYPE": flavor.upper(),
        "PROGRAM": "simulated", "EXPTIME": 900.0, "TILEID": 1, "SPECGRPH": int(camera[1:]), "INSTRUME": "DESI",
        "OBSERVAT": "simulated", "ORIGIN": "ifuview.simulate", "DATE-OBS": "2026-11-21T04:00:00.0",
    }  # fmt: skip


def write_preproc(path: Path | str, frame: SimulatedFrame, fibers: FiberMap, cards: Header) -> Path:
    """Write a detector frame with fibers side by side along x: IMAGE, IVAR, MASK, READNOISE, FIBERMAP."""
    from astropy.io import fits

    image = frame.as_image()
    assert image.ivar is not None
    ny, nx = frame.image.shape[1], frame.image.shape[0]
    primary = fits.PrimaryHDU(np.ascontiguousarray(frame.image.T))
    primary.header["EXTNAME"], primary.header["BUNIT"] = "IMAGE", "electron"
    primary.header.update(cards)
    for letter, (x0, x1, y0, y1) in _quarters(nx, ny).items():
        primary.header[f"CCDSEC{letter}"] = f"[{x0 + 1}:{x1}, {y0 + 1}:{y1}]"
        primary.header[f"GAIN{letter}"], primary.header[f"OBSRDN{letter}"] = 1.6, frame.readnoise
    hdus = [
        primary,
        fits.ImageHDU(np.ascontiguousarray(image.ivar.raw.T), name="IVAR"),
        fits.ImageHDU(np.ascontiguousarray(frame.mask.T), name="MASK"),
        fits.ImageHDU(np.full((ny, nx), frame.readnoise, np.float32), name="READNOISE"),
        _fibermap(fibers),
    ]
    return _save(path, fits.HDUList(hdus))


def write_rss(path: Path | str, rss: SimulatedRss, cards: Header) -> Path:
    """Write row-stacked spectra: FLUX (SKY, FIBERFLAT), IVAR, MASK, WAVELENGTH, FIBERMAP."""
    from astropy.io import fits

    primary = fits.PrimaryHDU(rss.flux)
    primary.header["EXTNAME"], primary.header["BUNIT"] = FLUX_NAMES.get(rss.stage, "FLUX"), rss.unit
    primary.header.update(cards)
    hdus = [
        primary,
        fits.ImageHDU(rss.ivar, name="IVAR"),
        fits.ImageHDU(rss.mask, name="MASK"),
        fits.ImageHDU(rss.wave, name="WAVELENGTH"),
    ]
    return _save(path, fits.HDUList([*hdus, _fibermap(rss.fibermap)]))


def write_psf(path: Path | str, traces: TraceSet, cards: Header, degree: int = TRACE_DEGREE) -> Path:
    """Write traces as Legendre series in wavelength: XTRACE (cross-dispersion), YTRACE (dispersion), XSIG."""
    from astropy.io import fits

    x, y, sigma, lo, hi = legendre_traces(traces, degree)
    extra = {"WAVEMIN": lo, "WAVEMAX": hi, "NPIX_Y": traces.ncol, "FIBERMIN": 0, "FIBERMAX": traces.nfiber - 1}
    primary = fits.PrimaryHDU(x)
    primary.header["EXTNAME"] = "XTRACE"
    primary.header.update({**cards, "FLAVOR": "psf", **extra})
    hdus = [primary, fits.ImageHDU(y, name="YTRACE"), fits.ImageHDU(sigma, name="XSIG")]
    for hdu in hdus[1:]:
        hdu.header.update(extra)
    return _save(path, fits.HDUList(hdus))


def legendre_traces(traces: TraceSet, degree: int = TRACE_DEGREE) -> tuple[Array, Array, Array, float, float]:
    """Return Legendre coefficients in wavelength of position along x, along y and width, and the wavelength range.

    Each is (nfiber, degree + 1); the range spans all fibers, so that some series end a little outside their data.
    """
    from numpy.polynomial import legendre

    assert traces.wave is not None and traces.sigma is not None
    lo, hi = float(traces.wave.min()), float(traces.wave.max())
    out = np.empty((3, traces.nfiber, degree + 1))
    column = np.arange(traces.ncol, dtype=float)
    for k in range(traces.nfiber):
        u = 2 * (traces.wave[k] - lo) / (hi - lo) - 1
        values = np.stack((traces.center[k], column, traces.sigma[k]), axis=1)
        smooth = legendre.legfit(u, values, degree)
        out[:, k] = smooth.T
    return out[0], out[1], out[2], lo, hi


def _quarters(nx: int, ny: int) -> dict[str, tuple[int, int, int, int]]:
    """Amplifiers A to D: x0, x1, y0, y1."""
    x, y = nx // 2, ny // 2
    return {"A": (0, x, 0, y), "B": (x, nx, 0, y), "C": (0, x, y, ny), "D": (x, nx, y, ny)}


def _fibermap(fibers: FiberMap) -> BinTableHDU:
    """The fiber table."""
    from astropy.io import fits

    assert (
        fibers.focal_x is not None and fibers.focal_y is not None and fibers.ra is not None and fibers.dec is not None
    )
    objtype = np.array(["SKY" if r is FiberRole.SKY else "TGT" for r in fibers.role])
    columns = [
        fits.Column("TARGETID", "K", array=np.where(objtype == "SKY", -1, 1) * (1000 + fibers.fiber.astype(np.int64))),
        fits.Column("FIBER", "J", array=fibers.fiber),
        fits.Column("PETAL_LOC", "I", array=np.zeros(fibers.nfiber, np.int16)),
        fits.Column("FIBERSTATUS", "J", array=fibers.status.astype(np.int32)),  # type: ignore[union-attr]
        fits.Column("OBJTYPE", "3A", array=objtype),
        fits.Column("FIBERASSIGN_X", "E", unit="mm", array=fibers.focal_x),
        fits.Column("FIBERASSIGN_Y", "E", unit="mm", array=fibers.focal_y),
        fits.Column("FIBER_X", "D", unit="mm", array=fibers.focal_x),
        fits.Column("FIBER_Y", "D", unit="mm", array=fibers.focal_y),
        fits.Column("TARGET_RA", "D", unit="deg", array=fibers.ra),
        fits.Column("TARGET_DEC", "D", unit="deg", array=fibers.dec),
    ]
    return fits.BinTableHDU.from_columns(columns, name="FIBERMAP")


def _save(path: Path | str, hdus: HDUList) -> Path:
    """Write under a temporary name, then move."""
    path = Path(path)
    with replacing(path) as part:
        hdus.writeto(part)
    return path
