"""Is an amplifier noisier than its inverse variance says, are there hits that nobody masked, does charge trail?"""

from __future__ import annotations

import numpy as np

from ifuview.engine.night.questions.amplifiers import listed
from ifuview.engine.night.questions.case import Case
from ifuview.engine.night.questions.levels import empty_fibers, measured_levels, natural_scatter
from ifuview.engine.night.search.levels import BIN
from ifuview.engine.night.search.noise import Bends, bends, fiber_noise, hits, white_noise
from ifuview.engine.night.search.trailing import across, along, into_empty
from ifuview.engine.numeric.medians import median
from ifuview.model.checks import Array

NOISY = 1.05  # times the noise that the inverse variance says, and that of the other amplifiers
ENOUGH = 2000  # pixels that tell a noise
NOISY_FIBER, NOISY_ERRORS, BESIDE = (
    0.2,
    6.0,
    51,
)  # part, and errors, of the scatter of a fiber; fibers to compare it with
BRIGHT, THIN_LIGHT = 12.0, 8  # noise of a pixel: brighter spectra have features in every pixel; one pixel of so many
NEARLY_AS_WELL = 3.0  # times its error that one to compare with may have
MANY = 60  # hits that a usual reduction does not leave
TRAILS, LEAST = {"along": 4.2, "across": 3.7}, 0.008  # sigma of an amplifier against its neighbor, part of the light


def detector(case: Case) -> None:
    """Noise, hits, trailing."""
    chain = case.chain
    if case.clean is None or chain.sframe_ivar is None:
        return
    flux = case.clean - case.expected
    known = case.good & (chain.sframe_ivar > 0)
    sigma = 1 / np.sqrt(np.where(known, chain.sframe_ivar, 1.0).astype(np.float32))
    good = known & np.isfinite(flux)
    where = case.areas
    quiet = good.copy()
    quiet[list(case.set_aside)] = False  # nor are fibers whose products contradict each other
    for name in case.bad_amplifiers:  # levels of its rows look like hits
        quiet[where[name]] = False
    _hits(case, flux, sigma, quiet)
    if not where:
        return
    _noise(case, flux, sigma, good, where)
    _trailing(case, where)


def _noise(case: Case, flux: Array, sigma: Array, good: Array, where: dict[str, Array]) -> None:
    of = bends(flux, sigma, good)
    measured = white_noise(of, where)
    noise = {name: value for name, (value, count) in measured.items() if count > ENOUGH}
    case.numbers["noise"] = {name: round(value, 3) for name, value in noise.items()}
    if case.asks("isolated-fiber"):
        _noisy_fibers(case, of)
    if not case.asks("amplifier-noise") or len(noise) < 2:
        return
    for name, value in noise.items():
        others = float(np.median([v for n, v in noise.items() if n != name]))
        if value < NOISY or value < NOISY * others or name in case.bad_amplifiers:
            continue
        known, said = listed(case, name)
        fibers, span = area_of(case, where[name])
        case.add(
            "amplifier-noise", "preproc", fibers=fibers, wave_range=span, amplifier=name, amplitude=value, known=known,
            unit="times its ivar", significance=(value - 1) * np.sqrt(2 * measured[name][1]),
            text=f"Amplifier {name} is {value:.2f} times as noisy as its inverse variance says (fibers {fibers[0]}-"
            f"{fibers[-1]}; the others {others:.2f}): its read noise was taken too low{said}",
        )  # fmt: skip


