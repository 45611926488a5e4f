"""Traces as Legendre polynomials of wavelength, x(w) and y(w), turned into centers at every detector row.

The inverse w(y) is smooth, so it is solved at a few dozen Chebyshev nodes by
Newton's method and carried to all rows by one matrix product; a fiber for
which that misses by more than `MAX_MISS` px is inverted by interpolation.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import chebyshev, legendre

from ifuview.errors import FileFormatError, MissingDataError
from ifuview.instrument import instrument, recognize
from ifuview.io.fits.cards import real
from ifuview.io.fits.fast import FitsFile, Hdu, pixels
from ifuview.io.fits.table import read_table
from ifuview.model.checks import Array, Header
from ifuview.model.orientation import Orientation
from ifuview.model.quality import TraceBit
from ifuview.model.trace import TraceSet

NODES = 32  # Chebyshev nodes of the inverse; at least three per coefficient
NEWTON_STEPS = 12
MAX_MISS = 1e-4  # px; a hundredth of the best centroid
FINE = 2048  # samples of y(w) for the fibers that are interpolated
REACH = 1.3  # how far beyond [-1, 1] Newton may look
MAX_COEFFICIENTS = 200
MAX_ROWS = 20_000  # px; larger sizes are damaged headers (the largest detectors have about 10,000)
MAX_FIBERS = 20_000
DEFAULT_ROWS = 4096  # px, if neither the file, the image nor the instrument says


def legendre_traces(fits: FitsFile, shape: tuple[int, int] | None, orientation: Orientation | None) -> TraceSet:
    """Return the traces of XTRACE and YTRACE, or of the rows X and Y of a PSF table.

    Raises
    ------
    FileFormatError
        Missing or unfit coefficients, or a detector of another size.
    """
    x, y, header, sigma = _coefficients(fits)
    domain = _domain(header, fits.path)
    _check_coefficients(x, y, fits.path)
    lies = orientation or own_orientation(fits)
    if not lies.transpose:
        text = "these traces run along y of the detector, the image is taken to have wavelength along x"
        raise FileFormatError(text, fits.path, "open an image of the same instrument")
    ndisp = shape[1] if shape is not None else _rows(fits, header)
    stated = [_size(hdu.header, "NPIX_Y") for hdu in fits.hdus] + [None]
    height = next((size for size in stated if size is not None), None)
    width = next((size for hdu in fits.hdus if (size := _size(hdu.header, "NPIX_X")) is not None), None)
    if shape is not None and ((height or ndisp) != ndisp or (width or shape[0]) != shape[0]):
        made = f"{width or '?'} x {height or '?'}"
        text = f"the traces are made for a detector of {made} pixels, the image has {shape[0]} x {shape[1]}"
        raise FileFormatError(text, fits.path, "open the traces of this detector")
    if _span(x) > _span(y):
        text = f"x and y are exchanged: along wavelength x spans {_span(x):.0f} px, y {_span(y):.0f} px"
        raise FileFormatError(text, fits.path, "exchange XTRACE and YTRACE")
    if _falls(y):
        text = "the wavelengths fall with y: these traces are mirrored along dispersion"
        raise FileFormatError(text, fits.path, "give traces in the axes of the image")
    wave_u, center, valid, status = _invert(x, y, ndisp)
    low, high = domain
    wave = (low + high) / 2 + wave_u * (high - low) / 2
    ncross = shape[0] if shape is not None else (width or 0)
    center, wave, valid, width_px = flipped(lies, ncross, center, wave, valid, _sigma(sigma, wave))
    first = header.get("FIBERMIN")
    first = first if type(first) is int else 0
    return TraceSet(
        fiber=np.arange(len(x)), center=center, sigma=width_px, wave=wave, valid=valid, coeff=x, domain=domain,
        basis="legendre", argument="wave", status=status, fiber_id=tuple(str(first + row) for row in range(len(x))),
    )  # fmt: skip


def positions(fits: FitsFile, wave: Array) -> tuple[Array, Array]:
    """Detector positions x (across dispersion) and y of all fibers at some wavelengths.

    Parameters
    ----------
    fits : FitsFile
    wave : ndarray, shape (nwave,), Angstrom

    Returns
    -------
    (ndarray, ndarray), shape (nfiber, nwave), px

    Raises
    ------
    FileFormatError, MissingDataError
        Missing or unfit coefficients.
    """
    x, y, header, _ = _coefficients(fits)
    low, high = _domain(header, fits.path)
    _check_coefficients(x, y, fits.path)
    if 10 * low < float(np.median(wave)) < 10 * high:  # it is in nm
        low, high = 10 * low, 10 * high
    u = 2 * (wave - low) / (high - low) - 1
    across, along = (c @ legendre.legvander(u, c.shape[1] - 1).T for c in (x, y))
    return across.astype(np.float32), along.astype(np.float32)


def _coefficients(fits: FitsFile) -> tuple[Array, Array, Header, tuple[Array, tuple[float, float]] | None]:
    """Coefficients of x and y, the header with their domain, and those of the profile width with theirs."""
    xs, ys = fits.find("XTRACE"), fits.find("YTRACE")
    psf = _psf_rows(fits)
    if xs is not None and ys is not None:
        header = {**(psf[1] if psf else {}), **xs.header}
        x, y = (_image(hdu, fits.path) for hdu in (xs, ys))
    elif psf is not None and "X" in psf[0] and "Y" in psf[0]:
        header = dict(psf[1])
        x, y = psf[0]["X"], psf[0]["Y"]
    else:
        raise MissingDataError("has neither XTRACE and YTRACE nor the parameters X and Y", fits.path)
    width = fits.find("XSIG")
    sigma = None
    if width is not None and width.has_image and width.data is not None:
        sigma = (_image(width, fits.path), _domain({**header, **width.header}, fits.path))
    elif psf is not None and "GHSIGX" in psf[0]:
        sigma = (psf[0]["GHSIGX"], _domain(psf[1], fits.path))
    if sigma is not None and len(sigma[0]) != len(x):
        sigma = None
    return x, y, header, sigma


def _image(hdu: Hdu, path: str) -> Array:
    """Coefficients of an image HDU as (nfiber, ncoef) in double precision."""
    if hdu.info.kind != "image" or len(hdu.info.shape) != 2 or 0 in hdu.info.shape:
        raise FileFormatError(f"{hdu.info.name} is no table of coefficients (shape {hdu.info.shape})", path)
    stored = pixels(hdu)
    return stored.raw.astype(np.float64) * stored.scale + stored.zero


def _psf_rows(fits: FitsFile) -> tuple[dict[str, Array], Header] | None:
    """Parameter name to coefficients of the PSF table, and its header."""
    hdu = fits.find("PSF")
    if hdu is None or hdu.info.kind != "table" or hdu.data is None:
        return None
    columns = read_table(hdu, ("PARAM", "COEFF")).columns
    if "PARAM" not in columns or "COEFF" not in columns or columns["COEFF"].ndim != 3:
        return None
    return dict(zip((str(name) for name in columns["PARAM"]), columns["COEFF"])), hdu.header


def _domain(header: Header, path: str) -> tuple[float, float]:
    """WAVEMIN and WAVEMAX."""
    low, high = real(header.get("WAVEMIN")), real(header.get("WAVEMAX"))
    if low is None or high is None or not low < high:
        raise FileFormatError("the traces have no wavelength range (WAVEMIN, WAVEMAX)", path)
    return low, high


def _check_coefficients(x: Array, y: Array, path: str) -> None:
    """Shapes that belong together, numbers that are numbers."""
    if len(x) != len(y):
        raise FileFormatError(f"XTRACE has {len(x)} fibers, YTRACE has {len(y)}", path)
    if len(x) > MAX_FIBERS:
        raise FileFormatError(f"{len(x)} fibers are more than any camera has", path)
    if max(x.shape[1], y.shape[1]) > MAX_COEFFICIENTS:
        raise FileFormatError(f"{max(x.shape[1], y.shape[1])} coefficients a fiber are no trace polynomial", path)
    bad = np.flatnonzero(~np.isfinite(x).all(axis=1) | ~np.isfinite(y).all(axis=1))
    if len(bad):
        raise FileFormatError(f"the trace coefficients of {len(bad)} fibers (first: {bad[0]}) are not numbers", path)


def _span(coeff: Array) -> float:
    """How far the traces of a usual fiber go between the ends of the wavelengths, px."""
    return float(np.median(np.abs(2 * coeff[:, 1::2].sum(axis=1))))


def _falls(y: Array) -> bool:
    """Whether y falls with wavelength in most fibers."""
    odd = y[:, 1::2].sum(axis=1)  # half of what is between the ends
    return bool(np.median(odd) < 0)


def own_orientation(fits: FitsFile) -> Orientation:
    """Orientation of the instrument that the file names; these traces always run along y."""
    lies = instrument(recognize(fits.primary, fits.names)).orientation
    return lies if lies.transpose else Orientation(transpose=True)


def _rows(fits: FitsFile, header: Header) -> int:
    """Detector height: what the file says, else what the instrument says."""
    for hdu in fits.hdus:
        size = _size(hdu.header, "NPIX_Y")
        if size is not None:
            return size
    spec = instrument(recognize(fits.primary, fits.names))
    camera = spec.camera(str(header.get("CAMERA", "")).strip())
    return camera.shape[0] if camera is not None and camera.shape is not None else DEFAULT_ROWS


def _size(header: Header, key: str) -> int | None:
    value = header.get(key)
    return value if type(value) is int and 0 < value <= MAX_ROWS else None


def _invert(x: Array, y: Array, ndisp: int) -> tuple[Array, Array, Array, Array]:
    """Scaled wavelength and center at rows 0..ndisp-1, where they are covered, and the status of each fiber."""
    nfiber = len(x)
    count = min(max(NODES, 3 * max(x.shape[1], y.shape[1])), ndisp)
    nodes = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    rows = (nodes + 1) / 2 * (ndisp - 1)
    u = _newton(y, rows)
    xu = np.einsum("fk,fnk->fn", x, legendre.legvander(u, x.shape[1] - 1))
    carry = _to_rows(nodes, ndisp)
    both = np.concatenate([u, xu]) @ carry
    u_all, center = both[:nfiber], both[nfiber:]
    valid = np.abs(u_all) <= 1
    status = np.zeros(nfiber, np.uint32)
    check = np.linspace(0, ndisp - 1, min(ndisp, 41)).round().astype(int)
    miss = np.einsum("fk,fnk->fn", y, legendre.legvander(u_all[:, check], y.shape[1] - 1)) - check
    inside = valid[:, check]
    wrong = (np.abs(np.where(inside, miss, 0)).max(axis=1) > MAX_MISS) | ~(np.diff(u, axis=1) < 0).all(axis=1)
    for fiber in np.flatnonzero(wrong | ~inside.any(axis=1)):
        u_all[fiber], center[fiber], valid[fiber] = _interpolated(x[fiber], y[fiber], ndisp)
        if not valid[fiber].any():
            status[fiber] |= TraceBit.NOT_FITTED
    status[(status == 0) & ~valid.all(axis=1)] |= np.uint32(TraceBit.EXTRAPOLATED)
    return u_all, center, valid, status


def _newton(y: Array, rows: Array) -> Array:
    """Scaled wavelength at which y(u) = rows, shape (nfiber, nrow)."""
    slope = legendre.legder(y.T).T if y.shape[1] > 1 else np.zeros((len(y), 1))
    ends = legendre.legvander(np.array([-1.0, 1.0]), y.shape[1] - 1) @ y.T
    span = ends[1] - ends[0]
    span[span == 0] = 1.0
    u = np.clip(2 * (rows - ends[0][:, None]) / span[:, None] - 1, -REACH, REACH)
    for _ in range(NEWTON_STEPS):
        value = np.einsum("fk,fnk->fn", y, legendre.legvander(u, y.shape[1] - 1)) - rows
        rate = np.einsum("fk,fnk->fn", slope, legendre.legvander(u, slope.shape[1] - 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(rate != 0, value / rate, 0.0)
        u = np.clip(u - step, -REACH, REACH)
        if np.abs(step).max() < 1e-12:
            break
    return np.asarray(u)


def _to_rows(nodes: Array, ndisp: int) -> Array:
    """Matrix (nnode, ndisp) from values at Chebyshev nodes to values at all rows."""
    count = len(nodes)
    at_nodes = chebyshev.chebvander(nodes, count - 1)
    to_coefficients = at_nodes.T * (2.0 / count)
    to_coefficients[0] /= 2
    position = 2 * np.arange(ndisp) / max(ndisp - 1, 1) - 1
    return np.asarray((chebyshev.chebvander(position, count - 1) @ to_coefficients).T)


def _interpolated(x: Array, y: Array, ndisp: int) -> tuple[Array, Array, Array]:
    """The same for one unruly fiber, on the longest rising run of y(u); NaN outside."""
    u = np.linspace(-1, 1, FINE)
    high = legendre.legval(u, y)
    falls = np.flatnonzero(np.diff(high) <= 0)
    edges = np.concatenate([[-1], falls, [FINE - 1]])
    longest = int(np.argmax(np.diff(edges)))
    part = slice(edges[longest] + 1, edges[longest + 1] + 1)
    rows = np.arange(ndisp, dtype=float)
    if part.stop - part.start < 2:
        return np.full(ndisp, np.nan), np.full(ndisp, np.nan), np.zeros(ndisp, bool)
    at = np.interp(rows, high[part], u[part], left=np.nan, right=np.nan)
    return at, legendre.legval(at, x), np.isfinite(at)


def _sigma(sigma: tuple[Array, tuple[float, float]] | None, wave: Array) -> Array | None:
    """Profile width at every center; of low degree, so every sixteenth row is enough."""
    if sigma is None:
        return None
    coefficients, (low, high) = sigma
    every = np.unique(np.append(np.arange(0, wave.shape[1], 16), wave.shape[1] - 1))
    u = np.clip(2 * (wave[:, every] - low) / (high - low) - 1, -REACH, REACH)
    coarse = np.einsum("fk,fnk->fn", coefficients, legendre.legvander(u, coefficients.shape[1] - 1))
    position = np.arange(wave.shape[1])
    at = np.clip(np.searchsorted(every, position, side="right") - 1, 0, max(len(every) - 2, 0))
    if len(every) < 2:
        return np.asarray(coarse.astype(np.float32))
    weight = ((position - every[at]) / (every[at + 1] - every[at])).astype(np.float32)
    coarse = coarse.astype(np.float32)
    return np.asarray(coarse[:, at] * (1 - weight) + coarse[:, at + 1] * weight)


def flipped(
    lies: Orientation, ncross: int, center: Array, wave: Array, valid: Array, sigma: Array | None
) -> tuple[Array, Array, Array, Array | None]:
    """Bring the axes to rising wavelength."""
    if lies.flip_cross:
        center = ncross - 1 - center
    if lies.flip_disp:
        center, wave, valid = center[:, ::-1], wave[:, ::-1], valid[:, ::-1]
        sigma = None if sigma is None else sigma[:, ::-1]
    return center, wave, valid, sigma
