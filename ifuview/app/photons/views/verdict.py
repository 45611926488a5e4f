"""The verdict on a photon list: problems by cause in words, and the chain from packets to the image."""

from __future__ import annotations

import math

from ifuview.app.photons.judging import CUTS, DOCK, STOPPED
from ifuview.app.photons.state import PhotonFrame, PhotonJudged, Shown
from ifuview.app.photons.units import plain
from ifuview.app.photons.which import photon_frame
from ifuview.app.session import Session, Slot
from ifuview.model.photons.lists import TICK
from ifuview.model.photons.verdict import PhotonFault, PhotonFinding, PhotonStep, PhotonVerdict
from ifuview.model.verdict import ChainCell, VerdictProblem, VerdictState, VerdictView

DOT = " \u00b7 "
SHORT = 0.1  # s; less is said in ms
ALMOST = 1e-6  # of a digit
NAMED = 4  # pixels, or problems, that are written out
MOST_SIGMA = 50.0  # more is said as "over"
WORDS = {
    PhotonFault.FEEDLINE_DEAD: "a feedline counts nothing",
    PhotonFault.FEEDLINE_DARK: "a feedline is dark",
    PhotonFault.FEEDLINE_DROP: "a feedline drops out",
    PhotonFault.DROP: "the whole array loses light",
    PhotonFault.SPIKE: "the whole array counts too much",
    PhotonFault.CLOCK: "the clock of a feedline is off",
    PhotonFault.DRIFT: "the response drifts",
    PhotonFault.COSMIC: "cosmic rays",
    PhotonFault.TIME_OUT: "{n} resonator{s} time{v} out",
    PhotonFault.HOT: "{n} hot pixel{s}",
    PhotonFault.COLD: "{n} cold pixel{s}",
    PhotonFault.DEAD: "{n} dead pixel{s}",
    PhotonFault.SATURATED: "{n} pixel{s} beyond saturation",
    PhotonFault.DOUBLE: "{n} pixel{s} count{v} the same photons",
    PhotonFault.SHARED: "{n} pixel{s} share{v} resonators",
    PhotonFault.ORDER: "photons are out of time order",
    PhotonFault.SHORT: "{n} resonator{s} count{v} within the dead time",
    PhotonFault.UNSOLVED: "{n} pixel{s} without wavelengths",
    PhotonFault.WRONG_LINE: "the line is at the wrong wavelength",
    PhotonFault.OFF_LINE: "{n} pixel{s} with the line elsewhere",
    PhotonFault.OUT_OF_RANGE: "{n} pixel{s} with impossible wavelengths",
    PhotonFault.SCALED: "{n} pixel{s} with wavelengths off by a factor",
    PhotonFault.BAD_WEIGHTS: "weights that are no numbers",
    PhotonFault.WRONG_FLAT: "the flat does not fit",
}
QUESTIONS = {  # those that make a step clean when they were answered
    PhotonStep.PACKETS: ("order of the photons", "time-outs"),
    PhotonStep.LIST: ("time-outs",),
    PhotonStep.WAVELENGTHS: ("wavelengths of all pixels",),
    PhotonStep.FLAT: ("flat",),
    PhotonStep.IMAGE: ("hot, cold and dead pixels",),
}


def make(session: Session) -> VerdictView | None:
    """The bar; None where the frame has nothing to do with a photon list."""
    slot = photon_frame(session)
    if slot is None:
        return None
    frame = slot.photons
    judged = None if frame is None else frame.judged
    if frame is None or judged is None or not judged.about(frame.stack):
        judged = PhotonJudged(why="" if session.judges and not session.headless else "nobody has asked")
    if frame is None or judged.found is None:
        return _without(slot, frame, judged)
    return _with(frame, judged, judged.found)


def _without(slot: Slot, frame: PhotonFrame | None, judged: PhotonJudged) -> VerdictView:
    """The bar before there is a verdict."""
    steps = () if frame is None else chain(frame, None, judged)
    name = frame.name if frame is not None and frame.name else slot.title
    if not judged.why:
        headline = f"PHOTONS of {name} are being judged"
        return VerdictView(VerdictState.JUDGING, headline, chain=steps, fraction=0.0, dock=DOCK)
    why = judged.why if judged.why != STOPPED else "it was stopped"
    return VerdictView(VerdictState.NOT_JUDGED, f"PHOTONS of {name} not judged: {why}", chain=steps, dock=DOCK)


