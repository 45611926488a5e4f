"""Each step of a channel judged by its own numbers: what is wrong, where, how sure; limits from the instrument file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from ifuview.model.verdict import VerdictState
from ifuview.recipes.graph import StepResult, StepVerdict
from ifuview.recipes.lrs2 import judge_lamps as lamps
from ifuview.recipes.lrs2 import judge_sky as sky
from ifuview.recipes.lrs2.findings import Findings
from ifuview.recipes.lrs2.recipe import RECIPE
from ifuview.recipes.lrs2.values import ChannelSetup


def judged(
    steps: Mapping[str, StepResult], setup: ChannelSetup, names: Collection[str] = ()
) -> tuple[StepVerdict, ...]:
    """Verdicts of all steps in their order; one that could not be made is wrong, those that rest on it are not judged.

    Parameters
    ----------
    steps : mapping of str to StepResult
        Of `graph.run`.
    setup : ChannelSetup
        Its instrument has the limits.
    names : collection of str, optional
        Only these. Default: all.
    """
    out = []
    for name, one in steps.items():
        if names and name not in names:
            continue
        found = Findings(name, steps, setup)
        if one.value is not None:
            ASKED[name](found, one.value)
        elif _follows(name, steps):
            found.say(VerdictState.NOT_JUDGED, f"not made: {one.reason}")
        elif name == "spectrum":
            sky.no_source(found, one.reason)
        else:
            found.say(VerdictState.WRONG, one.reason)
        out.append(found.verdict())
    return tuple(out)


def _follows(name: str, steps: Mapping[str, StepResult]) -> bool:
    """Whether a step is not there for no fault of its own: another one is not."""
    needed = [need for need, optional in RECIPE.step(name).wanted() if not optional]
    return any(need in steps and steps[need].value is None for need in needed)


ASKED: Mapping[str, Callable[[Findings, object], None]] = {
    "biases": lamps.biases, "dark": lamps.dark, "flat": lamps.detector, "traces": lamps.traces,
    "profile": lamps.profile, "arcs": lamps.arcs, "wave": lamps.wave, "response": lamps.response,
    "science": lamps.detector, "spectra": sky.spectra, "drift": sky.drift, "curve": sky.curve, "flux": sky.flux,
    "sources": sky.sources, "sky": sky.sky, "field": sky.field, "spectrum": sky.spectrum, "cubes": sky.cubes,
    "picture": sky.picture,
}  # fmt: skip
