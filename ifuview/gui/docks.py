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
    letter: str = ""  # Shift+W and this key show or hide it
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


def panel_keys(entry: DockEntry) -> str:
    """The keys that show or hide a panel, one after the other; "" for none."""
    return f"Shift+W, {entry.letter.upper()}" if entry.letter else ""


DOCKS: tuple[DockEntry, ...] = (
    DockEntry("frames", "Frames", "frames.frames:FramesDock", "frames.frames", "left", letter="f"),
    DockEntry(
        "limits", "Limits and colors", "frames.limits:LimitsDock", "frames.limits", "left", beside="frames", letter="l"
    ),
    DockEntry(
        "photons",
        "Photons",
        "photons.photons:PhotonsDock",
        "photons.photons",
        "right",
        beside="section",
        picture=True,
        room=0.42,
        letter="p",
    ),
    DockEntry(
        "section",
        "Cross-section",
        "spectra.cross_section:CrossSectionDock",
        "spectra.cross_section",
        "right",
        letter="x",
    ),
    DockEntry(
        "spectrum", "Spectrum", "spectra.spectrum:SpectrumDock", "spectra.spectrum", "bottom", picture=True, letter="s"
    ),
    DockEntry(
        "quality", "Trace quality", "traces.trace_quality:TraceQualityDock", "traces.trace_quality", "right", letter="q"
    ),
    DockEntry(
        "calibrations",
        "Calibrations",
        "photons.calibrations:CalibrationsDock",
        "photons.calibrations",
        "right",
        beside="quality",
        picture=True,
        letter="c",
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
        letter="o",
    ),
    DockEntry(
        "step",
        "Step",
        "night.step:StepDock",
        "night.step",
        "right",
        beside="findings",
        picture=True,
        room=0.66,
        letter="e",
    ),
    DockEntry(
        "heads",
        "IFUs",
        "night.heads:HeadsDock",
        "night.heads",
        "right",
        beside="step",
        picture=True,
        room=0.5,
        letter="i",
    ),
    DockEntry(
        "findings",
        "Trace problems",
        "traces.findings:FindingsDock",
        "traces.findings",
        "right",
        beside="fibers",
        letter="d",
    ),
    DockEntry(
        "triage",
        "Problems",
        "night.triage:TriageDock",
        "night.triage",
        "right",
        beside="findings",
        room=0.66,
        letter="b",
    ),
    DockEntry(
        "fibers",
        "Fiber table",
        "spectra.fiber_table:FiberTableDock",
        "spectra.fiber_table",
        "right",
        beside="photons",
        letter="n",
    ),
    DockEntry(
        "focal",
        "Focal plane",
        "spectra.focal_plane:FocalPlaneDock",
        "spectra.focal_plane",
        "right",
        beside="triage",
        picture=True,
        letter="a",
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
        letter="t",
    ),
    DockEntry("header", "Header", "frames.header:HeaderDock", "frames.header", "right", beside="tables", letter="h"),
    DockEntry(
        "pixels",
        "Pixel table",
        "frames.pixel_table:PixelTableDock",
        "frames.pixel_table",
        "right",
        beside="header",
        letter="v",
    ),
    DockEntry(
        "sky", "Sky fibers", "spectra.sky:SkyDock", "spectra.sky", "bottom", beside="spectrum", picture=True, letter="k"
    ),
    DockEntry(
        "region",
        "Region",
        "spectra.region:RegionDock",
        "spectra.region",
        "right",
        beside="pixels",
        picture=True,
        letter="4",
    ),
    DockEntry(
        "lenslets",
        "Lenslets",
        "night.lenslets:LensletsDock",
        "night.lenslets",
        "right",
        beside="step",
        picture=True,
        room=0.33,
        letter="y",
    ),
    DockEntry(
        "detections",
        "Detections",
        "night.detections:DetectionsDock",
        "night.detections",
        "bottom",
        beside="spectrum",
        picture=True,
        room=0.42,
        letter="z",
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
        letter="w",
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
        letter="g",
    ),
    DockEntry(
        "speckle",
        "Speckle",
        "photons.speckle:SpeckleDock",
        "photons.speckle",
        "bottom",
        beside="light",
        picture=True,
        letter="u",
    ),
    DockEntry(
        "graphs", "Row and column", "spectra.graphs:GraphsDock", "spectra.graphs", "bottom", beside="sky", letter="m"
    ),
    DockEntry(
        "cut", "Cut", "frames.cut:CutDock", "frames.cut", "bottom", beside="graphs", picture=True, room=0.28, letter="j"
    ),
    DockEntry(
        "exposures",
        "Exposures",
        "night.exposures:ExposuresDock",
        "night.exposures",
        "bottom",
        beside="graphs",
        letter="r",
    ),
    DockEntry(
        "tiles",
        "Tile quality",
        "night.tiles:TilesDock",
        "night.tiles",
        "bottom",
        beside="exposures",
        picture=True,
        room=0.45,
        letter="1",
    ),
    DockEntry("jobs", "Jobs", "frames.jobs:JobsDock", "frames.jobs", "left", beside="limits", letter="2"),
    DockEntry(
        "messages",
        "Messages",
        "frames.messages:MessagesDock",
        "frames.messages",
        "bottom",
        beside="speckle",
        letter="3",
    ),
)
ENTRIES = {entry.key: entry for entry in DOCKS}
