"""All that a user can ask for, and the one table of what carries it out. Widgets emit these and nothing else.

Each column has its intents, its `STEPS` (intent -> next session) and its `TASKS` (intent -> a task, or a change with
tasks that follow). What only the window can carry out stands in `WINDOW`.
"""

from __future__ import annotations

from ifuview.app import open_tasks
from ifuview.app.frames import steps as frame_steps
from ifuview.app.frames import tasks as frame_tasks
from ifuview.app.frames.intents import (
    BeginTour,
    CancelJob,
    ChooseImage,
    CloseAll,
    CloseSlot,
    Combine,
    Demo,
    DrawRegions,
    EditPreferences,
    ExportReport,
    FindFiber,
    Intent,
    LoadMask,
    LoadRegions,
    Match,
    MoveSlot,
    Note,
    OpenFile,
    PickPoint,
    Reload,
    SaveImage,
    SaveRegions,
    SelectFiber,
    SelectSlot,
    SetLayout,
    SetLock,
    SetLook,
    SetOverlay,
    SetPlane,
    SetPreferences,
    SetRegions,
    SetTheme,
    SetView,
    ShowDock,
    StepFiber,
    StepSlot,
)
from ifuview.app.night import tasks as night_tasks
from ifuview.app.night import watch_tasks
from ifuview.app.night.intents import (
    BlinkAlong,
    CompareProduction,
    ExportTriage,
    LookAgain,
    OpenFolder,
    OtherProduction,
    SameTile,
    ShowAllCameras,
    ShowFinding,
    ShowProduct,
    ShowTileFile,
    StepCamera,
    StepExposure,
    Triage,
    WatchFolder,
)
from ifuview.app.night.triage import tasks as triage_tasks
from ifuview.app.photons import steps as photon_steps
from ifuview.app.photons.intents import (
    CompareCalibration,
    CopyPhotons,
    CountLight,
    FindBadPixels,
    IndexPhotons,
    LoadCalibration,
    Lucky,
    PlayPhotons,
    PlotCalibrations,
    SaveLight,
    SavePhotons,
    SaveSpeckle,
    SetLight,
    SetPhotonCut,
    ShowNextStep,
    ShowPhotons,
    ShowSolution,
    Speckle,
    SwitchCalibration,
    UseBeammap,
    WriteCalibrated,
)
from ifuview.app.photons.tasks import calibration as calibration_tasks
from ifuview.app.photons.tasks import combine as combine_tasks
from ifuview.app.photons.tasks import light as light_tasks
from ifuview.app.photons.tasks import lists as photon_tasks
from ifuview.app.photons.tasks import play as play_tasks
from ifuview.app.photons.tasks import speckle as speckle_tasks
from ifuview.app.reporting import tasks as report_tasks
from ifuview.app.session import Session
from ifuview.app.spectra import steps as spectra_steps
from ifuview.app.spectra import tasks as spectra_tasks
from ifuview.app.spectra.intents import ChooseSpectra, CloseTables, SetExtraction, SetSectionColumns, SetWindow, ShowArm
from ifuview.app.tasks import Outcome, Plan
from ifuview.app.traces import steps as trace_steps
from ifuview.app.traces import tasks as trace_tasks
from ifuview.app.traces.intents import (
    ApplyCorrection,
    Diagnose,
    ExportDiagnosis,
    LoadTraces,
    MeasureTraces,
    SaveTraces,
    SetThresholds,
    UndoTraces,
)

STEPS = (frame_steps.STEPS, photon_steps.STEPS, spectra_steps.STEPS, trace_steps.STEPS)
TASKS = (
    frame_tasks.TASKS, open_tasks.TASKS, trace_tasks.TASKS, spectra_tasks.TASKS, photon_tasks.TASKS, play_tasks.TASKS,
    calibration_tasks.TASKS, speckle_tasks.TASKS, light_tasks.TASKS, combine_tasks.TASKS, night_tasks.TASKS,
    watch_tasks.TASKS, triage_tasks.TASKS, report_tasks.TASKS,
)  # fmt: skip
TABLE: dict[type[Intent], Plan] = {intent: plan for table in (*STEPS, *TASKS) for intent, plan in table.items()}
WINDOW: frozenset[type[Intent]] = frozenset(
    (ShowDock, SaveImage, SetTheme, SetPreferences, EditPreferences, BeginTour, CancelJob)
)


def carried_out(session: Session, intent: Intent) -> Outcome:
    """What an intent makes of a session: the next one, a task, or both.

    Raises
    ------
    LookupError
        No table has the intent.
    IfuviewError
        It cannot be carried out now; what to do.
    """
    plan = TABLE.get(type(intent))
    if plan is None:
        raise LookupError(f"no table says what carries out {intent!r}")
    return plan(session, intent)


__all__ = [
    "STEPS",
    "TABLE",
    "TASKS",
    "WINDOW",
    "ApplyCorrection",
    "BeginTour",
    "BlinkAlong",
    "CancelJob",
    "ChooseImage",
    "ChooseSpectra",
    "CloseAll",
    "CloseSlot",
    "CloseTables",
    "Combine",
    "CompareCalibration",
    "CompareProduction",
    "CopyPhotons",
    "CountLight",
    "Demo",
    "Diagnose",
    "DrawRegions",
    "EditPreferences",
    "ExportDiagnosis",
    "ExportReport",
    "ExportTriage",
    "FindBadPixels",
    "FindFiber",
    "IndexPhotons",
    "Intent",
    "LoadCalibration",
    "LoadMask",
    "LoadRegions",
    "LoadTraces",
    "LookAgain",
    "Lucky",
    "Match",
    "MeasureTraces",
    "MoveSlot",
    "Note",
    "OpenFile",
    "OpenFolder",
    "OtherProduction",
    "PickPoint",
    "PlayPhotons",
    "PlotCalibrations",
    "Reload",
    "SameTile",
    "SaveImage",
    "SaveLight",
    "SavePhotons",
    "SaveRegions",
    "SaveSpeckle",
    "SaveTraces",
    "SelectFiber",
    "SelectSlot",
    "SetExtraction",
    "SetLayout",
    "SetLight",
    "SetLock",
    "SetLook",
    "SetOverlay",
    "SetPhotonCut",
    "SetPlane",
    "SetPreferences",
    "SetRegions",
    "SetSectionColumns",
    "SetTheme",
    "SetThresholds",
    "SetView",
    "SetWindow",
    "ShowAllCameras",
    "ShowArm",
    "ShowDock",
    "ShowFinding",
    "ShowNextStep",
    "ShowPhotons",
    "ShowProduct",
    "ShowSolution",
    "ShowTileFile",
    "Speckle",
    "StepCamera",
    "StepExposure",
    "StepFiber",
    "StepSlot",
    "SwitchCalibration",
    "Triage",
    "UndoTraces",
    "UseBeammap",
    "WatchFolder",
    "WriteCalibrated",
    "carried_out",
]
