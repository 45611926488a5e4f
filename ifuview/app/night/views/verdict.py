"""The verdict on a night: problems by cause in words, and the chain of the exposure on the canvas."""

from __future__ import annotations

import re

from ifuview.app.frames.views.text import waves
from ifuview.app.night import open_night
from ifuview.app.night.state import Fix, Place, TriageState
from ifuview.app.night.triage.window import places
from ifuview.app.night.views.follow_up import follow_up
from ifuview.app.session import Session
from ifuview.engine.night.extent import same
from ifuview.model.chain_spec import ChainSpec
from ifuview.model.frames.units import sentence, unit_words
from ifuview.model.night.triage import HARMLESS, Finding, ranges
from ifuview.model.verdict import ChainCell, VerdictProblem, VerdictState, VerdictView

DOT = " \u00b7 "
STEP_WORDS = {
    "preproc": "detector", "trace": "traces", "frame": "extraction", "fiberflat": "fiberflat", "sky": "sky model",
    "sframe": "sky subtraction", "fluxcalib": "flux calibration", "cframe": "calibrated spectra", "light": "light",
}  # fmt: skip
KIND_WORDS = {
    "mixed-production": "products of two productions are mixed",
    "wavelength-blocks": "blocks of fibers deviate",
    "wavelength-all": "all fibers deviate",
    "ccd-row": "levels added to whole detector rows",
    "block-throughput": "a run of fibers has another throughput",
    "amplifier-step": "an amplifier is offset",
    "fluxcalib": "the calibration deviates",
    "masked-data": "nothing is known of some fibers",
    "mask-bits": "marked pixels have a weight",
    "swapped-fibers": "fibers are swapped",
    "amplifier-noise": "an amplifier is too noisy",
    "charge-transfer": "charge is left behind",
    "cosmic-rays": "cosmic rays are not masked",
    "ccd-column": "a detector column is wrong",
    "sky-line residual": "sky lines are left over or taken twice",
    "isolated-fiber": "a fiber deviates",
    "positioning": "fibers are off position",
    "ghost": "a ghost of a bright star",
    "bright-neighbor": "a bright star lights its neighbors",
    "sky-gradient": "a sky line varies over the field",
}
SHORT_UNITS = {
    "throughput / flat": "of flat", "of the bright fiber's light": "of the star",
    "level / other blocks": "of others",
}  # fmt: skip
DEAD = 0.05  # of the light of others
MANY = 6  # ranges of fibers, or cameras, that are written out
FEW = 2  # exposures that are, and ranges of wavelengths


def is_wrong(finding: Finding) -> bool:
    """Whether a finding is a fault that nobody knew of."""
    return finding.kind not in HARMLESS and not finding.known


def make(session: Session) -> VerdictView | None:
    """The bar of a night or of a product; None where nothing was or can be judged."""
    state = session.triage
    if state is None:
        night = session.night
        return None if night is None or not (night.index.exposures and night.index.chain.judged) else VerdictView(
            VerdictState.NOT_JUDGED, "not judged", "no camera of this folder has been asked", chain=chain(session)
        )  # fmt: skip
    found = tuple(_problem(state, group) for group in state.groups)
    cameras = len(state.result.cameras)
    number = state.problem if 0 <= state.problem < len(found) else 0 if found else -1
    running = bool(state.todo) and not state.stopped
    fraction = cameras / max(cameras + len(state.todo), 1) if running else None
    shown = found[number] if number >= 0 and (found[0].state is not VerdictState.LOOK or state.problem >= 0) else None
    overall = _overall(state, found, running)
    return VerdictView(
        state=overall if shown is None else shown.state,
        headline=_nothing(state, overall, found) if shown is None else shown.headline,
        detail=_named(found) if shown is None else shown.detail,
        judged=_judged(state),
        unasked=unasked(state),
        problems=found,
        problem=number if shown is not None else -1,
        chain=chain(session),
        fraction=fraction,
        proof=number >= 0 and len(places(session, state.shown or state.result.findings[state.groups[number][0]])) > 1,
        more=follow_up(session),
        report=bool(state.result.cameras),
    )


