"""The numbers of the plan, its report, and the whole run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path as Folder

import numpy as np

from ifuview.app.plan.loading import diagnosis_of, image_of
from ifuview.app.plan.values import Metrics, Path, Traces
from ifuview.app.traces.diagnosis import run
from ifuview.app.traces.diagnosis_outputs import METRICS
from ifuview.app.traces.diagnosis_request import Request
from ifuview.app.traces.doctor_metrics import as_json, metrics_of
from ifuview.errors import UsageError
from ifuview.files import check_folder, put
from ifuview.model.checks import Array
from ifuview.model.traces.doctor import TraceDiagnosis


def calculate_trace_quality_metrics(traces: Traces | TraceDiagnosis, raw_2d: Array | None = None) -> Metrics:
    """Return `global_metrics`, `per_fiber_metrics` (by fiber), `spatial_patterns`, measured on an image, with errors.

    Parameters
    ----------
    traces : TraceSet, dict of dicts, or TraceDiagnosis
    raw_2d : ndarray, shape (nrow, ncol)
        Not needed with a diagnosis.
    """
    if isinstance(traces, TraceDiagnosis):
        found = traces
    elif raw_2d is None:
        raise UsageError("how well traces follow the light is seen on their image", todo="give raw_2d")
    else:
        found = diagnosis_of(raw_2d, traces)
    out = Metrics(metrics_of(found))
    out.diagnosis = found
    out.image = None if raw_2d is None else np.asarray(image_of(raw_2d).canonical())
    return out


def generate_trace_quality_report(
    metrics: TraceDiagnosis | Mapping[str, object], output_dir: Path, image: Array | None = None
) -> list[str]:
    """Write metrics.json and, of numbers that know their diagnosis, report.html, report.pdf and figures; return names.

    Parameters
    ----------
    metrics : dict of calculate_trace_quality_metrics, or TraceDiagnosis
    output_dir : str or path
    image : (nrow, ncol), optional
        Canonical axes, for the figures; default: the one that the metrics know.
    """
    from ifuview.report.traces.doctor import write_doctor
    from ifuview.report.traces.doctor_report import DoctorReport

    folder = Folder(output_dir)
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    found = metrics if isinstance(metrics, TraceDiagnosis) else getattr(metrics, "diagnosis", None)
    content = metrics_of(metrics) if isinstance(metrics, TraceDiagnosis) else dict(metrics)
    put(folder / METRICS, as_json(content))
    names = [METRICS]
    if found is not None:
        shown = image if image is not None else getattr(metrics, "image", None)
        names += write_doctor(DoctorReport(found, None if shown is None else np.asarray(shown)), folder)
    return names


def run_trace_diagnostics(
    raw_2d_file: Path,
    trace_file: Path,
    output_dir: Path,
    fiber_metadata_file: Path | None = None,
    wavelength_file: Path | None = None,
) -> Metrics:
    """Diagnose the traces of an image and write everything into a folder; return what metrics.json holds.

    Parameters
    ----------
    raw_2d_file, trace_file : str or path
    output_dir : str or path
        Folder of the report, the pictures, the numbers and the corrected traces.
    fiber_metadata_file : str or path, optional
        Table of fibers, for their blocks. Default: that of the image.
    wavelength_file : str or path, optional
        Wavelength of every fiber and pixel. Default: that of the traces.

    Raises
    ------
    IfuviewError
        What is wrong with the input or the folder.
    """
    request = Request(
        os.fspath(raw_2d_file), os.fspath(output_dir), os.fspath(trace_file),
        None if wavelength_file is None else os.fspath(wavelength_file),
        None if fiber_metadata_file is None else os.fspath(fiber_metadata_file),
    )  # fmt: skip
    done = run(request)
    out = Metrics(done.metrics)
    out.diagnosis = done.diagnosis
    return out
