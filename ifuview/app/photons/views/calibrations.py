"""The calibration stack of a photon list: its steps, and what their solutions say of the array and of one pixel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.frames.views.text import number, with_error
from ifuview.app.photons.calibration import stack as calibration
from ifuview.app.photons.calibration.sources import flat_step, waits, wave_step
from ifuview.app.photons.which import photon_frame
from ifuview.app.session import Session
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError
from ifuview.model.figure import Figure
from ifuview.model.photons.flat_solution import FlatSolution
from ifuview.model.photons.resonators import rows_of
from ifuview.model.photons.wavelength_solution import HistogramStatus, WavelengthSolution

if TYPE_CHECKING:
    from ifuview.app.photons.state import PhotonFrame
    from ifuview.model.photons.calibration_curves import FlatCurves, WavecalCurves
    from ifuview.model.photons.lists import PhotonInfo

PLOTS = (
    ("energy solution of the pixel", "energy"),
    ("laser histograms of the pixel", "lasers"),
    ("R over the array", "resolution"),
    ("centers over the array", "center"),
    ("widths over the array", "sigma"),
    ("reduced χ² over the array", "chi2"),
    ("flat weights of the pixel", "flat"),
    ("flat weights over the array", "weights"),
)
WEIGHTS = "weights"
ARRAY_WORDS = {  # what is told over the array: label of the axis, and what a solution may not keep
    "resolution": ("Resolving power E/FWHM", "resolving powers"),
    "center": ("Center of the laser (°)", "centers"),
    "sigma": ("Width of the laser, sigma (°)", "widths"),
    "chi2": ("Reduced χ² of the histogram", "χ²"),
    WEIGHTS: ("Flat weight", "weights"),
}
NO_WAVE, NO_FLAT = "There is no wavelength solution in the stack.", "There is no flat in the stack."
MOST_SHOWN = 6  # bins of a flat that are drawn over each other


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of the stack as it is listed."""

    title: str
    text: str
    on: bool
    waits: str = ""
    solution: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationsView:
    """The stack of a photon frame.

    Parameters
    ----------
    title : str
    done : str
        What was applied in the file already.
    steps : tuple of StepRow
    has_wave, has_flat : bool
        Whether there is such a solution in the stack.
    place : str
        The pixel at the crosshair, or what to do.
    """

    title: str
    done: str
    steps: tuple[StepRow, ...]
    has_wave: bool
    has_flat: bool
    place: str


@dataclass(frozen=True, slots=True, eq=False)
class SolutionCurves:
    """What the plots show; None for what there is not.

    Parameters
    ----------
    wave : WavecalCurves or None
        Of the pixel at the crosshair.
    flat : FlatCurves or None
    array : mapping of str to Figure
        One of ARRAY_WORDS over the array, one histogram for each laser or bin.
    wave_text, flat_text : str
        The solutions in numbers.
    wave_pixel, flat_pixel : str
        The pixel in numbers, or why there is nothing of it.
    """

    wave: WavecalCurves | None = None
    flat: FlatCurves | None = None
    array: Mapping[str, Figure] = field(default_factory=lambda: MappingProxyType({}))
    wave_text: str = ""
    flat_text: str = ""
    wave_pixel: str = ""
    flat_pixel: str = ""


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    slot = photon_frame(session)
    if slot is None or slot.photons is None:
        return (None,)
    at = (session.selection.x, session.selection.y)
    return (slot.key, slot.title, *at, slot.photons.raw, *slot.photons.stack)


def make(session: Session) -> CalibrationsView | None:
    """The view; None without a photon list."""
    slot = photon_frame(session)
    if slot is None or slot.photons is None:
        return None
    frame: PhotonFrame = slot.photons
    info = frame.raw.info
    rows = tuple(
        StepRow(
            calibration.title(s), calibration.words(s, info), s.on,
            waits(info, frame.stack, s), s.key in ("wavecal", "flatcal"),
        )
        for s in frame.stack
    )  # fmt: skip
    keys = {s.key for s in frame.stack}
    done = ", ".join(name if text in ("applied", "True", "") else f"{name} {text}" for name, text in _done(info))
    at = pixel(session, info)
    place = "Click a pixel to see its solution." if at is None else f"pixel {at[0]}, {at[1]}"
    column = f"{info.column.value}s"
    applied = f"{column}; in the file: {done}" if done else f"{column}; nothing applied in the file"
    return CalibrationsView(slot.title, applied, rows, "wavecal" in keys, "flatcal" in keys, place)


