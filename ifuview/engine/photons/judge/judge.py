"""All questions to a photon list, and the verdict that the answers make.

What explains more is asked first, and what it explains is left out of the rest: a moment in which the whole array
counts nothing is no time-out of ten thousand resonators, a pixel of a dead feedline is no dead pixel.
"""

from __future__ import annotations

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.judge import colors, pixels, times
from ifuview.engine.photons.judge.bursts import cosmic_rays
from ifuview.engine.photons.judge.clocks import clocks_off
from ifuview.engine.photons.judge.drifts import drifting
from ifuview.engine.photons.judge.gather import FEEDLINE, PhotonSums, gather
from ifuview.engine.photons.judge.scales import scaled
from ifuview.model.checks import Array
from ifuview.model.photons.lists import PhotonSource
from ifuview.model.photons.verdict import PhotonFault, PhotonFinding, PhotonVerdict

ORDER = tuple(PhotonFault)  # of findings that are as new as each other: what explains most comes first
ASKED = (
    "light of the array in time",
    "cosmic rays",
    "feedlines",
    "clocks",
    "drifts",
    "time-outs",
    "hot, cold and dead pixels",
    "double pixels",
)


def judge_photons(
    source: PhotonSource, *, nominal: float = np.nan, flat: bool = False, original: PhotonSource | None = None,
    ctx: JobContext = SILENT,
) -> PhotonVerdict:  # fmt: skip
    """Return the verdict on a photon list.

    Parameters
    ----------
    source : PhotonSource
        Passed once.
    nominal : float, nm, optional
        Of the laser, should the list be of one.
    flat : bool
        A flat is said to be in the weights.
    original : PhotonSource, optional
        The photons in the order of the file, where `source` has them in another one: a second pass, for the order.
    ctx : JobContext
        Asked at each block, so that it can be stopped.
    """
    part = ctx.part(0.0, 0.5) if original is not None else ctx.part(0.0, 0.8)
    sums = gather(source, weights=flat or source.info.weighted, ctx=part)
    in_order = sums if original is None else gather(original, ctx=ctx.part(0.5, 0.8))
    ctx.checkpoint(0.8, "what the photons say")
    return answer(sums, in_order, nominal=nominal, flat=flat, ctx=ctx)


def answer(
    sums: PhotonSums, in_order: PhotonSums, *, nominal: float = np.nan, flat: bool = False, ctx: JobContext = SILENT
) -> PhotonVerdict:
    """Return the verdict on sums; `in_order` are those of the photons in the order of the file."""
    found: list[PhotonFinding] = []
    late, shifted = clocks_off(sums)
    rays, sums = cosmic_rays(sums)
    drops, silent = times.feedlines_in_time(sums, shifted)
    changes, dark = times.array_in_time(sums, silent, shifted)
    without, out = pixels.feedlines(sums)
    out |= shifted
    ctx.checkpoint(0.85)
    clock = times.clocks(sums, silent | dark)
    lost, stopped, watched = times.time_outs(sums, clock, ~out)
    ctx.checkpoint(0.9)
    light = pixels.pixel_light(sums, out | stopped)
    hot = _resonators(sums, light.bad.hot) if light.bad is not None else np.zeros(len(out), bool)
    ctx.checkpoint(0.95)
    found += late + changes + drops + without + pixels.bad_pixels(sums, light)
    found += drifting(sums, clock, ~out & ~stopped & ~hot)
    found += [f for f in (rays, lost, pixels.saturated(sums, hot), pixels.doubles(sums),
                          times.photons_too_close(sums, _standing(sums, late)),
                          pixels.shared_resonators(sums.info.beammap))
              if f is not None]  # fmt: skip
    asked, reasons = list(ASKED), {}
    if sums.info.dead_time > 0:
        asked += ["rates", "dead time"]
    else:
        reasons["rates and dead time"] = "the file has no dead time"
    if in_order.ordered:
        asked.append("order of the photons")
        found += [f for f in (times.photons_in_order(in_order),) if f is not None]
    else:
        reasons["order of the photons"] = "they come sorted"
    _ask_colors(sums, light, hot, nominal, flat, found, asked, reasons)
    found.sort(key=lambda f: (f.known, ORDER.index(f.fault), -f.significance))
    usable = pixels.usable_pixels(sums.info.beammap)
    bright = light.bright | (usable & ~light.usable)  # what is told in another way is no question any more
    timed = usable & sums.info.beammap.image(watched | out, empty=False).astype(bool)
    return PhotonVerdict(
        tuple(found), int(sums.counts.sum()), sums.duration, int(usable.sum()), int(bright.sum()), int(timed.sum()),
        tuple(asked), reasons,
    )  # fmt: skip


def _ask_colors(
    sums: PhotonSums, light: pixels.PixelLight, hot: Array, nominal: float, flat: bool, found: list[PhotonFinding],
    asked: list[str], reasons: dict[str, str],
) -> None:  # fmt: skip
    """Wavelengths and weights; adds to findings, questions and reasons."""
    if sums.info.calibrated:
        asked += ["wavelengths of all pixels", "range of wavelengths"]
        found += colors.unsolved(sums, light.usable)
        beyond = colors.out_of_range(sums, hot)
        far = _of_pixels(sums, beyond)
        factor = None if np.isfinite(colors.has_line(sums)) else scaled(sums, light, hot | far)
        found += [f for f in (beyond, factor) if f is not None]
        if np.isfinite(colors.has_line(sums)):
            asked.append("places of the line")
            found += colors.lines(sums, nominal, hot)
            if not np.isfinite(nominal):
                reasons["wavelength of the line"] = "nobody says which laser it is"
        else:
            reasons["place of a line"] = "the light is of no laser"
    else:
        reasons["wavelengths"] = "the list has none"
    wrong, why = colors.flat(sums, light, flat)
    found += wrong
    if why:
        reasons["flat"] = why
    else:
        asked.append("flat")


def _standing(sums: PhotonSums, clocks: list[PhotonFinding]) -> Array:
    """Resonators of the feedlines whose clock stands still for a while; bool (n,)."""
    lines = [line for one in clocks if one.times is not None for line in one.feedlines]
    return np.isin(sums.info.beammap.ids // FEEDLINE, lines)


def _of_pixels(sums: PhotonSums, found: PhotonFinding | None) -> Array:
    """Resonators of the pixels of a finding; bool (n,)."""
    mask = np.zeros(sums.info.beammap.shape, bool)
    if found is not None:
        mask[found.pixels[:, 1], found.pixels[:, 0]] = True
    return _resonators(sums, mask)


def _resonators(sums: PhotonSums, mask: Array) -> Array:
    """Resonators of pixels; bool (n,)."""
    index = sums.info.beammap.index
    out = np.zeros(sums.info.beammap.nresonator, bool)
    out[index[mask & (index >= 0)]] = True
    return out
