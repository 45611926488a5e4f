"""All that a user can ask for, and the one table of what carries it out. Widgets emit these and nothing else.

Each column has its intents, its `STEPS` (intent -> next session) and its `TASKS` (intent -> a task, or a change with
tasks that follow). What only the window can carry out stands in `WINDOW`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from ifuview.app.frames.intents import (
    BeginTour,
    CancelJob,
    ChooseImage,
    ChooseSpectra,
    CloseAll,
    CloseSlot,
    Combine,
    CopyText,
    Demo,
    DrawRegions,
    EditPreferences,
    ExportReport,
    FileChanged,
    FindFiber,
    Intent,
    Judge,
    LoadMask,
    LoadRegions,
    MakeRgb,
    Match,
    MoveSlot,
    Note,
    OpenConsole,
    OpenFile,
    PickPoint,
    Reload,
    SaveImage,
    SaveRegions,
    SaveTable,
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
    ShowCell,
    ShowDesk,
    ShowDock,
    ShowProblem,
    StepFiber,
    StepSlot,
    TalkSamp,
)
from ifuview.app.frames.measuring.intents import DrawContours, ForgetMeasured, MeasureSource, SetCutWidth
from ifuview.app.night.intents import (
    BlinkAlong,
    CompareProduction,
    CompareStep,
    ExportCutouts,
    ExportTriage,
    JudgeDetection,
    LookAgain,
    OpenFolder,
    OpenTrends,
    OtherProduction,
    PlaceAperture,
    Reduce,
    SameTile,
    SaveJudgments,
    SaveReduction,
    ShowAllCameras,
    ShowArms,
    ShowDetection,
    ShowExposureOf,
    ShowField,
    ShowFinding,
    ShowProduct,
    ShowStep,
    ShowTileFile,
    StepCamera,
    StepExposure,
    TakeBack,
    Triage,
    TryParams,
    UndoJudgment,
    WatchFolder,
)
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
    TakeBackCalibration,
    UseBeammap,
    WriteCalibrated,
)
from ifuview.app.saved.intents import RestoreSession, SaveSession, ShowPanels
from ifuview.app.session import Session
from ifuview.app.spectra.intents import (
    CloseTables,
    CutCube,
    MapRange,
    SetExtraction,
    SetGather,
    SetSectionColumns,
    SetWindow,
    ShowArm,
    ShowRegion,
)
from ifuview.app.tasks import Outcome, Plan
from ifuview.app.traces.intents import (
    ApplyCorrection,
    Diagnose,
    ExportDiagnosis,
    LoadTraces,
    MeasureTraces,
    SaveTraces,
    SetThresholds,
    ShowTraceFinding,
    Undo,
    UndoTraces,
)

# modules of app with a table each; one is imported when an intent that it may have is asked for the first time
STEPS = ("frames.steps", "photons.steps", "spectra.steps", "traces.steps", "traces.judging")
TASKS = (
    "open_tasks", "frames.tasks", "frames.measuring.tasks", "frames.sky.tasks", "traces.tasks", "spectra.tasks",
    "spectra.ranges", "photons.tasks.lists", "photons.tasks.play", "photons.tasks.calibration",
    "photons.tasks.solutions", "photons.tasks.speckle", "photons.tasks.light", "photons.tasks.combine",
    "night.tasks", "night.watch_tasks", "night.triage.tasks", "night.reduction.tasks", "night.reduction.live.trying",
    "night.reduction.live.channels", "night.cutouts.tasks", "night.detections.tasks", "night.trends.tasks", "judging",
    "reporting.tasks", "saved.restore", "undo",
)  # fmt: skip
WITHOUT_COLUMN = ("undo", "open_tasks", "judging", "reporting", "saved")
WINDOW: frozenset[type[Intent]] = frozenset(
    (CopyText, ShowDesk, ShowDock, SaveImage, SetTheme, SetPreferences, EditPreferences, BeginTour, CancelJob, TalkSamp,
     OpenConsole, SaveSession, ShowPanels)
)  # fmt: skip


class IntentTable(Mapping[type[Intent], Plan]):
    """All tables as one: what carries out an intent."""

    def __getitem__(self, intent: type[Intent]) -> Plan:
        """Look into the tables of the column of the intent first, then into those that belong to none."""
        places = (_folder(intent.__module__.removeprefix("ifuview.app.")), *WITHOUT_COLUMN)
        near = [module for place in places for module in (*STEPS, *TASKS) if _folder(module) == place]
        for module in dict.fromkeys((*near, *STEPS, *TASKS)):
            if (plan := table_of(module).get(intent)) is not None:
                return plan
        raise KeyError(intent)

    def __iter__(self) -> Iterator[type[Intent]]:
        """Every intent, table by table."""
        return (intent for module in (*STEPS, *TASKS) for intent in table_of(module))

    def __len__(self) -> int:
        """Number of intents."""
        return sum(len(table_of(module)) for module in (*STEPS, *TASKS))


def _folder(module: str) -> str:
    """First part of the name of a module."""
    return module.split(".")[0]


TABLE = IntentTable()


def table_of(module: str) -> Mapping[type[Intent], Plan]:
    """The table of one module of app."""
    found: Mapping[type[Intent], Plan] = getattr(
        import_module(f"ifuview.app.{module}"), "STEPS" if module in STEPS else "TASKS"
    )
    return found


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
    "CompareStep",
    "CopyPhotons",
    "CopyText",
    "CountLight",
    "CutCube",
    "Demo",
    "Diagnose",
    "DrawContours",
    "DrawRegions",
    "EditPreferences",
    "ExportCutouts",
    "ExportDiagnosis",
    "ExportReport",
    "ExportTriage",
    "FileChanged",
    "FindBadPixels",
    "FindFiber",
    "ForgetMeasured",
    "IndexPhotons",
    "Intent",
    "Judge",
    "JudgeDetection",
    "LoadCalibration",
    "LoadMask",
    "LoadRegions",
    "LoadTraces",
    "LookAgain",
    "Lucky",
    "MakeRgb",
    "MapRange",
    "Match",
    "MeasureSource",
    "MeasureTraces",
    "MoveSlot",
    "Note",
    "OpenConsole",
    "OpenFile",
    "OpenFolder",
    "OpenTrends",
    "OtherProduction",
    "PickPoint",
    "PlaceAperture",
    "PlayPhotons",
    "PlotCalibrations",
    "Reduce",
    "Reload",
    "RestoreSession",
    "SameTile",
    "SaveImage",
    "SaveJudgments",
    "SaveLight",
    "SavePhotons",
    "SaveReduction",
    "SaveRegions",
    "SaveSession",
    "SaveSpeckle",
    "SaveTable",
    "SaveTraces",
    "SelectFiber",
    "SelectSlot",
    "SetCutWidth",
    "SetExtraction",
    "SetGather",
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
    "ShowArms",
    "ShowCell",
    "ShowDesk",
    "ShowDetection",
    "ShowDock",
    "ShowExposureOf",
    "ShowField",
    "ShowFinding",
    "ShowNextStep",
    "ShowPanels",
    "ShowPhotons",
    "ShowProblem",
    "ShowProduct",
    "ShowRegion",
    "ShowSolution",
    "ShowStep",
    "ShowTileFile",
    "ShowTraceFinding",
    "Speckle",
    "StepCamera",
    "StepExposure",
    "StepFiber",
    "StepSlot",
    "SwitchCalibration",
    "TakeBack",
    "TakeBackCalibration",
    "TalkSamp",
    "Triage",
    "TryParams",
    "Undo",
    "UndoJudgment",
    "UndoTraces",
    "UseBeammap",
    "WatchFolder",
    "WriteCalibrated",
    "carried_out",
    "table_of",
]