def _overall(state: TriageState, found: tuple[VerdictProblem, ...], running: bool) -> VerdictState:
    if any(problem.state is VerdictState.WRONG for problem in found):
        return VerdictState.WRONG
    if running:
        return VerdictState.JUDGING
    if not state.result.cameras:
        return VerdictState.NOT_JUDGED
    whole = all(judged.whole for judged in state.result.judged)
    known = any(finding.known for finding in state.result.findings)
    return VerdictState.CLEAN if whole and not known and not state.unread else VerdictState.LOOK


def _nothing(state: TriageState, overall: VerdictState, found: tuple[VerdictProblem, ...]) -> str:
    """Headline without a new fault."""
    cameras = len(state.result.cameras)
    of = f"{cameras} camera exposure{'s' * (cameras != 1)}"
    if overall is VerdictState.NOT_JUDGED:
        return f"not judged: {state.unread[0]}" if state.unread else "not judged"
    if overall is VerdictState.JUDGING:
        return f"nothing wrong so far in {of}" if cameras else f"judging {state.todo[0].label}"
    more = f"; {len(found)} known or of the sky" if found else ""
    if overall is VerdictState.CLEAN:
        return f"nothing found in {of}{more}"
    known = any(finding.known for finding in state.result.findings)
    return f"nothing new in {of}{more}" if known else f"nothing found by what could be asked of {of}{more}"


def _named(found: tuple[VerdictProblem, ...]) -> str:
    """The first of what is no new fault."""
    return found[0].headline + f"{DOT}and {len(found) - 1} more" * (len(found) > 1) if found else ""


def unasked(state: TriageState) -> str:
    """What could not be asked, a line for each thing that was missing for it."""
    kinds: dict[str, list[str]] = {}
    for what, missing in {one.what: one.missing for one in state.result.not_measured}.items():
        kinds.setdefault(missing, []).append(KIND_WORDS.get(what, what))
    return "\n".join(f"Not asked without {missing}: {', '.join(words)}." for missing, words in kinds.items())


def _judged(state: TriageState) -> str:
    """How much was asked, and what was not."""
    cameras, left = len(state.result.cameras), len(state.todo)
    words = f"judged {cameras} of {cameras + left + len(state.unread)}"
    lacking = len(state.result.not_measured)
    words += f", {lacking} question{'s' * (lacking != 1)} not asked" if lacking else ""
    partly = sum(not judged.whole for judged in state.result.judged)
    words += f", {partly} only in part" if partly else ""
    below = sum(count for _, count in state.result.left_out)
    words += f", {below} below own limits" if below else ""
    return words + (f", {len(state.unread)} unread" if state.unread else "") + (", stopped" if state.stopped else "")


def _problem(state: TriageState, group: tuple[int, ...]) -> VerdictProblem:
    """One cause in words."""
    found = [state.result.findings[n] for n in group]
    best = state.result.findings[state.number] if state.number in group else found[0]
    step = step_words(best)
    wrong = is_wrong(best)
    what = f"{step.upper()} {'wrong' if wrong else 'known' if best.known else 'of the sky'}: {kind_words(best)}"
    what += f", amplifier {best.amplifier}" if best.amplifier and best.amplifier not in kind_words(best) else ""
    headline = DOT.join(filter(None, (what, where(found), spans_of(found))))
    amount = amount_of(best)
    amount = f"up to {amount}" if len(best.fibers) > 1 and amount else amount
    sigma = f"{best.significance:.0f} sigma" if best.significance else ""
    of = f"first wrong step: {step}" if wrong and not best.detail.get("without") else ""
    here = "" if len(found) == 1 else f"{best.camera} {best.expid}"
    sure = ", ".join(filter(None, (amount, sigma)))
    detail = DOT.join(filter(None, (here, fibers_of(state, best), sure, of, became(state.fix, found))))
    return VerdictProblem(VerdictState.WRONG if wrong else VerdictState.LOOK, step, headline, detail, group)


