"""Cosmic rays: a tenth of a millisecond in which far more resonators see a photon than the light then allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.stats import poisson

from ifuview.engine.numeric.runs import runs
from ifuview.engine.photons.judge.chance import sigma_of
from ifuview.engine.photons.judge.gather import PhotonSums
from ifuview.model.checks import Array
from ifuview.model.photons.verdict import PhotonFault, PhotonFinding

SURE = 6.0  # sigma, trials counted
LEAST = 10  # resonators at once; fewer are no ray through the whole array
LIGHTER = 1.5  # light may be brighter within a fine bin than its mean
NEAR = 2  # fine bins to either side that say how bright it is
LONGEST = 8  # short bins; what lasts longer is no ray
ONE = 0.7  # of the photons of a ray; a board has no more of them
AROUND = 20  # short bins that are drawn to either side


def cosmic_rays(sums: PhotonSums) -> tuple[PhotonFinding | None, PhotonSums]:
    """Return the moments in which a cosmic ray hit the array, None if there are none, and the sums without them."""
    fast = sums.fast.astype(np.int64)
    usual = _usual(sums, len(fast))
    asked = np.flatnonzero((fast >= LEAST) & (fast > usual + 5 * np.sqrt(usual)))
    sigma = np.zeros(len(fast))
    sigma[asked] = sigma_of(np.minimum(poisson.logsf(fast[asked] - 1, LIGHTER * usual[asked]) + np.log(len(fast)), 0))
    stretches = [(a, b) for a, b in runs(sigma > SURE) if b - a <= LONGEST and _everywhere(sums, (a + b) // 2)]
    if not stretches:
        return None, sums
    best = max(stretches, key=lambda s: sigma[s[0] : s[1]].max())
    width = sums.duration / len(fast)
    extra = np.array([(fast[a:b] - usual[a:b]).sum() for a, b in stretches])
    at = best[0] + int(np.argmax(fast[best[0] : best[1]]))
    first, last = max(at - AROUND, 0), min(at + AROUND + 1, len(fast))
    number = int(fast[at])
    text = (
        f"{len(stretches)} cosmic ray{'s' * (len(stretches) != 1)}: the strongest at {at * width:.4f} s, where "
        f"{number} resonators see a photon within {width * 1e3:.2g} ms and {usual[at]:.2g} usually do; "
        f"about {extra.sum():.0f} photons in all."
    )
    found = PhotonFinding(
        PhotonFault.COSMIC, amount=float(len(stretches)), error=0.0, unit="rays",
        significance=float(sigma[best[0] : best[1]].max()),
        times=(float(best[0] * width), float(best[1] * width)), text=text,
        arrays={"edges": np.arange(first, last + 1) * width, "counts": fast[first:last], "expected": usual[first:last]},
    )  # fmt: skip
    calm = sums.fine.copy()
    for a, b in stretches:
        calm[:, a // _per(sums) : (b - 1) // _per(sums) + 1] = _around(sums, (a + b) // 2)[:, None]
    return found, replace(sums, fine=calm)


def _per(sums: PhotonSums) -> int:
    """Short bins in a fine one."""
    return len(sums.fast) // sums.fine.shape[1]


def _around(sums: PhotonSums, at: int) -> Array:
    """Photons of each board in the fine bins around a short one, by their median."""
    place = at // _per(sums)
    return np.asarray(np.median(sums.fine[:, max(place - NEAR, 0) : place + NEAR + 1], axis=1))


def _everywhere(sums: PhotonSums, at: int) -> bool:
    """Whether more than one board has the photons of a moment; those of one may have a clock that stands still."""
    more = np.maximum(sums.fine[:, at // _per(sums)] - _around(sums, at), 0)
    return bool(len(more) == 1 or more.max() < ONE * more.sum())


def _usual(sums: PhotonSums, number: int) -> Array:
    """Resonators that see a photon in each short bin: as in the second brightest of the fine bins around it.

    The brightest may have a ray; where light begins or ends, the others are darker.
    """
    total = sums.fast.reshape(sums.fine.shape[1], -1).sum(axis=1, dtype=np.int64) / (number // sums.fine.shape[1])
    padded = np.pad(total, NEAR, mode="edge")
    near = np.sort(np.lib.stride_tricks.sliding_window_view(padded, 2 * NEAR + 1), axis=1)[:, -2]
    return np.repeat(np.maximum(near, 0.1 * total.mean()), number // sums.fine.shape[1])
