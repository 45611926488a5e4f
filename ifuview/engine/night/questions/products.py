"""Do the products make one another, as a whole and in each fiber, and is the calibration smooth?

Where one fiber's do not, its sky was left in, or rows were exchanged.
"""

from __future__ import annotations

import numpy as np

from ifuview.engine.night import others
from ifuview.engine.night.blocks import BIN
from ifuview.engine.night.questions.case import BUNDLE, COUNTS, E_PER_A, Case
from ifuview.engine.night.questions.masked import told
from ifuview.engine.night.search.between import calibrated_sky, ends
from ifuview.engine.night.search.deviating import FINE, FLOOR, deviating
from ifuview.engine.night.search.identity import LEAST, LEAST_SWAPPED, MOST, Broken, Moved, broken_fibers, swapped
from ifuview.engine.night.search.scan import SINGLE, blocks_of_fibers, spans
from ifuview.engine.night.search.templates import rough, shapes
from ifuview.engine.night.stand_ins import MADE_OF
from ifuview.engine.night.stats import binned, mad
from ifuview.engine.numeric.medians import median
from ifuview.model.checks import Array
from ifuview.model.night.triage import ranges

EDGE = 4.0  # Angstrom on both sides of a step
SLOPE = 0.1  # of the calibration, between the halves of a spectrum
LEVEL = 0.05  # of the calibration of a fiber
CONTRADICTS = "products contradict each other"
EXCHANGED = {"spectra": "preproc", "frame": "frame", "sframe": "sframe"}  # first step that has it
RIPPLE, RIPPLE_SMOOTH, ALL_FLATS = (
    0.006,
    41,
    0.9,
)  # of the typical flat, real ones have 0.001; bins; fibers that share it
ROUNDED = 1e-4  # of the sky that products of a fiber may differ by in any file
OF_SKY = 0.5  # of the gap must have the shape of the sky


def products(case: Case) -> None:
    """Products that contradict each other, and the flux calibration."""
    chain = case.chain
    if case.asks("mixed-production"):
        _mixed(case)
        _waves(case)
    if case.asks("wavelength-all") and chain.flat is not None:
        _rippled_flat(case, chain.flat)
    if case.asks("fluxcalib") and chain.fluxcalib is not None:
        _calibration(case, chain.fluxcalib)
        _for_others(case, chain.fluxcalib)


