"""Questions to the steps of an exposure, asked of made-up light: no recipe is run."""

from types import SimpleNamespace

import numpy as np
import pytest

from ifuview.instrument import instrument
from ifuview.instrument.tables import Tables
from ifuview.model.inspection import VerdictState
from ifuview.recipes.lrs2.findings import Findings
from ifuview.recipes.lrs2.judge_sky import _around, _swapped

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
