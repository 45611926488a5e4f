"""Weak patterns of the read-out: levels of rows, a slow drift, a level of one amplifier or of both of one side."""

from __future__ import annotations

import numpy as np

from ifuview.engine.night.questions.amplifiers import listed
from ifuview.engine.night.questions.case import COUNTS, E_PER_A, Case
from ifuview.engine.night.questions.detector import area_of
from ifuview.engine.night.search.coherent import SLOW, halves, row_score, slow_bins, slow_score, unsteady
from ifuview.engine.night.search.levels import BIN, Levels
from ifuview.engine.night.search.noise import bounds
from ifuview.engine.night.stats import without_gaps
from ifuview.model.checks import Array
from ifuview.model.night.chain import Section

ROWS, DRIFT = 4.1, 4.6  # sigma of the pairs; levels of S/N 20 make 5.9 +- 1.0, the worst healthy amplifier had 4.0
WORTH, FAR = 2.0, 3.0  # sigma by wavelength from which rows are looked at; that a pixel can count
OTHERWISE = ("wavelength-blocks", "block-throughput", "sky-line residual")  # tell of their fibers
OFFSET, LEAST = 6.0, 0.008  # sigma of a contrast, and part of the sky
UNSTEADY = 3.0  # chi2 of a level along the rows from which it is none
HALF_SEEN = 3.0  # sigma of the weaker half where both have it
ALIKE = 4.0  # sigma that two contrasts may differ by and be one


def weak_rows(case: Case, lines_off: Array | float, pixels: tuple[Array, Array]) -> None:
    """Ask for what the strong test of the rows cannot see.

    Parameters
    ----------
    case : Case
    lines_off : ndarray or float
        What lines leave in the residual.
    pixels : (ndarray, ndarray)
        See `row_pixels`.
    """
    chain = case.chain
    if chain.cross is None or chain.disp is None or case.clean is None:
        return
    row = np.rint(chain.disp).astype(np.int32)
    areas = {name: area for name, area in case.areas.items() if name not in case.bad_amplifiers}
    told = {f.amplifier for f in case.findings if f.kind == "ccd-row"}
    offset = any(f.kind == "amplifier-step" for f in case.findings)
    if not case.asks("ccd-row"):
        return
    z, use = pixels
    beside = {s.disp for s in chain.sections if s.name in case.bad_amplifiers}  # the sky model has its reverse there
    told |= {s.name for s in chain.sections if s.disp in beside}
    z, use, weight, along = (np.asfortranarray(v) for v in (z, use, case.weight, row))  # it goes through them so
    for name, area in areas.items():
        if name in told:
            continue
        box = bounds(area)
        score, rms = row_score(z[box], weight[box], np.asfortranarray(area[box]) & use[box], along[box])
        if score > ROWS:
            told.add(name)
            _rows(case, name, area, score, rms)
    varies = bool(case.line_tilt.any()) or any(f.kind == "sky-gradient" for f in case.findings)
    if not offset and not varies and not case.bad_amplifiers:
        _drift(case, {n: a for n, a in areas.items() if n not in told}, row, lines_off)


def _rows(case: Case, name: str, area: Array, score: float, rms: float) -> None:
    known, said = listed(case, name)
    fibers, span = area_of(case, area)
    case.add(
        "ccd-row", "preproc", fibers=fibers, wave_range=span, amplifier=name, amplitude=rms, unit=COUNTS, known=known,
        significance=score, confidence=0.8, detail={"pairs": round(score, 1)},
        text=f"Rows of amplifier {name} have levels of their own, {rms:.1f} {E_PER_A} (fibers "
        f"{fibers[0]}-{fibers[-1]}): "
        f"noise of the read-out that whole rows share{said}",
    )  # fmt: skip