def _with(frame: PhotonFrame, judged: PhotonJudged, found: PhotonVerdict) -> VerdictView:
    """The bar of a verdict."""
    raw = is_raw(frame)
    problems = tuple(_problem(finding, number, raw=raw) for number, finding in enumerate(found.findings))
    chosen = problems[judged.problem] if 0 <= judged.problem < len(problems) else None
    state = overall(found)
    return VerdictView(
        state=state if chosen is None else chosen.state,
        headline=_headline(found, state) if chosen is None else chosen.headline,
        detail=_detail(found, problems) if chosen is None else chosen.detail,
        judged=judged_words(found),
        unasked="\n".join(f"Not asked: {what}: {why}." for what, why in found.not_asked.items()),
        problems=problems,
        problem=judged.problem if chosen is not None else -1,
        chain=chain(frame, found, judged),
        proof=chosen is not None and found.findings[judged.problem].times is not None,
        dock=DOCK,
    )


def overall(found: PhotonVerdict) -> VerdictState:
    """The worst: a fault that nobody knew of; a known one, or pixels too faint to be asked; else clean."""
    if any(not finding.known for finding in found.findings):
        return VerdictState.WRONG
    whole = min(found.bright, found.timed) == found.pixels
    return VerdictState.LOOK if found.findings or not whole else VerdictState.CLEAN


def state_of(finding: PhotonFinding) -> VerdictState:
    """Of one finding."""
    return VerdictState.LOOK if finding.known else VerdictState.WRONG


def words(finding: PhotonFinding) -> str:
    """What it is, with how many."""
    number = len(finding.pixels)
    return WORDS[finding.fault].format(n=number, s="s" if number != 1 else "", v="" if number != 1 else "s")


def _headline(found: PhotonVerdict, state: VerdictState) -> str:
    """All that is new in one line, else all that is known; else what was looked at."""
    new = [words(f) for f in found.findings if not f.known]
    old = [words(f) for f in found.findings if f.known]
    if new or old:
        told = new or old
        more = f" and {len(told) - NAMED} more" if len(told) > NAMED else ""
        return f"PHOTONS {'wrong' if new else 'known'}: {DOT.join(told[:NAMED])}{more}"
    of = f"{plain(found.photons)} photons"
    if state is VerdictState.CLEAN:
        return f"PHOTONS clean: nothing found in {of}"
    seen, what = (found.bright, "to be judged") if found.bright < found.pixels else (found.timed, "for time-outs")
    faint = f"{plain(found.pixels - seen)} of {plain(found.pixels)} pixels are too faint {what}"
    return f"PHOTONS: nothing found in {of}; {faint}"


def _detail(found: PhotonVerdict, problems: tuple[VerdictProblem, ...]) -> str:
    """What stands below: of the worst, and of those that are known."""
    if not problems:
        return ""
    known = [words(f) for f in found.findings if f.known]
    new = len(problems) - len(known)
    parts = [f"{problems[0].detail}{DOT}{sure(found.findings[0])}"] if new else []
    if known and new:
        parts.append(f"known and left out: {', '.join(known)}")
    return DOT.join(parts or [f"{problems[0].detail}{DOT}{sure(found.findings[0])}"])


def judged_words(found: PhotonVerdict) -> str:
    """How much the verdict rests on, and what was not asked."""
    of = plain(found.pixels)
    text = (
        f"judged {plain(found.photons)} photons, {found.duration:.3g} s, {plain(found.bright)} of {of} pixels bright "
    )
    text += "enough" if found.timed == found.bright else f"enough, {plain(found.timed)} for time-outs"
    left = len(found.not_asked)
    return text + (f"; {left} question{'s' * (left != 1)} not asked" if left else "")


def sigma_words(finding: PhotonFinding) -> str:
    """How sure it is."""
    if finding.significance == float("inf"):
        return "exact"
    if finding.significance > MOST_SIGMA:
        return f"over {MOST_SIGMA:.0f} sigma"
    return f"{finding.significance:.0f} sigma"


def amount_words(finding: PhotonFinding) -> str:
    """How large it is, with its error."""
    if finding.amount != finding.amount:
        return ""
    share = finding.unit.startswith("of ")
    scale, unit = (100.0, f"% {finding.unit}") if share else (1.0, finding.unit)
    if unit == "s" and abs(finding.amount) < SHORT:
        scale, unit = 1000.0, "ms"
    error = f" \u00b1 {_number(scale * finding.error, 2)}" if finding.error > 0 else ""
    return f"{_number(scale * finding.amount, 3)}{error} {unit}"


def _number(value: float, digits: int) -> str:
    """A number with so many digits, large ones in full."""
    return plain(value) if abs(value) >= 10**digits else f"{value:.{digits}g}"


def sure(finding: PhotonFinding) -> str:
    """How large, and how sure it is."""
    return ", ".join(filter(None, (amount_words(finding), sigma_words(finding))))


