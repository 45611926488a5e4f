"""See and diagnose fiber-fed integral-field spectrograph data.

Values flow up, intents flow down, and there is one road for each: frozen data
types at the bottom, pure functions over them, one Qt-free service that people,
scripts and the window all call, and a Qt shell that only draws views.

The functions of the headless door (`PUBLIC`) and the window (`show`) can be taken
from here, for notebooks; they are imported when they are first asked for, so that
``import ifuview`` is free.
"""

from __future__ import annotations

from typing import Any

FALLBACK = "0.1.0.dev0"  # of a checkout that was not installed

# Functions for notebooks and scripts, by module of ifuview.app.
PUBLIC = {
    "frames.combine": ("combine",),
    "frames.opening.reading": ("open_dataset",),
    "frames.opening.regions": ("read_regions", "write_regions"),
    "night.open_night": ("scan_folder",),
    "opening": ("open_images",),
    "outside.objects": ("as_dataset", "to_ccddata", "to_html", "to_spectrum", "to_table"),
    "reporting.headless": ("inspect", "make_session", "write_report"),
    "traces.loading": ("load_traces", "measure_traces"),
}


# Functions of the trace-diagnostics plan, by module of ifuview.app.
TRACE_PLAN = {
    "plan.loading": (
        "load_fiber_bundle_metadata",
        "load_raw_2d_spectrum",
        "load_trace_solution",
        "load_wavelength_solution",
    ),
    "plan.shapes": (
        "analyze_trace_straightness",
        "analyze_trace_wavelength_dependence",
        "check_trace_spacing_uniformity",
    ),
    "plan.refraction": ("check_differential_atmospheric_refraction",),
    "plan.patterns": ("analyze_trace_correlations", "identify_systematic_trace_errors"),
    "plan.extraction": ("check_fiber_crosstalk", "simulate_extraction_errors"),
    "plan.results": (
        "calculate_trace_quality_metrics",
        "generate_trace_quality_report",
        "run_trace_diagnostics",
    ),
    "plan.plots": ("plot_individual_trace_quality", "plot_traces_on_2d_spectrum"),
    "traces.diagnosis": ("diagnose_image",),
}
# The window, for scripts and notebooks, by module of ifuview.gui.
WINDOW = {"outside.viewer": ("Viewer", "show")}
TABLES = (("app", PUBLIC), ("app", TRACE_PLAN), ("gui", WINDOW))
WHERE = {
    name: f"ifuview.{floor}.{module}" for floor, table in TABLES for module, names in table.items() for name in names
}


def __getattr__(name: str) -> Any:
    """Import a public function when it is first asked for; the version is what the build wrote beside the resources."""
    from importlib import import_module

    if name == "__version__":
        written = import_module(f"{__name__}.resources").path("version.txt")
        return written.read_text("utf-8").strip() if written.is_file() else FALLBACK
    if name not in WHERE:
        raise AttributeError(f"module 'ifuview' has no attribute {name!r}")
    return getattr(import_module(WHERE[name]), name)


def __dir__() -> list[str]:
    """Names that can be taken from here."""
    return sorted({*globals(), *WHERE})
