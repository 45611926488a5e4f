"""Findings of one cause, gathered: over cameras and exposures, and single fibers of one camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ifuview.engine.night.extent import same
from ifuview.engine.numeric.runs import runs
from ifuview.model.night.triage import RATIOS, Finding, ranges

OF_SINGLE = ("isolated-fiber", "positioning", "sky-line residual")  # classes with a finding for each fiber
MOST_NAMED = 4  # fibers that are named one by one
MOST_SAID = 12  # and in a sentence
SHORTEST, OF_LIGHT = 3, "throughput / flat"  # fibers of a run; unit of the part of the light that a fiber has
NEAR = 0.3  # of a range of wavelengths that two have in common

Key = tuple[object, ...]


def grouped(findings: Sequence[Finding]) -> tuple[tuple[int, ...], ...]:
    """Numbers of the findings by cause: one defect seen in several places is one cause.

    Parameters
    ----------
    findings : sequence of Finding
        The worst first.

    Returns
    -------
    tuple of tuple of int
        The cause with the worst finding first; in each the most significant finding first.
    """
    groups: list[list[int]] = []
    by_kind: dict[tuple[object, ...], list[int]] = {}
    for number, finding in enumerate(findings):
        alike = by_kind.setdefault((finding.kind, finding.first_step, finding.amplifier, finding.known), [])
        joined = [g for g in alike if any(same(findings[other], finding) for other in groups[g])]
        if not joined:
            alike.append(len(groups))
            groups.append([number])
            continue
        home = joined[0]
        groups[home].append(number)
        for other in joined[1:]:  # it is the link between what seemed to be two
            groups[home] += groups[other]
            groups[other] = []
            alike.remove(other)
    return tuple(
        tuple(sorted(group, key=lambda n: (-findings[n].significance, n)))
        for group in sorted((g for g in groups if g), key=min)
    )


def together(findings: Sequence[Finding]) -> list[Finding]:
    """The findings; more than MOST_NAMED single fibers with the same class, first step, cause and sign are one.

    A fiber whose first step is open goes with those that share one of its steps.
    """
    groups: dict[Key, list[Finding]] = {}
    for f in findings:
        if len(f.fibers) == 1 and f.kind in OF_SINGLE:
            groups.setdefault(_key(f, f.kind, f.first_step), []).append(f)
    many = {key: list(group) for key, group in groups.items() if len(group) > MOST_NAMED}
    for key, group in groups.items():
        for f in () if key in many else group:
            home = next((k for kind, step in f.alternatives if (k := _key(f, kind, step)) in many), None)
            if home is not None:
                many[home].append(f)
    inside = {id(f) for group in many.values() for f in group}
    rest = [f for f in findings if id(f) not in inside]
    return [*_neighbors(rest), *(_of_a_run(one) for group in many.values() for one in _joined(group))]


def _neighbors(findings: list[Finding]) -> list[Finding]:
    """The findings; three or four neighbors on the slit that lose or gain light are a run."""
    own = {f.fibers[0]: f for f in findings if f.kind == "isolated-fiber" and f.unit == OF_LIGHT and len(f.fibers) == 1}
    lit = np.zeros(max(own, default=0) + 1, bool)
    lit[[fiber for fiber, f in own.items() if not f.known and not f.detail.get("dead")]] = True
    for first, last in runs(lit):
        part = [own[fiber] for fiber in range(first, last)]
        if last - first >= SHORTEST and len({_sign(f) for f in part}) == 1:
            findings = [*(f for f in findings if f not in part), _of_a_run(_one(part))]
    return findings


def _of_a_run(f: Finding) -> Finding:
    """The finding; fibers that are all neighbors and have another part of the light are a run."""
    whole = len(f.fibers) >= SHORTEST and f.fibers[-1] - f.fibers[0] + 1 == len(f.fibers)
    if not whole or f.kind != "isolated-fiber" or f.unit != OF_LIGHT or f.known or f.detail.get("dead"):
        return f
    return replace(f, kind="block-throughput", alternatives=tuple(("block-throughput", step) for step in f.steps[1:]))


def _key(f: Finding, kind: str, step: str) -> Key:
    """What findings of one cause have in common."""
    detail = tuple(str(f.detail.get(name, "")) for name in ("cause", "dead", "change", "product"))
    return kind, step, f.known, f.unit, _sign(f), *detail


def _sign(f: Finding) -> bool:
    return f.amplitude > (1.0 if f.unit in RATIOS else 0.0)


def _joined(group: list[Finding]) -> list[Finding]:
    """One finding for all that lie in the same wavelengths; few that do not stay by themselves."""
    out, left = list[Finding](), sorted(group, key=lambda f: -f.significance)
    while left:
        worst = left[0]
        same = [f for f in left if _near(f, worst)]
        left = [f for f in left if f not in same]
        out += [_one(same)] if len(same) > MOST_NAMED else same
    return out


def _near(a: Finding, b: Finding) -> bool:
    if a.wave_range is None or b.wave_range is None:
        return a.wave_range == b.wave_range
    common = min(a.wave_range[1], b.wave_range[1]) - max(a.wave_range[0], b.wave_range[0])
    return common > NEAR * max(a.wave_range[1] - a.wave_range[0], b.wave_range[1] - b.wave_range[0])


def _one(group: list[Finding]) -> Finding:
    """The findings as one, the worst first; most of them have its alternatives."""
    worst = group[0]
    fibers = np.unique([fiber for f in group for fiber in f.fibers])
    named = ranges(tuple(int(f) for f in fibers[:MOST_SAID])) + ", ..." * (fibers.size > MOST_SAID)
    spans = [f.wave_range for f in group if f.wave_range is not None]
    own = [(f.kind, f.first_step) for f in group]
    kind, step = max(dict.fromkeys(own), key=own.count)
    first = next(f for f in group if (f.kind, f.first_step) == (kind, step))
    others = [one for f in group for one in f.alternatives if one != (kind, step)]
    kept = tuple(one for one in dict.fromkeys(others) if 2 * others.count(one) > len(group))
    return replace(
        worst, kind=kind, first_step=step, fibers=tuple(int(f) for f in fibers), alternatives=kept,
        amplitude=float(np.median([f.amplitude for f in group])), confidence=max(f.confidence for f in group),
        wave_range=(min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None,
        detail={**first.detail, "of_fiber": {str(f.fibers[0]): round(f.amplitude, 3) for f in group}},
        text=f"{fibers.size} fibers ({named}) have one fault in common. The clearest of them: {first.text}",
    )  # fmt: skip