def became(fix: Fix | None, found: list[Finding]) -> str:
    """What another production made of findings of one cause, the amounts before and after; what is not there."""
    if fix is None:
        return ""
    own = [one for one in fix.fixed if any(one.before == finding for finding in found)]
    asked = {(f.expid, f.camera) for f in found} & set(fix.cameras)
    words = []
    for status, said in (("fixed", "gone"), ("smaller", "smaller"), ("remains", "still there")):
        here = [one for one in own if one.status == status]
        worst = max(here, key=lambda one: abs(one.before.amplitude), default=None)
        if worst is not None:
            size = abs(worst.before.amplitude)
            amounts = f" ({size:.3g} to {size * worst.remains:.2g} {short(worst.before.unit)})"
            words.append(f"{said} in {fix.name}: {_places([one.before for one in here])}{amounts}")
    rest = [f for f in found if (f.expid, f.camera) not in asked]
    if rest:
        words.append(f"not in {fix.name}: {_places(rest)}")
    return "; ".join(words)


def _places(found: list[Finding]) -> str:
    """Cameras and exposures of findings."""
    by_exposure: dict[int, list[str]] = {}
    for finding in found:
        by_exposure.setdefault(finding.expid, []).append(finding.camera)
    return ", ".join(f"{' '.join(sorted(names))} {expid}" for expid, names in sorted(by_exposure.items()))


def kind_words(finding: Finding) -> str:
    """What kind of fault it is."""
    few = len(finding.fibers) <= 1
    if finding.kind == "isolated-fiber" and finding.unit.startswith("throughput") and finding.amplitude < DEAD:
        return "a fiber is dead" if few else "fibers are dead"
    if finding.kind == "isolated-fiber" and not few:
        return "fibers deviate"
    return KIND_WORDS.get(finding.kind, finding.kind)


def step_words(finding: Finding) -> str:
    """The first step that is wrong, as far as that is known."""
    step = " or ".join(STEP_WORDS[step] for step in finding.steps)
    return f"a step up to {step}" if finding.detail.get("without") else step


def short(unit: str) -> str:
    """A unit for a narrow place."""
    for long, brief in SHORT_UNITS.items():
        unit = unit.replace(long, brief)
    return unit_words(unit)


def amount_of(finding: Finding) -> str:
    """How large a finding is: a share in percent, all else in its unit; "" where it has none."""
    unit, value = short(finding.unit), abs(finding.amplitude)
    if unit.startswith("of "):
        return f"{100 * value:.2g} % {unit}"
    if unit == "fibers":
        return f"{value:.0f} fiber{'s' * (value != 1)}"
    return f"{value:.3g} {unit}" if unit else ""


def where(found: list[Finding]) -> str:
    """Cameras, and exposures or field, of findings of one cause."""
    return DOT.join((_cameras(found), _exposures(found)))


def briefly(found: list[Finding]) -> tuple[str, str]:
    """The same for a narrow place."""
    numbers = sorted({finding.expid for finding in found})
    few = " ".join(map(str, numbers)) if len(numbers) <= FEW else f"{len(numbers)} exposures"
    bound = found[0].extent.partition("; ")[2].split(" only")[0]
    return _cameras(found), bound if bound.startswith("tile") else few


def _cameras(found: list[Finding]) -> str:
    names = sorted({finding.camera for finding in found})
    return " ".join(names) if len(names) <= MANY else f"{len(names)} cameras"


def _exposures(found: list[Finding]) -> str:
    """The field it is bound to, or the exposures."""
    bound = found[0].extent.partition("; ")[2]
    if bound.startswith("tile"):
        return bound
    numbers = sorted({finding.expid for finding in found})
    return " ".join(map(str, numbers)) if len(numbers) <= MANY else f"{len(numbers)} exposures"


def spans_of(found: list[Finding]) -> str:
    """Wavelengths of findings."""
    spans: list[tuple[float, float]] = []
    for low, high in sorted(finding.wave_range for finding in found if finding.wave_range is not None):
        first, last = spans.pop() if spans and low <= spans[-1][1] else (low, high)
        spans.append((first, max(last, high)))
    if len(spans) > FEW:
        return f"{len(spans)} ranges in {waves(spans[0][0], spans[-1][1])}"
    return " ".join(waves(*span) for span in spans)


