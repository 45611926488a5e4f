"""Read the products of one camera into the plain arrays that the triage asks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ifuview.app.night.triage.files import CameraFiles
from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.numeric.medians import MAD_TO_SIGMA
from ifuview.errors import FileFormatError, IfuviewError, MissingDataError
from ifuview.model.checks import Array
from ifuview.model.night.chain import Chain, Section

BULKY = ("MASK", "RESOLUTION", "CHI2PIX", "SCORES", "FIBERCORR", "STDSTAR_FIBERMAP", "STATIVAR", "MEANSPEC", "PSF")
KNOWN_BITS = {0: "UNASSIGNED", 2: "BROKENFIBER", 9: "BADPOSITION", 12: "LOWTRANSMISSION", 16: "BADFIBER"}
SECTIONS = "ABCD"
NUMBERED = str.maketrans("1234", SECTIONS)


def read_chain(camera: CameraFiles, ctx: JobContext = SILENT) -> tuple[Chain, tuple[str, ...], int]:
    """Read the products of a camera.

    What cannot be read, or does not fit the others, is left out with a sentence.

    Returns
    -------
    (Chain, tuple of str, int)
        The second are the sentences, the third is the field on the sky, 0 if unknown.

    Raises
    ------
    MissingDataError
        Nothing can be read.
    """
    problems: list[str] = []
    arrays: dict[str, Any] = {}
    reader = _Reader(camera, problems, ctx)
    for product, (name, keep) in _WANTED.items():
        if product in camera.files:
            reader.product(product, name, keep, arrays)
    if not arrays:
        why = f": {problems[0]}" if problems else ""
        raise MissingDataError(f"no product can be read{why}", camera.label)
    shape = _common_shape(arrays)
    for product in [p for p, a in arrays.items() if p in _WANTED and a.shape != shape]:
        problems.append(f"{camera.label}: {product} is left out: its shape {arrays[product].shape} is not {shape}")
        arrays.pop(product)
        arrays.pop(f"{product}_ivar", None)
    wave = reader.wave.get(shape[1])
    if wave is None:
        raise MissingDataError("no product says its wavelengths", camera.label)
    reader.traces(wave, shape, arrays)
    reader.fibers(shape[0], arrays)
    factor = arrays.get("line_factor")
    if factor is not None and factor.shape != (shape[0],):
        arrays.pop("line_factor")
    arrays["bad_amplifiers"] = _bad_amplifiers(camera.bad_amplifiers, reader.header_amplifiers)
    return Chain(wave=wave, sections=reader.sections, **arrays), tuple(problems), reader.tile


def bad_products(camera: CameraFiles, chain: Chain) -> tuple[str, ...]:
    """Products of a camera that are missing, or there and not to be used."""
    out = []
    for name in _WANTED:
        if getattr(chain, name) is None:
            out.append(f"{name} is {'damaged' if name in camera.files else 'missing'}")
    return tuple(out)


def _bad_amplifiers(log: str | None, header: str) -> tuple[str, ...] | None:
    """Letters that the night log or a header calls bad; the oldest files number their amplifiers."""
    if log is None and not header:
        return None
    letters = ((log or "") + header).upper().translate(NUMBERED)
    return tuple(sorted({letter for letter in letters if letter in SECTIONS}))


_WANTED: dict[str, tuple[str, tuple[str, ...]]] = {
    "sframe": ("FLUX", ("IVAR",)),
    "frame": ("FLUX", ("IVAR",)),
    "sky": ("SKY", ()),
    "flat": ("FIBERFLAT", ()),
    "fluxcalib": ("FLUXCALIB", ()),
    "cframe": ("FLUX", ()),
}


def _common_shape(arrays: Mapping[str, Array]) -> tuple[int, int]:
    """Shape that most products have; the sky-subtracted one decides a tie."""
    shapes = [a.shape for p, a in arrays.items() if p in _WANTED]
    best = max(shapes, key=lambda s: (shapes.count(s), s == shapes[0]))
    return int(best[0]), int(best[1])


class _Reader:
    """Reads one product after the other and gathers what belongs to all."""

    def __init__(self, camera: CameraFiles, problems: list[str], ctx: JobContext) -> None:
        self.camera, self.problems, self.ctx = camera, problems, ctx
        self.wave: dict[int, Array] = {}
        self.sections: tuple[Section, ...] = ()
        self.table: Mapping[str, Array] = {}
        self.tile = 0
        self.header_amplifiers = ""
        self.table_path = ""
        self.table_faults: list[tuple[tuple[int, ...], str]] = []

    def _facts(self, fits: Any) -> None:
        """The field on the sky, and amplifiers that are bad."""
        for hdu in fits.hdus:
            if isinstance(bad := hdu.header.get("BADAMPS"), str):
                self.header_amplifiers += bad
            tile = hdu.header.get("TILEID")
            if isinstance(tile, int) and not isinstance(tile, bool) and tile > 0:
                self.tile = self.tile or tile

    def product(self, product: str, name: str, layers: tuple[str, ...], arrays: dict[str, Any]) -> None:
        """The main HDU of a product, its layers and wavelengths."""
        path = self.camera.files[product]
        try:
            fits = self._open(path, {name, "WAVELENGTH", "FIBERMAP", "THRPUTCORR", *layers})
            flux = _pixels(fits, name, path)
            wave = self._wavelengths(fits, flux.shape, path)
            extra = {layer: _pixels(fits, layer, path) for layer in layers if fits.find(layer) is not None}
        except IfuviewError as problem:
            self.problems.append(str(problem))
            return
        if wave is None:
            return
        self.wave.setdefault(flux.shape[1], wave)
        arrays[product] = flux
        for layer, values in extra.items():
            if values.shape == flux.shape:
                arrays[f"{product}_{layer.lower()}"] = values
        if layers and f"{product}_ivar" not in arrays:
            arrays[f"{product}_ivar"] = _guessed_ivar(flux)
            self.problems.append(f"{path}: no IVAR; the noise is taken from neighboring pixels.")
        self._facts(fits)
        if not self.sections:
            self.sections = _sections(fits)
        if product == "sky" and fits.find("THRPUTCORR") is not None:
            arrays["line_factor"] = _pixels(fits, "THRPUTCORR", path, ndim=1)
        if fits.find("FIBERMAP") is not None:
            self._table(fits, path)

    def _open(self, path: str, names: set[str]) -> Any:
        from ifuview.io.fits.fast import read_fits

        return read_fits(path, self.ctx, lambda name: name not in BULKY and (not name or name in names))

    def _wavelengths(self, fits: Any, shape: tuple[int, ...], path: str) -> Array | None:
        """Wavelengths on one grid for all fibers, None (with a sentence) if there are none."""
        hdu = fits.find("WAVELENGTH")
        if hdu is None:
            self.problems.append(f"{path}: the file has no wavelengths; it is left out.")
            return None
        wave = _pixels(fits, "WAVELENGTH", path, ndim=None).astype(np.float64)
        if wave.ndim == 2:
            text = "each fiber has its own wavelengths (a quick extraction), the triage needs one common grid"
            self.problems.append(f"{path}: {text}; it is left out.")
            return None
        if wave.shape != shape[1:]:
            self.problems.append(f"{path}: {wave.size} wavelengths for spectra of {shape[1]} pixels; it is left out.")
            return None
        return np.asarray(wave)

    def _table(self, fits: Any, path: str) -> None:
        from ifuview.io.fits.table import read_table

        try:
            table = read_table(fits.find("FIBERMAP"), FIBER_COLUMNS).columns
        except IfuviewError as problem:
            self.problems.append(f"{path}: the fiber table is left out: {problem}")
            return
        if not self.table:
            self.table, self.table_path = table, path
        elif fibers := differing(self.table, table):
            names = os.path.basename(self.table_path), os.path.basename(path)
            self.table_faults.append((fibers, f"{names[0]} and {names[1]} say different things of them"))

    def traces(self, wave: Array, shape: tuple[int, int], arrays: dict[str, Any]) -> None:
        """Detector positions of all pixels."""
        path = self.camera.files.get("traces")
        if path is None:
            return
        from numpy.polynomial import legendre

        try:
            fits = self._open(path, {"XTRACE", "YTRACE"})
            x, y = (_pixels(fits, name, path).astype(np.float64) for name in ("XTRACE", "YTRACE"))
        except IfuviewError as problem:
            self.problems.append(str(problem))
            return
        header = fits.find("XTRACE").header
        low, high = header.get("WAVEMIN"), header.get("WAVEMAX")
        if x.shape[0] != shape[0] or not isinstance(low, (int, float)) or not isinstance(high, (int, float)):
            self.problems.append(
                f"{path}: {x.shape[0]} traces for {shape[0]} fibers, or no wavelength range; left out."
            )
            return
        u = 2 * (wave - low) / (high - low) - 1
        arrays["cross"] = (x @ legendre.legvander(u, x.shape[1] - 1).T).astype(np.float32)
        arrays["disp"] = (y @ legendre.legvander(u, y.shape[1] - 1).T).astype(np.float32)

    def fibers(self, count: int, arrays: dict[str, Any]) -> None:
        """Positions, roles and status of the fibers, as far as the table has them."""
        table = self.table
        if not table or len(next(iter(table.values()))) != count:
            if not table:
                self.problems.append(f"{self.camera.label}: no fiber table; positions and known faults are unknown.")
            return
        for axis, name in (("X", "focal_x"), ("Y", "focal_y")):
            position = _position(table, axis)
            if position is not None:
                arrays[name] = position
        if "DELTA_X" in table and "DELTA_Y" in table:
            arrays["offset"] = np.hypot(table["DELTA_X"].astype(float), table["DELTA_Y"].astype(float))
        if "FIBER" in table and table["FIBER"].dtype.kind in "iu":
            arrays["fiber_id"] = table["FIBER"].astype(np.int64)
        arrays["table_faults"] = tuple(self.table_faults)
        if "OBJTYPE" in table:
            arrays["is_sky"] = np.char.strip(table["OBJTYPE"].astype(str)) == "SKY"
        if "FIBERSTATUS" in table and table["FIBERSTATUS"].dtype.kind in "iu":
            status = table["FIBERSTATUS"].astype(np.int64)
            arrays["known"] = (status & sum(1 << bit for bit in KNOWN_BITS)) != 0
            arrays["known_text"] = tuple(
                " ".join(name for bit, name in KNOWN_BITS.items() if value >> bit & 1) for value in status.tolist()
            )


def differing(one: Mapping[str, Array], two: Mapping[str, Array]) -> tuple[int, ...]:
    """Rows in which two tables of the same fibers differ in what a fiber is; () where they are of other fibers."""
    wrong = np.zeros(0, bool)
    for name in ROLE_COLUMNS:
        if name in one and name in two and one[name].shape == two[name].shape:
            a, b = one[name], two[name]
            differs = (a != b) & ~((a != a) & (b != b))
            wrong = differs if not wrong.size else wrong | differs
    found = np.flatnonzero(wrong)
    return tuple(int(f) for f in found) if found.size <= MOST_MOVED * max(wrong.size, 1) else ()


def _guessed_ivar(flux: Array) -> Array:
    """Inverse variance from the differences of neighboring pixels, the same for all fibers at a wavelength."""
    steps = np.nanmedian(np.abs(np.diff(flux, axis=1)), axis=0, keepdims=True) * MAD_TO_SIGMA / np.sqrt(2)
    sigma = np.maximum(np.append(steps, steps[:, -1:], axis=1), 1e-6)
    return np.asarray(np.where(np.isfinite(flux), sigma**-2.0, 0.0), np.float32)


FIBER_COLUMNS = (
    "FIBER", "TARGETID", "FIBERSTATUS", "OBJTYPE", "FIBER_X", "FIBER_Y", "FIBERASSIGN_X", "FIBERASSIGN_Y",
    "DELTA_X", "DELTA_Y",
)  # fmt: skip


ROLE_COLUMNS = ("FIBER", "TARGETID", "OBJTYPE")  # what a fiber is
MOST_MOVED = 0.25  # of the rows: more are tables of other fibers


def _position(table: Mapping[str, Array], axis: str) -> Array | None:
    """Requested positions; the planned ones where those are NaN, 0 or missing."""
    out: Array | None = None
    for name in (f"FIBER_{axis}", f"FIBERASSIGN_{axis}"):
        if name in table:
            values = table[name].astype(np.float64)
            values = np.where(np.isfinite(values) & (values != 0), values, np.nan)
            out = values if out is None else np.where(np.isfinite(out), out, values)
    return out


def _pixels(fits: Any, name: str, path: str, ndim: int | None = 2) -> Array:
    """Pixels of an HDU in native byte order; the first HDU if it has no name."""
    from ifuview.io.fits.plain import hdu_pixels

    hdu = fits.find(name)
    if hdu is None:
        first = fits.hdus[0]
        if name not in ("FLUX", "SKY", "FIBERFLAT", "FLUXCALIB") or first.info.name or not first.has_image:
            raise MissingDataError(f"there is no HDU {name}", path)
        hdu = first
    values = np.asarray(hdu_pixels(hdu).native())
    if ndim == 1 or (ndim is None and values.ndim == 2 and values.shape[0] == 1):
        values = values.ravel()
    if ndim == 2 and values.ndim != 2:
        raise FileFormatError(f"{name} has {values.ndim} dimensions, not 2", path)
    return values


def _sections(fits: Any) -> tuple[Section, ...]:
    """Amplifiers of the header, in canonical axes (fibers along detector x)."""
    from ifuview.io.fits.amplifiers import section_bounds

    out = []
    for letter in SECTIONS:
        bounds = next((b for hdu in fits.hdus if (b := section_bounds(hdu.header.get(f"CCDSEC{letter}")))), None)
        if bounds is not None:
            x0, x1, y0, y1 = bounds
            out.append(Section(letter, (x0, x1), (y0, y1)))
    return tuple(out)
