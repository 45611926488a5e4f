"""The verdict in one sentence and what to do about it."""

from __future__ import annotations

from ifuview.engine.traces.doctor.correct import REMEASURED
from ifuview.model.traces.doctor import (
    MASKED,
    UNKNOWN,
    UNTRACED,
    Advice,
    DoctorLimits,
    FrameTrouble,
    Mode,
    Problem,
    untraced_verdict,
    untraced_words,
)
from ifuview.model.traces.findings import mode_verdict
from ifuview.model.verdict import Verdict

NAMES_OF = {UNKNOWN: "pattern of no known shape"}
ONE = 0.03  # px, by which a shift of one pixel may differ from it
HARMFUL = 0.5  # of the offset that makes a fiber a problem: a scatter of this rms, of which no fiber is one
MANY = 12  # fibers that are named one by one
ORDER = (Verdict.PASS, Verdict.WARN, Verdict.FAIL)


def verdict(
    modes: tuple[Mode, ...],
    problems: tuple[Problem, ...],
    trouble: tuple[FrameTrouble, ...],
    limits: DoctorLimits,
    names: tuple[str, ...],
    scatter: float = 0.0,
) -> tuple[Verdict, str]:
    """Return the worst verdict and why; `scatter` is the rms that each trace is off by itself, px."""
    worst = max((p.verdict for p in problems), key=ORDER.index, default=Verdict.PASS)
    for item in trouble:
        if item.kind == UNTRACED:
            worst = max(worst, untraced_verdict(item.amount, len(names)), key=ORDER.index)
    parts = []
    found = sorted((m for m in modes if m.found), key=lambda m: -abs(m.amplitude_px))
    worst = max((worst, *(mode_verdict(m, limits) for m in found)), key=ORDER.index)
    scattered = Verdict.WARN if _harmful(scatter, limits) else Verdict.PASS
    if worst is Verdict.PASS:
        worst = scattered
    if worst is not Verdict.PASS:  # what is harmless is not said beside what is not
        found = [m for m in found if mode_verdict(m, limits) is not Verdict.PASS]
    if scatter > 0 and worst is scattered:
        parts.append(f"a scatter of single traces of {scatter:.3f} px rms")
    if found:
        names_found = dict.fromkeys(NAMES_OF.get(m.name, m.name.replace("_", " ")) for m in found)
        parts.append(f"a {', '.join(names_found)} of up to {abs(found[0].amplitude_px):.3f} px")
        if any(m.name == "shift" and abs(m.amplitude_px + 1) < ONE for m in found):
            parts[-1] += ", as if rows were counted from 1"
    wrong = [p for p in problems if p.kind in REMEASURED]
    if wrong:
        parts.append(f"{len({p.fiber for p in wrong})} {_plural(wrong)} {_fibers(wrong, names)}")
    for item in trouble:
        if item.kind == UNTRACED:
            parts.append(untraced_words(int(item.amount)))
    others = [p for p in problems if p.kind not in REMEASURED]
    hidden = "; ".join(t.text for t in trouble if t.kind == MASKED and t.fibers)
    there, tail = (" where they are measured", f" Not measured: {hidden}.") if hidden else ("", "")
    if worst is Verdict.FAIL:
        return worst, f"The traces are wrong: {'; '.join(parts)}.{tail}"
    if worst is Verdict.WARN:
        if not parts:
            dim = f"{_count(others, 'fiber')} {_fibers(others, names)} dim or disturbed"
            return worst, f"The traces are right{there}; {dim}.{tail}"
        return worst, f"The traces are nearly right: {'; '.join(parts)}.{tail}"
    extra = f" (there is {'; '.join(parts)}, which is harmless)" if parts else ""
    return worst, f"The traces are right{there} within the noise{extra}.{tail}"


def _harmful(scatter: float, limits: DoctorLimits) -> bool:
    """Whether an rms that each trace is off by itself is more than extraction can bear."""
    return scatter > HARMFUL * limits.offset_px


def _plural(problems: list[Problem]) -> str:
    """The kinds of the problems, as in "fibers swapped or merged"."""
    kinds = " or ".join(dict.fromkeys(p.kind.replace("_", " ") for p in problems))
    return f"{'fiber' if len({p.fiber for p in problems}) == 1 else 'fibers'} with {kinds}"


def _count(problems: list[Problem], word: str) -> str:
    n = len({p.fiber for p in problems})
    return f"{n} {word}{'s' if n != 1 else ''}"


def _fibers(problems: list[Problem], names: tuple[str, ...]) -> str:
    """Fibers in brackets."""
    rows = sorted({p.fiber for p in problems})
    if len(rows) > MANY:
        return f"({names[rows[0]]} to {names[rows[-1]]})"
    return f"({', '.join(names[k] for k in rows)})"


def recommendations(
    modes: tuple[Mode, ...],
    problems: tuple[Problem, ...],
    trouble: tuple[FrameTrouble, ...],
    scatter: float,
    limits: DoctorLimits,
) -> tuple[Advice, ...]:
    """Return what to do, the most important first; `scatter` as of `verdict`."""
    out = []
    by_kind: dict[str, list[int]] = {}
    for problem in problems:
        by_kind.setdefault(problem.kind, []).append(problem.fiber)
    if any(m.found for m in modes):
        kinds = ", ".join(dict.fromkeys(NAMES_OF.get(m.name, m.name.replace("_", " ")) for m in modes if m.found))
        out.append(Advice(f"apply the corrected traces: they take out {kinds}", "apply-correction"))
    for kind, words in (
        (
            "index_shift",
            "the fiber numbers slip by one from here on: apply the corrected traces and check the fiber map",
        ),
        ("swapped", "apply the corrected traces: these fibers have the traces of one another"),
        ("merged", "apply the corrected traces: two traces lie on one fiber"),
        ("lost", "apply the corrected traces and look at the range where the trace leaves the light"),
        ("kink", "apply the corrected traces: these were measured again"),
        ("offset", "apply the corrected traces: these were measured again"),
    ):
        if kind in by_kind:
            out.append(Advice(words, "apply-correction", tuple(sorted(set(by_kind[kind])))))
    if scatter > 0:
        harm = "larger than traces may be off" if _harmful(scatter, limits) else "harmless for extraction"
        text = f"every trace is off by itself, {scatter:.3f} px rms: {harm}, and taken out of the corrected traces"
        out.append(Advice(text, "apply-correction"))
    for kind, words, action in (
        ("dead", "mask these fibers: they show no light", "mask"),
        ("low_throughput", "check these fibers: they show less light than their neighbors", "inspect"),
        ("wide", "look at the profile of these fibers: focus, or two fibers in one place", "inspect"),
        ("contaminated", "mask the pixels that stick out on these fibers", "mask"),
    ):
        if kind in by_kind:
            out.append(Advice(words, action, tuple(sorted(set(by_kind[kind])))))
    for item in trouble:
        if item.kind == UNTRACED:
            text = f"give traces of all fibers, or trace the image from nothing: {untraced_words(int(item.amount))}"
            out.append(Advice(text, "re-trace"))
        elif item.kind not in ("cosmics", "masked"):
            out.append(Advice(f"not the traces: {item.text}", "check-image", item.fibers))
    return tuple(out)