def _done(info: PhotonInfo) -> list[tuple[str, str]]:
    return [(name, str(text)) for name, text in info.calibrations.items() if text]


def pixel(session: Session, info: PhotonInfo) -> tuple[int, int] | None:
    """The pixel of the crosshair if it is in the array."""
    at = session.selection
    if at.x is None or at.y is None:
        return None
    x, y = round(at.x), round(at.y)
    ny, nx = info.beammap.shape
    return (x, y) if 0 <= x < nx and 0 <= y < ny else None


def job(session: Session) -> Callable[[JobContext], SolutionCurves] | None:
    """The curves of the solutions, for the worker."""
    slot = photon_frame(session)
    if slot is None or slot.photons is None:
        return None
    frame: PhotonFrame = slot.photons
    info = frame.raw.info
    at = pixel(session, info)
    wave, flat = wave_step(frame.stack), flat_step(frame.stack)
    if wave is None and flat is None:
        return None

    def run(ctx: JobContext) -> SolutionCurves:
        ctx.checkpoint(0.1, "Curves of the solutions")
        return curves(wave.solution if wave else None, flat.solution if flat else None, info, at)

    return run


def curves(
    wave: WavelengthSolution | None, flat: FlatSolution | None, info: PhotonInfo, at: tuple[int, int] | None
) -> SolutionCurves:
    """Everything that is plotted of the solutions in a stack."""
    ask = "Click a pixel to see its solution."
    out, found = SolutionCurves(), dict[str, Figure]()
    where = "" if at is None else f"pixel {at[0]}, {at[1]}: "
    if wave is not None:
        found |= _over_array(wave, info)
        out = replace(out, wave_text=wave_summary(wave))
        if at is not None:
            out = replace(out, wave=_wave_of_pixel(wave, info, at))
        out = replace(out, wave_pixel=ask if at is None else where + _wave_words(wave, info, at))
    if flat is not None:
        weights = _weights(flat)
        found |= {} if weights is None else {WEIGHTS: weights}
        out = replace(out, flat_text=flat_summary(flat), flat_pixel=ask)
        if at is not None:
            row = calibration.row_at(flat, info, *at)
            curve = _flat_curves(flat, row) if row >= 0 else None
            out = replace(out, flat=curve, flat_pixel=where + _flat_words(flat, row))
    return replace(out, array=MappingProxyType(found))


def _wave_of_pixel(wave: WavelengthSolution, info: PhotonInfo, at: tuple[int, int]) -> WavecalCurves | None:
    from ifuview.engine.photons.calibration.curves import wavecal_curves

    row = calibration.row_at(wave, info, *at)
    try:
        return wavecal_curves(wave, row) if row >= 0 else None
    except IfuviewError:
        return None


def _flat_curves(flat: FlatSolution, row: int) -> FlatCurves:
    from ifuview.engine.photons.calibration.curves import flat_curves

    return flat_curves(flat, row)


def _wave_words(wave: WavelengthSolution, info: PhotonInfo, at: tuple[int, int]) -> str:
    """The energy solution of a pixel in words."""
    row = calibration.row_at(wave, info, *at)
    if row < 0:
        return "no resonator in the wavelength solution"
    if not wave.solved[row]:
        return f"no wavelength solution: {wave.reason(row)}"
    c2, c1, c0 = wave.coefficients[row]
    text = f"E = {c2:.4g} p² {'+' if c1 >= 0 else '−'} {abs(c1):.4g} p {'+' if c0 >= 0 else '−'} {abs(c0):.4g} eV"
    fits = wave.fits
    if fits is not None and np.isfinite(fits.resolution[row]).any():
        text += f", median R {np.nanmedian(fits.resolution[row]):.1f}"
    return text


def _flat_words(flat: FlatSolution, row: int) -> str:
    """The flat of a pixel in words."""
    if row < 0 or not flat.usable[row]:
        return "no flat weight"
    weights, errors = flat.weights[row], flat.errors[row]
    middle = int(np.argmin(np.abs(flat.waves - np.median(flat.waves))))
    return f"flat weight {with_error(float(weights[middle]), float(errors[middle]))} at {flat.waves[middle]:.0f} nm"


