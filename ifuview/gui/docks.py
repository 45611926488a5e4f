"""The docks: one line joins the pure half (app/*/views) and the drawn half (gui/*) of each."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ifuview.gui.parts.base import Dock


@dataclass(frozen=True, slots=True)
class DockEntry:
    """Where a dock lives; modules are imported when the dock is first shown."""

    key: str
    title: str
    widget: str  # "column.module:Class" in gui
    view: str  # "column.module" of app/*/views: inputs(session), make(session) and, for the cursor, hover(...)
    area: str = "right"
    beside: str = ""  # the dock whose tab it follows; without one it has a place of its own
    picture: bool = False  # -dock NAME -saveimage writes it instead of the canvas
    room: float = 0.0  # share of the height of the window that it takes when it is first asked for

    def drawn(self) -> type[Dock]:
        """The class of the drawn half."""
        module, name = self.widget.split(":")
        found: type[Dock] = getattr(import_module(f"ifuview.gui.{module}"), name)
        return found

    def pure(self) -> ModuleType:
        """The module of the pure half."""
        column, module = self.view.split(".")
        return import_module(f"ifuview.app.{column}.views.{module}")


DOCKS: tuple[DockEntry, ...] = (
    DockEntry("frames", "Frames", "frames.frames:FramesDock", "frames.frames", "left"),
    DockEntry("limits", "Limits and colors", "frames.limits:LimitsDock", "frames.limits", "left", beside="frames"),
    DockEntry(
        "photons",
        "Photons",
        "photons.photons:PhotonsDock",
        "photons.photons",
        "right",
        beside="section",
        picture=True,
        room=0.55,
    ),
    DockEntry("section", "Cross-section", "spectra.cross_section:CrossSectionDock", "spectra.cross_section", "right"),
    DockEntry("spectrum", "Spectrum", "spectra.spectrum:SpectrumDock", "spectra.spectrum", "bottom", picture=True),
    DockEntry("quality", "Trace quality", "traces.trace_quality:TraceQualityDock", "traces.trace_quality", "right"),
    DockEntry(
        "calibrations",
        "Calibrations",
        "photons.calibrations:CalibrationsDock",
        "photons.calibrations",
        "right",
        beside="quality",
        picture=True,
    ),
    DockEntry(
        "photon-problems",
        "Photon problems",
        "photons.problems:PhotonProblemsDock",
        "photons.problems",
        "right",
        beside="calibrations",
        picture=True,
        room=0.4,
    ),
    DockEntry("step", "Step", "night.step:StepDock", "night.step", "right", beside="findings", picture=True, room=0.66),
    DockEntry("heads", "IFUs", "night.heads:HeadsDock", "night.heads", "right", beside="step", picture=True, room=0.5),
    DockEntry("findings", "Findings", "traces.findings:FindingsDock", "traces.findings", "right", beside="fibers"),
    DockEntry("triage", "Problems", "night.triage:TriageDock", "night.triage", "right", beside="findings", room=0.66),
    DockEntry(
        "fibers", "Fiber table", "spectra.fiber_table:FiberTableDock", "spectra.fiber_table", "right", beside="photons"
    ),
    DockEntry(
        "focal",
        "Focal plane",
        "spectra.focal_plane:FocalPlaneDock",
        "spectra.focal_plane",
        "right",
        beside="triage",
        picture=True,
    ),
    DockEntry(
        "tables",
        "Tables",
        "spectra.tables:TablesDock",
        "spectra.tables",
        "right",
        beside="focal",
        picture=True,
        room=0.55,
    ),
    DockEntry("header", "Header", "frames.header:HeaderDock", "frames.header", "right", beside="tables"),
    DockEntry(
        "pixels", "Pixel table", "frames.pixel_table:PixelTableDock", "frames.pixel_table", "right", beside="header"
    ),
    DockEntry(
        "region", "Region", "spectra.region:RegionDock", "spectra.region", "right", beside="pixels", picture=True
    ),
    DockEntry("sky", "Sky fibers", "spectra.sky:SkyDock", "spectra.sky", "bottom", beside="spectrum", picture=True),
    DockEntry(
        "lenslets",
        "Lenslets",
        "night.lenslets:LensletsDock",
        "night.lenslets",
        "bottom",
        beside="spectrum",
        picture=True,
        room=0.33,
    ),
    DockEntry(
        "detections",
        "Detections",
        "night.detections:DetectionsDock",
        "night.detections",
        "bottom",
        beside="lenslets",
        picture=True,
        room=0.42,
    ),
    DockEntry(
        "trends",
        "Trends",
        "night.trends:TrendsDock",
        "night.trends",
        "bottom",
        beside="detections",
        picture=True,
        room=0.4,
    ),
    DockEntry(
        "light",
        "Light",
        "photons.light:LightDock",
        "photons.light",
        "bottom",
        beside="exposures",
        picture=True,
        room=0.45,
    ),
    DockEntry(
        "speckle", "Speckle", "photons.speckle:SpeckleDock", "photons.speckle", "bottom", beside="light", picture=True
    ),
    DockEntry("graphs", "Row and column", "spectra.graphs:GraphsDock", "spectra.graphs", "bottom", beside="sky"),
    DockEntry("cut", "Cut", "frames.cut:CutDock", "frames.cut", "bottom", beside="graphs", picture=True, room=0.28),
    DockEntry("exposures", "Exposures", "night.exposures:ExposuresDock", "night.exposures", "bottom", beside="graphs"),
    DockEntry(
        "tiles",
        "Tile quality",
        "night.tiles:TilesDock",
        "night.tiles",
        "bottom",
        beside="exposures",
        picture=True,
        room=0.45,
    ),
    DockEntry("jobs", "Jobs", "frames.jobs:JobsDock", "frames.jobs", "left", beside="limits"),
    DockEntry("messages", "Messages", "frames.messages:MessagesDock", "frames.messages", "bottom", beside="speckle"),
)
