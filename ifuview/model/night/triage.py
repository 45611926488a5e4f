"""What a triage says: findings of a camera or a night, causes that are excluded, what could not be measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA = "ifuview.triage/1"
CLASSES = (
    "mixed-production",
    "wavelength-blocks",
    "wavelength-all",
    "ccd-row",
    "block-throughput",
    "amplifier-step",
    "fluxcalib",
    "masked-data",
    "mask-bits",
    "swapped-fibers",
    "amplifier-noise",
    "charge-transfer",
    "cosmic-rays",
    "ccd-column",
    "sky-line residual",
    "isolated-fiber",
    "positioning",
    "ghost",
    "bright-neighbor",
    "sky-gradient",
)  # worst first, all else equal
STEPS = ("preproc", "trace", "frame", "fiberflat", "sky", "sframe", "fluxcalib", "cframe", "light")
ENOUGH = 0.8  # of the fibers that must be known for "clean"
RATIOS = ("throughput / flat", "level / other blocks", "times its ivar")  # units of what should be 1
HARMLESS = ("sky-gradient", "bright-neighbor")  # real light, no fault of instrument or processing


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect.

    Parameters
    ----------
    expid : int
    camera : str
    kind : str
        One of CLASSES; "class" in the file.
    first_step : str
        One of STEPS: the first product that has it.
    alternatives : tuple of (str, str)
        Other classes and first steps that the data cannot exclude; the text says what would.
    fibers : tuple of int
        Fibers of the camera, from 0; all it concerns.
    blocks : tuple of int
        Blocks of `block_size` fibers, from 0; empty where the defect does not keep to blocks.
    wave_range : (float, float), Angstrom; or None for all wavelengths
    amplifier : str
        "" where it does not keep to one.
    amplitude : float, `unit`
    significance : float, sigma
    extent : str
        How far it reaches: petals and exposures.
    known : bool
        The fiber table says so already.
    confidence : float, 0 to 1
    text : str
        One sentence.
    detail : mapping
        More numbers, by name.
    """

    expid: int
    camera: str
    kind: str
    first_step: str
    fibers: tuple[int, ...] = ()
    blocks: tuple[int, ...] = ()
    block_size: int = 0
    wave_range: tuple[float, float] | None = None
    amplifier: str = ""
    amplitude: float = 0.0
    unit: str = ""
    significance: float = 0.0
    extent: str = "this camera, this exposure"
    known: bool = False
    confidence: float = 1.0
    text: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    evidence: str = ""
    alternatives: tuple[tuple[str, str], ...] = ()

    @property
    def steps(self) -> tuple[str, ...]:
        """All first steps that are possible, the likeliest first."""
        return tuple(dict.fromkeys((self.first_step, *(step for _, step in self.alternatives))))

    @property
    def rank(self) -> tuple[int, int, float, float]:
        """Sorts worst first."""
        harmless = 2 if self.kind in HARMLESS else 1 if self.known else 0
        return harmless, CLASSES.index(self.kind), -self.confidence, -self.significance

    @property
    def off(self) -> float:
        """By how much it is off, in its unit: of a ratio, from 1."""
        return abs(self.amplitude - 1.0) if self.unit in RATIOS else abs(self.amplitude)

    def as_dict(self) -> dict[str, object]:
        """As `triage.json` has it."""
        return {
            "expid": self.expid,
            "camera": self.camera,
            "class": self.kind,
            "first_step": self.first_step,
            "alternatives": [{"class": kind, "first_step": step} for kind, step in self.alternatives],
            "fibers": list(self.fibers),
            "blocks": list(self.blocks),
            "block_size": self.block_size,
            "wave_range": None if self.wave_range is None else [round(w, 2) for w in self.wave_range],
            "amplifier": self.amplifier,
            "amplitude": rounded(self.amplitude),
            "unit": self.unit,
            "significance": rounded(self.significance),
            "extent": self.extent,
            "known": self.known,
            "confidence": round(self.confidence, 2),
            "text": self.text,
            "detail": dict(self.detail),
            "evidence": self.evidence,
        }


