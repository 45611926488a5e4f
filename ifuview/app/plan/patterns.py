"""What fibers have in common: correlations of their residuals, and the patterns behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ifuview.app.plan.loading import diagnosis_of
from ifuview.app.plan.values import Pair, Positions, Traces, names_of, positions_in, traces_in
from ifuview.app.traces.doctor_metrics import mode, problem
from ifuview.engine.numeric.medians import robust_sigma
from ifuview.engine.numeric.smooth_fit import smooth_fit
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.traces.doctor import TraceDiagnosis

BINS = 128  # along dispersion, of residuals of traces alone
EDGE_MARGIN = 1.03  # the largest eigenvalue of noise exceeds the edge by about this
FAR_BINS = 12  # of distance
LOADED = 2.0  # times the rms load: a fiber that a pattern holds by
SURE = 5.0  # sigma
MOST_PATTERNS = 6
NOTHING = 1e-4  # px; what smaller residuals of curves have in common is rounding and interpolation


class CorrelationMatrix(np.ndarray):
    """Correlation of every two fibers, NaN where not measured, of `samples` points; with the diagnosis, if any."""

    samples: int
    names: tuple[str, ...]
    diagnosis: TraceDiagnosis | None

    def __array_finalize__(self, other: object) -> None:
        self.samples = getattr(other, "samples", 0)
        self.names = getattr(other, "names", ())
        self.diagnosis = getattr(other, "diagnosis", None)


def analyze_trace_correlations(traces: Traces | TraceDiagnosis, raw_2d: Array | None = None) -> Pair:
    """Return the correlation of the residuals of the fibers, and the residuals.

    With an image (or a diagnosis) residuals are light minus trace after the shared patterns are removed. Traces alone
    are fitted curves, so that their residuals from a smooth curve say what their basis has in common.

    Parameters
    ----------
    traces : TraceSet, dict of dicts, or TraceDiagnosis
    raw_2d : ndarray, shape (nrow, ncol), optional

    Returns
    -------
    matrix : ndarray, shape (nfiber, nfiber)
    residuals : ndarray, shape (nfiber, n), px
        By name too, with `eigenvalues` against `edge` (Marchenko and Pastur 1967) and the number `above` it;
        `distance`, `r`, `r_err`; `block`, `sign`, `p_value`; `of`: "light" or "smooth curve".
    """
    found = traces if isinstance(traces, TraceDiagnosis) else None if raw_2d is None else diagnosis_of(raw_2d, traces)
    if found is not None:
        return _measured(found)
    if isinstance(traces, TraceDiagnosis):
        raise UsageError("a diagnosis needs no image")
    residual = _residuals(traces)
    matrix = _matrix(residual, names_of(traces))
    more = {"matrix": matrix, "residuals": residual, "of": "smooth curve", **_spectrum(matrix)._asdict()}
    return Pair(matrix, residual, more)


def _measured(found: TraceDiagnosis) -> Pair:
    """Of a diagnosis."""
    c = found.correlation
    if c is None:
        matrix = _matrix(np.full((found.nfiber, 2), np.nan), found.file_id)
        return Pair(matrix, found.residual, {"matrix": matrix, "residuals": found.residual, "of": "not measured"})
    matrix = np.asarray(c.matrix).view(CorrelationMatrix)
    matrix.samples, matrix.names, matrix.diagnosis = found.column.size, found.file_id, found
    return Pair(matrix, found.residual, {
        "matrix": matrix, "residuals": found.residual, "of": "light", "eigenvalues": c.eigenvalues, "edge": c.edge,
        "above": c.above, "distance": c.distance, "r": c.r, "r_err": c.r_err, "block": c.block, "sign": c.sign,
        "p_value": c.p_value,
    })  # fmt: skip


def _residuals(traces: Traces) -> NDArray[np.float64]:
    """Trace minus its own smooth curve at common columns, NaN where a trace does not reach, (nfiber, BINS)."""
    found = traces_in(traces)
    at = np.unique(np.linspace(0, found.ncol - 1, BINS).round().astype(int))
    out = np.full((found.nfiber, at.size), np.nan)
    for k, center in enumerate(found.center[:, at]):
        if np.isfinite(center).sum() > 4:
            out[k] = smooth_fit(at.astype(float), center).residual
            out[k] *= np.nanmax(np.abs(out[k])) > NOTHING
    return out


def _matrix(residual: Array, names: tuple[str, ...]) -> CorrelationMatrix:
    """Correlation over the points that two fibers share; a fiber without scatter has none."""
    known = np.isfinite(residual)
    z = np.where(known, residual, 0.0)
    n = known.astype(float) @ known.T
    with np.errstate(invalid="ignore", divide="ignore"):
        norm = np.sqrt((z**2) @ known.T)
        out = np.where(n > 2, (z @ z.T) / (norm * norm.T), np.nan).view(CorrelationMatrix)
    out.samples, out.names, out.diagnosis = int(np.median(n.diagonal())), names, None
    return out


class Spectrum(NamedTuple):
    """Eigenvalues of the measured part, the edge of noise, and how many are above it."""

    eigenvalues: NDArray[np.float64]
    edge: float
    above: int


def _spectrum(matrix: Array) -> Spectrum:
    """Of a correlation matrix."""
    good = np.isfinite(np.diagonal(matrix))
    part = np.nan_to_num(np.asarray(matrix)[np.ix_(good, good)])
    n = part.shape[0]
    if n < 3:
        return Spectrum(np.zeros(0), np.nan, 0)
    values = np.linalg.eigvalsh(part)[::-1]
    edge = float((1 + np.sqrt(n / _samples(matrix))) ** 2 * EDGE_MARGIN)
    return Spectrum(values, edge, int((values > edge).sum()))


def _samples(matrix: Array) -> float:
    """Independent points of a correlation: as it says, else from the scatter of small correlations."""
    said = getattr(matrix, "samples", 0)
    if said:
        return float(said)
    off = np.asarray(matrix)[np.triu_indices(len(matrix), 1)]
    scatter = robust_sigma(off) if np.isfinite(off).any() else 1.0
    return 1 / max(scatter, 1e-3) ** 2


def identify_systematic_trace_errors(
    matrix: Array | TraceDiagnosis, fiber_positions: Positions | None = None
) -> dict[str, object]:
    """Return the patterns that many fibers share and the fibers that are wrong alone.

    Parameters
    ----------
    matrix : ndarray, shape (nfiber, nfiber), or TraceDiagnosis
        Of `analyze_trace_correlations`. If it was measured on an image, its patterns and problem fibers are returned.
    fiber_positions : (nfiber, 2), table of fibers or mapping, optional
        Correlation is given by distance then.

    Returns
    -------
    dict
        `modes`, the significant ones in `found`: each with name, significance, fibers and text; `problem_fibers`;
        `noise_floor`; `not_measured` fibers; `eigenvalues`, `edge`, `above`; with positions `distance`, `r`, `r_err`.
    """
    if isinstance(matrix, TraceDiagnosis):
        found: TraceDiagnosis | None = matrix
        values = _measured(matrix).first
    else:
        found = getattr(matrix, "diagnosis", None)
        values = np.asanyarray(matrix)
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise UsageError(f"an array of shape {values.shape} is no correlation of fibers", todo="give (nfiber, nfiber)")
    names = getattr(values, "names", ()) or tuple(str(k) for k in range(len(values)))
    spectrum, samples = _spectrum(values), _samples(values)
    out: dict[str, object] = spectrum._asdict()
    out["not_measured"] = [names[k] for k in np.flatnonzero(~np.isfinite(values.diagonal()))]
    if found is not None:
        out |= _of_diagnosis(found)
    else:
        patterns = _patterns(np.asarray(values), names, spectrum.edge, samples)
        out |= {"modes": patterns, "found": patterns, "problem_fibers": []}
        out["noise_floor"] = {"r": 1 / np.sqrt(samples), "edge": spectrum.edge}
    if fiber_positions is not None:
        out |= _by_distance(np.asarray(values), positions_in(fiber_positions, names)[0], samples)
    return out


def _of_diagnosis(found: TraceDiagnosis) -> dict[str, object]:
    """Patterns and fibers of a diagnosis."""
    return {
        "modes": [mode(found, m) for m in found.modes],
        "found": [mode(found, m) for m in found.found_modes],
        "problem_fibers": [problem(found, p) for p in found.problems],
        "noise_floor": dict(found.noise_floor),
    }


def _patterns(matrix: Array, names: tuple[str, ...], edge: float, samples: float) -> list[Mapping[str, object]]:
    """The eigenvectors beyond the edge, each with the fibers that hold it."""
    good = np.flatnonzero(np.isfinite(matrix.diagonal()))
    if good.size < 3:
        return []
    values, vectors = np.linalg.eigh(np.nan_to_num(matrix[np.ix_(good, good)]))
    out: list[Mapping[str, object]] = []
    for value, vector in list(zip(values, vectors.T))[::-1][:MOST_PATTERNS]:
        significance = (value - edge) / (edge * np.sqrt(2 / samples))
        if value <= edge or significance < SURE:
            break
        held = good[np.abs(vector) > np.sqrt(1 / good.size) / LOADED]
        share = value / good.size
        text = f"{held.size} fibers share a pattern with {100 * share:.0f} % of their scatter"
        out.append({
            "name": f"pattern {len(out) + 1}", "eigenvalue": float(value), "share": float(share),
            "significance": float(significance), "fibers": [names[k] for k in held], "load": vector, "text": text,
        })  # fmt: skip
    return out


def _by_distance(matrix: Array, place: Array, samples: float) -> dict[str, object]:
    """Mean correlation of fibers by their distance in the head."""
    i, j = np.triu_indices(len(matrix), 1)
    distance = np.hypot(*(place[i] - place[j]).T)
    r = matrix[i, j]
    known = np.isfinite(distance) & np.isfinite(r)
    if not known.any():
        return {"distance": np.zeros(0), "r": np.zeros(0), "r_err": np.zeros(0)}
    edges = np.linspace(0, float(distance[known].max()) * (1 + 1e-9), FAR_BINS + 1)
    bins = np.digitize(distance[known], edges) - 1
    count = np.bincount(bins, minlength=FAR_BINS)[:FAR_BINS]
    total = np.bincount(bins, r[known], minlength=FAR_BINS)[:FAR_BINS]
    middle = (edges[1:] + edges[:-1]) / 2
    used = count > 0
    return {
        "distance": middle[used], "r": total[used] / count[used], "r_err": 1 / np.sqrt(count[used] * samples),
    }  # fmt: skip
