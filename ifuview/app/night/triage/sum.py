"""What the cameras of a triage say together: light that only other exposures tell, extent, causes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ifuview.app.night.triage.between import between
from ifuview.app.night.triage.files import CameraFiles
from ifuview.instrument import instrument
from ifuview.model.night.triage import Cause, Finding, Judged, NotMeasured, TriageResult

if TYPE_CHECKING:
    from ifuview.recipes.desi_qa import CameraTriage

STRAY = "wavelength-all"
HIDDEN = "stray light that the sky model takes along"


@dataclass(frozen=True, slots=True, eq=False)
class Triaged:
    """One camera: its files, what was found, sentences about its files."""

    camera: CameraFiles
    found: CameraTriage
    problems: tuple[str, ...] = ()
    tile: int = 0
    bad: tuple[str, ...] = ()  # products that are missing or damaged


def summed(done: list[Triaged], problems: list[str], only: Sequence[str]) -> TriageResult:
    """Findings of all cameras, worst first, with their extent and the causes."""
    from ifuview.engine.night.extent import NightReach, with_extent
    from ifuview.engine.night.image.first_step import with_other_cameras, with_shared_light

    night = NightReach({t.camera.expid: t.tile for t in done}, tuple((t.camera.expid, t.camera.camera) for t in done))
    kept = {
        (t.camera.expid, t.camera.camera): t.found.numbers["light_kept"]
        for t in done
        if "light_kept" in t.found.numbers
    }
    own = with_other_cameras(with_shared_light([f for t in done for f in t.found.findings]), kept)
    stray, alone = _stray_light(done) if not only or STRAY in only else ([], [])
    told = between([(t.camera.expid, t.camera.camera, t.found.numbers) for t in done])
    told = [f for f in told if not only or f.kind in only]
    found, left_out = _above_limits([*own, *stray, *told], done)
    findings = with_extent(found, night)
    findings.sort(key=lambda f: f.rank)
    return TriageResult(
        findings=tuple(findings),
        causes=_causes(findings, done),
        not_measured=(*(n for t in done for n in t.found.not_measured), *alone),
        cameras=tuple((t.camera.expid, t.camera.camera) for t in done),
        judged=tuple(_judged(t) for t in done),
        left_out=left_out,
        problems=tuple(dict.fromkeys([*problems, *(p for t in done for p in t.problems)])),
    )


def _above_limits(found: list[Finding], done: list[Triaged]) -> tuple[list[Finding], tuple[tuple[str, int], ...]]:
    """Findings that are above the limits of their instrument's file, and how many of each kind are not."""
    least = {(t.camera.expid, t.camera.camera): instrument(t.camera.instrument).triage for t in done}
    if not any(least.values()):
        return found, ()
    kept, out = [], Counter[str]()
    for finding in found:
        limit = least.get((finding.expid, finding.camera), {}).get(finding.kind)
        if limit is None or (finding.significance >= limit.sigma and finding.off >= limit.amount):
            kept.append(finding)
        else:
            out[finding.kind] += 1
    return kept, tuple(sorted(out.items()))


def _judged(triaged: Triaged) -> Judged:
    """What the verdict on a camera rests on."""
    of, camera = triaged.found.numbers.get("judged", {}), triaged.camera
    return Judged(
        camera.expid, camera.camera, int(of.get("fibers", 0)), tuple(of.get("masked", ())), float(of.get("share", 0.0)),
        triaged.bad,
    )  # fmt: skip


def _stray_light(done: list[Triaged]) -> tuple[list[Finding], list[NotMeasured]]:
    """Light that all fibers and their sky model have in one exposure and not in the others of the camera.

    The second are the cameras without another exposure to compare with.
    """
    from ifuview.engine.night.questions.case import COUNTS, E_PER_A
    from ifuview.engine.night.sky_light import bumps

    spectra: dict[tuple[str, int], dict[int, Triaged]] = {}
    for triaged in done:
        if "sky" in triaged.found.numbers:
            key = triaged.camera.camera, len(triaged.found.numbers["sky"])
            spectra.setdefault(key, {})[triaged.camera.expid] = triaged
    out: list[Finding] = []
    alone: list[NotMeasured] = []
    for (camera, _), of in spectra.items():
        if len(of) < 2:
            alone += [NotMeasured(expid, camera, HIDDEN, "other exposures of the camera") for expid in of]
            continue
        wave = next(iter(of.values())).found.numbers["sky_wave"]
        for expid, found in bumps({e: t.found.numbers["sky"] for e, t in of.items()}, wave).items():
            for bump in found:
                low, high = bump.wave_range
                text = f"The sky itself has {bump.amplitude:.0f} {E_PER_A} more light at {low:.0f}-{high:.0f} A "
                text += f"({100 * bump.share:.0f} %) than in the other exposures: stray light or a lamp"
                out.append(Finding(
                    expid, camera, STRAY, "light", wave_range=bump.wave_range, amplitude=bump.amplitude, unit=COUNTS,
                    significance=bump.significance, confidence=0.6 if len(of) == 2 else 0.8, text=text,
                ))  # fmt: skip
    return out, alone


def _causes(findings: Sequence[Finding], done: list[Triaged]) -> tuple[Cause, ...]:
    """The seven causes of the worst finding of each kind and first step."""
    from ifuview.engine.night.causes import NEEDS_CAUSES, causes

    numbers = {(t.camera.expid, t.camera.camera): t.found.numbers for t in done}
    worst: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        if finding.kind in NEEDS_CAUSES:
            worst.setdefault((finding.kind, finding.first_step), finding)
    return tuple(c for f in worst.values() for c in causes(f, numbers[f.expid, f.camera]))
