"""Findings of one cause, gathered over cameras and exposures."""

from __future__ import annotations

from collections.abc import Sequence

from ifuview.engine.night.extent import same
from ifuview.model.night.triage import Finding


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