def _rippled_flat(case: Case, flat: Array) -> None:
    """What all flats have alike: they are relative to one another, so that the typical one has no features.

    The sky model that is made with them has it too, and only targets show it.
    """
    typical = binned(median(flat[:: others.EVERY], 0), FINE)
    if typical.size < 2 * RIPPLE_SMOOTH or not (typical > 0).all():
        return
    cut = slice(RIPPLE_SMOOTH // 2, -(RIPPLE_SMOOTH // 2))
    ripple = (typical / rough(typical[None], RIPPLE_SMOOTH)[0] - 1)[cut]
    own = binned(flat[:: others.EVERY], FINE)
    own = (own / np.maximum(rough(own, RIPPLE_SMOOTH), 1e-6) - 1)[:, cut]
    parts = own @ ripple / max(float(ripple @ ripple), 1e-30)
    most = float(ripple[np.argmax(np.abs(ripple))])
    if abs(most) < RIPPLE or np.count_nonzero(parts > 0.5) < ALL_FLATS * parts.size:
        return
    at = np.flatnonzero(np.abs(ripple) > 0.5 * abs(most)) + RIPPLE_SMOOTH // 2
    wave = binned(case.chain.wave, FINE)
    case.add(
        "wavelength-all", "fiberflat", fibers=tuple(range(flat.shape[0])), amplitude=most, unit="relative",
        wave_range=(float(wave[at[0]]), float(wave[at[-1]])), significance=abs(most) / RIPPLE * SINGLE,
        text=f"All fiberflats have features of up to {100 * most:+.1f} % in common at {wave[at[0]]:.0f}-"
        f"{wave[at[-1]]:.0f} A: flats are relative to their mean, which has none",
    )  # fmt: skip


def _for_others(case: Case, fluxcalib: Array) -> None:
    """Numbers by which other cameras of the exposure tell a gray factor."""
    chain = case.chain
    if case.level is not None:
        typical = median(fluxcalib[:: others.EVERY], 0)
        case.numbers["calibrated_sky"] = calibrated_sky(case.level, typical, shapes(case.level, chain.wave)[0])
    if chain.cframe is not None and chain.sframe_ivar is not None:
        case.numbers["ends"] = ends(chain.cframe, chain.sframe_ivar * fluxcalib**2, chain.wave)


def _calibration(case: Case, fluxcalib: Array) -> None:
    """A bump or a step that no response has, and fibers whose calibration has another level."""
    rest = others.calibration_shapes(fluxcalib)
    told = np.zeros(rest.shape[0], bool)
    for part in _alike(rest):
        if _rough_calibration(case, fluxcalib, part):
            told |= part
    _calibration_shapes(case, np.where(told[:, None] & ~told.all(), 0.0, rest))
    half = fluxcalib.shape[1] // 2
    _slopes(case, others.calibration_levels(fluxcalib[:, half:]) - others.calibration_levels(fluxcalib[:, :half]))
    logs = others.calibration_levels(fluxcalib)
    known = np.isfinite(logs) & (~told | bool(told.all()))
    scatter = float(mad(logs[known])) if known.any() else 0.0
    if scatter > LEVEL:
        case.add(
            "fluxcalib", "fluxcalib", fibers=tuple(int(f) for f in np.flatnonzero(known)), amplitude=scatter,
            unit="relative", significance=scatter / LEVEL * SINGLE,
            text=f"The flux calibrations of the fibers differ by {100 * scatter:.0f} %: that of a large part of them "
            "is wrong, which is not told apart",
        )  # fmt: skip
        return
    for run in spans(logs, np.full(logs.size, LEVEL / SINGLE), known, snap=BUNDLE):
        if abs(run.value) < LEVEL:
            continue
        fibers = tuple(int(f) for f in run.fibers if known[f])
        case.add(
            "fluxcalib", "fluxcalib", fibers=fibers, blocks=blocks_of_fibers(fibers, BUNDLE), block_size=BUNDLE,
            amplitude=float(np.expm1(run.value)), unit="relative", significance=run.score,
            text=f"The flux calibration of fibers {ranges(fibers)} is {np.exp(run.value):.2f} times that of the "
            f"others",
        )  # fmt: skip


def _slopes(case: Case, logs: Array) -> None:
    """Fibers whose calibration is tilted against that of the others."""
    known = np.isfinite(logs)
    known[[f for x in case.findings if x.kind == "fluxcalib" for f in x.fibers]] = False  # a step is a tilt, too
    if not known.any() or float(mad(logs[known])) > LEVEL:
        return
    for run in spans(logs, np.full(logs.size, SLOPE / SINGLE), known, snap=BUNDLE):
        if abs(run.value) > SLOPE:
            fibers = tuple(int(f) for f in run.fibers if known[f])
            case.add(
                "fluxcalib", "fluxcalib", fibers=fibers, amplitude=float(np.expm1(run.value)), unit="relative",
                significance=run.score, text=f"The flux calibration of fiber{'s' * (len(fibers) > 1)} {ranges(fibers)} "
                f"is tilted: its red half over its blue half is {np.exp(run.value):.2f} times that of the others",
            )  # fmt: skip


def _alike(rest: Array) -> list[Array]:
    """Fibers in which the strongest feature that not all calibrations have is, and the others; all, if none is.

    Where half of the fibers have it the typical one has half of it, and the others lack that.
    """
    strongest = rest[np.argmax(np.abs(rest).max(axis=1))]
    if np.abs(strongest).max() < others.WIGGLE / 2:
        return [np.ones(rest.shape[0], bool)]
    part = rest @ strongest
    has = part > (part.min() + part.max()) / 2
    return [has, ~has]


def _rough_calibration(case: Case, fluxcalib: Array, part: Array) -> bool:
    """A bump or a step in the calibration of some fibers, by their typical one: whether there is one."""
    wave, fibers = case.chain.wave, tuple(int(f) for f in np.flatnonzero(part))
    whose = "" if part.all() else f" of fiber{'s' * (len(fibers) > 1)} {ranges(fibers)}"
    step = others.calibration_step(fluxcalib[part], wave)
    found = None if step is not None else others.wiggle(fluxcalib[part], wave)
    if found is not None:
        size, span = found
        text = f"has a feature of {100 * size:+.0f} % at {span[0]:.0f}-{span[1]:.0f} A that no smooth response has"
    elif step is not None:
        (size, at), text = step, f"jumps by {100 * step[0]:+.0f} % at {step[1]:.0f} A: no response does"
        span = at - EDGE, at + EDGE
    else:
        return False
    case.add(
        "fluxcalib", "fluxcalib", fibers=fibers, wave_range=span, amplitude=size, unit="relative",
        significance=abs(size) / 0.01, text=f"The flux calibration{whose} {text}",
    )  # fmt: skip
    return True


def _calibration_shapes(case: Case, rest: Array) -> None:
    """Fibers whose calibration has a feature that the others' have not."""
    fibers = np.flatnonzero(np.abs(rest).max(axis=1) > others.WIGGLE)
    if not fibers.size or fibers.size > MOST * rest.shape[0]:
        return
    columns = np.flatnonzero((np.abs(rest[fibers]) > others.WIGGLE).any(axis=0)) * BIN
    span = float(case.chain.wave[columns[0]]), float(case.chain.wave[columns[-1] + BIN - 1])
    strongest = rest[fibers].ravel()[np.argmax(np.abs(rest[fibers]))]
    peak, found = float(np.expm1(strongest)), tuple(int(f) for f in fibers)
    case.add(
        "fluxcalib", "fluxcalib", fibers=found, wave_range=span, amplitude=peak, unit="relative",
        significance=abs(peak) / 0.01, text=f"The flux calibration of {'fiber' if len(found) == 1 else 'fibers'} "
        f"{ranges(found)} has a feature of {100 * peak:+.0f} % at {span[0]:.0f}-{span[1]:.0f} A that the others' have "
        "not",
    )  # fmt: skip


def _mixed(case: Case) -> None:
    """sframe must be frame / flat - sky, and cframe must be sframe / fluxcalib."""
    chain = case.chain
    assert chain.frame is not None and chain.flat is not None and chain.sky is not None and chain.sframe is not None
    good = case.good_in_both
    if case.set_aside:  # fibers that were named one by one
        good = good.copy()
        good[list(case.set_aside)] = False
    names = "frame / flat - sky"
    found = others.identity(case.gaps, chain.sky, good & (chain.flat > 0), case.sigma, chain.wave)
    step, product = "sky", "sframe"
    if found is None and chain.fluxcalib is not None and chain.cframe is not None:
        found = others.calibration_identity(chain.sframe, chain.fluxcalib, chain.cframe, good, case.sigma, chain.wave)
        step, product, names = "fluxcalib", "cframe", "sframe / fluxcalib"
    if found is None:
        return
    case.add(
        "mixed-production", step, fibers=found.fibers, wave_range=found.wave_range, amplitude=found.typical,
        unit=COUNTS, significance=found.share / others.MISFIT_SHARE,
        detail={"share": round(found.share, 3), "product": product},
        text=f"{product} is not {names} in {100 * found.share:.0f} % of the pixels (typically {found.typical:.0f} "
        f"{E_PER_A}): files of different productions are mixed",
    )  # fmt: skip


def _waves(case: Case) -> None:
    """Products with wavelengths of their own."""
    for product, off in case.chain.wave_faults:
        step = "fiberflat" if product == "flat" else product
        case.add(
            "mixed-production", step, fibers=tuple(range(case.chain.shape[0])), amplitude=off, unit="Angstrom",
            significance=10.0, detail={"product": product, "wavelengths": True},
            text=f"The wavelengths of {step} are not those of the other products, by up to {off:.3g} A: files of "
            "different productions are mixed, or its wavelengths are wrong",
        )  # fmt: skip


def identity(case: Case) -> None:
    """Fibers whose products contradict each other, one by one; whole productions are asked elsewhere."""
    chain = case.chain
    absent = [name for name in MADE_OF if getattr(case.given, name) is None]
    if absent and case.asks("swapped-fibers"):  # rows of tables are asked all the same
        case.lack("fibers whose spectra are exchanged", " and ".join(absent))
    if case.level is None or chain.frame is None or chain.flat is None or chain.sky is None or chain.sframe is None:
        return
    weak = broken_fibers(case.gaps, case.good_in_both, case.level, LEAST_SWAPPED)
    taken: dict[int, Moved] = {}
    if len(weak) > 1:
        usual = float(np.nanmedian(np.abs(binned(case.gaps[:: others.EVERY], BIN))))
        usual = max(usual, ROUNDED * float(np.median(case.level)))
        spectra = chain.frame, chain.flat, chain.sky, chain.sframe
        taken = swapped([b.fiber for b in weak], *spectra, usual)
    found = [b for b in weak if b.off > LEAST or b.fiber in taken]
    good = case.good_in_both
    case.set_apart(b.fiber for b in found)
    if case.asks("swapped-fibers"):
        for fiber, moved in sorted(taken.items()):
            if taken[moved.of].of != fiber:
                _moved(case, fiber, moved)
            elif fiber < moved.of:
                _exchanged(case, fiber, moved)
    for one in found:
        if one.fiber not in taken:
            _contradiction(case, one)
    _calibrated_fibers(case, good)


def _exchanged(case: Case, one: int, moved: Moved) -> None:
    two = moved.of
    case.add(
        "swapped-fibers", EXCHANGED[moved.what], fibers=(one, two), amplitude=2.0, unit="fibers", significance=10.0,
        text=f"The spectra of fibers {one} and {two} are exchanged: each was made with flat and sky model of the "
        "other one, or these rows of flat and sky model are" if moved.what == "spectra" else
        f"The rows of fibers {one} and {two} are exchanged in {moved.what} alone: each fits the other products of the "
        "other one",
    )  # fmt: skip


def _moved(case: Case, fiber: int, moved: Moved) -> None:
    whose = "the flat and the sky model" if moved.what == "spectra" else "the other products"
    row = "row" if moved.what == "spectra" else f"row of {moved.what}"
    case.add(
        "swapped-fibers", EXCHANGED[moved.what], fibers=(fiber,), amplitude=1.0, unit="fibers", significance=10.0,
        text=f"The {row} of fiber {fiber} holds the spectrum of fiber {moved.of}: it fits {whose} of that one",
        detail={"taken_from": moved.of},
    )  # fmt: skip


def _contradiction(case: Case, one: Broken) -> None:
    """One fiber whose sframe is not what its frame, flat and sky model make."""
    if not case.asks("isolated-fiber"):
        return
    sky_shaped = abs(one.share) > OF_SKY * one.off
    verb = "keeps" if one.share > 0 else "lost, once more than it should,"
    what = f": it {verb} {100 * abs(one.share):.1f} % of its sky" if sky_shaped else ""
    assert case.level is not None
    case.add(
        "isolated-fiber", "sky", fibers=(one.fiber,), amplitude=one.share * float(np.median(case.level)), unit=COUNTS,
        significance=one.score, known=bool(case.known[one.fiber]),
        detail={"cause": CONTRADICTS, "share_of_sky": round(one.share, 4)},
        text=f"The sframe of fiber {one.fiber} is not its frame / flat - sky{what}; the other fibers' are",
    )  # fmt: skip


def _calibrated_fibers(case: Case, good: Array) -> None:
    """Fibers whose cframe is not sframe / fluxcalib."""
    chain = case.chain
    if chain.cframe is None or chain.fluxcalib is None or chain.sframe is None or not case.asks("isolated-fiber"):
        return
    assert case.level is not None and case.given.fluxcalib is not None
    good = good & told(case.given.fluxcalib, case.given.fluxcalib_ivar, "fluxcalib")  # else the others' stands there
    gaps = np.where(good, chain.cframe * chain.fluxcalib - chain.sframe, np.float32(0.0))
    broken = [one for one in broken_fibers(gaps, good, case.level) if one.fiber not in case.set_aside]
    for one in broken:
        _uncalibrated(case, one.fiber, one.off * float(np.median(case.level)), one.score)
    wrong = {fiber for one in case.deviations if one.step == "sframe" for fiber in one.fibers} | case.set_aside
    gaps[[*wrong, *(one.fiber for one in broken)]] = 0.0  # their sframe is wrong already, or all of it is told
    parts = deviating("cframe", gaps, case.level)
    if len({int(f) for fibers, _ in parts for f in fibers}) > MOST * gaps.shape[0]:
        return  # a matter of the products
    for fibers, columns in parts:
        span = float(chain.wave[columns][0]), float(chain.wave[columns][-1])
        for fiber in fibers:
            inside = binned(gaps[fiber, columns], BIN)
            peak = float(inside[np.argmax(np.abs(inside))])
            _uncalibrated(case, int(fiber), peak, abs(peak) / (FLOOR * float(np.median(case.level))), span)


def _uncalibrated(
    case: Case, fiber: int, amplitude: float, score: float, span: tuple[float, float] | None = None
) -> None:  # fmt: skip
    """One fiber whose cframe is not its sframe / fluxcalib, everywhere or at some wavelengths."""
    where = "" if span is None else f" at {span[0]:.0f}-{span[1]:.0f} A, by up to {amplitude:+.1f} {E_PER_A}"
    case.add(
        "isolated-fiber", "fluxcalib", fibers=(fiber,), amplitude=amplitude, unit=COUNTS, significance=score,
        known=bool(case.known[fiber]), wave_range=span, detail={"cause": CONTRADICTS},
        text=f"The cframe of fiber {fiber} is not its sframe / fluxcalib{where}; the other fibers' are",
    )  # fmt: skip
