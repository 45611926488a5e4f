"""Questions to the steps of an exposure, asked of made-up light: no recipe is run."""

from types import SimpleNamespace

import numpy as np
import pytest

from ifuview.instrument import instrument
from ifuview.instrument.tables import Tables
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.model.verdict import VerdictState
from ifuview.recipes.lrs2.findings import Findings
from ifuview.recipes.lrs2.judge_sky import _around, _swapped, flux

LAYOUT = Tables("lrs2").fibers("orange", "7001")


def swapped(level: np.ndarray) -> Findings:
    found = Findings("flux", {}, SimpleNamespace(layout=LAYOUT, spec=instrument("lrs2")))
    error = 0.02 * np.sqrt(level)
    _swapped(found, level, error, _around(level, LAYOUT.x, LAYOUT.y))
    return found


@pytest.mark.parametrize("place", [(4.6, -2.1), (-5.8, 3.2), (0.3, -3.4), (0.4, 0.2)])
def test_a_bright_source_at_the_edge_of_the_field_accuses_no_fiber_but_a_swapped_pair_is_found(place):
    """Beside the edge a fiber's neighbors all lie on one side of it."""
    away = np.hypot(LAYOUT.x - place[0], LAYOUT.y - place[1])
    level = 0.4 + 300 * (1 + (away / 1.1) ** 2) ** -3.5
    assert not swapped(level)._found
    pair = np.argsort(away)[[4, 120]]
    level[pair] = level[pair[::-1]]
    (one,) = swapped(level)._found
    assert one.state is VerdictState.WRONG and set(one.fibers) == set(pair.tolist())


def lit(level: np.ndarray, error: float) -> Findings:
    """What is said of fibers with some light at all wavelengths."""
    wave = np.linspace(4000.0, 4100.0, 20)
    setup = SimpleNamespace(layout=LAYOUT, spec=instrument("lrs2"), skies=(), grid=wave)
    values = np.repeat(level[:, None], wave.size, axis=1)
    spectra = FiberSpectra(values, np.full(values.shape, wave.size * error**2), np.zeros(values.shape, np.uint32), wave)
    flux(found := Findings("flux", {}, setup), spectra)
    return found


def test_scattered_light_of_a_bright_star_swaps_no_fibers():
    """A star of 40 000 skies; what it scatters is known to a few skies."""
    away = np.hypot(LAYOUT.x + 4.0, LAYOUT.y + 2.0)
    level = 0.5 + 20000 * (1 + (away / 1.8) ** 2) ** -3.5
    hole, spot = np.argsort(away)[[150, 200]]
    stray = level.copy()
    stray[[hole, spot]] = stray[spot], stray[hole]
    assert VerdictState.WRONG not in {one.state for one in lit(stray, 0.03)._found}
    pair = np.argsort(away)[[8, 200]]
    level[pair] = level[pair[::-1]]
    (one,) = [one for one in lit(level, 0.03)._found if one.state is VerdictState.WRONG]
    assert set(one.fibers) == set(pair.tolist())
