"""The calibration stack: photons of a source with their phases as wavelengths, weighted, without masked times.

The raw columns stay what they are; a step that is switched off is not there. Computed in float64 and given as float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numba import njit

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.calibration.linearity import linearity_weights, whole_resonators
from ifuview.engine.photons.counting.timemask import Masked
from ifuview.errors import FileFormatError, UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.calibrations import (
    FLAT_BIT,
    FLAT_FLAGS,
    STEP_ORDER,
    WAVE_BIT,
    WAVE_FLAGS,
    CalibrationStack,
    FlatSolution,
    FlatStep,
    WavelengthSolution,
    WaveStep,
    check_same_array,
    merged_flags,
    rows_of,
)
from ifuview.model.photons.lists import HC, TICK, Beammap, Column, PhotonBlock, PhotonInfo, PhotonSource

PIXCAL_FLAGS = ("pixcal.hot", "pixcal.cold", "pixcal.dead")
WORDS = {
    "wavecal": "in wavelength", "flatcal": "with a flat", "lincal": "for linearity", "cosmiccal": "for cosmic rays",
    "pixcal": "for bad pixels",
}  # fmt: skip
INTERPOLATED, POLYNOMIAL = 0, 1


class CalibratedSource:
    """The photons of a source after a stack of calibrations; a source itself.

    Parameters
    ----------
    source : PhotonSource
        Read, never changed.
    stack : CalibrationStack
    flag_names : sequence of str, optional
        The list of pixel flags to start from if the source has none.

    Raises
    ------
    UsageError
        A step was applied already, or cannot be applied to such a list.
    FileFormatError
        A solution is of another array.
    """

    def __init__(self, source: PhotonSource, stack: CalibrationStack, flag_names: Sequence[str] = ()) -> None:
        self.source, self.stack = source, stack
        check_stack(source.info, stack)
        wave, flat = stack.active("wavecal"), stack.active("flatcal")
        beammap = source.info.beammap
        self._wave = None if wave is None else wave_table(wave.solution, beammap)
        self._flat = None if flat is None else flat_table(flat.solution, beammap)
        self._info = calibrated_info(source.info, stack, flag_names)
        self._linear = stack.active("lincal")
        masks = [stack.active(key).mask for key in ("cosmiccal", "timemask") if stack.active(key) is not None]
        inner: Any = _Converted(self)
        for mask in masks:
            inner = Masked(inner, mask)
        self._inner = inner

    @property
    def info(self) -> PhotonInfo:
        """What is known of the list, calibrated."""
        return self._info

    @property
    def weighing(self) -> bool:
        """Whether a step changes weights."""
        return self._flat is not None or self._linear is not None

    def live_bins(self, edges: Array) -> Array:
        """Seconds of each time bin (edges in s) that are not masked."""
        lived = getattr(self._inner, "live_bins", None)
        return np.asarray(np.diff(edges) if lived is None else lived(edges))

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
        """All photons that are left, in the order of the source; arrays may be reused."""
        return iter(self._inner.blocks(value=value, weight=weight, ctx=ctx))

    def photons_of(self, resonators: Sequence[int], *, weight: bool = False) -> PhotonBlock:
        """The photons of a few resonators that are left, by (resonator, time)."""
        found: PhotonBlock = self._inner.photons_of(resonators, weight=weight)
        return found

    def convert(self, block: PhotonBlock, *, weight: bool = True) -> PhotonBlock:
        """A block of the source as the stack makes it, before times are masked and for linearity if it is whole."""
        value = block.value
        own: Array | None = block.weight if weight else None
        if weight and self._linear is not None:
            linear = linearity_weights(
                block.resonator, block.time, window=self._linear.window, dead_time=self._linear.dead_time
            )
            own = linear if own is None else own * linear
        if value is not None and self._wave is not None:
            value = wavelengths(block.resonator, value, self._wave)
        if weight and self._flat is not None:
            if value is None:
                raise UsageError("weights of a flat need the wavelengths", self.source.info.path, "ask for both")
            factor = flat_factors(block.resonator, value, self._flat)
            own = factor if own is None else own * factor
        return PhotonBlock(block.resonator, block.time, value, own)

    def raw(self, *, value: bool, weight: bool, ctx: JobContext) -> Iterator[PhotonBlock]:
        """Blocks of the source as `convert` needs them."""
        if weight and self._linear is not None:
            return whole_resonators(self.source, weight=weight, ctx=ctx)
        need = value or (weight and self._flat is not None)
        return self.source.blocks(value=need, weight=weight, ctx=ctx)

    def key(self) -> str:
        """Says what the stack does to values and weights, for derived columns of an index."""
        parts = []
        for name in ("wavecal", "flatcal"):
            step = self.stack.active(name)
            if step is not None:
                parts.append(f"{name} {step.solution.name} {step.solution.digest()}")
        if self._linear is not None:
            parts.append(f"lincal {self._linear.window:g} {self._linear.dead_time:g}")
        return "; ".join(parts)


class _Converted:
    """The photons of a calibrated source before times are masked."""

    def __init__(self, owner: CalibratedSource) -> None:
        self.owner = owner

    @property
    def info(self) -> PhotonInfo:
        """What is known of the list."""
        return self.owner.info

    def live_bins(self, edges: Array) -> Array:
        """Seconds of each bin that the source did not mask."""
        lived = getattr(self.owner.source, "live_bins", None)
        return np.asarray(np.diff(edges) if lived is None else lived(edges))

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
        """All photons."""
        for block in self.owner.raw(value=value, weight=weight, ctx=ctx):
            found = self.owner.convert(block, weight=weight)
            yield found if value else found._replace(value=None)

    def photons_of(self, resonators: Sequence[int], *, weight: bool = False) -> PhotonBlock:
        """Photons of a few resonators."""
        return self.owner.convert(self.owner.source.photons_of(resonators, weight=weight), weight=weight)


def indexed(source: CalibratedSource, ctx: JobContext = SILENT) -> PhotonSource:
    """The photons of a calibrated index with wavelengths and flat weights stored beside it, so that passes are fast.

    Steps for linearity, and times that are masked, stay on top. Any other source comes back as it is.
    """
    index: Any = source.source
    stored = [step for step in source.stack.steps if step.key in ("wavecal", "flatcal") and step.on]
    if not hasattr(index, "with_values") or not stored:
        return source
    rest = [step for step in source.stack.steps if step.key not in ("wavecal", "flatcal", "pixcal") and step.on]
    plain = CalibratedSource(index, CalibrationStack(tuple(stored)))
    derived = index.with_values(plain.key(), plain.convert, info=replace(source.info), ctx=ctx)
    if not rest:
        found: PhotonSource = derived
        return found
    return CalibratedSource(_Relabeled(derived, rest), CalibrationStack(tuple(rest)))


class _Relabeled:
    """A source whose header does not say yet that some steps were applied."""

    def __init__(self, source: Any, steps: Sequence[Any]) -> None:
        self.source = source
        keys = {step.key for step in steps}
        kept = {name: text for name, text in source.info.calibrations.items() if name not in keys}
        self.info = replace(source.info, calibrations=MappingProxyType(kept))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)


def check_stack(info: PhotonInfo, stack: CalibrationStack) -> None:
    """Raise unless the steps that are on can be applied to a list; see `CalibratedSource`."""
    for step in stack.steps:
        if not step.on:
            continue
        done = info.calibrations.get(step.key)
        if done:
            how = f"with {done!r} " if done not in ("applied", "True") else ""
            words = WORDS.get(step.key, step.key)
            raise UsageError(
                f"the photons are calibrated {words} already ({how}in the file)", info.path,
                "undo that first (ifuview calibrate --undo), or leave the step out",
            )  # fmt: skip
        if isinstance(step, (WaveStep, FlatStep)):
            check_same_array(step.solution, info.beammap)
            check_useful(step.solution, info.beammap)
    if stack.active("wavecal") is None and info.column is Column.PHASE and stack.active("flatcal") is not None:
        raise UsageError("weights of a flat need wavelengths, and the file holds phases", info.path, "add --wavecal")
    if stack.active("wavecal") is not None and info.column is Column.WAVELENGTH:
        raise UsageError("the file holds wavelengths already", info.path, "leave --wavecal out")
    if stack.active("lincal") is not None and not info.sorted:
        raise UsageError("its photons are not sorted by resonator", info.path, "make an index of it first")


def check_useful(solution: WavelengthSolution | FlatSolution, beammap: Beammap) -> None:
    """Raise FileFormatError if a solution solves no resonator of an array."""
    good = solution.solved if isinstance(solution, WavelengthSolution) else solution.usable
    if not np.isin(beammap.ids, solution.ids[good]).any():
        what = "wavelength solution solves" if isinstance(solution, WavelengthSolution) else "flat has weights for"
        raise FileFormatError(f"the {what} none of the resonators", solution.name, "choose another, or make it again")


def calibrated_info(info: PhotonInfo, stack: CalibrationStack, flag_names: Sequence[str] = ()) -> PhotonInfo:
    """Return what a list is after the steps that are on."""
    done = dict(info.calibrations)
    header = dict(info.header)
    beammap, column, weighted = info.beammap, info.column, info.weighted
    for key in STEP_ORDER:
        step = stack.active(key)
        if step is None:
            continue
        if key == "wavecal":
            column = Column.WAVELENGTH
            beammap = wave_flagged(beammap, step.solution, flag_names)
            done[key] = step.solution.name
            header |= wave_header(step.solution)
        elif key == "flatcal":
            weighted = True
            beammap = flat_flagged(beammap, step.solution, flag_names)
            done[key] = step.solution.name
            header |= {"E_FLTCAL": step.solution.name, "flatcal.method": step.solution.source}
        elif key == "lincal":
            weighted = True
            done[key] = "applied"
            header |= {"lincal.dt": round(step.window / TICK), "lincal.dead_time": round(step.dead_time / TICK)}
        elif key == "pixcal":
            beammap = merged_flags(beammap, PIXCAL_FLAGS, step.flags, flag_names)
            done[key] = step.method
            header |= {"pixcal.method": step.method}
        elif key == "cosmiccal":
            done[key] = "applied"
            header |= {"cosmiccal.method": step.method, "cosmiccal.count": len(step.mask.start)}
    return replace(
        info, beammap=beammap, column=column, weighted=weighted, calibrations=MappingProxyType(done),
        header=MappingProxyType(header), nphoton=info.nphoton if not _masks(stack) else -1,
    )  # fmt: skip


def _masks(stack: CalibrationStack) -> bool:
    return any(stack.active(key) is not None for key in ("cosmiccal", "timemask"))


def wave_header(solution: WavelengthSolution) -> dict[str, Any]:
    """Header entries of a wavelength calibration, as published pipelines set them."""
    out: dict[str, Any] = {"E_WAVCAL": solution.name}
    found = solution.resolution()
    good = np.isfinite(found[:, 0]) if len(found) else np.zeros(0, bool)
    if good.any():
        table = np.zeros(int(good.sum()), [("r", "<f4"), ("r_err", "<f4"), ("wave", "<f4")])
        table["r"], table["r_err"], table["wave"] = found[good, 0], found[good, 1], solution.lasers[good]
        out["wavecal.resolution"] = table
    return out


def wave_flagged(beammap: Beammap, solution: WavelengthSolution, full: Sequence[str] = ()) -> Beammap:
    """A beammap with the flags of a wavelength solution in the place of those it had.

    Pixels whose resonator the solution does not know, and pixels without one, are wavecal.bad, not attempted.
    """
    missing = WAVE_BIT["wavecal.bad"] | WAVE_BIT["wavecal.not_attempted"]
    bits = _pixel_bits(beammap, solution.ids, solution.flags, missing)
    images = {name: (bits & np.uint32(bit)) != 0 for name, bit in WAVE_BIT.items()}
    return merged_flags(beammap, WAVE_FLAGS, images, full)


def flat_flagged(beammap: Beammap, solution: FlatSolution, full: Sequence[str] = ()) -> Beammap:
    """A beammap with the flags of a flat in the place of those it had."""
    missing = FLAT_BIT["flatcal.bad"] | FLAT_BIT["flatcal.not_all_weights_valid"]
    bits = _pixel_bits(beammap, solution.ids, solution.flags, missing)
    images = {name: (bits & np.uint32(bit)) != 0 for name, bit in FLAT_BIT.items()}
    return merged_flags(beammap, FLAT_FLAGS, images, full)


def _pixel_bits(beammap: Beammap, ids: Array, flags: Array, missing: int) -> Array:
    """Flag bits (ny, nx) of the pixels of a list."""
    rows = rows_of(ids, beammap.ids)
    own = np.where(rows < 0, np.uint32(missing), flags[np.maximum(rows, 0)] if len(flags) else np.uint32(missing))
    return np.asarray(beammap.image(own.astype(np.uint32), empty=missing))


def wave_table(solution: WavelengthSolution, beammap: Beammap) -> Array:
    """Coefficients (nresonator + 1, 3) in the order of a beammap; NaN for resonators without a solution."""
    rows = rows_of(solution.ids, beammap.ids)
    good = (rows >= 0) & solution.solved[np.maximum(rows, 0)]
    out = np.full((beammap.nresonator + 1, 3), np.nan)
    out[:-1][good] = solution.coefficients[rows[good]]
    return out


def wavelengths(resonator: Array, phase: Array, table: Array) -> Array:
    """Wavelengths, float32 nm, of phases; the phase itself where there is no solution.

    Infinite where the solution gives no positive energy.
    """
    out = np.empty(len(phase), np.float32)
    _wavelengths(resonator, phase, table, out)
    return out


@njit(cache=True, nogil=True)
def _wavelengths(resonator: Array, phase: Array, table: Array, out: Array) -> None:
    """Photon by photon."""
    for i in range(len(phase)):
        r = resonator[i]
        c1 = table[r, 1]
        p = np.float64(phase[i])
        if c1 == c1:
            energy = (table[r, 0] * p + c1) * p + table[r, 2]
            out[i] = HC / energy if energy > 0.0 else np.inf
        else:
            out[i] = phase[i]


def phases(resonator: Array, wave: Array, table: Array) -> Array:
    """Phases, float32 degree, of wavelengths: `wavelengths` undone, to within rounding.

    On the branch on which energy falls with phase; a photon at the turning point of the parabola stays there.
    """
    out = np.empty(len(wave), np.float32)
    _phases(resonator, wave, table, out)
    return out


@njit(cache=True, nogil=True)
def _phases(resonator: Array, wave: Array, table: Array, out: Array) -> None:
    """Photon by photon."""
    for i in range(len(wave)):
        r = resonator[i]
        c2, c1, c0 = table[r]
        w = np.float64(wave[i])
        if c1 == c1 and w > 0.0:
            energy = HC / w
            inside = c1 * c1 - 4.0 * c2 * (c0 - energy)
            out[i] = 2.0 * (c0 - energy) / (np.sqrt(max(inside, 0.0)) - c1)
        else:
            out[i] = wave[i]


class PhaseSource:
    """The phases of a list of wavelengths, computed back with its solution; a source of photons.

    Correct to within the rounding of the wavelengths (float32, about 1e-5 degree); for the exact phases the file must
    keep them.
    """

    def __init__(self, source: PhotonSource, solution: WavelengthSolution) -> None:
        info = source.info
        if info.column is not Column.WAVELENGTH:
            raise UsageError("the file holds phases, there is nothing to undo", info.path)
        check_same_array(solution, info.beammap)
        self.source = source
        self._table = wave_table(solution, info.beammap)
        done = {name: text for name, text in info.calibrations.items() if name != "wavecal"}
        header = {k: v for k, v in info.header.items() if k not in ("E_WAVCAL", "wavecal", "wavecal.resolution")}
        known = [name for name in WAVE_FLAGS if name in info.beammap.flag_names]
        self._info = replace(
            info, column=Column.PHASE, calibrations=MappingProxyType(done), header=MappingProxyType(header),
            beammap=merged_flags(info.beammap, known, {}, ()),
        )  # fmt: skip

    @property
    def info(self) -> PhotonInfo:
        """What is known of the list."""
        return self._info

    def _back(self, block: PhotonBlock) -> PhotonBlock:
        return block if block.value is None else block._replace(value=phases(block.resonator, block.value, self._table))

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
        """All photons."""
        for block in self.source.blocks(value=value, weight=weight, ctx=ctx):
            yield self._back(block)

    def photons_of(self, resonators: Sequence[int], *, weight: bool = False) -> PhotonBlock:
        """Photons of a few resonators."""
        return self._back(self.source.photons_of(resonators, weight=weight))


class FlatTable:
    """A flat in the order of a beammap: what `flat_factors` needs.

    Parameters
    ----------
    kind : int
        INTERPOLATED or POLYNOMIAL.
    waves : ndarray (m,), nm
    values : ndarray (nresonator + 1, k)
        Weights, or coefficients with the highest power first; NaN for resonators without a flat.
    """

    def __init__(self, kind: int, waves: Array, values: Array) -> None:
        self.kind, self.waves, self.values = kind, waves, values


def flat_table(solution: FlatSolution, beammap: Beammap) -> FlatTable:
    """Return a flat in the order of a beammap; weights of bins without one are interpolated from their neighbors."""
    rows = rows_of(solution.ids, beammap.ids)
    good = (rows >= 0) & solution.usable[np.maximum(rows, 0)]
    if solution.method == "polynomial":
        assert solution.polynomial is not None
        kind, own = POLYNOMIAL, np.asarray(solution.polynomial, np.float64)
    else:
        kind, own = INTERPOLATED, filled(solution.waves, solution.weights)
    out = np.full((beammap.nresonator + 1, own.shape[1]), np.nan)
    out[:-1][good] = own[rows[good]]
    return FlatTable(kind, np.asarray(solution.waves, np.float64), out)


def filled(waves: Array, weights: Array) -> Array:
    """Weights (n, m) with NaN interpolated from the neighbors in wavelength, held at the ends."""
    out = np.array(weights, np.float64)
    valid = np.isfinite(out)
    for row in np.flatnonzero(valid.any(axis=1) & ~valid.all(axis=1)):
        keep = valid[row]
        out[row] = np.interp(waves, waves[keep], out[row, keep])
    return out


def flat_factors(resonator: Array, wave: Array, table: FlatTable) -> Array:
    """Weights, float32, of photons: linear between the middles of the bins and constant beyond, or a polynomial.

    Never negative; 1 for resonators without a flat and for photons without a wavelength.
    """
    out = np.empty(len(wave), np.float32)
    _factors(table.kind, resonator, wave, table.waves, table.values, out)
    return out


@njit(cache=True, nogil=True)
def _factors(kind: int, resonator: Array, wave: Array, waves: Array, values: Array, out: Array) -> None:
    """Photon by photon."""
    number = values.shape[1]
    for i in range(len(wave)):
        r = resonator[i]
        w = np.float64(wave[i])
        if values[r, 0] != values[r, 0] or not (w > 0.0 and w < np.inf):
            out[i] = 1.0
            continue
        if kind == POLYNOMIAL:
            total = 0.0
            for k in range(number):
                total = total * w + values[r, k]
        else:
            k = 0
            while k < number and waves[k] <= w:
                k += 1
            if k == 0:
                total = values[r, 0]
            elif k == number:
                total = values[r, number - 1]
            else:
                part = (w - waves[k - 1]) / (waves[k] - waves[k - 1])
                total = values[r, k - 1] + part * (values[r, k] - values[r, k - 1])
        out[i] = max(total, 0.0)


def flat_curve(solution: FlatSolution, row: int, wave: Array) -> Array:
    """The weights of a resonator as they are used, at wavelengths in nm; NaN where it has none."""
    if not solution.usable[row]:
        return np.full(len(wave), np.nan)
    if solution.method == "polynomial":
        assert solution.polynomial is not None
        return np.maximum(np.polyval(solution.polynomial[row], wave), 0)
    own = filled(solution.waves, solution.weights[row : row + 1])[0]
    return np.interp(wave, solution.waves, own)
