"""The heat map of a night: worst verdict and first step of each camera."""

from __future__ import annotations

from ifuview.app.night.state import TriageState
from ifuview.app.night.views.heat import verdicts
from ifuview.instrument import instrument
from ifuview.model.night.exposures import NO_CHAIN
from ifuview.model.night.triage import Finding, Judged, TriageResult
from ifuview.model.verdict import VerdictState

CHAIN = instrument("desi").chain or NO_CHAIN


def test_a_cell_says_the_worst_and_where_it_began() -> None:
    """Wrong goes before known; what was judged in part, or is known, is no clean camera; the harmless is."""
    found = (
        Finding(1, "r6", "wavelength-blocks", "sky", fibers=(1,), significance=30.0),
        Finding(1, "r6", "isolated-fiber", "fiberflat", fibers=(2,), significance=9.0),
        Finding(1, "r7", "isolated-fiber", "fiberflat", fibers=(2,), known=True),
        Finding(1, "b6", "bright-neighbor", "light", fibers=(2,)),
    )
    cameras = ((1, "r6"), (1, "r7"), (1, "b6"), (1, "b7"))
    judged = tuple(Judged(expid, camera, 500, share=0.1 if camera == "b7" else 1.0) for expid, camera in cameras)
    made = verdicts(CHAIN, TriageState(TriageResult(found, cameras=cameras, judged=judged)))
    assert made[1, "r6"].state is VerdictState.WRONG
    assert (made[1, "r6"].first, made[1, "r6"].step) == ("sky", "sky model")
    assert {"sky", "sframe", "cframe"} <= made[1, "r6"].spoiled and "preproc" not in made[1, "r6"].spoiled
    assert [made[1, c].state for c in ("r7", "b6", "b7")] == [
        VerdictState.LOOK, VerdictState.CLEAN, VerdictState.LOOK
    ]  # fmt: skip
    assert "judged in part" in made[1, "b7"].text and (1, "z6") not in made
    assert not verdicts(CHAIN, None)
