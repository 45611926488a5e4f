"""Pixels whose photons are no light, or are missing: hot, cold, dead, saturated, feedlines without light, doubles."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ifuview.engine.photons.calibration.badpixels import (
    FWHM,
    HALF_WINDOW,
    RESPONSE,
    SIGMA,
    SURE,
    deviation,
    find_bad_pixels,
    median_of,
    neighbors,
    point_ratios,
)
from ifuview.engine.photons.judge.chance import excess
from ifuview.engine.photons.judge.gather import PhotonSums
from ifuview.engine.photons.judge.times import area_of, pixels_of
from ifuview.model.checks import Array
from ifuview.model.photons.lists import PROBLEM_FLAGS, Beammap
from ifuview.model.photons.masks import BadPixels
from ifuview.model.photons.verdict import PhotonFault, PhotonFinding

GIVEN_UP = "beammap."  # prefix of the flags of pixels that the beammap gave up
FOUND = ("found.hot", "found.cold", "found.dead")  # flags of pixels that were searched here
LEFT_OUT = (*PROBLEM_FLAGS, *FOUND)
LOST = 0.05  # of the photons in the dead time: the rate is beyond what the detector counts
DARK = 0.4  # of the light across the border of a feedline
SCATTER = 0.3  # of the ratio of two neighbors: response and light
BORDER = 12  # pairs of pixels across the border that are wanted
CLEAR = 6.0  # sigma, trials counted
TWINS = 0.1  # of the photons of a resonator that another one has at the same time
FEWEST_TWINS = 8
PARTS = 10  # of the time
PEAK, FAINT = 2.0, 25.0  # of the light that so many percent of the pixels have, at the middle of a star
HALF_LIGHT = 0.6  # of the most light: the star
CORE = 4  # px; what a mask may leave dark, and how well its place is known
POINTS = 60  # of a limit that is drawn
BRIGHT = 2.0  # photons of the light around that a pixel could have, in units of what `SURE` needs
NAMES = {PhotonFault.HOT: "hot", PhotonFault.COLD: "cold", PhotonFault.DEAD: "dead"}
FLAGS = {
    PhotonFault.HOT: ("pixcal.hot", "found.hot"),
    PhotonFault.COLD: ("pixcal.cold", "found.cold"),
    PhotonFault.DEAD: ("pixcal.dead", "beammap.noDacTone", "found.dead"),
}


@dataclass(frozen=True, slots=True, eq=False)
class PixelLight:
    """The image of a list, what was found in it, and what can be found.

    Parameters
    ----------
    counts : ndarray, int64, shape (ny, nx)
    usable : ndarray, bool
        Pixels that can be judged.
    bad, likely : BadPixels or None
        Those that are sure to be, and those of which a flag that says hot is right; None where nothing saw a photon.
    around : ndarray, float64
        Median of the good pixels around.
    bright : ndarray, bool
        Pixels among so much light that one without would be noticed.
    """

    counts: Array
    usable: Array
    bad: BadPixels | None
    likely: BadPixels | None
    around: Array
    bright: Array


def pixel_light(sums: PhotonSums, unasked: Array) -> PixelLight:
    """Look at the image; `unasked` (bool, n) are resonators that are known to be wrong in another way."""
    beammap = sums.info.beammap
    counts = beammap.image(sums.counts)
    usable = usable_pixels(beammap) & ~beammap.image(unasked, empty=True).astype(bool)
    if not np.any(usable & (counts > 0)):
        return PixelLight(counts, usable, None, None, np.zeros(counts.shape), np.zeros(counts.shape, bool))
    likely = find_bad_pixels(counts, usable)
    bad = _sure(likely, counts, usable, beammap.image(varying(sums)))
    good = usable & ~bad.bad
    around, _ = median_of(neighbors(counts.astype(float), good, HALF_WINDOW))
    bright = usable & (deviation(np.zeros(counts.shape), RESPONSE * around) < -SURE)
    return PixelLight(counts, usable, bad, likely, around, bright)


def varying(sums: PhotonSums) -> Array:
    """Relative variance of the light of each resonator over the whole time, beyond counting: of speckles; (n,).

    From `PARTS` parts of the time, which is longer than speckles live.
    """
    parts = sums.binned.reshape(len(sums.binned), PARTS, -1).sum(axis=2)
    return excess(parts, np.broadcast_to(parts.mean(axis=1, keepdims=True), parts.shape)) / PARTS


def _sure(bad: BadPixels, counts: Array, usable: Array, extra: Array) -> BadPixels:
    """Bad pixels that noise of their neighbors cannot explain either: of counts, and of light that varies (`extra`).

    Hot: above what a point source makes beside its brightest neighbor, or far above the median of the neighbors. Cold
    and dead: below half of the eight neighbors, those without a photon counted; where most pixels see nothing, as
    around a spot of light, those that do are not what a pixel is to be held against.
    """
    number = counts.astype(float)
    near = neighbors(number, usable & ~bad.hot, 1)
    close, known = median_of(near)
    brightest = np.take_along_axis(near, np.maximum(known - 1, 0)[None], axis=0)[0]
    brightest = np.where(known > 0, brightest, 0.0)
    beside, among = point_ratios(FWHM)
    shared, _ = median_of(neighbors(extra, usable & ~bad.hot, 1))
    noise = number + beside**2 * brightest + extra * number**2 + shared * (beside * brightest) ** 2
    hot = (number - beside * brightest) / np.sqrt(np.maximum(noise, 1.0)) > SURE
    hot |= deviation(number, among / RESPONSE * close + 1) > SIGMA * np.sqrt(1 + extra * number)
    low = deviation(number, RESPONSE * close) < -SURE * np.sqrt(1 + shared * RESPONSE * close)
    star = _masked_star(number, usable & ~bad.bad)
    return replace(bad, hot=bad.hot & hot, cold=bad.cold & low & ~star, dead=bad.dead & low)


def _masked_star(number: Array, good: Array) -> Array:
    """Pixels at the peak of the light, if it has one: the middle of a star behind a mask is dark by itself."""
    near = neighbors(number, good, HALF_WINDOW)
    around, known = median_of(near)
    lit = around[good]
    if not len(lit) or lit.max() < PEAK * np.percentile(lit, FAINT):
        return np.zeros(number.shape, bool)
    rows, columns = np.indices(number.shape)
    y, x = np.nonzero(good & (around > HALF_LIGHT * lit.max()))
    weight = around[y, x] / around[y, x].sum()
    mean = np.nansum(near, axis=0) / np.maximum(known, 1)
    top = np.unravel_index(int(np.argmax(mean)), mean.shape)
    middles = ((y * weight).sum(), (x * weight).sum()), top  # the wings may be cut by the border, the top a speckle
    return np.any([np.hypot(rows - y0, columns - x0) <= CORE for y0, x0 in middles], axis=0)


def usable_pixels(beammap: Beammap) -> Array:
    """Pixels with a resonator that the beammap did not give up; bool (ny, nx). A bit of two meanings does not count."""
    names = [n for n in beammap.flag_names if n.startswith(GIVEN_UP) and n not in beammap.flag_notes]
    return np.asarray(~beammap.flagged(names) & (beammap.index >= 0))


def bad_pixels(sums: PhotonSums, light: PixelLight) -> list[PhotonFinding]:
    """Return hot, cold and dead pixels: those that the flags leave in images, and those that they do not."""
    if light.bad is None or light.likely is None:
        return []
    beammap = sums.info.beammap
    left_out = beammap.flagged(LEFT_OUT)
    doubtful = beammap.flagged([name for name in beammap.flag_names if name.startswith(GIVEN_UP)])
    found = []
    for fault, name in NAMES.items():
        for known in (False, True):
            out = left_out | doubtful if fault is PhotonFault.DEAD else left_out  # given up: nothing is to be seen
            flagged = light.likely if fault is PhotonFault.HOT else light.bad
            chosen = getattr(flagged, name) & out if known else getattr(light.bad, name) & ~out
            if chosen.any():
                found.append(_bad(sums, light, fault, chosen, known))
    return found


def _bad(sums: PhotonSums, light: PixelLight, fault: PhotonFault, chosen: Array, known: bool) -> PhotonFinding:
    """Bad pixels of one kind."""
    assert light.bad is not None
    expected = light.around
    sigma = np.abs(deviation(light.counts.astype(float), np.maximum(expected, 0.5)))
    y, x = np.nonzero(chosen)
    order = np.argsort(-sigma[y, x], kind="stable")
    y, x = y[order], x[order]
    worst = float(light.counts[y[0], x[0]]), float(expected[y[0], x[0]])
    own = sums.info.beammap.flagged(FLAGS[fault])
    flagged = int(np.count_nonzero(own & light.usable & (light.counts > 0)))
    others = int(np.count_nonzero(own & light.usable & ~chosen & light.bright))
    text = (
        f"{len(x)} {NAMES[fault]} pixel{'s' * (len(x) != 1)} "
        f"{'that flags leave out of images' if known else 'in images'}; "
        f"the clearest, {x[0]}, {y[0]}, has {worst[0]:.0f} photons where {worst[1]:.0f} lie around it."
    )
    if known and others and fault is not PhotonFault.DEAD:
        text += f" {others} of {flagged} pixels flagged {NAMES[fault]} are not: their photons can be light."
    return PhotonFinding(
        fault, known=known, pixels=np.stack((x, y), axis=1), amount=worst[0] / sums.duration,
        error=float(np.sqrt(max(worst[0], 1.0))) / sums.duration, unit="photons/s",
        significance=float(sigma[y[0], x[0]]), text=text,
        arrays={"counts": light.counts[light.usable], "expected": expected[light.usable],
                "bad": chosen[light.usable], **_limit(fault, expected)},
    )  # fmt: skip


def _limit(fault: PhotonFault, around: Array) -> dict[str, Array]:
    """What a pixel may count among so much light: at most what a point source makes, at least half."""
    light = around[around > 0]
    at = np.geomspace(max(float(light.min(initial=1.0)), 0.5), max(float(light.max(initial=1.0)), 1.0), POINTS)
    among = point_ratios(FWHM)[1] * at
    return {"at": at, "limit": among + SIGMA * np.sqrt(among + 1) if fault is PhotonFault.HOT else RESPONSE * at}


def saturated(sums: PhotonSums, hot: Array) -> PhotonFinding | None:
    """Return resonators whose rate is beyond what their dead time lets them count; `hot` (bool, n) are told already."""
    dead = sums.info.dead_time
    if dead <= 0:
        return None
    width = float(sums.edges[1])
    limit = LOST / dead
    most, whole = sums.binned.max(axis=1), sums.counts
    in_bin, in_all = (
        deviation(n.astype(float), np.full(n.shape, limit * t)) for n, t in ((most, width), (whole, sums.duration))
    )
    sigma = np.maximum(in_bin, in_all)
    over = (sigma > CLEAR) & ~hot
    if not over.any():
        return None
    order = np.flatnonzero(over)[np.argsort(-sigma[over], kind="stable")]
    worst = int(order[0])
    number, span = (most, width) if in_bin[worst] > in_all[worst] else (whole, sums.duration)
    rate = float(number[worst]) / span
    return PhotonFinding(
        PhotonFault.SATURATED, pixels=pixels_of(sums, order), amount=rate, error=float(np.sqrt(number[worst])) / span,
        unit="photons/s", significance=float(sigma[worst]),
        text=f"{len(order)} resonator{'s' * (len(order) != 1)} count{'s' * (len(order) == 1)} more than {limit:.0f} "
        f"photons/s, where {LOST:.0%} of them fall into the dead time; the highest {rate:.0f}.",
        arrays={"edges": sums.edges, "counts": sums.binned[worst], "limit": np.array([limit * width])},
    )  # fmt: skip


def feedlines(sums: PhotonSums) -> tuple[list[PhotonFinding], Array]:
    """Return feedlines without light, or with much less than across their border, and bool (n,) of their resonators."""
    beammap, line = sums.info.beammap, sums.feedline
    out = np.zeros(len(line), bool)
    image = np.where(usable_pixels(beammap), beammap.image(line, empty=-1), -1)
    names = np.unique(image[image >= 0])
    if len(names) < 2:
        return [], out
    counts = beammap.image(sums.counts).astype(float)
    ratio, error = (np.full(len(names), np.nan) for _ in range(2))
    for k, name in enumerate(names.tolist()):
        inside, outside = _across(image, name)
        if len(inside) >= BORDER:
            ratio[k], error[k] = _ratio(counts.ravel()[inside], counts.ravel()[outside])
    sigma = (1 - ratio) / error
    found = []
    for k in np.flatnonzero((ratio < DARK) & (sigma > CLEAR)).tolist():
        name = int(names[k])
        own = line == name
        dead = sums.counts[own].sum() == 0
        out |= own
        text = "counts nothing" if dead else f"counts {ratio[k]:.2g} +- {error[k]:.1g} of the light across its border"
        found.append(PhotonFinding(
            PhotonFault.FEEDLINE_DEAD if dead else PhotonFault.FEEDLINE_DARK, amount=float(ratio[k]),
            error=float(error[k]), unit="of the light", significance=float(sigma[k]), feedlines=(name,),
            area=area_of(sums, own),
            text=f"Feedline {name} {text}; {np.count_nonzero(own)} resonators.",
            arrays={"feedline": names, "ratio": ratio, "error": error, "limit": np.array([DARK])},
        ))  # fmt: skip
    return found, out


def _across(image: Array, name: int) -> tuple[Array, Array]:
    """Flat places of neighboring pixels, the first of a feedline, the second of another one."""
    flat = np.arange(image.size).reshape(image.shape)
    inside, outside = [], []
    for a, b in ((np.s_[:-1, :], np.s_[1:, :]), (np.s_[:, :-1], np.s_[:, 1:])):
        for one, two in ((a, b), (b, a)):
            pair = (image[one] == name) & (image[two] >= 0) & (image[two] != name)
            inside.append(flat[one][pair])
            outside.append(flat[two][pair])
    return np.concatenate(inside), np.concatenate(outside)


def _ratio(inside: Array, outside: Array) -> tuple[float, float]:
    """Ratio of the light of pairs, none of more weight than the usual bright one; 1 sigma of it."""
    weight = 1.0 / np.maximum((inside + outside) / 2, 1.0) * np.minimum(inside + outside, 4.0)
    a, b = float((inside * weight).sum()), float((outside * weight).sum())
    if b <= 0:
        return 1.0, np.inf
    noise = (weight**2 * (inside + outside + (SCATTER * outside) ** 2)).sum()
    return a / b, float(np.sqrt(noise)) / b


def shared_resonators(beammap: Beammap) -> PhotonFinding | None:
    """Return pixels that show the photons of another pixel: one resonator at two places of the beammap."""
    index = beammap.index[beammap.index >= 0]
    number = np.bincount(index, minlength=max(beammap.nresonator, 1))
    y, x = np.nonzero((beammap.index >= 0) & (number[np.maximum(beammap.index, 0)] > 1))
    if not len(x):
        return None
    flagged = beammap.flagged(("beammap.duplicatePixel", "beammap.double", *LEFT_OUT))[y, x].all()
    order = np.argsort(beammap.index[y, x], kind="stable")
    return PhotonFinding(
        PhotonFault.SHARED, known=bool(flagged), pixels=np.stack((x, y), axis=1)[order], amount=float(len(x)),
        error=0.0, unit="pixels", text=f"{len(x)} pixels share {np.count_nonzero(number > 1)} resonators in the "
        "beam map: the same photons are at several places.",
    )  # fmt: skip


def doubles(sums: PhotonSums) -> PhotonFinding | None:
    """Return pairs of resonators that count the same photons: in the same microsecond, or the next."""
    time, which = sums.first_time, sums.first_resonator.astype(np.int64)
    if len(time) < 2:
        return None
    number = sums.info.beammap.nresonator
    keys = []
    for step in (1, 2, 3):
        close = (time[step:] - time[:-step] <= 1) & (which[step:] != which[:-step])
        a, b = which[:-step][close], which[step:][close]
        keys.append(np.minimum(a, b) * number + np.maximum(a, b))
    pairs, same = np.unique(np.concatenate(keys), return_counts=True)
    own = np.bincount(which, minlength=number).astype(float)
    a, b = np.divmod(pairs, number)
    span = max(float(time[-1] - time[0]), 1.0)
    chance = own[a] * own[b] * 3 / span  # 1 microsecond to either side
    sigma = deviation(same.astype(float), chance)
    twins = (same >= FEWEST_TWINS) & (same > TWINS * np.minimum(own[a], own[b])) & (sigma > CLEAR)
    if not twins.any():
        return None
    order = np.flatnonzero(twins)[np.argsort(-sigma[twins], kind="stable")]
    best = int(order[0])
    share = float(same[best] / min(own[a[best]], own[b[best]]))
    both = np.stack((a[order], b[order]), axis=1).ravel()
    both = both[np.sort(np.unique(both, return_index=True)[1])]
    return PhotonFinding(
        PhotonFault.DOUBLE, pixels=pixels_of(sums, both), amount=share, unit="of the photons",
        error=float(np.sqrt(same[best])) / float(min(own[a[best]], own[b[best]])), significance=float(sigma[best]),
        text=f"{len(order)} pair{'s' * (len(order) != 1)} of resonators count the same photons: {same[best]} in the "
        f"same moment, {chance[best]:.2g} by chance.",
        arrays={"edges": sums.edges, "counts": sums.binned[a[best]], "other": sums.binned[b[best]]},
    )  # fmt: skip
