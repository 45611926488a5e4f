"""Two groups of fibers that differ by far more than the fibers of either: a large part of them is off alike.

Where nearly half of the fibers are wrong their median is no longer that of right ones, and none stands out. Of all ways
to cut the sorted values in two the one with least scatter inside is taken (Otsu 1979). Values of one kind, however they
scatter, then differ by less than three scatters of a half; two groups by much more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.numeric.medians import robust_sigma
from ifuview.model.checks import Array

PART = 0.15  # of the fibers that a group has at least
ENOUGH = 24  # fibers
APART = 5.0  # scatters of a group: of one kind, Gaussian or evenly spread, the halves differ by 2.7
BETWEEN, FEW = 0.1, 0.04  # of their distance, on either side of the middle; fibers there: of a wave there are 9 %
OF_IT = 5.0  # scatters from its group of a fiber that belongs to it


@dataclass(frozen=True, slots=True, eq=False)
class TwoGroups:
    """The lower and the upper group.

    Parameters
    ----------
    low, high : ndarray of bool, shape (nfiber,)
    values : (float, float)
        Their medians.
    errors : (float, float)
        Of these, by the scatter of each group.
    """

    low: Array
    high: Array
    values: tuple[float, float]
    errors: tuple[float, float]

    @property
    def significance(self) -> float:
        """Sigma of their difference."""
        return (self.values[1] - self.values[0]) / float(np.hypot(*self.errors))


def two_groups(value: Array, error: Array, use: Array, enough: int = ENOUGH) -> TwoGroups | None:
    """The two groups that the fibers in `use` are, shape (nfiber,) each; None if they are of one kind, or not `enough`.

    Of few values, as means of bundles, one may lie between the groups.
    """
    use = use & np.isfinite(value) & np.isfinite(error) & (error > 0)
    count = int(np.count_nonzero(use))
    if count < enough:
        return None
    values = np.sort(value[use])
    number, total = np.arange(1, count), np.cumsum(values)
    between = (total[:-1] - number * total[-1] / count) ** 2 / (number * (count - number))
    least = max(int(PART * count), 2)
    cut = least + int(np.argmax(between[least - 1 : count - least]))
    parts = values[:cut], values[cut:]
    noise = float(np.median(error[use]))
    centers = [float(np.median(part)) for part in parts]
    scatters = [max(robust_sigma(part), noise) for part in parts]
    if centers[1] - centers[0] < APART * max(scatters):
        return None
    middle = 0.5 * (centers[0] + centers[1])
    if np.count_nonzero(np.abs(values - middle) < BETWEEN * (centers[1] - centers[0])) > max(FEW * count, 1.0):
        return None
    split = 0.5 * (values[cut - 1] + values[cut])
    low, high = (
        use & side & (np.abs(value - center) < OF_IT * max(scatters))
        for side, center in zip((value < split, value >= split), centers, strict=True)
    )
    errors = [s / float(np.sqrt(part.size)) for s, part in zip(scatters, parts, strict=True)]
    return TwoGroups(low, high, (centers[0], centers[1]), (errors[0], errors[1]))