def _drift(case: Case, areas: dict[str, Array], row: Array, lines_off: Array | float) -> None:
    """A slow pattern along the rows of one amplifier: its neighbor has the negative of it, by the sky model."""
    chain = case.chain
    assert case.clean is not None
    z = np.clip(without_gaps(case.clean - case.expected - lines_off) / case.sigma, -FAR, FAR)
    step = max(1.0, float(np.median(np.diff(row[row.shape[0] // 2]))))
    told = sorted({f for x in case.findings if x.kind in OTHERWISE for f in x.fibers if len(x.fibers) < z.shape[0]})
    usable = case.good.copy()
    usable[told] = False  # what a part of the slit has is known already
    for disp in sorted({s.disp for s in chain.sections}):
        names = [s.name for s in chain.sections if s.disp == disp and s.name in areas]
        if len(names) < 2:
            continue
        known = np.logical_or.reduce([areas[n] for n in names]) & usable
        fibers = {n: np.asarray(areas[n].any(axis=1)) for n in names}
        waves = _slow(z, known, None, fibers)
        if max(score for score, _ in waves.values()) < WORTH:  # what keeps to rows nearly keeps to wavelengths
            continue
        own = np.where(known, z - (z * known).sum(axis=0) / np.maximum(known.sum(axis=0), 1), 0.0)
        bins = (row / step).astype(np.intp) // SLOW
        rows = _slow(own, known, bins, fibers)
        by_row, by_wave = (_slow(own, known, at, fibers, centered=False) for at in (bins, None))
        name = max(names, key=lambda n: by_row[n][0] - by_wave[n][0])  # the other one follows wavelengths, not rows
        if max(waves[name][0], min(r[0] for r in rows.values())) > DRIFT:  # targets make levels: they tell no drift
            _drifting(case, name, areas[name], rows[name], waves[name][0], [n for n in names if n != name])


def _slow(
    z: Array, known: Array, place: Array | None, fibers: dict[str, Array], centered: bool = True
) -> dict[str, tuple[float, float]]:
    """Score and rms of every amplifier."""
    value, full = slow_bins(z, known, place, centered)
    return {name: slow_score(value, full, of) for name, of in fibers.items()}


def _drifting(
    case: Case, name: str, area: Array, rows: tuple[float, float], waves: float, others: list[str]
) -> None:  # fmt: skip
    known, said = listed(case, name)
    fibers, span = area_of(case, area)
    rms = rows[1] * float(np.median(case.sigma))
    case.add(
        "ccd-row", "preproc", fibers=fibers, wave_range=span, amplifier=name, amplitude=rms, unit=COUNTS,
        known=known, significance=max(rows[0], waves), confidence=0.6,
        detail={"rows": round(rows[0], 1), "waves": round(waves, 1)},
        text=f"The level of amplifier {name} drifts slowly along its rows by {rms:.1f} {E_PER_A} (fibers {fibers[0]}-"
        f"{fibers[-1]}); amplifier {', '.join(others)} shows the reverse, which the sky model makes of it{said}; the "
        "preproc image would tell for sure",
    )  # fmt: skip


def offsets(case: Case, of: Levels | None) -> bool:
    """Note a level of one amplifier, or of both on one side, in the sky fibers, and take it off with `row_light`."""
    chain = case.chain
    if of is None or chain.is_sky is None or chain.cross is None or chain.disp is None or len(chain.sections) != 4:
        return False
    use = chain.is_sky & case.measured & ~case.known & ~case.in_bad_amplifier
    edge_x, edge_y = max(s.cross[0] for s in chain.sections), max(s.disp[0] for s in chain.sections)
    left = chain.cross[use, chain.cross.shape[1] // 2] < edge_x
    if not case.asks("amplifier-step") or min(np.count_nonzero(left), np.count_nonzero(~left)) < 6:
        return False
    middle = np.minimum(np.arange(of.wave.size) * BIN + BIN // 2, chain.disp.shape[1] - 1)
    lower = chain.disp[use][:, middle] < edge_y
    values = of.value[use] + case.tilt[use][:, None] * of.sky
    value, error = halves(values, of.error[use], of.sky, left, lower, _places(case, use))
    score = np.abs(value) / error
    hit = (score > OFFSET) & (np.abs(value) > LEAST * float(np.median(of.sky)))
    pairs = {k: [s for s in chain.sections if (s.disp[0] >= edge_y) == bool(k)] for k in (0, 1)}
    sides = {k: sorted(v, key=lambda s: s.cross[0]) for k, v in pairs.items()}
    both = hit.all() or (np.sign(value[0]) == np.sign(value[1]) and score.min() > HALF_SEEN)
    if hit.any() and both and abs(value[0] - value[1]) < ALIKE * float(np.hypot(*error)):
        level = float(value.mean())
        _step(case, (sides[0][1].name, sides[1][1].name), level, float(score.max()), "the other side")
        _taken_off(case, [sides[0][1], sides[1][1]], level, use)
        return True
    hit &= [unsteady(values, of.error[use], left, half) < UNSTEADY for half in (lower, ~lower)]  # else it drifts
    for k in (k for k in (0, 1) if hit[k]):
        _step(case, (sides[k][0].name, sides[k][1].name), float(value[k]), float(score[k]), "")
        _taken_off(case, [sides[k][1]], float(value[k]), use)
    return bool(hit.any())


def _taken_off(case: Case, sections: list[Section], level: float, sky: Array) -> None:
    """Take a level off the pixels of amplifiers, and what the mean of the sky fibers made of it off all."""
    chain = case.chain
    assert chain.cross is not None and chain.disp is not None
    area = np.logical_or.reduce([case.areas[s.name] for s in sections])
    case.row_light = case.row_light + (level * (area - area[sky].mean(axis=0))).astype(np.float32)


def _places(case: Case, use: Array) -> Array:
    """Place of fibers in the field, scaled; 0 where unknown."""
    chain = case.chain
    out = np.zeros((int(use.sum()), 2))
    for k, values in enumerate((chain.focal_x, chain.focal_y)):
        if values is not None:
            own = np.nan_to_num(values[use] - np.nanmean(values[use]))
            out[:, k] = own / max(float(np.std(own)), 1e-6)
    return out


def _step(case: Case, names: tuple[str, str], value: float, score: float, side: str) -> None:
    """Amplifiers whose level differs from that of the others."""
    known, said = listed(case, "/".join(names))
    chain = case.chain
    assert chain.cross is not None and chain.disp is not None
    of = [s for s in chain.sections if s.name in (names if side else names[1:])]
    area = np.logical_or.reduce([case.areas[s.name] for s in of])
    share = area.mean(axis=1)
    fibers = tuple(int(f) for f in np.flatnonzero(share > share.max() / 2))
    if side:
        who = f"Amplifiers {names[0]} and {names[1]} have {value:+.1f} {E_PER_A} more than {side}"
        text = f"{who}, whatever the sky is there"
    else:
        text = f"Amplifier {names[1]} has {value:+.1f} {E_PER_A} more than amplifier {names[0]} beside it, in the "
        text += "sky fibers: a level of one of the two; the preproc image tells which"
    case.add(
        "amplifier-step", "preproc", fibers=fibers, amplifier="/".join(names), amplitude=value, unit=COUNTS,
        significance=score, confidence=0.8, known=known, text=text + said,
        detail={"sky_fibers": True, "side": bool(side)},
    )  # fmt: skip