def where(finding: PhotonFinding) -> str:
    """Feedlines, pixels and times."""
    parts = []
    if finding.feedlines:
        parts.append(f"feedline {', '.join(map(str, finding.feedlines))}")
    if len(finding.pixels):
        first = "; ".join(f"{x},{y}" for x, y in finding.pixels[:NAMED])
        more = f" and {len(finding.pixels) - NAMED} more" if len(finding.pixels) > NAMED else ""
        parts.append(f"pixel{'s' * (len(finding.pixels) > 1)} {first}{more}")
    if finding.times is not None:
        parts.append(times_words(*finding.times))
    return DOT.join(parts)


def times_words(start: float, stop: float) -> str:
    """A while, with the digits that tell its ends apart."""
    digits = max(math.ceil(1 - math.log10(max(stop - start, TICK)) - ALMOST), 0)
    return f"{start:.{digits}f}\u2013{stop:.{digits}f} s"


def is_raw(frame: PhotonFrame) -> bool:
    """Whether the photons come from packets."""
    return frame.source.info.era == "packets"


def step_of(finding: PhotonFinding, *, raw: bool) -> PhotonStep:
    """Where it is seen first: in the packets (`raw`) what would be seen in a list made from them."""
    return PhotonStep.PACKETS if raw and finding.step is PhotonStep.LIST else finding.step


def _problem(finding: PhotonFinding, number: int, *, raw: bool) -> VerdictProblem:
    """A finding in words."""
    step, state = step_of(finding, raw=raw).value, state_of(finding)
    headline = f"{step.upper()} {'known' if finding.known else state.value}: {words(finding)}"
    return VerdictProblem(state, step, DOT.join((headline, sure(finding))), DOT.join(filter(None, (
        where(finding), "left out of images by flags" if finding.known and finding.pixels.size else ""
    ))), (number,))  # fmt: skip


# the chain


def missing(frame: PhotonFrame) -> dict[PhotonStep, str]:
    """Steps that are not there, with the reason."""
    info = frame.source.info
    out = {}
    if is_raw(frame):
        out[PhotonStep.LIST] = "not made from the packets yet (ifuview bin2hdf)"
    else:
        out[PhotonStep.PACKETS] = "this is a list; its packets are not open"
    if not info.calibrated:
        out[PhotonStep.WAVELENGTHS] = "no wavelength solution is applied"
    if not info.calibrations.get("flatcal") and not info.weighted:
        out[PhotonStep.FLAT] = "no flat is applied"
    return out


def chain(frame: PhotonFrame, found: PhotonVerdict | None, judged: PhotonJudged) -> tuple[ChainCell, ...]:
    """The steps to the image, each with its verdict."""
    lacking = missing(frame)
    placed = [(step_of(f, raw=is_raw(frame)), f) for f in (() if found is None else found.findings)]
    first = next((s for s in PhotonStep if any(at is s and not f.known for at, f in placed)), None)
    cells = []
    for step in PhotonStep:
        own = [f for at, f in placed if at is step]
        state, hint = VerdictState.NOT_JUDGED, lacking.get(step, "not judged")
        if own:
            state = VerdictState.WRONG if any(not f.known for f in own) else VerdictState.LOOK
            hint = "; ".join(f"{words(f)}, {sigma_words(f)}" for f in own)
        elif step in lacking:
            pass
        elif found is not None and set(QUESTIONS[step]) <= set(found.asked):
            state, hint = _nothing(step, found)
        elif found is None and not judged.why:
            state, hint = VerdictState.JUDGING, "being judged"
        cells.append(
            ChainCell(step.value, step.value, state, step is first, step not in lacking, _on_canvas(frame, step), hint)
        )
    return tuple(cells)


def _nothing(step: PhotonStep, found: PhotonVerdict) -> tuple[VerdictState, str]:
    """State and words of a step in which nothing was found."""
    seen = {PhotonStep.IMAGE: found.bright, PhotonStep.PACKETS: found.timed, PhotonStep.LIST: found.timed}
    number = seen.get(step, found.pixels)
    if number == found.pixels:
        return VerdictState.CLEAN, "clean"
    return (
        VerdictState.LOOK,
        f"nothing found; {plain(number)} of {plain(found.pixels)} pixels have photons enough for it",
    )


def _on_canvas(frame: PhotonFrame, step: PhotonStep) -> bool:
    """Whether the canvas shows the picture of a step."""
    if step is PhotonStep.WAVELENGTHS or frame.shown is Shown.FLAGS:
        return step is PhotonStep.WAVELENGTHS and frame.shown is Shown.FLAGS
    cut = CUTS[step]
    if step in (PhotonStep.PACKETS, PhotonStep.LIST) and is_raw(frame) is not (step is PhotonStep.PACKETS):
        return False
    return (frame.cut.exclude, frame.cut.weighted) == (cut.exclude, cut.weighted)
