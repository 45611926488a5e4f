"""The docks: one line joins the pure half (app/views) and the drawn half (gui/docks) of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DockEntry:
    """Where a dock lives; modules are imported when the dock is first shown."""

    key: str
    title: str
    widget: str  # "module:Class" in gui/docks
    view: str  # module in app/views with inputs(session), make(session) and, if it follows the cursor, hover(...)
    area: str = "right"
    shown: bool = False
    picture: bool = False  # -dock NAME -saveimage writes it instead of the canvas
    room: float = 0.0  # share of the height of the window that it takes when it is first asked for


DOCKS: tuple[DockEntry, ...] = (
    DockEntry("frames", "Frames", "frames:FramesDock", "frames", "left", True),
    DockEntry("limits", "Limits and colors", "limits:LimitsDock", "limits", "left", False),
    DockEntry("photons", "Photons", "photons:PhotonsDock", "photons", "right", False, True, room=0.55),
    DockEntry("section", "Cross-section", "cross_section:CrossSectionDock", "cross_section", "right", True),
    DockEntry("spectrum", "Spectrum", "spectrum:SpectrumDock", "spectrum", "bottom", True, True),
    DockEntry("quality", "Trace quality", "trace_quality:TraceQualityDock", "trace_quality", "right", True),
    DockEntry("calibrations", "Calibrations", "calibrations:CalibrationsDock", "calibrations", "right", False, True),
    DockEntry("findings", "Findings", "findings:FindingsDock", "findings", "right", False),
    DockEntry("triage", "Triage", "triage:TriageDock", "triage", "right", False, room=0.66),
    DockEntry("fibers", "Fiber table", "fiber_table:FiberTableDock", "fiber_table", "right", False),
    DockEntry("focal", "Focal plane", "focal_plane:FocalPlaneDock", "focal_plane", "right", False, True),
    DockEntry("tables", "Tables", "tables:TablesDock", "tables", "right", False, True, room=0.55),
    DockEntry("header", "Header", "header:HeaderDock", "header", "right", False),
    DockEntry("pixels", "Pixel table", "pixel_table:PixelTableDock", "pixel_table", "right", False),
    DockEntry("sky", "Sky fibers", "sky:SkyDock", "sky", "bottom", False, True),
    DockEntry("light", "Light", "light:LightDock", "light", "bottom", False, True, 0.45),
    DockEntry("speckle", "Speckle", "speckle:SpeckleDock", "speckle", "bottom", False, True),
    DockEntry("graphs", "Row and column", "graphs:GraphsDock", "graphs", "bottom", False),
    DockEntry("exposures", "Exposures", "exposures:ExposuresDock", "exposures", "bottom", False),
    DockEntry("jobs", "Jobs", "jobs:JobsDock", "jobs", "left", False),
    DockEntry("messages", "Messages", "messages:MessagesDock", "messages", "bottom", False),
)
