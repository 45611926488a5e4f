"""The seven causes that a person would exclude one after the other, each with its evidence, for one kind of defect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ifuview.model.night.triage import Cause, Finding

CAUSES = (
    "raw data and read-out", "stray light", "CCD calibration", "traces and PSF", "fiberflat", "sky model",
    "flux calibration",
)  # fmt: skip
YES, NO, OPEN = "supported by", "excluded by", "not decided"
GUILTY = {
    "preproc": (0, 2), "trace": (3,), "frame": (3,), "fiberflat": (4,), "sky": (5,), "sframe": (5,), "fluxcalib": (6,),
    "cframe": (6,), "light": (1,),
}  # fmt: skip
NEEDS_CAUSES = (
    "mixed-production", "ccd-row", "wavelength-blocks", "wavelength-all", "block-throughput", "amplifier-step",
    "fluxcalib", "sky-line residual", "sky-gradient",
)  # fmt: skip
WORDS = {"preproc": "detector image", "trace": "extraction", "sky": "sky model", "sframe": "sky subtraction"}
ASKED_OF = {3: "frame", 4: "flat", 5: "sky"}  # product that tells of a cause
EDGES = "the edges are those of blocks of 50, traces are fitted in bundles of 25"
NO_ROWS = 5.0  # mean chi2 of row means below which nothing keeps to rows


def causes(finding: Finding, numbers: Mapping[str, Any]) -> tuple[Cause, ...]:
    """What speaks for and against each cause of a finding.

    Parameters
    ----------
    finding : Finding
    numbers : mapping
        Of the camera: "rows", the chi2 of the detector rows of each amplifier.
    """
    about = f"{finding.kind}, {finding.expid} {finding.camera}"
    out = []
    for index, name in enumerate(CAUSES):
        verdict, evidence = _judged(index, finding, numbers)
        out.append(Cause(name, verdict, evidence, about))
    return tuple(out)


def _judged(index: int, finding: Finding, numbers: Mapping[str, Any]) -> tuple[str, str]:
    """Verdict and evidence of one cause."""
    if (without := finding.detail.get("without")) and index in ASKED_OF:
        product = ASKED_OF[index]
        if product in without:
            return OPEN, f"there is no {CAUSES[index]} to ask"
        if product != "frame":
            return NO, f"the {CAUSES[index]} has it not"
        edges = finding.block_size == 50
        return (NO, EDGES) if edges else (OPEN, "there is no flat-fielded frame to ask")
    if index in GUILTY[finding.first_step]:
        if finding.kind in ("ccd-row", "amplifier-step") and index == 2:
            return OPEN, "read-out noise and a wrong bias look alike here; compare the preproc image and its overscan"
        return YES, finding.text
    if index > max(GUILTY[finding.first_step]) and finding.first_step != "light":
        return NO, f"it is there already in the {_word(finding.first_step)}, which comes earlier"
    return _before(index, finding, numbers)


def _word(step: str) -> str:
    return WORDS.get(step, step)


def _before(index: int, finding: Finding, numbers: Mapping[str, Any]) -> tuple[str, str]:
    """Causes that come before the guilty step."""
    rows = numbers.get("rows", {})
    worst = max((v for a, v in rows.items() if a != finding.amplifier), default=None)
    if finding.first_step == "light":
        if index in (5, 6):
            return NO, "the flat-fielded frame has it before the sky is subtracted"
        if finding.kind != "sky-gradient":
            return OPEN, "all fibers have it, the sky of other exposures does not"
        return NO, "it is smooth over the focal plane and keeps to one line: no detector, trace or flat does that"
    if index in (0, 2):
        if worst is None:
            return OPEN, "without traces nobody can tell rows of the detector from wavelengths"
        if worst < NO_ROWS:
            return NO, f"nothing keeps to detector rows (chi2 {worst:.1f}, noise gives 1)"
        bad = ", ".join(a for a, v in rows.items() if v >= NO_ROWS)
        return NO, f"amplifier {bad} does keep to rows, but was taken off first: what is left keeps to wavelengths"
    frame = finding.detail.get("frame_over_flux")
    if index == 1 and finding.first_step == "preproc":
        return NO, f"it stays inside amplifier {finding.amplifier}: light knows no amplifiers"
    if index == 1:
        if frame is not None:
            return NO, f"frame / flat has {abs(frame):.2f} of it: light would be there in full"
        return OPEN, "the frame or flat is missing"
    if index == 3:
        if finding.block_size == 50:
            return NO, f"{EDGES}; the frame does not have it"
        return NO, f"{finding.first_step} shows it by itself"
    return NO, f"the fiberflat is smooth there; {_elsewhere(finding)}"


def _elsewhere(finding: Finding) -> str:
    """Whether the same flat is fine in other exposures."""
    reach = finding.detail.get("reach")
    if reach in ("this tile", "this exposure", "some exposures", "from this exposure on"):
        return "other exposures of the night with the same flat are clean"
    return "its own feature was looked for and is not there"
