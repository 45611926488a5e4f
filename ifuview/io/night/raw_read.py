"""Read one raw amplifier: numbers as the converter gave them, and how they lie."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError
from ifuview.io.fits.cards import real, word
from ifuview.io.fits.fast import read_fits, scaling, stored
from ifuview.io.mapping import let_go
from ifuview.io.night.raw_units import GAIN_ERROR
from ifuview.model.checks import Array, Header
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.night.raw import RawAmplifier
from ifuview.model.night.raw_spec import RawSpec
from ifuview.model.orientation import Orientation

UNSIGNED = 32768.0  # BZERO of unsigned 16 bit numbers, FITS standard 4.0, section 5.2.5
SIGN = np.uint16(1 << 15)
NAMES = {"gain": "gain", "readnoise": "read noise"}


@dataclass(frozen=True, slots=True, eq=False)
class RawFrame:
    """One amplifier, blue on the left and fibers from bottom to top, with its overscan apart.

    Parameters
    ----------
    data : ndarray of uint16, shape (ny, nx), ADU
        The columns that saw light.
    overscan : ndarray of uint16, shape (ny, noverscan), ADU
        Row by row as `data` lies; columns in the order of the read-out, the first ones next to the light.
    header : mapping
    gain : float, electron/ADU
    readnoise : float, electron
        As the header says.
    notes : tuple of str
        What was taken from a default.
    """

    data: Array
    overscan: Array
    header: Header
    gain: float
    readnoise: float
    notes: tuple[str, ...] = ()


def read_amplifier(amplifier: RawAmplifier | str, ctx: JobContext = SILENT) -> tuple[Array, Header]:
    """Return the numbers of one amplifier as they are stored, uint16 of shape (rows, columns), and its header.

    Raises
    ------
    FileFormatError, MissingDataError
        It cannot be read, or holds no 16 bit image.
    """
    path = amplifier if isinstance(amplifier, str) else amplifier.path
    hdu = read_fits(path, ctx).hdus[0]
    if hdu.info.kind != "image" or len(hdu.info.shape) != 2 or hdu.header.get("BITPIX") != 16:
        raise FileFormatError("is no raw amplifier: it has no 16 bit image", path)
    scale, zero, _ = scaling(hdu.header)
    if scale != 1.0 or zero not in (0.0, UNSIGNED):
        raise FileFormatError(f"is no raw amplifier: BZERO is {zero:g} and BSCALE {scale:g}", path)
    numbers = stored(hdu).astype(np.int16)
    if hdu.data is not None:
        let_go(hdu.data)
    if zero == UNSIGNED:
        return numbers.view(np.uint16) ^ SIGN, hdu.header
    return np.maximum(numbers, 0).view(np.uint16), hdu.header


def read_frame(amplifier: RawAmplifier | str, spec: InstrumentSpec, ctx: JobContext = SILENT) -> RawFrame:
    """Return one amplifier, oriented by the instrument file, with its overscan apart.

    Raises
    ------
    FileFormatError, MissingDataError
        It cannot be read, or has another size.
    """
    path = amplifier if isinstance(amplifier, str) else amplifier.path
    numbers, header = read_amplifier(amplifier, ctx)
    raw = spec.raw
    if raw is None:
        raise FileFormatError(f"{spec.title} has no raw data of one file an amplifier", path)
    if numbers.shape != raw.shape:
        ny, nx = numbers.shape
        raise FileFormatError(f"has {nx} x {ny} pixels, not {raw.shape[1]} x {raw.shape[0]}", path)
    data, overscan = split(numbers, raw.overscan, spec.orientation_of(_named(amplifier, header, raw)))
    notes = []
    values = {}
    for key, default, unit in (("gain", raw.gain, "e/ADU"), ("readnoise", raw.readnoise, "e")):
        if (value := real(spec.keyword(key, header))) is not None and value > 0:
            values[key] = value
            continue
        known = real(spec.keyword(key, amplifier.header)) if isinstance(amplifier, RawAmplifier) else None
        measured = key == "gain" and isinstance(amplifier, RawAmplifier) and GAIN_ERROR in amplifier.header
        whose = "by its photon noise, " if measured else "of other frames, "
        values[key], whose = (known, whose) if known is not None and known > 0 else (default, "")
        taken = f"{whose}{values[key]:g} {unit}"
        if key == "readnoise" and overscan.size and not whose:
            taken = "that of the overscan"  # where that does not tell it, who asks says so
        lacks = f"has no {NAMES[key]}" if value is None else f"gives {value:g} {unit} as {NAMES[key]}"
        notes.append(f"the header {lacks}: {taken} is taken")
    return RawFrame(data, overscan, header, values["gain"], values["readnoise"], tuple(notes))


def _named(amplifier: RawAmplifier | str, header: Header, raw: RawSpec) -> Header:
    """The header; the position of an amplifier that it does not tell is that of the name."""
    if word(header.get("CCDPOS")) and word(header.get("CCDHALF")):
        return header
    match = re.fullmatch(raw.file, os.path.basename(amplifier)) if isinstance(amplifier, str) else None
    name = amplifier.name if isinstance(amplifier, RawAmplifier) else "" if match is None else match["amplifier"]
    return {**header, "CCDPOS": name[:1], "CCDHALF": name[1:]} if name else header


def split(numbers: Array, overscan: int, orientation: Orientation) -> tuple[Array, Array]:
    """Return the columns with light, oriented, and the overscan with its rows in the same order; views."""
    columns = numbers.shape[1] - overscan
    data = orientation.to_canonical(numbers[:, :columns])
    return data, numbers[:: -1 if orientation.flip_cross else 1, columns:]
