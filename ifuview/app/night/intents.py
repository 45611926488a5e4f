"""What a user can ask of a night of exposures."""

from __future__ import annotations

from ifuview.app.frames.intents import Intent


class OpenFolder(Intent):
    """Index a production, a night, an exposure or a tile and list its exposures."""

    path: str


class WatchFolder(Intent):
    """Look for new files in a folder from now on ("": in the open one; `on` False: no more); `newest`: show them.

    `results` is the folder that the triage of each new camera is written to, "" for none.
    """

    path: str = ""
    newest: bool = False
    on: bool = True
    results: str = ""


class LookAgain(Intent):
    """Look for new files in the folder that is watched."""


class ShowProduct(Intent):
    """Show one product of one camera of one exposure; what is not named stays as it is."""

    expid: int | None = None
    camera: str = ""
    product: str = ""


class ShowTileFile(Intent):
    """Open a product of a tile with what belongs to it, or bring it to the front; then `choose` of its spectra."""

    path: str
    choose: str = ""


class ShowAllCameras(Intent):
    """Open the same product of the same exposure of all cameras of the arm that has the wavelength window."""


class ShowArms(Intent):
    """Open the same product of the same exposure and fibers in the other arms."""


class ShowField(Intent):
    """The focal plane at a range of wavelengths (Angstrom), in some products of the chain of all cameras of the arm."""

    window: tuple[float, float]


class StepExposure(Intent):
    """The same product in the exposure after (1) or before (-1)."""

    step: int


class StepCamera(Intent):
    """The same product in the next (1) or previous (-1) camera."""

    step: int


class SameTile(Intent):
    """The same product in the next exposure of the same tile."""


class CompareProduction(Intent):
    """Open another production to compare with."""

    path: str


class OtherProduction(Intent):
    """The same product in the other production, or back."""


class BlinkAlong(Intent):
    """Blink along the "chain", the exposures before and after ("exposures"), those of the "tile", the "cameras" of an
    arm, or the "production"s; `tile`: side by side.
    """

    along: str
    tile: bool = False


class Triage(Intent):
    """Name the first bad product of each camera of the "camera", the "exposure" or the "night" that is open."""

    scope: str = "exposure"


class ExportCutouts(Intent):
    """Cut the selected fiber at its wavelength out of every exposure and product of its tile (.png, .pdf or .fits)."""

    path: str


class Reduce(Intent):
    """Reduce the channel of the raw exposure on the canvas, in memory."""


class ShowStep(Intent):
    """Show what a step of the reduction has made; `led`: it shows itself as it is made."""

    step: str
    led: bool = False


class TryParams(Intent):
    """Reduce again with other parameters of one step, (name, value) each; what does not depend on them stays."""

    step: str
    values: tuple[tuple[str, float | int | bool | str | tuple[int, ...]], ...]


class PlaceAperture(Intent):
    """Look at the light within a circle of the field, arcsec, with a ring about it for the background.

    The place is that in the head of the reduction on the canvas; a radius of 0 is the lenslet there.
    """

    x: float
    y: float
    radius: float = 0.0
    inner: float = 0.0
    outer: float = 0.0


class TakeBack(Intent):
    """Reduce again with the parameters of before the last change; `again`: with those that were taken back last."""

    again: bool = False


class CompareStep(Intent):
    """The picture of the shown step before and after the last change: "blink" or "difference"."""

    how: str = "blink"


class SaveReduction(Intent):
    """Write the products of the reduction into a folder."""

    folder: str


class ShowDetection(Intent):
    """Look at a detection: its fibers, its wavelength and its place wherever they are open."""

    row: int


class JudgeDetection(Intent):
    """Say of a detection that it is "real", "false" or "unsure"; -1: of the one that is looked at."""

    judgment: str
    row: int = -1


class UndoJudgment(Intent):
    """Take the last judgment back; `again`: give that which was taken back last."""

    again: bool = False


class SaveJudgments(Intent):
    """Write what was said of the detections as an ECSV table; "": beside their file."""

    path: str = ""


class OpenTrends(Intent):
    """Read numbers of exposures from JSON files, or all below folders, and put them beside those that are known."""

    paths: tuple[str, ...]


class ShowExposureOf(Intent):
    """Show an exposure by its night (0: any) and name, and what of it is called `place` ("047 LL", "r6 fiber 12")."""

    night: int
    exposure: str
    place: str = ""


class ShowFinding(Intent):
    """Go to a finding of the triage; `blink` the two products between which it appears."""

    number: int
    blink: bool = False


class ExportTriage(Intent):
    """Write the triage into a folder."""

    folder: str
