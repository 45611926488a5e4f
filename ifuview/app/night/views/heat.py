"""The night as a heat map: what was found in each camera of each exposure, and where it went wrong first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ifuview.app.night.state import TriageState
from ifuview.app.night.views.verdict import is_wrong, kind_words, product_of, spoils, step_words
from ifuview.model.chain_spec import ChainSpec
from ifuview.model.night.triage import Finding
from ifuview.model.verdict import VerdictState


@dataclass(frozen=True, slots=True)
class CameraVerdict:
    """What is known of one camera in one exposure.

    Parameters
    ----------
    state : VerdictState
    first : str
        The product that shows the worst of it first, "" without one.
    step : str
        The first wrong step of the worst, as the bar calls it.
    spoiled : frozenset of str
        Products that are wrong, or made from one that is.
    text : str
        What was found, for a tool tip.
    """

    state: VerdictState
    first: str = ""
    step: str = ""
    spoiled: frozenset[str] = frozenset()
    text: str = ""


NOT_ASKED = CameraVerdict(VerdictState.NOT_JUDGED)


def verdicts(spec: ChainSpec, state: TriageState | None) -> Mapping[tuple[int, str], CameraVerdict]:
    """Verdict by exposure and camera of all cameras that were asked."""
    if state is None:
        return {}
    own: dict[tuple[int, str], list[Finding]] = {camera: [] for camera in state.result.cameras}
    for finding in state.result.findings:
        own.setdefault((finding.expid, finding.camera), []).append(finding)
    whole = {(judged.expid, judged.camera): judged.whole for judged in state.result.judged}
    return {camera: _verdict(spec, found, whole.get(camera, False)) for camera, found in own.items()}


def _verdict(spec: ChainSpec, found: list[Finding], whole: bool) -> CameraVerdict:
    """The worst of what was found, which comes first."""
    wrong = [finding for finding in found if is_wrong(finding)]
    words = [f"{kind_words(f)}, {f.significance:.0f} sigma" for f in wrong]
    words += [f"known: {kind_words(f)}" for f in found if f.known]
    words += [] if whole else ["judged in part"]
    if wrong:
        spoiled = frozenset(p for f in wrong for p in spoils(spec, product_of(spec, f)))
        worst = wrong[0]  # as in the bar and the list of problems
        return CameraVerdict(
            VerdictState.WRONG, product_of(spec, worst), step_words(worst), spoiled, "\n".join(words)
        )  # fmt: skip
    level = VerdictState.LOOK if words else VerdictState.CLEAN
    return CameraVerdict(level, text="\n".join(words) or "nothing found")