def _noisy_fibers(case: Case, of: Bends) -> None:
    """Fibers that scatter by more than their inverse variance says, and than those beside them do."""
    value, error = fiber_noise(of)
    judged = case.measured & ~case.known & ~case.in_bad_amplifier & np.isfinite(error)
    if np.count_nonzero(judged) < BESIDE:
        return
    near = np.pad(np.where(judged, value, float(np.median(value[judged]))), BESIDE // 2, mode="reflect")
    usual = median(np.lib.stride_tricks.sliding_window_view(near, BESIDE), 1)
    over = value / np.maximum(usual, 1.0)
    light = case.flux[:, ::THIN_LIGHT]
    judged &= median(np.where(np.isfinite(light), light, 0.0), 1) < BRIGHT * float(np.median(case.sigma))
    for fiber in np.flatnonzero(judged & (over - 1 > np.maximum(NOISY_FIBER, NOISY_ERRORS * error))):
        case.add(
            "isolated-fiber", "preproc", fibers=(int(fiber),), amplitude=float(value[fiber]), unit="times its ivar",
            significance=float((over[fiber] - 1) / error[fiber]), confidence=0.8,
            alternatives=(("isolated-fiber", "frame"), ("amplifier-noise", "preproc")), detail={"cause": "noise"},
            text=f"Fiber {fiber} scatters {value[fiber]:.2f} times as much as its inverse variance says (those beside "
            f"it {usual[fiber]:.2f}): noise of the detector along its trace, or its extraction, is not in its ivar",
        )  # fmt: skip


def area_of(case: Case, area: Array) -> tuple[tuple[int, ...], tuple[float, float]]:
    """Fibers and wavelengths of an amplifier."""
    share = area.mean(axis=1)
    columns = np.flatnonzero(area.any(axis=0))
    fibers = tuple(int(f) for f in np.flatnonzero(share > share.max() / 2))
    return fibers, (float(case.chain.wave[columns[0]]), float(case.chain.wave[columns[-1]]))


def _hits(case: Case, flux: Array, sigma: Array, good: Array) -> None:
    """Cosmic rays: single, or more than a usual reduction leaves."""
    if not case.asks("cosmic-rays"):
        return
    found = hits(flux, sigma, good)
    common = np.bincount(found.column, minlength=flux.shape[1]) > 0.02 * flux.shape[0]  # a line that all fibers have
    keep = ~common[found.column]
    case.numbers["hits"] = int(np.count_nonzero(keep))
    if np.count_nonzero(keep) < MANY:
        return
    fibers = np.unique(found.fiber[keep])
    case.add(
        "cosmic-rays", "preproc", fibers=tuple(int(f) for f in fibers), amplitude=float(np.count_nonzero(keep)),
        unit="hits", significance=float(np.median(found.height[keep])), confidence=0.9,
        text=f"{np.count_nonzero(keep)} pixels in {fibers.size} fibers are lit more sharply than any line, typically "
        f"{np.median(found.height[keep]):.0f} sigma: cosmic rays that nobody masked",
    )  # fmt: skip


def _in_sky_fibers(case: Case, where: dict[str, Array]) -> dict[str, tuple[float, float]]:
    """What sky fibers have of the light of the fiber before them over that of the next, by amplifier."""
    of = measured_levels(case)
    if of is None:
        return {}
    at = np.minimum(np.arange(of.wave.size) * BIN + BIN // 2, case.chain.shape[1] - 1)
    areas = {name: area[:, at] for name, area in where.items()}
    return into_empty(of, areas, empty_fibers(case, of), natural_scatter(case, of))


def _trailing(case: Case, where: dict[str, Array]) -> None:
    """Charge that lags behind along the columns or in the next fiber, in one amplifier."""
    chain = case.chain
    if not case.asks("charge-transfer") or chain.sky is None or chain.sframe is None or case.level is None:
        return
    beside = {s.name: [o.name for o in chain.sections if o.disp == s.disp and o is not s] for s in chain.sections}
    trails = along(case.sharp, case.weight, case.level, where, beside)
    tests = (
        ("along", "trails behind its lines by up to three pixels", trails),
        ("across", "is in the next fiber", across(case.sharp, case.weight, where, _in_sky_fibers(case, where))),
    )
    for way, said, found in tests:
        for name, (value, score) in found.items():
            others = _as_well_known(found, name) if way == "across" else []  # along it is a difference already
            away = value - float(np.median(others)) if others else value
            if (
                min(value, away) < LEAST
                or score * abs(away) / max(abs(value), 1e-9) < TRAILS[way]
                or name in case.bad_amplifiers
            ):
                continue
            known, logged = listed(case, name)
            fibers, span = area_of(case, where[name])
            case.add(
                "charge-transfer", "preproc", fibers=fibers, wave_range=span, amplifier=name, amplitude=value,
                unit="of the light", significance=score, confidence=0.8, known=known, detail={"way": way},
                text=f"{100 * abs(value):.1f} % of the light in amplifier {name} {said}: charge is lost on its "
                f"way to the "
                f"read-out{logged}",
            )  # fmt: skip


def _as_well_known(found: dict[str, tuple[float, float]], name: str) -> list[float]:
    """What the other amplifiers have, without those that are masked for the most part."""
    error = {n: abs(value) / max(score, 1e-9) for n, (value, score) in found.items()}
    return [value for n, (value, _) in found.items() if n != name and error[n] < NEARLY_AS_WELL * error[name]]
