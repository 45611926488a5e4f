"""The findings of a diagnosis as one list, worst first: what the report leads with and the window lets one click."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ifuview.model.traces.doctor import (
    UNKNOWN,
    UNTRACED,
    DoctorLimits,
    FrameTrouble,
    Mode,
    Problem,
    Range,
    TraceDiagnosis,
    untraced_verdict,
)
from ifuview.model.verdict import Verdict

LARGEST = 8.0  # px; a trace farther off than its neighbor is not worse for it
UNKNOWN_AMOUNT = 0.5  # px that a problem without an amplitude counts as
MOST_NAMED = 8  # fibers that a sentence lists
WEIGHT: Mapping[str, float] = MappingProxyType({"dead": 4.0, "low_throughput": 0.5, "wide": 0.5, "contaminated": 0.3})
ORDER = {Verdict.FAIL: 0, Verdict.WARN: 1, Verdict.NOT_MEASURED: 2, Verdict.PASS: 3}
NAMES: Mapping[str, str] = MappingProxyType(
    {
        "shift": "Shift of all traces",
        "rotation": "Rotation",
        "scale": "Scale",
        "keystone": "Keystone",
        "smile": "Smile",
        "s_curve": "S-curve",
        "block_shift": "Shift of a block",
        "drift": "Drift with wavelength",
        "common_wiggle": "Wiggle common to all",
        UNKNOWN: "Error of no known shape",
        "offset": "Offset",
        "kink": "Kink",
        "lost": "Trace leaves the light",
        "swapped": "Swapped fibers",
        "merged": "Two traces on one fiber",
        "index_shift": "Numbering off by one",
        "dead": "Dead fiber",
        "low_throughput": "Low throughput",
        "wide": "Wide or broken profile",
        "contaminated": "Contaminated",
        "saturated": "Saturated pixels",
        "cosmics": "Cosmics",
        "bad_columns": "Bad line of pixels",
        "amplifier_step": "Step between amplifiers",
        "pedestal": "Pedestal",
        "scattered_light": "Scattered light",
        "masked": "Masked pixels",
        UNTRACED: "Lit fibers without a trace",
    }
)


SIDED = ("offset", "kink", "lost")  # amounts that have a side of the trace


@dataclass(frozen=True, slots=True)
class TraceFinding:
    """One line of the list.

    Parameters
    ----------
    group : str
        "mode", "fiber" or "frame".
    kind : str
        As in the diagnosis.
    title, text : str
    verdict : Verdict
        PASS: worth showing, not wrong.
    fibers : tuple of int
        Rows of the traces; empty: not about fibers.
    amount, amount_err, significance : float or None
        In `unit`; what has a side is positive where the light lies at larger x or y of the file.
    x_range : (float, float), px
        Columns along dispersion.
    wave_range : (float, float), Angstrom, or None
    row_range : (float, float), px, or None
        Rows across dispersion, of frame trouble.
    """

    group: str
    kind: str
    title: str
    text: str
    verdict: Verdict
    fibers: tuple[int, ...]
    amount: float | None
    amount_err: float | None
    significance: float | None
    x_range: Range
    wave_range: Range | None = None
    row_range: Range | None = None
    unit: str = "px"
    score: float = 0.0


def findings(diagnosis: TraceDiagnosis) -> tuple[TraceFinding, ...]:
    """All findings of a diagnosis, worst first; problems of one kind in neighboring fibers are one finding."""
    out = [_of_mode(m, diagnosis) for m in diagnosis.modes if m.found]
    out += [_of_problems(group, diagnosis) for group in _grouped(diagnosis.problems)]
    out += [_of_trouble(t, diagnosis) for t in diagnosis.trouble]
    return tuple(sorted(out, key=lambda f: (ORDER[f.verdict], -f.score)))


def mode_verdict(mode: Mode, limits: DoctorLimits) -> Verdict:
    """What a mode of this size means."""
    size = abs(mode.amplitude_px)
    if mode.name == UNKNOWN:  # nothing says how far it goes elsewhere
        return Verdict.FAIL if size >= limits.mode_warn_px else Verdict.PASS
    return (
        Verdict.FAIL if size >= limits.mode_fail_px else Verdict.WARN if size >= limits.mode_warn_px else Verdict.PASS
    )


def _of_mode(mode: Mode, diagnosis: TraceDiagnosis) -> TraceFinding:
    """A pattern of many fibers."""
    name = NAMES.get(mode.name, mode.name)
    amount, axis = mode.filed(diagnosis.axes), diagnosis.axes.across_axis
    size = f"{amount:+.4f} ± {mode.sigma_px:.4f} px in {axis} ({mode.significance:.0f} sigma)"
    text = mode.text or f"{name.lower()} {size} in {count_of(mode.fibers, diagnosis)}"
    return TraceFinding(
        group="mode", kind=mode.name, title=name, text=text, verdict=mode_verdict(mode, diagnosis.limits),
        fibers=mode.fibers, amount=amount, amount_err=mode.sigma_px, significance=mode.significance,
        x_range=mode.x_range, wave_range=mode.wave_range,
        score=abs(amount) * math.sqrt(max(len(mode.fibers), 1)),
    )  # fmt: skip


def _grouped(problems: tuple[Problem, ...]) -> list[list[Problem]]:
    """Problems of one kind and verdict in neighboring fibers."""
    groups: list[list[Problem]] = []
    for problem in sorted(problems, key=lambda p: (p.kind, p.verdict, p.fiber)):
        last = groups[-1][-1] if groups else None
        alike = last is not None and (last.kind, last.verdict) == (problem.kind, problem.verdict)
        if last is not None and alike and problem.fiber - last.fiber <= 1 and _alike(last, problem):
            groups[-1].append(problem)
        else:
            groups.append([problem])
    return groups


def _alike(a: Problem, b: Problem) -> bool:
    """Whether two neighbors share the columns and, for offsets, the direction."""
    apart = a.x_range[1] < b.x_range[0] or b.x_range[1] < a.x_range[0]
    pair = a.kind in ("swapped", "merged", "index_shift")
    same = a.amplitude_px is None or b.amplitude_px is None or a.amplitude_px * b.amplitude_px > 0
    return (pair or same) and not apart


def _of_problems(group: list[Problem], diagnosis: TraceDiagnosis) -> TraceFinding:
    """Problems of one kind in neighboring fibers."""
    worst = max(group, key=lambda p: abs(p.amplitude_px or 0.0))
    amount = worst.amplitude_px
    size = min(abs(amount), LARGEST) if amount is not None else UNKNOWN_AMOUNT
    if amount is not None and worst.kind in SIDED:
        amount = diagnosis.axes.offset(amount)
    first, last = group[0].fiber_id, group[-1].fiber_id
    name = NAMES.get(worst.kind, worst.kind)
    several = len(group) > 1
    waves = [p.wave_range for p in group if p.wave_range is not None]
    return TraceFinding(
        group="fiber", kind=worst.kind,
        title=f"{name}: {f'fibers {first} to {last}' if several else fiber_words(first)}",
        text=f"{len(group)} fibers, the worst: {worst.text}" if several else worst.text, verdict=worst.verdict,
        fibers=tuple(p.fiber for p in group), amount=amount, amount_err=worst.amplitude_err,
        significance=worst.significance, x_range=(min(p.x_range[0] for p in group), max(p.x_range[1] for p in group)),
        wave_range=(min(w[0] for w in waves), max(w[1] for w in waves)) if waves else None,
        score=size * WEIGHT.get(worst.kind, 1.0) * math.sqrt(len(group)),
    )  # fmt: skip


def _of_trouble(trouble: FrameTrouble, diagnosis: TraceDiagnosis) -> TraceFinding:
    """Trouble of the image, not a fault of the traces; or light that they leave out."""
    if trouble.kind == UNTRACED:
        return TraceFinding(
            group="frame", kind=trouble.kind, title=NAMES[trouble.kind], text=trouble.text,
            verdict=untraced_verdict(trouble.amount, diagnosis.nfiber), fibers=(), amount=trouble.amount,
            amount_err=None, significance=None, x_range=trouble.x_range, wave_range=None, row_range=trouble.row_range,
            unit=trouble.unit, score=trouble.amount,
        )  # fmt: skip
    sure = trouble.amount / trouble.amount_err if trouble.amount_err else None
    return TraceFinding(
        group="frame", kind=trouble.kind,
        title=f"{NAMES.get(trouble.kind, trouble.kind)} of the image", text=trouble.text,
        verdict=Verdict.PASS, fibers=trouble.fibers, amount=trouble.amount, amount_err=trouble.amount_err,
        significance=sure, x_range=trouble.x_range, wave_range=None, row_range=trouble.row_range, unit=trouble.unit,
    )  # fmt: skip


def advice_lines(diagnosis: TraceDiagnosis) -> tuple[str, ...]:
    """What to do, one sentence each, with the fibers that it is about."""
    out = []
    for one in diagnosis.advice:
        text = one.text[:1].upper() + one.text[1:]
        names = [diagnosis.fiber_id[row] for row in one.fibers if 0 <= row < diagnosis.nfiber]
        if names and not any(name in text for name in names):
            plural = "s" if len(names) > 1 else ""
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            text = f"{text.rstrip('.')} (fiber{plural} {', '.join(names[:MOST_NAMED])}{more})"
        out.append(text)
    return tuple(out)


def fiber_words(name: str, word: str = "fiber") -> str:
    """A fiber in a sentence; a name that says it already, as fiber_012, stands alone."""
    return name if name.lower().startswith("fiber") else f"{word} {name}"


def count_of(fibers: tuple[int, ...], diagnosis: TraceDiagnosis) -> str:
    """ "all 500 fibers", "fibers 25 to 49", "3 fibers"."""
    if not fibers or len(fibers) == diagnosis.nfiber:
        return f"all {diagnosis.nfiber} fibers"
    if len(fibers) == 1:
        return fiber_words(diagnosis.fiber_id[fibers[0]])
    if fibers[-1] - fibers[0] == len(fibers) - 1:
        return f"fibers {diagnosis.fiber_id[fibers[0]]} to {diagnosis.fiber_id[fibers[-1]]}"
    return f"{len(fibers)} fibers"
