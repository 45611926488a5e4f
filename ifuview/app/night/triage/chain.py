"""Read the products of one camera into the plain arrays that the triage asks, as the instrument file describes them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ifuview.app.night.triage.files import CameraFiles
from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.numeric.medians import MAD_TO_SIGMA
from ifuview.errors import IfuviewError, MissingDataError
from ifuview.instrument import instrument
from ifuview.model.checks import Array
from ifuview.model.fibers import FiberMap, FiberRole
from ifuview.model.image import Image
from ifuview.model.instrument import CameraSpec
from ifuview.model.night.chain import SPECTRA, Chain, Marked, Section
from ifuview.model.quality import MaskBits

LETTERS = "ABCD"  # amplifiers
NUMBERED = str.maketrans("1234", LETTERS)  # as the oldest files call them
PARTS = ("error", "mask", "wave", "fibers")
JUDGED_BY_NOISE = ("frame", "sframe")
UNITS = {"nm": 10.0, "um": 1e4, "m": 1e10}  # Angstrom
OTHER_WAVES = 0.1  # of a pixel: products differ by less where they belong together
MOST_MOVED = 0.25  # of the rows: more are tables of other fibers


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
    reader = _Reader(camera, ctx)
    for product in SPECTRA:
        if product in camera.files:
            reader.product(product)
    arrays, problems = reader.arrays, reader.problems
    if not arrays:
        why = f": {problems[0]}" if problems else ""
        raise MissingDataError(f"no product can be read{why}", camera.label)
    shape = _common_shape(arrays)
    for product in [p for p, a in arrays.items() if p in SPECTRA and a.shape != shape]:
        problems.append(f"{camera.label}: {product} is left out: its shape {arrays[product].shape} is not {shape}")
        arrays.pop(product)
        arrays.pop(f"{product}_ivar", None)
    wave, faults = common_waves({p: w for p, w in reader.waves.items() if p in arrays})
    reader.traces(wave, shape[0])
    reader.fibers(shape[0])
    for unit, products in reader.units.items():
        text = f"the wavelengths of {', '.join(products)} are in {unit}, though nothing says so; taken as such"
        problems.append(f"{camera.label}: {text}.")
    marked = tuple(m for m in reader.marked if m.product in arrays)
    bad = _bad_amplifiers(camera.bad_amplifiers, reader.bad_amplifiers)
    return (
        Chain(wave=wave, sections=reader.sections, bad_amplifiers=bad, wave_faults=faults, marked=marked, **arrays),
        tuple(problems),
        reader.tile,
    )


def bad_products(camera: CameraFiles, chain: Chain) -> tuple[str, ...]:
    """Products of a camera that are missing, or there and not to be used."""
    lacking = (name for name in SPECTRA if getattr(chain, name) is None)
    return tuple(f"{name} is {'damaged' if name in camera.files else 'missing'}" for name in lacking)


def _bad_amplifiers(log: str | None, header: str) -> tuple[str, ...] | None:
    """Letters that the night log or a header calls bad."""
    if log is None and not header:
        return None
    letters = ((log or "") + header).upper().translate(NUMBERED)
    return tuple(sorted({letter for letter in letters if letter in LETTERS}))


def in_angstrom(wave: Array, camera: CameraSpec | None) -> tuple[Array, str]:
    """Wavelengths of a camera, and the unit that their numbers seem to be in; "" where they are in Angstrom."""
    middle = float(np.median(wave))
    if camera is None or camera.wave_min < middle < camera.wave_max:
        return wave, ""
    units = (unit for unit, factor in UNITS.items() if camera.wave_min < factor * middle < camera.wave_max)
    unit = next(units, "")
    return (UNITS[unit] * wave, unit) if unit else (wave, "")


def marked_in(product: str, mask: Array, ivar: Array, names: MaskBits) -> Marked | None:
    """Pixels with bits and a weight; None if there are none, or mask and weights do not belong together."""
    if mask.shape != ivar.shape or not mask.any():
        return None
    both = (mask != 0) & (ivar > 0)
    values, counts = np.unique(mask[both], return_counts=True)
    bits: dict[str, int] = {}
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        for name in names.names(int(value)):
            bits[name] = bits.get(name, 0) + int(count)
    return Marked(product, both.sum(axis=1), tuple(bits.items())) if bits else None


def common_waves(waves: Mapping[str, Array]) -> tuple[Array, tuple[tuple[str, float], ...]]:
    """The wavelengths that most of some products have, and those that have others, by up to how much (Angstrom)."""
    all_of_them = np.stack(list(waves.values()))
    common = np.median(all_of_them, axis=0)
    nearest = all_of_them[np.argmin(np.abs(all_of_them - common).max(axis=1))]
    step = float(np.median(np.abs(np.diff(nearest))))
    off = {product: float(np.abs(wave - nearest).max()) for product, wave in waves.items()}
    return nearest, tuple((product, by) for product, by in off.items() if by > OTHER_WAVES * step)


def _common_shape(arrays: Mapping[str, Array]) -> tuple[int, int]:
    """Shape that most products have; the first one decides a tie."""
    shapes = [a.shape for p, a in arrays.items() if p in SPECTRA]
    best = max(shapes, key=lambda s: (shapes.count(s), s == shapes[0]))
    return int(best[0]), int(best[1])


class _Reader:
    """Reads one product after the other and gathers what belongs to all."""

    def __init__(self, camera: CameraFiles, ctx: JobContext) -> None:
        self.camera, self.ctx = camera, ctx
        self.instrument = instrument(camera.instrument)
        self.arrays: dict[str, Any] = {}
        self.problems: list[str] = []
        self.waves: dict[str, Array] = {}
        self.units: dict[str, list[str]] = {}  # products whose wavelengths seem to be in a unit that nothing says
        self.sections: tuple[Section, ...] = ()
        self.table: FiberMap | None = None
        self.table_path = ""
        self.table_faults: list[tuple[tuple[int, ...], str]] = []
        self.tile = 0
        self.bad_amplifiers = ""
        self.marked: list[Marked] = []

    def product(self, product: str) -> None:
        """The spectra of a product with errors where they are asked for, wavelengths and fibers."""
        from ifuview.io.products.lean import read_lean

        path = self.camera.files[product]
        try:
            dataset = read_lean(path, self.instrument, PARTS, self.ctx)
        except IfuviewError as problem:
            self.problems.append(str(problem))
            return
        self.problems += [f"{path}: {note}" for note in dataset.notes]
        image = dataset.images[0]
        if image.wave is None:
            self.problems.append(f"{path}: without wavelengths it is left out.")
            return
        if image.wave.ndim > 1:
            text = "each fiber has its own wavelengths (a quick extraction), the triage needs one common grid"
            self.problems.append(f"{path}: {text}; it is left out.")
            return
        self.waves[product], unit = in_angstrom(image.wave, self.instrument.camera(self.camera.camera))
        if unit:
            self.units.setdefault(unit, []).append(product)
        flux = self.arrays[product] = image.pixels.native()
        if image.ivar is not None:
            ivar = self.arrays[f"{product}_ivar"] = image.ivar.native()
            if image.mask is not None and (marked := marked_in(product, image.mask.native(), ivar, image.mask_bits)):
                self.marked.append(marked)
        elif product in JUDGED_BY_NOISE:
            self.arrays[f"{product}_ivar"] = _guessed_ivar(flux)
            self.problems.append(f"{path}: no errors; the noise is taken from neighboring pixels.")
        self._facts(image)
        if image.fibermap is not None and image.fibermap.table:
            self._fibers(image.fibermap, path)

    def _facts(self, image: Image) -> None:
        """The field on the sky, amplifiers, and those of them that are bad."""
        from ifuview.io.fits.amplifiers import amplifiers

        bad, tile = (self.instrument.keyword(meaning, image.header) for meaning in ("bad_amplifiers", "tile"))
        self.bad_amplifiers += bad if isinstance(bad, str) else ""
        self.tile = self.tile or (tile if type(tile) is int and tile > 0 else 0)
        if not self.sections:
            for amp in amplifiers(image.header, self.instrument):
                x, y = (amp.x0, amp.x1), (amp.y0, amp.y1)
                name, along = amp.name.translate(NUMBERED), self.instrument.orientation.transpose
                self.sections += (Section(name, *((x, y) if along else (y, x))),)

    def _fibers(self, fibers: FiberMap, path: str) -> None:
        """The first table of fibers is kept, the others are compared with it."""
        if self.table is None:
            self.table, self.table_path = fibers, path
            return
        names = tuple(n for key in ("fiber_id", "target", "role") for n in self.instrument.columns.get(key, ()))
        if moved := differing(self.table.table, fibers.table, names):
            files = os.path.basename(self.table_path), os.path.basename(path)
            self.table_faults.append((moved, f"{files[0]} and {files[1]} say different things of them"))

    def traces(self, wave: Array, count: int) -> None:
        """Detector positions of all pixels."""
        path = self.camera.files.get("traces")
        if path is None:
            return
        from ifuview.io import trace_positions

        try:
            across, along = trace_positions(path, wave, self.ctx)
        except IfuviewError as problem:
            self.problems.append(str(problem))
            return
        if len(across) != count:
            self.problems.append(f"{path}: {len(across)} traces for {count} fibers; left out.")
            return
        self.arrays |= {"cross": across, "disp": along}

    def fibers(self, count: int) -> None:
        """Positions, roles and status of the fibers, as far as the table has them."""
        fibers = self.table
        if fibers is None:
            self.problems.append(f"{self.camera.label}: no fiber table; positions and known faults are unknown.")
        if fibers is None or fibers.nfiber != count:
            return
        self.arrays |= {"focal_x": fibers.focal_x, "focal_y": fibers.focal_y, "table_faults": tuple(self.table_faults)}
        number, role, x, y = (self._column(fibers, key) for key in ("fiber_id", "role", "offset_x", "offset_y"))
        if x is not None and y is not None:
            self.arrays["offset"] = np.hypot(x.astype(float), y.astype(float))
        if number is not None and number.dtype.kind in "iu":
            self.arrays["fiber_id"] = number.astype(np.int64)
        if role is not None:
            sky = [text for text, means in self.instrument.roles.items() if means is FiberRole.SKY]
            self.arrays["is_sky"] = np.isin(np.char.strip(role.astype(str)), sky)
        if self._column(fibers, "status") is not None and fibers.status is not None:
            known = fibers.status & np.uint32(sum(1 << bit for bit in self.instrument.known_bits))
            texts = {bits: " ".join(fibers.status_bits.names(bits)) for bits in set(known.tolist())}
            self.arrays |= {"known": known != 0, "known_text": tuple(texts[bits] for bits in known.tolist())}

    def _column(self, fibers: FiberMap, meaning: str) -> Array | None:
        """The first column of that meaning."""
        names = self.instrument.columns.get(meaning, ())
        return next((fibers.table[name] for name in names if name in fibers.table), None)


def differing(one: Mapping[str, Array], two: Mapping[str, Array], names: tuple[str, ...]) -> tuple[int, ...]:
    """Rows in which two tables of the same fibers differ in some columns; () where they are of other fibers."""
    wrong = np.zeros(0, bool)
    for name in names:
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
