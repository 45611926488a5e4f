"""What a defect makes elsewhere: sky fibers of a run have a part in what all share, charge that trails moves lines."""

from __future__ import annotations

import numpy as np

from ifuview.engine.night.questions.case import Case
from ifuview.model.night.triage import Finding

EXPLAINED = 0.4  # of a level of one side, by fibers of it that lost light
ECHO = 2.0  # times what a sky model makes of fibers that it follows
MADE_LATER = ("fiberflat", "sky", "sframe", "fluxcalib", "cframe")
ALL_BUT_FEW = 0.9  # of the fibers of blocks
PART = 0.5  # of the fibers of an amplifier
ALIKE = 0.3  # part that two amplifiers may trail differently by, and it be no charge
TAIL = 0.5  # of the significance of charge that trails: what single lines show of it
MOVED = ("shift", "width")  # lines that leave edges sharper than they are


def echoes(case: Case) -> None:
    """Take back findings that the sky fibers of a run make: levels of a side, lines that stay in all fibers."""
    chain, runs = case.chain, [f for f in case.findings if f.kind == "block-throughput"]
    if chain.is_sky is None or case.level is None or not runs:
        return
    lost = np.zeros(chain.shape[0])
    for f in runs:
        lost[list(f.fibers)] = f.amplitude - 1
    sky = chain.is_sky & case.measured
    followed = float(np.abs(lost[sky]).sum()) / max(int(np.count_nonzero(sky)), 1)
    for f in list(case.findings):
        if f.kind == "amplifier-step" and f.detail.get("sky_fibers"):
            side = np.zeros(sky.size, bool)
            side[list(f.fibers)] = True
            own, other = (lost[sky & part].mean() if (sky & part).any() else 0.0 for part in (side, ~side))
            told = float(np.median(case.level) * (own - other) * np.sign(f.amplitude)) > EXPLAINED * abs(f.amplitude)
        else:
            told = bool(f.detail.get("change") == "factor" and len(f.fibers) == lost.size)
            told &= abs(f.amplitude) < ECHO * followed
        if told:
            case.findings.remove(f)


def without_charge(findings: list[Finding], count: int) -> list[Finding]:
    """Without what charge that trails explains: levels of its amplifier and fibers, lines that seem displaced."""
    trails = [f for f in findings if f.kind == "charge-transfer"]
    made = [f for f in trails if f.detail["way"] == "along" and (_of_a_run(f, findings) or _of_its_fibers(f, findings))]
    findings, trails = [f for f in findings if f not in made], [f for f in trails if f not in made]
    if not trails:
        return findings
    fibers = {fiber for f in trails for fiber in f.fibers}
    along = max((f.significance for f in trails if f.detail["way"] == "along"), default=0.0)
    out = []
    for f in findings:
        inside = f.kind in ("ccd-column", "ccd-row", "isolated-fiber") and set(f.fibers) <= fibers
        inside &= f.first_step not in MADE_LATER  # charge is in no product but the frame
        lines = along > 0 and f.kind == "sky-line residual" and f.detail.get("change") in ("shift", "width", "factor")
        lines |= f.kind == "sky-line residual" and f.significance < TAIL * along and len(f.fibers) < count
        across = f.detail.get("sky_fibers") and any(t.amplifier in f.amplifier.split("/") for t in trails)
        if not lines and not across and (not inside or f.known or f.detail.get("dead")):
            out.append(f)
    return out


def _of_a_run(trail: Finding, findings: list[Finding]) -> bool:
    """Whether displaced or wide lines of a part of its fibers make an amplifier seem to trail, which all would do."""
    inside = set(trail.fibers)
    return any(
        f.detail.get("change") in MOVED and f.significance > trail.significance
        and len(f.fibers) < PART * len(inside) and len(inside & set(f.fibers)) > PART * len(f.fibers)
        for f in findings
    )  # fmt: skip


def _of_its_fibers(trail: Finding, findings: list[Finding]) -> bool:
    """Whether another amplifier trails alike in the same fibers, and lines are displaced or wide: theirs, no charge."""
    twins = [
        f for f in findings
        if f.kind == "charge-transfer" and f.detail["way"] == "along" and f.amplifier != trail.amplifier
        and len(set(f.fibers) & set(trail.fibers)) > ALL_BUT_FEW * len(trail.fibers)
        and abs(f.amplitude / trail.amplitude - 1) < ALIKE
    ]  # fmt: skip
    return bool(twins) and any(f.detail.get("change") in MOVED for f in findings)
