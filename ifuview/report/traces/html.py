"""The diagnosis as one HTML file that needs nothing else: words first, then numbers, findings and the figures."""

from __future__ import annotations

import base64
import math
from pathlib import Path

from ifuview import resources
from ifuview.files import put
from ifuview.model.orientation import AxisWords
from ifuview.model.traces.findings import TraceFinding, advice_lines
from ifuview.model.verdict import as_state
from ifuview.report.pointer import under_pointer
from ifuview.report.traces.doctor_report import DoctorReport, Drawn
from ifuview.report.words import MARKS

# global number -> what a reader calls it; others are named by their key
WORDS = {
    "nfiber": "Fibers",
    "nfiber_measured": "Fibers measured",
    "mean_offset_px": "Mean offset (px)",
    "mean_trace_rms": "Mean rms of light minus trace (px)",
    "max_trace_deviation": "Largest deviation (px)",
    "max_trace_deviation_fiber": "Fiber of the largest deviation",
    "offset_p50_px": "Median size of the offsets (px)",
    "offset_p95_px": "95 % of the offsets are below (px)",
    "trace_spacing_uniformity": "Scatter of the spacing about the comb (px)",
    "wavelength_shift_consistency": "Shift along the wavelength, rms (px)",
    "single_fiber_scatter_px": "Scatter of single fibers that is corrected (px)",
    "chi2_per_dof": "Reduced chi2 of the profile fit",
    "mean_width_px": "Mean Gaussian width (px)",
    "background": "Background (counts)",
    "centroid_px": "Noise of one center (px)",
    "trace_px": "Noise of one trace (px)",
    "shift_px": "Noise of a shift of all (px)",
    "model_px": "Scatter that no model explains (px)",
    "read_noise": "Read noise (counts)",
}


def write_html(report: DoctorReport, drawn: tuple[Drawn, ...], folder: Path) -> list[str]:
    """Write report.html."""
    put(folder / "report.html", page(report, drawn))
    return ["report.html"]


def page(report: DoctorReport, drawn: tuple[Drawn, ...]) -> str:
    """The page; every text from outside is escaped by the template."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    folder = resources.path("report")
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(
        (folder / "doctor.html.j2").read_text(encoding="utf-8")
    )
    sign, word, _ = MARKS[as_state(report.diagnosis.verdict)]
    return template.render(
        report=report,
        diagnosis=report.diagnosis,
        css=Markup((folder / "doctor.css").read_text(encoding="utf-8")),
        verdict={"key": report.diagnosis.verdict.value, "sign": sign, "word": word},
        findings=[_finding(f, report.diagnosis.axes) for f in report.findings],
        advice=advice_lines(report.diagnosis),
        numbers=_numbers(report),
        figures=[_figure(d) for d in drawn],
        script=Markup((folder / "pointer.js").read_text(encoding="utf-8")),
    )


def _figure(drawn: Drawn) -> dict[str, str]:
    """A figure with what stands under the pointer; `under_pointer` escapes what could end the script."""
    from markupsafe import Markup

    data = base64.b64encode(drawn.png).decode("ascii")
    return {"title": drawn.title, "caption": drawn.caption, "data": data, "axes": Markup(under_pointer(drawn.figure))}


def _finding(one: TraceFinding, axes: AxisWords) -> dict[str, str]:
    """A finding in words."""
    amount = "–" if one.amount is None else f"{one.amount:+.4g}" if one.unit == "px" else f"{one.amount:.4g}"
    if one.amount is not None:
        amount += f"{'' if one.amount_err is None else f' ± {one.amount_err:.2g}'} {one.unit}"
    return {
        "key": one.verdict.value,
        "sign": MARKS[as_state(one.verdict)][0] if one.group != "frame" else "i",
        "title": one.title,
        "text": one.text,
        "amount": amount,
        "significance": "–" if one.significance is None else f"{one.significance:.0f}",
        "columns": axes.along(*one.x_range),
        "waves": "–" if one.wave_range is None else f"{one.wave_range[0]:.0f} to {one.wave_range[1]:.0f}",
    }


def _numbers(report: DoctorReport) -> list[dict[str, str]]:
    """Global numbers and the noise floor with their errors."""
    out = []
    for source in (report.diagnosis.global_metrics, report.diagnosis.noise_floor):
        for key, value in source.items():
            if not key.endswith("_err"):
                words = WORDS.get(key, key.replace("_", " "))
                out.append({"name": words, "value": _number(value), "error": _number(source.get(f"{key}_err"), 2)})
    return out


def _number(value: object, digits: int = 4) -> str:
    """A few digits; a dash for what was not measured."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)
