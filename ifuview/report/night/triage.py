"""A triage as one page: what was found where, with pictures, causes and what could not be measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ifuview import resources
from ifuview.files import put
from ifuview.model.frames.units import sentence, unit_words
from ifuview.model.night.triage import Cause, Finding, TriageResult, ranges

PAGE = "triage.html"


@dataclass(frozen=True, slots=True, eq=False)
class TriageReport:
    """What the page is made of.

    Parameters
    ----------
    result : TriageResult
    title, created, version : str
    """

    result: TriageResult
    title: str
    created: str = ""
    version: str = ""


def save_page(report: TriageReport, folder: Path) -> str:
    """Write triage.html; return its name."""
    put(folder / PAGE, page(report))
    return PAGE


def page(report: TriageReport) -> str:
    """The page; every text from outside is escaped by the template."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    place = resources.path("report")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["sentence"] = sentence
    template = environment.from_string((place / "triage.html.j2").read_text(encoding="utf-8"))
    css = (place / "doctor.css").read_text(encoding="utf-8") + (place / "triage.css").read_text(encoding="utf-8")
    return template.render(
        report=report,
        result=report.result,
        css=Markup(css),
        groups=_groups(report.result),
        about=_about(report.result),
        grid=_grid(report.result),
        lacking=_lacking(report.result),
    )


def _lacking(result: TriageResult) -> list[dict[str, str]]:
    """What was not measured, one line a camera and missing product."""
    lines: dict[tuple[str, str], list[str]] = {}
    for one in result.not_measured:
        lines.setdefault((f"{one.expid} {one.camera}", one.missing), []).append(one.what)
    return [{"where": w, "missing": m, "what": ", ".join(k)} for (w, m), k in lines.items()]


def _groups(result: TriageResult) -> list[dict[str, object]]:
    """One row per defect: the places where the same defect was seen, with the worst first."""
    rows: dict[tuple[object, ...], list[Finding]] = {}
    for finding in result.findings:
        if finding.kind in ("isolated-fiber", "positioning", "ccd-row", "block-throughput", "bright-neighbor"):
            key: tuple[object, ...] = (finding.kind, finding.camera, finding.fibers, finding.amplifier)
        else:
            key = (finding.kind, finding.first_step, finding.amplifier, _near(finding.wave_range))
        rows.setdefault(key, []).append(finding)
    return [_row(list(found)) for found in rows.values()]


def _near(wave_range: tuple[float, float] | None) -> int:
    """Wavelength, coarsely: the same defect has nearly the same range everywhere."""
    return -1 if wave_range is None else round((wave_range[0] + wave_range[1]) / 200)


def _row(found: list[Finding]) -> dict[str, object]:
    first = found[0]
    return {
        "first": first,
        "key": "pale" if first.known else "fail" if first.kind not in ("sky-gradient", "bright-neighbor") else "info",
        "state": "known"
        if first.known
        else "real sky or star"
        if first.kind in ("sky-gradient", "bright-neighbor")
        else "new",
        "fibers": ranges(first.fibers),
        "waves": "all" if first.wave_range is None else f"{first.wave_range[0]:.0f}-{first.wave_range[1]:.0f}",
        "amount": f"{first.amplitude:.3g} {unit_words(first.unit)}",
        "places": [
            {"where": f"{f.expid} {f.camera}", "blocks": ranges(f.blocks), "evidence": f.evidence} for f in found
        ],
        "evidence": next((f.evidence for f in found if f.evidence), ""),
    }


def _about(result: TriageResult) -> list[dict[str, object]]:
    """The seven causes, one table for each defect asked about."""
    out: dict[str, list[Cause]] = {}
    for cause in result.causes:
        out.setdefault(cause.about, []).append(cause)
    return [{"about": about, "causes": causes} for about, causes in out.items()]


def _grid(result: TriageResult) -> dict[str, object]:
    """Exposures x cameras with the number of findings and the color of the worst."""
    cameras = sorted({c for _, c in result.cameras})
    cells: dict[tuple[int, str], list[Finding]] = {place: [] for place in result.cameras}
    for finding in result.findings:
        cells.setdefault((finding.expid, finding.camera), []).append(finding)
    rows = [
        {"expid": expid, "cells": [_cell(cells.get((expid, c))) for c in cameras]}
        for expid in sorted({e for e, _ in result.cameras})
    ]
    return {"cameras": cameras, "rows": rows}


def _cell(found: list[Finding] | None) -> dict[str, str]:
    if found is None:
        return {"key": "none", "text": "–", "title": "no data"}
    if not found:
        return {"key": "good", "text": "clean", "title": "nothing found"}
    worst = min(found, key=lambda f: f.rank)
    key = "info" if worst.rank[0] else "bad"
    return {"key": key, "text": worst.kind, "title": "; ".join(dict.fromkeys(f.text for f in found))}
