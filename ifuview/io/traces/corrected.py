"""Corrected traces in the form of the file they came from, everything else of that file kept as it is.

What is written is the given positions plus the difference between the corrected and the given traces, so that fibers
without a correction keep their numbers. The file is read back before it gets its name.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from ifuview.errors import FileFormatError, UsageError
from ifuview.files import move, part_name, product_stem, told
from ifuview.io.traces.correction import Correction
from ifuview.io.traces.reading import read_traces
from ifuview.model.orientation import Orientation
from ifuview.model.trace import TraceSet

ALLOWED = 0.01  # px; largest difference between the corrected traces and the file read back
TEXT_FORMS = (".csv", ".ecsv", ".json", ".txt", ".dat")
Shape = tuple[int, int]
Write = Callable[[Correction], bool]


def corrected_name(path_in: str | os.PathLike[str], stem: str = "traces_corrected") -> str:
    """Name of the corrected file, with the suffix of the input (.fits of compressed FITS)."""
    suffix = os.path.splitext(product_stem(os.fspath(path_in).lower()))[1]
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
    given, canonical = _given(source, traces, orientation, shape)
    correction = Correction(
        source=source, part=part_name(target), given=given, traces=traces, what=" ".join(what_changed.split()),
        orientation=orientation, native=shape or _native(given, orientation),
    )  # fmt: skip
    with told(target, "the traces"):
        try:
            return _written(correction, canonical, target)
        finally:
            if os.path.exists(correction.part):
                os.unlink(correction.part)


def _given(
    source: str, traces: TraceSet, orientation: Orientation | None, shape: Shape | None
) -> tuple[TraceSet, Shape | None]:
    """The traces of the given file, of the fibers of `traces`, and the canonical shape in which it is read."""
    canonical = None if shape is None else (orientation or Orientation()).shape(shape)
    given = read_traces(source, canonical, orientation)
    if shape is None and given.ncol != traces.ncol:
        canonical = (int(np.nanmax(traces.center)) + 2, traces.ncol)
        given = read_traces(source, canonical, orientation)
    if given.center.shape != traces.center.shape:
        text = f"the corrected traces have {traces.nfiber} fibers of {traces.ncol} pixels"
        raise UsageError(f"{text}, the file has {given.nfiber} of {given.ncol}", source, "give the file they are of")
    return given, canonical


def _written(correction: Correction, canonical: tuple[int, int] | None, target: str) -> float:
    """Write in the first way that holds the traces and give the file its name; the largest difference, px."""
    traces, miss = correction.traces, np.inf
    for write in _ways(correction.source):
        if write(correction):
            back = read_traces(correction.part, canonical, correction.orientation)
            miss = _largest_difference(correction.given, back, traces)
            if miss <= ALLOWED:
                move(correction.part, target)
                return miss
    empty = np.flatnonzero(~np.isfinite(traces.center).all(axis=1))
    if empty.size:
        named = ", ".join(traces.fiber_id[i] for i in empty[:5])
        text = f"{empty.size} traces have positions that are no numbers (fibers {named}), which this form cannot hold"
        raise FileFormatError(text, correction.source, "mend these traces in the file")
    text = f"this form cannot hold the corrected traces (it would be wrong by {miss:.3f} px)"
    raise FileFormatError(text, correction.source, "save them as another form: FITS, ECSV, CSV or JSON")


def _largest_difference(given: TraceSet, back: TraceSet, traces: TraceSet) -> float:
    """Between the traces and the file read back, px, where both are valid."""
    if back.center.shape != traces.center.shape or given.valid is None or back.valid is None:
        return float("inf")
    both = given.valid & back.valid & np.isfinite(traces.center)
    return float(np.abs(back.center - traces.center)[both].max(initial=0.0))


def _ways(source: str) -> tuple[Write, ...]:
    """How to write the form of a file, the most faithful way first."""
    from ifuview.io.traces import corrected_fits as arrays
    from ifuview.io.traces import corrected_points as points

    if os.path.splitext(source)[1].lower() == ".json":
        return (points.json_points, points.all_points)
    with open(source, "rb") as file:
        start = file.read(6)
    if start.startswith((b"SIMPLE", b"\x1f\x8b", b"BZh")):
        return (arrays.correct_legendre, arrays.correct_sampled, points.fits_points, points.all_points)
    if start.lstrip()[:1] in (b"{", b"["):
        return (points.json_points, points.all_points)
    return (points.text_points, points.all_points)


def _native(given: TraceSet, lies: Orientation | None) -> tuple[int, int]:
    """Native shape that holds the traces, if nothing else is known."""
    canonical = (int(np.nanmax(given.center)) + 2, given.ncol)
    return (canonical[1], canonical[0]) if lies is not None and lies.transpose else canonical
