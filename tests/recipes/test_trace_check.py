"""The recipe gives what its steps give, with and without traces."""

from __future__ import annotations

import numpy as np

from ifuview.engine.context import JobContext
from ifuview.recipes import RECIPES
from ifuview.recipes.trace_check import run
from ifuview.simulate.detector import expose


def test_the_recipe_runs_with_and_without_traces():
    made = expose("tiny", snr=50, seed=3)
    seen: list[float] = []
    given = run(made.image, made.traces, gain=1.0, readnoise=3.0)
    alone = run(made.image, gain=1.0, readnoise=3.0, ctx=JobContext(lambda fraction, _: seen.append(fraction)))
    assert "trace_check" in RECIPES
    assert given.verdict == alone.verdict
    assert np.nanmax(np.abs(alone.measured.center - given.measured.center)) < 0.2
    assert seen == sorted(seen)