def wave_summary(wave: WavelengthSolution) -> str:
    """A wavelength solution in numbers."""
    found = wave.summary()
    enough = found.get("with_two_histograms")
    parts = [
        f"{found['solved']} of {enough or found['resonators']} resonators{' with photons enough' * bool(enough)} solved"
    ]
    for laser, r, spread in zip(wave.lasers, *wave.resolution()):
        if np.isfinite(r):
            parts.append(f"R({laser:g} nm) = {number(float(r), 3)} ± {number(float(spread), 2)}")
    flags = [f"{n} {name.removeprefix('wavecal.').replace('_', ' ')}" for name, n in found["flags"].items()]
    return "; ".join(parts) + (f". Flags: {', '.join(flags)}." if flags else ".")


def flat_summary(flat: FlatSolution) -> str:
    """A flat in numbers."""
    usable = flat.usable
    weights = np.where(usable[:, None], flat.weights, np.nan)
    known = weights[np.isfinite(weights)]
    text = f"{int(usable.sum())} of {len(flat.ids)} resonators with weights in {len(flat.waves)} bins"
    if len(known):
        errors = flat.errors[np.isfinite(weights) & np.isfinite(flat.errors)]
        text += f"; weights {np.median(known):.3f} ± {np.std(known):.3f}"
        if len(errors):
            text += f", error {np.median(errors):.3f} (median)"
    flags = [f"{n} {k.removeprefix('flatcal.').replace('_', ' ')}" for k, n in calibration.solution_flags(flat).items()]
    return text + (f". Flags: {', '.join(flags)}." if flags else ".")


def _over_array(wave: WavelengthSolution, info: PhotonInfo) -> dict[str, Figure]:
    """Distributions of what a wavelength solution says of the resonators of this array."""
    from ifuview.report.photons.figures import distributions

    fits = wave.fits
    if fits is None:
        return {}
    of_array = rows_of(wave.ids, info.beammap.ids)
    good = np.zeros(len(wave.ids), bool)
    good[of_array[of_array >= 0]] = True
    use, names = (wave.solved & good)[:, None], [f"{laser:g} nm" for laser in wave.lasers]
    drawn = {
        name: distributions(np.where(use, getattr(fits, name), np.nan), names, label)
        for name, (label, _) in ARRAY_WORDS.items()
        if name != WEIGHTS
    }
    return {name: figure for name, figure in drawn.items() if figure is not None}


def _weights(flat: FlatSolution) -> Figure | None:
    """Distributions of the weights over the array in each bin of wavelength, or some of many."""
    from ifuview.report.photons.figures import distributions

    chosen = np.unique(np.linspace(0, len(flat.waves) - 1, min(len(flat.waves), MOST_SHOWN)).round().astype(int))
    values = np.where(flat.usable[:, None], flat.weights, np.nan)[:, chosen]
    return distributions(values, [f"{wave:.0f} nm" for wave in flat.waves[chosen]], ARRAY_WORDS[WEIGHTS][0])


def plot(curves: SolutionCurves, which: str) -> tuple[Figure | None, str]:
    """One of PLOTS and what is to be said of it; no figure where there is nothing to draw."""
    from ifuview.report.photons import figures

    wave, flat = curves.wave, curves.flat
    if which == "energy":
        return None if wave is None else figures.energy(wave), curves.wave_pixel or NO_WAVE
    if which == "flat":
        return None if flat is None else figures.flat(flat), curves.flat_pixel or NO_FLAT
    if which == "lasers":
        return None if wave is None else figures.lasers(wave.lasers), _laser_words(curves)
    found, what = curves.array.get(which), ARRAY_WORDS[which][1]
    text, none = (curves.flat_text, NO_FLAT) if which == WEIGHTS else (curves.wave_text, NO_WAVE)
    if found is None:
        return None, f"{text} The solution keeps no {what}." if text else none
    return found, text


def _laser_words(curves: SolutionCurves) -> str:
    """Where the lasers of a pixel lie."""
    wave = curves.wave
    if wave is None:
        return curves.wave_pixel or NO_WAVE
    kept = [one for one in wave.lasers if one.counts.size]
    if not kept:
        return f"{curves.wave_pixel}; the solution keeps no histograms of it"
    said = [
        f"{one.wave:g} nm at {with_error(one.center, one.center_error, '°')}, χ² {one.chi2:.2f}"
        for one in kept
        if one.status is HistogramStatus.GOOD
    ]
    return f"{curves.wave_pixel}. {'; '.join(said)}" if said else curves.wave_pixel
