"""Corrected traces in the form of the file they came from, everything else of that file kept as it is.

What is written is the given positions plus the difference between the corrected and the given traces, so that fibers
without a correction keep their numbers. The file is read back before it gets its name.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.polynomial import legendre

from ifuview.errors import FileFormatError, UsageError
from ifuview.instrument import instrument, recognize
from ifuview.io.fits.fast import read_fits
from ifuview.io.traces.legendre import _own_orientation
from ifuview.io.traces.reading import read_traces
from ifuview.model.checks import Array
from ifuview.model.orientation import Orientation
from ifuview.model.trace import TraceSet

ENOUGH = 0.003  # px; a fit that misses the corrected traces by less needs no further coefficient
ALLOWED = 0.01  # px; largest difference between the corrected traces and the file read back
SAME = 1e-7  # px; a smaller correction is none
NODES = 1024  # samples of a correction along the wavelength
MORE = 4  # coefficients added at a time
MOST = 96  # coefficients
TEXT_FORMS = (".csv", ".ecsv", ".json", ".txt", ".dat")
COMPRESSED = (".gz", ".bz2", ".fz")
CARD, CARD_TEXT = "TRCORR", "traces corrected by ifuview, see HISTORY"

Write = Callable[[str, str, TraceSet, TraceSet, str, Orientation | None, tuple[int, int]], bool]


def corrected_name(path_in: str | os.PathLike[str], stem: str = "traces_corrected") -> str:
    """Name of the corrected file, with the suffix of the input (.fits of compressed FITS)."""
    base = os.path.basename(os.fspath(path_in)).lower()
    for ending in COMPRESSED:
        base = base.removesuffix(ending)
    suffix = os.path.splitext(base)[1]
    return stem + (suffix if suffix in TEXT_FORMS else ".fits")


def write_corrected(
    path_in: str | os.PathLike[str],
    traces: TraceSet,
    path_out: str | os.PathLike[str],
    what_changed: str,
    orientation: Orientation | None = None,
    shape: tuple[int, int] | None = None,
) -> float:
    """Write `traces` in the form of `path_in`, with a card or comment that says what was changed.

    Parameters
    ----------
    path_in : str or path
        The given trace file; only read.
    traces : TraceSet
        Corrected traces of the same fibers in the same order, canonical axes; NaN: as given.
    path_out : str or path
        Appears whole or not at all.
    what_changed : str
    orientation : Orientation, optional
        Of the image they belong to. Default: what `read_traces` finds out.
    shape : (int, int), optional
        Native (ny, nx) of that image.

    Returns
    -------
    float, px
        Largest difference between `traces` and the written file read back, where both are valid.

    Raises
    ------
    UsageError
        Other fibers or another detector, the output is the input, or the folder cannot be written.
    FileFormatError
        The form cannot hold the corrected traces to 0.01 px.
    """
    source, target = os.fspath(path_in), os.fspath(path_out)
    if os.path.exists(target) and os.path.samefile(source, target):
        raise UsageError("the corrected traces would overwrite the given ones", target, "choose another name")
    canonical = None if shape is None else (orientation or Orientation()).shape(shape)
    given = read_traces(source, canonical, orientation)
    if shape is None and given.ncol != traces.ncol:
        canonical = (int(np.nanmax(traces.center)) + 2, traces.ncol)
        given = read_traces(source, canonical, orientation)
    if given.center.shape != traces.center.shape:
        text = f"the corrected traces have {traces.nfiber} fibers of {traces.ncol} pixels"
        raise UsageError(f"{text}, the file has {given.nfiber} of {given.ncol}", source, "give the file they are of")
    native = shape or _native(given, orientation)
    folder, name = os.path.split(target)
    part = os.path.join(folder, f".part{os.getpid()}.{name}")
    what = " ".join(what_changed.split())
    miss = np.inf
    try:
        for write in _ways(source):
            if write(source, part, given, traces, what, orientation, native):
                miss = _largest_difference(given, read_traces(part, canonical, orientation), traces)
                if miss <= ALLOWED:
                    os.replace(part, target)
                    return miss
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise UsageError(f"cannot be written ({reason})", target, "choose another folder") from problem
    finally:
        if os.path.exists(part):
            os.unlink(part)
    empty = np.flatnonzero(~np.isfinite(traces.center).all(axis=1))
    if empty.size:
        named = ", ".join(traces.fiber_id[i] for i in empty[:5])
        text = f"{empty.size} traces have positions that are no numbers (fibers {named}), which this form cannot hold"
        raise FileFormatError(text, str(path_in), "mend these traces in the file")
    text = f"this form cannot hold the corrected traces (it would be wrong by {miss:.3f} px)"
    raise FileFormatError(text, source, "save them as another form: FITS, ECSV, CSV or JSON")


def _largest_difference(given: TraceSet, back: TraceSet, traces: TraceSet) -> float:
    """Between the traces and the file read back, px, where both are valid."""
    if back.center.shape != traces.center.shape or given.valid is None or back.valid is None:
        return float("inf")
    both = given.valid & back.valid & np.isfinite(traces.center)
    return float(np.abs(back.center - traces.center)[both].max(initial=0.0))


def _ways(source: str) -> tuple[Write, ...]:
    """How to write the form of a file, the most faithful way first."""
    from ifuview.io.traces import corrected_points as points

    if os.path.splitext(source)[1].lower() == ".json":
        return (points.json_points, points.all_points)
    with open(source, "rb") as file:
        start = file.read(6)
    if start.startswith((b"SIMPLE", b"\x1f\x8b", b"BZh")):
        return (_legendre, _sampled, points.fits_points, points.all_points)
    if start.lstrip()[:1] in (b"{", b"["):
        return (points.json_points, points.all_points)
    return (points.text_points, points.all_points)


def _native(given: TraceSet, lies: Orientation | None) -> tuple[int, int]:
    """Native shape that holds the traces, if nothing else is known."""
    canonical = (int(np.nanmax(given.center)) + 2, given.ncol)
    return (canonical[1], canonical[0]) if lies is not None and lies.transpose else canonical


# FITS: Legendre coefficients, sampled arrays


def _legendre(
    source: str, part: str, given: TraceSet, traces: TraceSet, what: str, lies: Orientation | None, _n: tuple[int, int]
) -> bool:
    """XTRACE, or the row X of the PSF table, replaced; YTRACE and everything else as it is."""
    from astropy.io import fits

    if given.coeff is None or given.argument != "wave" or given.wave is None or given.domain is None:
        return False
    flipped = (lies or _own_orientation(read_fits(source))).flip_cross
    step = _polynomial(given, traces)
    coefficients = np.zeros(step.shape)
    coefficients[:, : given.coeff.shape[1]] = given.coeff
    coefficients += -step if flipped else step
    with fits.open(source, mode="readonly", memmap=False, do_not_scale_image_data=True) as hdus:
        names = [hdu.name.upper() for hdu in hdus]
        if "XTRACE" in names:
            hdu = hdus[names.index("XTRACE")]
            kind = hdu.data.dtype if hdu.data.dtype.kind == "f" else np.dtype("f8")
            hdu.data = coefficients.astype(kind)
            _say(hdu, what)
        if _has_row_x(hdus):
            place = names.index("PSF")
            hdus[place] = _with_row_x(hdus[place], coefficients)
            _say(hdus[place], what)
        hdus.writeto(part, overwrite=True, output_verify="silentfix+ignore")
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


def _has_row_x(hdus: Any) -> bool:
    """Whether there is a PSF table with the row X."""
    table = next((hdu for hdu in hdus if hdu.name.upper() == "PSF"), None)
    if table is None or not hasattr(table, "columns") or "PARAM" not in table.columns.names:
        return False
    return "X" in {str(name).strip() for name in table.data["PARAM"]}


def _with_row_x(table: Any, coefficients: Array) -> Any:
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


def _sampled(
    source: str,
    part: str,
    given: TraceSet,
    traces: TraceSet,
    what: str,
    lies: Orientation | None,
    native: tuple[int, int],
) -> bool:
    """The image of centers replaced; coefficients beside it are kept with a card that says that they are of old."""
    from astropy.io import fits

    from ifuview.io.traces.sampled import _centers, is_sampled

    known = read_fits(source)
    found = _centers(known)
    if found is None or not is_sampled(known):
        return False
    step = np.where(np.isfinite(traces.center) & np.isfinite(given.center), traces.center - given.center, 0.0)
    lies = lies or instrument(recognize(known.primary, known.names)).orientation
    step = step[:, :: -1 if lies.flip_disp else 1] * (-1 if lies.flip_cross else 1)
    with fits.open(source, mode="readonly", memmap=False) as hdus:
        hdu = hdus[next(i for i, one in enumerate(known.hdus) if one is found)]
        kind = hdu.data.dtype if hdu.data.dtype.kind == "f" else np.dtype("f4")
        hdu.data = (hdu.data + step).astype(kind)
        _say(hdu, what)
        if "COEFFS" in hdus:
            hdus["COEFFS"].header.add_history("These are the coefficients before the correction; the samples are right")
        hdus.writeto(part, overwrite=True, output_verify="silentfix+ignore")
    return True


def _say(hdu: Any, what: str) -> None:
    """A card and a history of what was changed; checksums of the old content go."""
    for key in ("CHECKSUM", "DATASUM"):
        hdu.header.remove(key, ignore_missing=True)
    hdu.header[CARD] = (True, CARD_TEXT)
    hdu.header.add_history(_ascii(f"ifuview corrected the traces: {what}"))


def _ascii(text: str) -> str:
    """Text that a FITS header can hold."""
    return text.encode("ascii", "replace").decode("ascii")
