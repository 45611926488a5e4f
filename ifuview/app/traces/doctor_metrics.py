"""The numbers of a diagnosis as plain values, in the schema `ifuview.metrics/1`, and the table of fibers as ECSV.

Not measured is null, never 0. A shift is positive when the light lies at a larger cross-dispersion pixel than the trace
file says. The schema is described in resources/help/metrics-schema.md.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from ifuview.engine.numeric.medians import MEDIAN_ERROR, median_along
from ifuview.model.checks import Array, plain_value
from ifuview.model.traces.doctor import SCHEMA, Crosstalk, Impact, Mode, Problem, TraceDiagnosis

DIGITS = 7  # significant
LISTED = 40  # eigenvalues
UNITS = {
    "trace_rms": "pix", "max_deviation": "pix", "mean_offset_px": "pix", "slope_px": "pix",
    "spacing_to_neighbors": "pix", "width_px": "pix",
}  # fmt: skip

Input = tuple[str, str, str]  # role, name, sha256


def metrics_of(found: TraceDiagnosis, inputs: tuple[Input, ...] = (), extra: dict[str, float] | None = None) -> dict:
    """Return the whole content of metrics.json.

    Parameters
    ----------
    found : TraceDiagnosis
    inputs : tuple of (role, name, sha256)
    extra : dict, optional
        Further global metrics.
    """
    return {
        "schema": SCHEMA,
        "inputs": [{"name": name, "sha256": digest, "role": role} for role, name, digest in inputs],
        "global_metrics": plain({**found.global_metrics, **(extra or {})}),
        "per_fiber_metrics": per_fiber(found),
        "spatial_patterns": {
            "modes": [mode(found, m) for m in found.modes if m.found],
            "tested_modes": [mode(found, m) for m in found.modes if not m.found],
            "correlation": correlation(found),
            "frame": [
                {
                    "kind": t.kind, "amount": plain(t.amount), "amount_err": plain(t.amount_err), "unit": t.unit,
                    "x_range": plain(t.x_range), "row_range": plain(t.row_range), "fibers": names(found, t.fibers),
                    "rows": plain(t.rows) or None, "text": t.text,
                }
                for t in found.trouble
            ],
        },
        "problem_fibers": [problem(found, p) for p in found.problems],
        "wavelength_ranges": ranges(found),
        "extraction_impact": impact(found, found.impact),
        "crosstalk": crosstalk(found, found.crosstalk),
        "verdict": found.verdict.value,
        "recommendations": [
            {"text": a.text, "action": a.action, "fibers": names(found, a.fibers)} for a in found.advice
        ],
        "noise_floor": plain(dict(found.noise_floor)),
    }  # fmt: skip


def as_json(metrics: dict) -> str:
    """Text of metrics.json: one line a fiber, so that it can be read and compared."""
    parts = []
    for key, value in metrics.items():
        if key == "per_fiber_metrics":
            rows = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            parts.append(f' "{key}": {{\n{rows}\n }}')
        else:
            parts.append(f' "{key}": {json.dumps(value, ensure_ascii=False)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def plain(value: Any) -> Any:
    """Numbers with DIGITS significant digits; None for what is not finite."""
    return plain_value(value, DIGITS)


def names(found: TraceDiagnosis, rows: tuple[int, ...]) -> list[str]:
    """Fiber ids of rows."""
    return [found.file_id[k] for k in rows if 0 <= k < found.nfiber]


def mode(found: TraceDiagnosis, m: Mode) -> dict[str, Any]:
    """One line of `modes`."""
    return {
        "name": m.name, "amplitude_px": plain(m.amplitude_px), "amplitude_px_err": plain(m.sigma_px),
        "sigma_px": plain(m.sigma_px), "significance": plain(m.significance), "fibers": names(found, m.fibers),
        "x_range": plain(m.x_range), "wave_range": plain(m.wave_range), "text": m.text,
    }  # fmt: skip


def problem(found: TraceDiagnosis, p: Problem) -> dict[str, Any]:
    """One line of `problem_fibers`."""
    return {
        "fiber_id": found.file_id[p.fiber], "row": p.fiber, "name": p.fiber_id, "kind": p.kind,
        "amplitude_px": plain(p.amplitude_px),
        "amplitude_px_err": plain(p.amplitude_err), "significance": plain(p.significance), "x_range": plain(p.x_range),
        "wave_range": plain(p.wave_range), "text": p.text, "verdict": p.verdict.value,
    }  # fmt: skip


def ranges(found: TraceDiagnosis) -> list[dict[str, Any]]:
    """Ranges where traces fail: one line per problem that does not hold for all columns."""
    whole = (float(np.floor(found.column[0])), float(np.ceil(found.column[-1]))) if found.column.size else (0.0, 0.0)
    return [
        {
            "fibers": names(found, (p.fiber,)), "kind": p.kind, "x_range": plain(p.x_range),
            "wave_range": plain(p.wave_range), "text": p.text,
        }
        for p in found.problems
        if p.x_range[0] > whole[0] or p.x_range[1] < whole[1]
    ]  # fmt: skip


def per_fiber(found: TraceDiagnosis) -> dict[str, dict[str, float | None]]:
    """Metrics of every fiber, by its id."""
    columns = list(found.per_fiber)
    rows = zip(*(plain(np.asarray(found.per_fiber[c], float)) for c in columns))
    return {name: dict(zip(columns, row)) for name, row in zip(found.file_id, rows)}


def correlation(found: TraceDiagnosis) -> dict[str, Any] | None:
    """Eigenvalues against the edge, correlation by distance, signs by block; each with its error."""
    c = found.correlation
    if c is None:
        return None
    values = np.asarray(c.eigenvalues)[:LISTED]
    return {
        "eigenvalues": plain(values),
        "eigenvalues_err": plain(values * math.sqrt(2 / max(found.column.size, 1))),
        "edge": plain(c.edge), "above": c.above, "distance": plain(c.distance), "r": plain(c.r),
        "r_err": plain(c.r_err),
        "block": plain(c.block), "sign": plain(c.sign), "p_value": plain(c.p_value),
    }  # fmt: skip


def impact(found: TraceDiagnosis, i: Impact | None) -> dict[str, Any] | None:
    """Losses and leaks: median over all, and the worst fiber."""
    if i is None:
        return None
    known = np.isfinite(found.offset)
    out: dict[str, Any] = {"half_width_px": i.half_width}
    for name, value, error in (
        ("boxcar_loss", i.boxcar_loss, i.boxcar_loss_err),
        ("joint_loss", i.joint_loss, i.joint_loss_err),
        ("leak", i.leak, i.leak_err),
    ):
        fiber = median_along(np.where(known, value, np.nan))
        err = median_along(np.where(known, error, np.nan)) / np.sqrt(np.maximum(known.sum(axis=1), 1))
        out[f"{name}_median"], out[f"{name}_median_err"] = plain(_of(fiber)), plain(_of(err) / math.sqrt(len(err)))
        size = np.where(np.isfinite(fiber), np.abs(fiber), -1)
        worst = int(size.argmax()) if size.size else 0
        out[f"{name}_worst"], out[f"{name}_worst_err"] = plain(fiber[worst]), plain(err[worst])
        out[f"{name}_worst_fiber"] = found.file_id[worst] if size[worst] >= 0 else None
    for name, value in (("perfect_boxcar_loss", i.perfect_loss), ("perfect_leak", i.perfect_leak)):
        fiber = median_along(np.where(known, value, np.nan))
        out[f"{name}_median"] = plain(_of(fiber))
        out[f"{name}_median_err"] = plain(MEDIAN_ERROR * np.nanstd(fiber) / math.sqrt(max(fiber.size, 1)))
    out["worst_fiber"] = out["boxcar_loss_worst_fiber"]
    return out


def crosstalk(found: TraceDiagnosis, c: Crosstalk | None) -> dict[str, Any] | None:
    """Banded crosstalk: median over the fibers, and of each fiber."""
    if c is None:
        return None
    out: dict[str, Any] = {"reach": plain(c.reach)}
    n = math.sqrt(max(found.nfiber, 1))
    for name, value, error in (("boxcar", c.boxcar, c.boxcar_err), ("joint", c.joint, c.joint_err)):
        out[f"{name}_median"] = plain(median_along(value.T))
        out[f"{name}_median_err"] = plain(median_along(error.T) / n)
    out["per_fiber"] = {
        name: {"boxcar": b, "boxcar_err": be, "joint": j, "joint_err": je}
        for name, b, be, j, je in zip(
            found.file_id, plain(c.boxcar), plain(c.boxcar_err), plain(c.joint), plain(c.joint_err)
        )
    }
    return out


def _of(values: Array) -> float:
    """Median of what is known."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def fiber_table(found: TraceDiagnosis) -> str:
    """ECSV 1.0 with one row a fiber: id, block, findings, and all metrics with their errors."""
    kinds: dict[int, list[str]] = {}
    for p in found.problems:
        kinds.setdefault(p.fiber, []).append(p.kind)
    columns = list(found.per_fiber)
    head = ["# %ECSV 1.0", "# ---", "# delimiter: ','", "# datatype:"]
    head += ["# - {name: fiber_id, datatype: string}", "# - {name: block, datatype: int64}"]
    head += ["# - {name: problems, datatype: string}"]
    for name in columns:
        unit = UNITS.get(name.removesuffix("_err"))
        head.append(f"# - {{name: {name}, {f'unit: {unit}, ' if unit else ''}datatype: float64}}")
    head += [
        "# meta: !!omap",
        "# - {sign: 'offsets are positive when the light lies at a larger cross-dispersion pixel'}",
    ]
    head.append("# schema: astropy-2.0")
    rows = [",".join(("fiber_id", "block", "problems", *columns))]
    values = [plain(np.asarray(found.per_fiber[c], float)) for c in columns]
    for k, name in enumerate(found.file_id):
        cells = [_cell(name), str(int(found.block[k])), _cell(" ".join(kinds.get(k, [])))]
        cells += ["nan" if v[k] is None else repr(v[k]) for v in values]
        rows.append(",".join(cells))
    return "\n".join([*head, *rows, ""])


def _cell(text: str) -> str:
    """A text in quotes where CSV needs them."""
    return '"' + text.replace('"', '""') + '"' if not text or any(c in text for c in ',"\n ') else text