@dataclass(frozen=True, slots=True)
class Cause:
    """One of the causes that a person would go through, in the order of the flow of light."""

    name: str
    verdict: str  # "supported by", "excluded by" or "not decided"
    evidence: str
    about: str = ""  # the defect that is asked about

    def as_dict(self) -> dict[str, str]:
        """As `triage.json` has it."""
        return {"about": self.about, "cause": self.name, "verdict": self.verdict, "evidence": self.evidence}


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """A question that could not be asked."""

    expid: int
    camera: str
    what: str
    missing: str

    def as_dict(self) -> dict[str, object]:
        """As `triage.json` has it."""
        return {"expid": self.expid, "camera": self.camera, "class": self.what, "missing": self.missing}


@dataclass(frozen=True, slots=True)
class Judged:
    """How much of a camera the verdict rests on.

    Parameters
    ----------
    expid : int
    camera : str
    fibers : int
        Of the camera.
    masked : tuple of int
        Fibers of which nothing is known.
    share : float
        Of the fibers of which most pixels are known.
    bad : tuple of str
        Products that are missing or damaged.
    """

    expid: int
    camera: str
    fibers: int
    masked: tuple[int, ...] = ()
    share: float = 1.0
    bad: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether each question was asked on enough of the camera."""
        return not self.bad and self.share >= ENOUGH

    def as_dict(self) -> dict[str, Any]:
        """As `triage.json` has it."""
        return {
            "expid": self.expid, "camera": self.camera, "fibers": self.fibers, "masked": list(self.masked),
            "share": round(self.share, 3), "bad_products": list(self.bad),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fixed:
    """A finding and what became of it in another production."""

    before: Finding
    status: str  # "fixed", "smaller", "remains", "new"
    remains: float  # of the amplitude
    text: str

    def as_dict(self) -> dict[str, object]:
        """As `triage.json` has it."""
        return {
            "status": self.status,
            "remains": rounded(self.remains),
            "text": self.text,
            "expid": self.before.expid,
            "camera": self.before.camera,
            "class": self.before.kind,
            "before": self.before.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class TriageResult:
    """All that a triage found, worst first; `left_out`: how many of each kind are below limits of the user."""

    findings: tuple[Finding, ...] = ()
    causes: tuple[Cause, ...] = ()
    not_measured: tuple[NotMeasured, ...] = ()
    fixed: tuple[Fixed, ...] = ()
    cameras: tuple[tuple[int, str], ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    judged: tuple[Judged, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()

    def as_dict(self) -> dict[str, object]:
        """As `triage.json` has it."""
        out: dict[str, object] = {
            "schema": SCHEMA,
            "cameras": [{"expid": e, "camera": c} for e, c in self.cameras],
            "findings": [f.as_dict() for f in self.findings],
            "excluded": [c.as_dict() for c in self.causes],
            "not_measured": [n.as_dict() for n in self.not_measured],
            "problems": list(self.problems),
            "notes": list(self.notes),
            "judged": [j.as_dict() for j in self.judged],
        }
        if self.left_out:
            out["left_out"] = dict(self.left_out)
        if self.fixed:
            out["after"] = [f.as_dict() for f in self.fixed]
        return out


def rounded(value: float) -> float:
    """Four significant digits."""
    return float(f"{value:.4g}")


def ranges(numbers: tuple[int, ...]) -> str:
    """Numbers as text: `3, 10-12`."""
    out: list[str] = []
    at = 0
    while at < len(numbers):
        end = at
        while end + 1 < len(numbers) and numbers[end + 1] == numbers[end] + 1:
            end += 1
        out.append(str(numbers[at]) if end == at else f"{numbers[at]}-{numbers[end]}")
        at = end + 1
    return ", ".join(out)