def fibers_of(state: TriageState, finding: Finding) -> str:
    """Fibers as the instrument counts them."""
    ids = state.fiber_ids.get((finding.expid, finding.camera))
    if not finding.fibers:
        return "all fibers"
    if ids is not None and max(finding.fibers) < len(ids):
        word, numbers = "FIBER", tuple(sorted(int(ids[f]) for f in finding.fibers))
    else:
        word, numbers = f"row of {finding.camera}", finding.fibers
    if ids is not None and len(finding.fibers) == len(ids):
        return f"all {len(ids)} fibers"
    parts = ranges(numbers).split(", ")
    more = f" and {len(parts) - MANY} more" if len(parts) > MANY else ""
    return f"{word} {', '.join(parts[:MANY])}{more}".replace("-", "\u2013")


ROWS = re.compile(r"(?<=iber )[0-9]+|(?<=ibers )[0-9][0-9, -]*|(?<=neighbors )[0-9-]+|(?<=target )[0-9]+")


def words_of(state: TriageState, finding: Finding) -> str:
    """The sentence of a finding as the window writes it, with the fibers as the instrument counts them."""
    text = sentence(finding.text)
    ids = state.fiber_ids.get((finding.expid, finding.camera))
    if ids is None:
        return text
    known = {str(row): str(number) for row, number in enumerate(ids)}
    return ROWS.sub(lambda rows: re.sub("[0-9]+", lambda row: known.get(row[0], row[0]), rows[0]), text)


# the chain


def chain(session: Session) -> tuple[ChainCell, ...]:
    """The steps of the exposure and camera on the canvas, in their order."""
    night, now = session.night, open_night.here(session)
    if night is None or now is None:
        return ()
    index = night.index if not now.other or night.compared is None else night.compared
    spec, state = index.chain, None if now.other else session.triage  # the other production was not judged
    there = {p: open_night.has(index, now.expid, now.camera, p) for p in spec.shown}
    judged = state is not None and (now.expid, now.camera) in state.result.cameras
    own = _of_place(state, now) if state is not None else []
    wrong = [f for f in own if is_wrong(f)]
    chosen = None if state is None else state.shown  # what the bar speaks of
    told = [f for f in own if chosen is not None and same(f, chosen)] or wrong  # what the bar speaks of
    bad = VerdictState.WRONG if any(is_wrong(f) for f in told) else VerdictState.LOOK
    first = first_product(spec, told)
    seen = session.current in night.shown
    spoiled, other = ({p for f in some for p in spoils(spec, product_of(spec, f))} for some in (told, wrong))
    cells = []
    for product in spec.shown:
        here = [f for f in (*wrong, *(f for f in told if f not in wrong)) if product_of(spec, f) == product]
        level = VerdictState.CLEAN if judged else VerdictState.NOT_JUDGED
        level = bad if product in spoiled else VerdictState.LOOK if product in other else level
        hint = "; ".join(f"{kind_words(f)}, {f.significance:.0f} sigma" for f in here)
        if not there[product]:
            level, hint = VerdictState.NOT_JUDGED, "not there"
        elif product in other and not here:
            hint = "made from what is wrong before it"
        cells.append(
            ChainCell(product, spec.title(product), level, product == first, there[product],
                      seen and product == now.product, hint or level.value)
        )  # fmt: skip
    return tuple(cells)


def first_product(spec: ChainSpec, found: list[Finding]) -> str:
    """The product, in the order of the chain, that shows the first of them; "" without any."""
    return min((product_of(spec, f) for f in found), key=lambda p: _order(spec, p), default="")


def product_of(spec: ChainSpec, finding: Finding) -> str:
    """The product that shows a finding first."""
    return spec.steps.get(finding.first_step, finding.first_step)


def _of_place(state: TriageState, place: Place) -> list[Finding]:
    return [f for f in state.result.findings if (f.expid, f.camera) == (place.expid, place.camera)]


def _order(spec: ChainSpec, product: str) -> int:
    return spec.shown.index(product) if product in spec.shown else len(spec.shown)


def spoils(spec: ChainSpec, product: str) -> tuple[str, ...]:
    """A product and those that are made from it."""
    return product, *spec.made_from.get(product, ())
