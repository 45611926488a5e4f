"""Do rows of the detector deviate inside an amplifier, or does the level jump where two of them meet?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ifuview.engine.night import others
from ifuview.engine.night.questions.case import BLOCK, COUNTS, E_PER_A, Case
from ifuview.engine.night.rows.levels import RowTest, row_tests
from ifuview.engine.night.rows.patterns import SharedPattern, pattern
from ifuview.engine.night.rows.stripes import Striped, striped
from ifuview.engine.night.search.templates import shapes
from ifuview.engine.night.stats import middle, without_gaps
from ifuview.model.checks import Array
from ifuview.model.night.chain import Chain
from ifuview.model.night.triage import Finding

LARGE = 0.25  # of the noise of a pixel: levels of amplifiers below are asked for at the end alone
LEAST_SKY, ROUNDS, CLIP, TINY = 10, 4, 3.0, 1e-9  # sky fibers that tell it, rounds, sigma; keeps means defined
LEFT = 0.3  # of a jump that may be left without the level
FAR_OFF = 1.5  # sigma of a pixel: sky models begin to leave out those with the level, or those without, by their noise
EDGE_ROWS = 1.5  # rows beside an edge that belong to both
WEAK, BESIDE = 0.03, 4  # of the sky that lines may have where patterns are asked for; px beside them that are theirs


def rows(case: Case) -> None:
    """Rows of bad amplifiers, taken off so that what lies under them is still found."""
    chain = case.chain
    if case.residual is None or chain.disp is None or chain.cross is None:
        return
    tests, clean = row_tests(
        case.residual - case.expected, case.sigma, case.good, chain.wave, chain.disp, chain.sections, case.areas
    )
    case.clean = clean + case.expected
    if clean is not case.residual:
        case.row_light = case.residual - case.clean
    case.bad_amplifiers = tuple(t.section.name for t in tests if t.bad)
    for test in tests:
        case.in_bad_amplifier[test.fibers[0] : test.fibers[1] + 1] |= test.bad
    _patterns(case)
    case.row_levels = {t.section.name: t.level for t in tests if t.bad}
    case.numbers["rows"] = {t.section.name: round(t.rows, 2) for t in tests}
    if not case.asks("ccd-row"):
        return
    for test in tests:
        if test.bad:
            case.add("ccd-row", "preproc", **_row_finding(case, test))
        elif test.band:
            case.add("ccd-row", "preproc", **_band_finding(case, test))


def _patterns(case: Case) -> None:
    """Patterns over wavelength that the fibers of one amplifier share, taken off."""
    chain = case.chain
    if case.level is None or case.clean is None or not case.asks("ccd-row"):
        return
    line = np.abs(shapes(case.level, chain.wave)[0]) > WEAK * np.median(case.level)
    free = np.convolve(line, np.ones(2 * BESIDE + 1), "same") < 0.5
    z, good = without_gaps(case.clean - case.expected) / case.sigma, case.good & np.isfinite(case.clean)
    for disp in sorted({s.disp for s in chain.sections}):
        pair = {s.name: case.areas[s.name] for s in chain.sections if s.disp == disp}
        if len(pair) != 2 or set(pair) & set(case.bad_amplifiers):
            continue
        found = pattern(z.astype(np.float32), good, free, pair)
        if found is None:
            continue
        first = pair[found.names[0]]
        followed = 0.0  # part of it that the sky model has
        if len(found.names) == 2 and case.is_sky.any():
            followed = float(first[case.is_sky].any(axis=1).mean())
        part = first - np.float32(followed) * np.logical_or.reduce(list(pair.values()))
        light = part * (found.level * case.sigma).astype(np.float32)
        case.clean = case.clean - light
        case.row_light = case.row_light + light
        case.bad_amplifiers += tuple(found.names)
        case.add("ccd-row", "preproc", **_pattern_finding(case, found))


def _pattern_finding(case: Case, found: SharedPattern) -> dict[str, Any]:
    amplifiers = "/".join(found.names)
    known, said = listed(case, amplifiers)
    area = np.logical_or.reduce([case.areas[name] for name in found.names])
    share, columns = area.mean(axis=1), np.flatnonzero(area.any(axis=0))
    fibers = tuple(int(f) for f in np.flatnonzero(share > share.max() / 2))
    span = float(case.chain.wave[columns[0]]), float(case.chain.wave[columns[-1]])
    amplitude = found.rms * float(np.median(case.sigma[columns]))
    who = f"amplifier {amplifiers}" if len(found.names) == 1 else f"one of the amplifiers {' and '.join(found.names)}"
    reverse = "" if len(found.names) == 1 else "; the sky model makes the reverse of it in the other one"
    return {
        "fibers": fibers, "wave_range": span, "amplifier": amplifiers, "amplitude": amplitude, "unit": COUNTS,
        "significance": float(np.sqrt(found.excess)), "confidence": 0.8, "known": known,
        "detail": {"chi2_pattern": round(found.excess, 1)},
        "text": f"All fibers of {who} share levels of {amplitude:.1f} {E_PER_A} from pixel to pixel, alike at each "
        f"wavelength ({span[0]:.0f}-{span[1]:.0f} A), that those beside it have not{reverse}{said}",
    }  # fmt: skip


def listed(case: Case, amplifiers: str) -> tuple[bool, str]:
    """Whether the night log calls one of some amplifiers (`A/C`) bad already, and words about that."""
    bad = case.chain.bad_amplifiers
    if bad is None:
        return False, ""
    found = [name for name in amplifiers.split("/") if name in bad]
    if found:
        return True, f" (known: the night log lists amplifier {', '.join(found)} of {case.camera} as bad)"
    return False, f" (new: the night log does not list amplifier {amplifiers} of {case.camera})"


def _row_finding(case: Case, test: RowTest) -> dict[str, Any]:
    first, last = test.fibers
    known, said = listed(case, test.section.name)
    return {
        "fibers": tuple(range(first, last + 1)), "wave_range": test.wave_range, "amplifier": test.section.name,
        "amplitude": test.amplitude, "unit": COUNTS, "significance": float(np.sqrt(test.rows)),
        "confidence": float(np.clip((test.rows - 5) / 20, 0.5, 1.0)),
        "text": f"Amplifier {test.section.name} adds levels to whole detector rows (fibers {first}-{last}, "
        f"{test.wave_range[0]:.0f}-{test.wave_range[1]:.0f} A): curved stripes of {test.amplitude:.0f} {E_PER_A}{said}",
        "known": known,
        "detail": {"chi2_rows": round(test.rows, 1), "chi2_waves": round(test.waves, 1)},
    }  # fmt: skip


def untraced(case: Case) -> tuple[Chain, list[Finding]]:
    """Amplifiers whose rows seem to have levels though no traces tell them: a chain without them, and words."""
    chain = case.chain
    if case.clean is None or case.level is None or chain.has("traces"):
        return chain, []
    known = case.good & np.isfinite(case.clean)
    z = np.where(known, without_gaps(case.clean - case.expected) / case.sigma, 0.0)
    parts = striped(z, case.strong_lines)
    hidden = np.zeros(chain.shape, bool)
    for part in parts:
        hidden[part.fibers, part.columns] = True
    ivars = {f"{name}_ivar": getattr(chain, f"{name}_ivar") for name in ("frame", "sframe")}
    ivars = {name: np.where(hidden, 0.0, ivar).astype(ivar.dtype) for name, ivar in ivars.items() if ivar is not None}
    return replace(chain, **ivars) if parts else chain, [_untraced_finding(case, part) for part in parts]


def _untraced_finding(case: Case, part: Striped) -> Finding:
    wave = case.chain.wave[part.columns]
    fibers, low, high = range(*part.fibers.indices(case.chain.shape[0])), float(wave.min()), float(wave.max())
    name = _section_of(case.chain, part)
    known, said = listed(case, name) if name else (False, "")
    size = part.level * float(np.median(case.sigma[part.columns]))
    return Finding(
        case.expid, case.camera, "ccd-row", "preproc", fibers=tuple(fibers), wave_range=(low, high), amplifier=name,
        amplitude=size, unit=COUNTS, significance=part.score, confidence=0.7, known=known, detail={"by": "neighbors"},
        text=f"Neighbors among fibers {fibers[0]}-{fibers[-1]} share levels of {size:.2g} {E_PER_A}, pixel by pixel, "
        f"at {low:.0f}-{high:.0f} A alone: whole rows of one amplifier{f', {name}' if name else ''}{said}; the traces "
        "would tell, and what lies under them is not judged",
    )  # fmt: skip


def _section_of(chain: Chain, part: Striped) -> str:
    """The amplifier that lies where a part of the fibers and wavelengths does, "" if none is known."""
    low_fibers, low_waves = part.fibers.start == 0, part.columns.start == 0
    if not chain.sections or (low_waves and part.columns.stop == chain.shape[1]):
        return ""
    middle_of = [float(np.mean([sum(getattr(s, axis)) / 2 for s in chain.sections])) for axis in ("cross", "disp")]
    for section in chain.sections:
        below = [sum(getattr(section, axis)) / 2 < m for axis, m in zip(("cross", "disp"), middle_of, strict=True)]
        if below == [low_fibers, low_waves]:
            return section.name
    return ""


def _band_finding(case: Case, test: RowTest) -> dict[str, Any]:
    known, said = listed(case, test.section.name)
    (first, last), (low, high) = test.band, test.wave_range
    return {
        "fibers": tuple(range(test.fibers[0], test.fibers[1] + 1)), "wave_range": test.wave_range, "known": known,
        "amplifier": test.section.name, "amplitude": test.band_level, "unit": COUNTS, "significance": test.band_score,
        "confidence": float(np.clip(test.band_score / 30, 0.5, 1.0)), "detail": {"detector_rows": [first, last]},
        "text": f"Detector rows {first}-{last} of amplifier {test.section.name} have {test.band_level:+.0f} {E_PER_A} "
        f"(fibers {test.fibers[0]}-{test.fibers[1]}, a curved stripe at {low:.0f}-{high:.0f} A){said}",
    }  # fmt: skip


def with_level(case: Case) -> tuple[Chain, list[Finding]]:
    """Amplifiers with a level that would be taken for much else: a chain without it, and the findings.

    The sky model follows the sky fibers that have it, so that the other fibers show the reverse, and the edge between
    amplifiers, a curve over wavelength, looks like light of some fibers. The sky fibers tell how large both are.
    """
    chain = case.chain
    if case.clean is None or case.level is None or not case.areas or np.count_nonzero(case.is_sky) < LEAST_SKY:
        return chain, []
    if chain.frame is None or chain.flat is None or chain.sky is None or chain.sframe is None:
        return chain, []
    least = max(LARGE * float(np.median(case.sigma)), others.EDGE_SKY * float(np.median(case.level)))
    told: list[Finding] = []
    for _ in chain.sections:
        found = _large_level(case, least)
        if found is None:
            break
        case, step = found
        told.append(step)
    return case.chain, told


def _large_level(case: Case, least: float) -> tuple[Case, Finding] | None:
    """The largest level: the camera without it, and its finding; None if there is none that the sky fibers know."""
    for apart in (False, True):
        found = _level_told(case, least, apart)
        if found is not None:
            return found
    return None


def _level_told(case: Case, least: float, apart: bool) -> tuple[Case, Finding] | None:
    """The same by amplifiers that are compared in one way, see `_jumps`."""
    strongest = max(_jumps(case, apart), key=lambda jump: abs(jump[2]), default=None)
    if strongest is None or abs(strongest[2]) < least:
        return None
    below, above, jump, _, edge = strongest
    after = Case(_without_level(case, below, above, edge), case.expid, case.camera, case.wanted, case.given)
    if any(left[:2] == (below, above) and abs(left[2]) > LEFT * abs(jump) for left in _jumps(after, apart)):
        return None
    rows(after)
    if {below, above} & set(after.bad_amplifiers):  # its rows have levels of their own, one of them at the edge
        return None
    _step(case, *strongest)
    return after, case.findings.pop()


def _without_level(case: Case, below: str, above: str, edge: float) -> Chain:
    """The chain without the level of the one of two amplifiers that has it, and what the sky model has of it."""
    chain, sky = case.chain, np.flatnonzero(case.is_sky & case.measured)
    assert chain.sframe is not None and chain.sky is not None and chain.frame is not None and chain.flat is not None
    assert chain.disp is not None
    fits = [(_level_in(chain.sframe[sky], case.weight[sky], case.areas[n][sky]), case.areas[n]) for n in (below, above)]
    (_, level, model), area = min(fits, key=lambda fit: fit[0][0])
    own, model = np.float32(level) * area, model.astype(np.float32)
    change: dict[str, Any] = {
        "sframe": chain.sframe - own + model, "sky": chain.sky - model, "frame": chain.frame - own * chain.flat,
    }  # fmt: skip
    change["cframe"] = others.calibrated(chain, model - own)
    near = (np.abs(chain.disp - edge) < EDGE_ROWS) & (case.areas[below] | case.areas[above])
    for name in ("frame_ivar", "sframe_ivar"):
        ivar = getattr(chain, name)
        change[name] = None if ivar is None else np.where(near, 0, ivar).astype(ivar.dtype)
    return replace(chain, **change)


def _level_in(flux: Array, weight: Array, area: Array) -> tuple[float, float, Array]:
    """(misfit, level, what the sky model has of it over wavelength) of an amplifier, by the sky fibers.

    A model may be a mean or leave out what is far off: what it has depends on the part of the sky fibers that have the
    level, and where the level is far off by itself on the noise of each pixel. Those without it show that. Their mean
    is taken as the model took it, by their weights or without: the other one would bring their noise to all fibers.

    Parameters
    ----------
    flux, weight : ndarray, shape (nsky, nwave)
    area : ndarray of bool, shape (nsky, nwave)
        Pixels that the amplifier reads.
    """
    shares, of = np.unique(area.sum(axis=0), return_inverse=True)
    mean = _weights_of_model(flux, weight)
    found = _alike_in(flux, weight, mean, area, shares, of)
    if abs(found[1]) * np.sqrt(np.median(weight[weight > 0])) < FAR_OFF:
        return found
    return _alike_in(flux, weight, mean, area, area.sum(axis=0), np.arange(of.size))


def _weights_of_model(flux: Array, weight: Array) -> Array:
    """Weights of the sky fibers in the sky model, shape (nsky, nwave): their mean leaves least in each pixel."""
    ways = weight, np.where(weight > 0, 1.0, 0.0)
    return min(ways, key=lambda by: np.median(np.abs((by * flux).sum(axis=0)) / np.maximum(by.sum(axis=0), TINY)))


def _alike_in(
    flux: Array, weight: Array, mean: Array, area: Array, shares: Array, of: Array
) -> tuple[float, float, Array]:
    """The same with a model that is alike in groups of pixels; `of` is the group of each, `shares` of each group.

    `mean` are the weights of the sky fibers in the model.
    """

    def total(values: Array) -> Array:
        return np.bincount(of, values.sum(axis=0, dtype=np.float64), shares.size)

    level, model, use = 0.0, np.zeros(shares.size), weight > 0
    for _ in range(ROUNDS):  # sky fibers with light of their own have no part in it
        here, beside = np.where(use & area, weight, 0.0), np.where(use & ~area, weight, 0.0)
        one, two = np.maximum(total(here), TINY), np.maximum(total(beside), TINY)
        both = one * two / (one + two)
        level = float(np.sum(both * (total(here * flux) / one - total(beside * flux) / two)) / both.sum())
        taken = np.where(use, mean, 0.0)
        model = -total(taken * (flux - level * area)) / np.maximum(total(taken), TINY)
        model[shares == 0] = 0.0
        rest = np.sqrt(weight) * np.abs(flux - level * area + model[of])
        use = (weight > 0) & (rest < CLIP)
    return float(np.minimum(rest, CLIP).sum()), level, model[of]


def edges(case: Case) -> None:
    """Jumps of the level from one amplifier to the next."""
    if case.asks("amplifier-step"):
        for jump in _jumps(case):
            _step(case, *jump)


def _jumps(case: Case, apart: bool = False) -> list[tuple[str, str, float, float, float]]:
    """Jumps of the level where two amplifiers meet, see `others.steps`.

    A sky model that leaves out what is far off changes at once from the sky fibers with a level to those without, in
    all fibers; taken `apart`, amplifiers are compared with the sky fibers that the others read, which show that.
    """
    chain = case.chain
    if case.clean is None or chain.disp is None or chain.cross is None:
        return []
    assert case.level is not None
    rest, least = case.clean - case.expected, others.EDGE_SKY * float(np.median(case.level))
    sides = sorted({s.cross for s in chain.sections}) if apart else [None]
    jumps = []
    for side in sides:
        sections, own, model = chain.sections, rest, case.is_sky & case.measured
        if side is not None:
            middle_of = chain.cross[:, chain.cross.shape[1] // 2]
            beside = case.is_sky & case.measured & ((middle_of < side[0]) | (middle_of >= side[1]))
            if np.count_nonzero(beside) < LEAST_SKY:
                continue
            sections, model = tuple(s for s in sections if s.cross == side), beside
            own = rest - middle(rest[beside], axis=0)
        shared = float(np.median(case.sigma)) / np.sqrt(np.count_nonzero(model)) if model.any() else 0.0
        jumps += others.steps(own, chain.disp, chain.cross, sections, BLOCK, case.bad_amplifiers, shared)
    return [jump for jump in jumps if abs(jump[2]) >= least]


def _step(case: Case, below: str, above: str, jump: float, significance: float, edge: float) -> None:
    chain = case.chain
    assert chain.disp is not None and chain.cross is not None
    section = next(s for s in chain.sections if s.name == below)
    middle = chain.cross[:, chain.cross.shape[1] // 2]
    rows = np.flatnonzero((middle >= section.cross[0]) & (middle < section.cross[1]))
    at = np.argmin(np.abs(chain.disp[rows] - edge), axis=1)
    span = (float(chain.wave[at.min()]), float(chain.wave[at.max()]))
    known, said = listed(case, f"{below}/{above}")
    case.add(
        "amplifier-step", "preproc", fibers=tuple(int(r) for r in rows), wave_range=span,
        amplifier=f"{below}/{above}", amplitude=jump, unit=COUNTS, significance=significance,
        text=f"The level jumps by {jump:+.0f} {E_PER_A} from amplifier {below} to {above} (row {edge:.0f}){said}",
        known=known,
    )  # fmt: skip
