"""Every action of the window, one line each: menu, text, key, and the intent or the window's method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ifuview.app import intents as want
from ifuview.app.frames.look import LimitMode, Reduction, Smooth, Transfer, ViewState
from ifuview.app.session import Layout, Session

if TYPE_CHECKING:
    from ifuview.app.photons.state import PhotonFrame

Make = Callable[[Session], want.Intent | None]


@dataclass(frozen=True, slots=True)
class Action:
    """One command: it stands in a menu, the command palette and the shortcut sheet.

    Parameters
    ----------
    name : str
        Unique; also the icon.
    menu : str
        "File", or "View/Zoom" for a submenu; a leading "-" puts a separator before it.
    make : callable(session) -> intent or None; or the name of a method of the main window
    keys : tuple of str
        Key sequences; the first is shown in the menu.
    checked : callable(session) -> bool, optional
        Makes the action checkable.
    """

    name: str
    menu: str
    text: str
    make: Make | str
    keys: tuple[str, ...] = ()
    checked: Callable[[Session], bool] | None = None
    tip: str = ""


def _look(**changes: object) -> Make:
    def make(session: Session) -> want.Intent | None:
        slot = session.slot()
        return want.SetLook(slot.key, replace(slot.look, **changes)) if slot else None

    return make


def _limits(mode: LimitMode, **more: object) -> Make:
    return _look(limit_mode=mode, lo=None, hi=None, **more)


def _has(name: str, value: object) -> Callable[[Session], bool]:
    return lambda s: (slot := s.slot()) is not None and getattr(slot.look, name) == value


def _view(change: Callable[[ViewState], ViewState]) -> Make:
    def make(session: Session) -> want.Intent | None:
        slot = session.slot()
        return want.SetView(slot.key, change(slot.view)) if slot else None

    return make


def _toggle(name: str) -> Make:
    return lambda s: want.SetOverlay(name, not getattr(s.overlay, name))


def _overlay_on(name: str) -> Callable[[Session], bool]:
    return lambda s: bool(getattr(s.overlay, name))


def _lock(what: str) -> Action:
    return Action(
        f"lock-{what}",
        "Frame/Lock",
        f"Lock {what}",
        lambda s: want.SetLock(what, not getattr(s.locks, what)),
        ("Ctrl+L",) if what == "view" else (),
        lambda s: getattr(s.locks, what),
        f"What you do to the {what} of one frame happens to all",
    )


def _match(what: str) -> Action:
    return Action(f"match-{what}", "Frame/Match", f"Match {what}", lambda s: want.Match(what))


def _radius(factor: float) -> Make:
    def make(session: Session) -> want.Intent | None:
        slot = session.slot()
        if slot is None:
            return None
        radius = round(min(max(slot.look.smooth_radius * factor, SMOOTH_RADIUS[0]), SMOOTH_RADIUS[1]), 1)
        smooth = Smooth.GAUSSIAN if slot.look.smooth is Smooth.NONE else slot.look.smooth
        return want.SetLook(slot.key, replace(slot.look, smooth=smooth, smooth_radius=radius))

    return make


def _toggle_invert(session: Session) -> want.Intent | None:
    slot = session.slot()
    return want.SetLook(slot.key, replace(slot.look, invert=not slot.look.invert)) if slot else None


def _toggle_mask(session: Session) -> want.Intent | None:
    slot = session.slot()
    if slot is None or slot.image.mask is None:
        return want.Note("info", "this image has no mask")
    shown = 0 if slot.look.mask_shown else 0xFFFFFFFF
    return want.SetLook(slot.key, replace(slot.look, mask_shown=shown))


def _pair(how: str) -> Make:
    def make(session: Session) -> want.Intent | None:
        if session.current is None or session.previous is None:
            return want.Note("info", "open two frames: the current one is compared with the one shown before it")
        return want.Combine(session.current, session.previous, how)

    return make


def _fibers_horizontal(session: Session) -> want.Intent | None:
    slot = session.slot()
    if slot is None:
        return None
    turned = slot.view.rotation == 0 and slot.image.orientation.transpose
    return want.SetView(slot.key, replace(slot.view, rotation=90 if turned else 0, fit=True))


CMAPS = ("grey", "viridis", "inferno", "magma", "cividis", "heat", "cool", "sls", "rainbow", "coolwarm")
TRANSFER_NAMES = {
    Transfer.LINEAR: "Linear", Transfer.LOG: "Log", Transfer.SQRT: "Square root", Transfer.SQUARED: "Squared",
    Transfer.ASINH: "Asinh", Transfer.SINH: "Sinh", Transfer.POWER: "Power", Transfer.HISTEQ: "Histogram equalization",
}  # fmt: skip
REDUCTION_NAMES = {
    Reduction.NEAREST: "Nearest pixel", Reduction.MEAN: "Mean", Reduction.EXTREME: "Extreme (nothing vanishes)"
}  # fmt: skip

SMOOTH_NAMES = {
    Smooth.NONE: "No smoothing", Smooth.BOXCAR: "Smooth with a boxcar", Smooth.GAUSSIAN: "Smooth with a Gaussian"
}  # fmt: skip
SMOOTH_RADIUS = (0.5, 50.0)  # px

PRODUCT_NAMES = {
    "preproc": "preproc", "frame": "frame", "flatfielded": "frame / fiberflat", "sky": "sky", "sframe": "sframe",
    "fluxcalib": "fluxcalib", "cframe": "cframe",
}  # fmt: skip


def _product(name: str) -> Make:
    return lambda s: want.ShowProduct(product=name)


def _product_shown(name: str) -> Callable[[Session], bool]:
    def shown(session: Session) -> bool:
        night = session.night
        place = None if night is None else night.shown.get(session.current, None)
        return place is not None and place.product == name

    return shown


def _draw(shape: str) -> Make:
    return lambda s: want.DrawRegions("" if s.drawing == shape else shape)


def _photons_of(session: Session) -> tuple[int, PhotonFrame] | None:
    """Key and photon half of the photon frame that is meant; None without one."""
    from ifuview.app.photons.which import photon_frame

    slot = photon_frame(session)
    return None if slot is None or slot.photons is None else (slot.key, slot.photons)


def _photons(what: str) -> Make:
    return lambda s: want.ShowPhotons(what)


def _photons_shown(what: str) -> Callable[[Session], bool]:
    return lambda s: (found := _photons_of(s)) is not None and found[1].shown == what


def _everything(session: Session) -> want.Intent | None:
    found = _photons_of(session)
    if found is None:
        return want.Note("info", "open a photon list first")
    key, frame = found
    return want.SetPhotonCut(key, replace(frame.cut, start=None, stop=None, low=None, high=None))


def _play(session: Session) -> want.Intent:
    found = _photons_of(session)
    return want.PlayPhotons(not (found is not None and found[1].playing))


def _photon_step(step: int) -> Make:
    def make(session: Session) -> want.Intent | None:
        from ifuview.app.photons.counting.images import moved

        found = _photons_of(session)
        if found is None:
            return want.Note("info", "open a photon list first")
        key, frame = found
        return want.SetPhotonCut(key, moved(frame, step))

    return make


def _watch(session: Session) -> want.Intent:
    return want.WatchFolder(on=not (session.night is not None and session.night.watched))


ACTIONS: tuple[Action, ...] = (
    Action("open", "File", "Open...", "open_dialog", ("Ctrl+O",)),
    Action("open-all", "File", "Open all extensions...", "open_all_dialog", ("Ctrl+Shift+O",)),
    Action("open-folder", "File", "Open folder of exposures...", "open_folder_dialog", ("Ctrl+Shift+N",)),
    Action("compare-folder", "File", "Compare with production...", "compare_folder_dialog"),
    Action("reload", "File", "Reload", lambda s: want.Reload(), ("Ctrl+R", "F5")),
    Action("traces", "-File", "Load traces...", "traces_dialog", ("Ctrl+T",)),
    Action("regions", "File", "Load regions...", "regions_dialog"),
    Action("save-regions", "File", "Save regions...", "save_regions_dialog"),
    Action("save-curve", "-File/Light of the selection", "Save light curves...", "save_curve_dialog"),
    Action("save-light-spectrum", "File/Light of the selection", "Save spectra...", "save_spectrum_dialog"),
    Action("report", "-File", "Export report...", "report_dialog", ("Ctrl+E",)),
    Action("save-image", "File", "Save picture...", "save_image_dialog", ("Ctrl+S",)),
    Action("demo", "-File", "Demo with a guided tour", lambda s: want.Demo()),
    Action("close", "-File", "Close frame", lambda s: want.CloseSlot(), ("Ctrl+W",)),
    Action("close-all", "File", "Close all frames", lambda s: want.CloseAll()),
    Action("quit", "-File", "Quit", "close", ("Ctrl+Q",)),
    Action("fit", "View", "Zoom to fit", _view(lambda v: replace(v, fit=True)), ("`", "0")),
    Action("zoom-1", "View", "Zoom 1:1", "zoom_one", ("1",)),
    Action("zoom-in", "View", "Zoom in x2", "zoom_in", ("z", "Ctrl++", "Ctrl+=")),
    Action("zoom-out", "View", "Zoom out x2", "zoom_out", ("Shift+Z", "Ctrl+-")),
    Action("stretch", "View", "Fill the window (pixels not square)", "stretch", ("Shift+F",)),
    Action("rotate", "-View", "Rotate by 90 degrees",
           _view(lambda v: replace(v, rotation=(v.rotation + 90) % 360)), ("Ctrl+Shift+R",)),
    Action("flip-x", "View", "Flip left-right", _view(lambda v: replace(v, flip_x=not v.flip_x)), ("[",)),
    Action("flip-y", "View", "Flip up-down", _view(lambda v: replace(v, flip_y=not v.flip_y)), ("]",)),
    Action("swap", "View", "Swap axes", _view(lambda v: replace(v, rotation=(v.rotation + 90) % 360,
                                                                flip_x=not v.flip_x)), ("\\",)),
    Action("horizontal", "View", "Fibers horizontal / native", _fibers_horizontal, ("Shift+H",)),
    *(Action(f"overlay-{n}", f"{'-' if n == 'traces' else ''}View", t, _toggle(n), k, _overlay_on(n)) for n, t, k in (
        ("traces", "Traces", ("t",)), ("labels", "Fiber labels", ("Shift+T",)), ("regions", "Regions", ("r",)),
        ("amplifiers", "Amplifier borders", ("a",)),
        ("iso_wave", "Iso-wavelength curves; above spectra: CCD rows", ("w",)),
        ("blocks", "Blocks of fibers", ("o",)), ("sky_fibers", "Sky fibers", ("u",)),
        ("bad_fibers", "Bad fibers", ("v",)),
        ("crosshair", "Crosshair", ("x",)), ("colorbar", "Color bar", ()), ("magnifier", "Magnifier", ()),
        ("panner", "Panner", ()))),
    *(Action(f"draw-{n}", f"{'-' if n == 'box' else ''}View", f"Draw a {n}", _draw(n), (k,),
             lambda s, n=n: s.drawing == n, f"Draw, select, move and resize regions: {n} ({k}); Esc ends it")
      for n, k in (("box", "Shift+B"), ("circle", "Shift+C"))),
    Action("region-text", "View", "Text of the region...", "region_text_dialog"),
    Action("remove-region", "View", "Remove the selected region", "remove_region", ("Del",)),
    Action("mask", "-View", "Mask", _toggle_mask, ("m",), lambda s: bool((t := s.slot()) and t.look.mask_shown)),
    Action("mask-bits", "View", "Choose mask bits...", "mask_bits_dialog"),
    Action("freeze", "-View", "Freeze the read-out", "toggle_freeze", ("f",), lambda s: False),
    Action("copy", "View", "Copy the read-out", "copy_readout", ("c",)),
    *(Action(f"limits-{m}", "Scale", t, _limits(m), k, _has("limit_mode", m)) for m, t, k in (
        (LimitMode.ZSCALE, "zscale", ("Ctrl+1",)), (LimitMode.MINMAX, "min - max", ("Ctrl+2",)))),
    *(Action(f"percentile-{p}", "Scale", f"{p:g} %", _limits(LimitMode.PERCENTILE, percent=p), (),
             lambda s, p=p: (t := s.slot()) is not None and t.look.limit_mode is LimitMode.PERCENTILE
             and t.look.percent == p) for p in (99.9, 99.5, 99.0, 98.0, 95.0, 90.0)),
    *(Action(f"transfer-{v}", f"{'-' if v is Transfer.LINEAR else ''}Scale", n, _look(transfer=v), (),
             _has("transfer", v)) for v, n in TRANSFER_NAMES.items()),
    *(Action(f"reduction-{v}", "Scale/Zoomed out", n, _look(reduction=v), (), _has("reduction", v))
      for v, n in REDUCTION_NAMES.items()),
    *(Action(f"smooth-{v}", "Scale/Smoothing", n, _look(smooth=v), (), _has("smooth", v))
      for v, n in SMOOTH_NAMES.items()),
    Action("smooth-wider", "-Scale/Smoothing", "Smooth more (radius x 1.5)", _radius(1.5)),
    Action("smooth-narrower", "Scale/Smoothing", "Smooth less (radius / 1.5)", _radius(1 / 1.5)),
    *(Action(f"cmap-{c}", "Color", c, _look(cmap=c), (), _has("cmap", c)) for c in CMAPS),
    Action("invert", "-Color", "Invert", _toggle_invert, ("i",), _has("invert", True)),
    Action("reset-colors", "Color", "Reset bias and contrast", _look(bias=0.5, contrast=1.0), ("Shift+R",)),
    Action("next", "Frame", "Next frame", lambda s: want.StepSlot(1), ("Tab",)),
    Action("previous", "Frame", "Previous frame", lambda s: want.StepSlot(-1), ("Shift+Tab",)),
    Action("single", "-Frame", "Single", lambda s: want.SetLayout(Layout.SINGLE), ("s",),
           lambda s: s.layout is Layout.SINGLE),
    Action("tile", "Frame", "Tile", lambda s: want.SetLayout(Layout.SINGLE if s.layout is Layout.TILE else Layout.TILE),
           ("Shift+S",), lambda s: s.layout is Layout.TILE),
    Action("blink", "Frame", "Blink",
           lambda s: want.SetLayout(Layout.SINGLE if s.layout is Layout.BLINK else Layout.BLINK), ("b",),
           lambda s: s.layout is Layout.BLINK),
    Action("difference", "-Frame", "Difference with the previous frame", _pair("difference"), ("d",)),
    Action("ratio", "Frame", "Ratio to the previous frame", _pair("ratio"), ("Shift+D",)),
    *(_lock(w) for w in ("view", "limits", "colors", "crosshair", "plane")),
    *(_match(w) for w in ("view", "limits", "colors", "plane")),
    Action("plane-next", "-Frame", "Next plane of a cube", "plane_next", ("+", "=")),
    Action("plane-previous", "Frame", "Previous plane of a cube", "plane_previous", ("-",)),
    *(Action(f"product-{p}", f"{'-' if n == 0 else ''}Night", t, _product(p), (str(n + 2),), _product_shown(p))
      for n, (p, t) in enumerate(PRODUCT_NAMES.items())),
    Action("product-raw", "Night", "raw", _product("raw"), (), _product_shown("raw")),
    Action("exposure-previous", "-Night", "Exposure before", lambda s: want.StepExposure(-1), (",",)),
    Action("exposure-next", "Night", "Exposure after", lambda s: want.StepExposure(1), (".",)),
    Action("same-tile", "Night", "Next exposure of this tile", lambda s: want.SameTile(), ("y",)),
    Action("camera-previous", "-Night", "Camera before", lambda s: want.StepCamera(-1), ("<",)),
    Action("camera-next", "Night", "Camera after", lambda s: want.StepCamera(1), (">",)),
    Action("other-production", "-Night", "Other production, or back", lambda s: want.OtherProduction(), ("9",)),
    Action("blink-chain", "-Night", "Blink along the chain", lambda s: want.BlinkAlong("chain"), ("e",)),
    Action("blink-exposures", "Night", "Blink with the exposures before and after",
           lambda s: want.BlinkAlong("exposures"), ("Shift+E",)),
    Action("blink-cameras", "Night", "Blink with the cameras of this arm", lambda s: want.BlinkAlong("cameras")),
    Action("blink-production", "Night", "Blink with the other production", lambda s: want.BlinkAlong("production"),
           ("Shift+9",)),
    Action("triage", "-Night", "Triage of this exposure", lambda s: want.Triage("exposure"), ("Ctrl+J",)),
    Action("triage-night", "Night", "Triage of all that is open", lambda s: want.Triage("night")),
    Action("watch", "-Night", "Watch this folder", _watch, (), lambda s: s.night is not None and s.night.watched),
    Action("watch-newest", "Night", "Watch, and show the newest",
           lambda s: want.WatchFolder(newest=True, on=not (s.night and s.night.newest)), (),
           lambda s: s.night is not None and s.night.watched and s.night.newest),
    *(Action(f"photons-{w}", "Photons", t, _photons(w), k, _photons_shown(w)) for w, t, k in (
        ("flags", "Show the beam flags", ("Alt+1",)), ("counts", "Show counts", ("Alt+2",)),
        ("rate", "Show the rate", ("Alt+3",)))),
    Action("photons-everything", "Photons", "All times and wavelengths", _everything, ("Alt+0",)),
    Action("photons-play", "-Photons", "Play through time", _play, ("Ctrl+Space",),
           lambda s: (f := _photons_of(s)) is not None and f[1].playing),
    Action("photons-next", "Photons", "One step of time on", _photon_step(1), ("Ctrl+Right",)),
    Action("photons-previous", "Photons", "One step of time back", _photon_step(-1), ("Ctrl+Left",)),
    Action("photons-copy", "-Photons", "Duplicate this frame, to compare two ranges",
           lambda s: want.CopyPhotons(), ("Ctrl+Shift+D",)),
    Action("photons-blink", "Photons", "Blink the frames",
           lambda s: want.SetLayout(Layout.SINGLE if s.layout is Layout.BLINK else Layout.BLINK)),
    Action("photons-difference", "Photons", "Difference with the previous frame", _pair("difference")),
    Action("use-beammap", "-Photons", "Use a beam map for raw packets...", "beammap_dialog"),
    Action("save-photon-image", "-Photons", "Save image...", "save_photon_image_dialog"),
    Action("save-photon-cube", "Photons", "Save cube...", "save_photon_cube_dialog"),
    Action("save-photon-movie", "Photons", "Save movie...", "save_photon_movie_dialog"),
    Action("calibrations", "-Photons", "Calibrations", lambda s: want.ShowDock("calibrations"), ("Ctrl+Shift+K",)),
    Action("load-solution", "Photons", "Load wavelength solution or flat...", "load_solution_dialog"),
    Action("linearity", "Photons/More calibrations", "Linearity (dead time)",
           lambda s: want.LoadCalibration("linearity")),
    Action("cosmics", "Photons/More calibrations", "Cosmic rays", lambda s: want.LoadCalibration("cosmics")),
    *(Action(f"bad-pixels-{m}", "Photons/More calibrations", f"Hot, cold and dead pixels: {t}",
             lambda s, m=m: want.FindBadPixels(m)) for m, t in (
        ("threshold", "threshold, knows the optics"), ("median", "median of the neighbors"),
        ("laplacian", "the four nearest"))),
    Action("compare-calibration", "Photons", "Blink with and without calibrations",
           lambda s: want.CompareCalibration()),
    Action("write-calibrated", "Photons", "Write calibrated photon list...", "write_calibrated_dialog"),
    Action("speckle", "-Photons", "Speckle statistics", lambda s: want.ShowDock("speckle"), ("Ctrl+K",)),
    Action("speckle-maps", "Photons", "Speckle maps from counts in bins", lambda s: want.Speckle("binned")),
    Action("speckle-arrival", "Photons", "Speckle maps from arrival times", lambda s: want.Speckle("arrival")),
    Action("lucky", "Photons", "Lucky image of the star at the crosshair", lambda s: want.Lucky()),
    Action("save-speckle", "Photons", "Save speckle maps...", "save_speckle_dialog"),
    Action("measure", "Trace", "Trace the fibers of this image", lambda s: want.MeasureTraces(), ("Ctrl+Shift+T",)),
    Action("diagnose", "Trace", "Diagnose the traces", "diagnose", ("Ctrl+D",)),
    Action("apply-correction", "-Trace", "Apply the correction", lambda s: want.ApplyCorrection()),
    Action("undo-correction", "Trace", "Undo the correction", lambda s: want.UndoTraces(), ("Ctrl+Z",)),
    Action("save-traces", "Trace", "Save corrected traces...", "save_traces_dialog"),
    Action("export-diagnosis", "Trace", "Export the diagnosis...", "export_diagnosis_dialog"),
    Action("fiber-next", "-Trace", "Next fiber", lambda s: want.StepFiber(1), ("n", "PgUp")),
    Action("fiber-previous", "Trace", "Previous fiber", lambda s: want.StepFiber(-1), ("p", "PgDown")),
    Action("fiber-go", "Trace", "Go to fiber...", "fiber_dialog", ("g",)),
    Action("choose-spectra", "Trace", "Choose spectra...", "choose_dialog", ("Ctrl+G",)),
    Action("copy-radec", "-Trace", "Copy RA, Dec of the fiber", "copy_radec"),
    Action("sky-viewer", "Trace", "Show the fiber in the Legacy Survey viewer (browser)", "open_sky_viewer"),
    Action("fiber-none", "Trace", "Back to the image; there: clear the selection", "escape", ("Esc",)),
    Action("preferences", "Window", "Preferences...", lambda s: want.EditPreferences(), ("Ctrl+,",)),
    Action("reset-layout", "Window", "Reset layout", "reset_layout"),
    Action("theme-auto", "-Window", "Theme: follow the desktop", "theme_auto"),
    Action("theme-light", "Window", "Theme: light", "theme_light"),
    Action("theme-dark", "Window", "Theme: dark", "theme_dark"),
    Action("fullscreen", "-Window", "Full screen", "toggle_fullscreen", ("F11",)),
    Action("cancel", "-Window", "Cancel all jobs", lambda s: want.CancelJob(None), ("Ctrl+.",)),
    Action("palette", "Help", "Command palette", "command_palette", ("Ctrl+Shift+P",)),
    Action("shortcuts", "Help", "Mouse and keys", "show_shortcuts", ("?", "F1")),
    Action("help", "Help", "Help", "show_help", ("Shift+F1",)),
    Action("about", "-Help", "About ifuview", "show_about"),
)  # fmt: skip

MOUSE: tuple[tuple[str, str], ...] = (
    ("Wheel", "zoom at the cursor"),
    ("Left drag, middle drag", "pan"),
    ("Left click", "select the fiber, set the crosshair"),
    ("Middle click", "center here"),
    ("While regions are drawn", "left drag draws; click selects; drag moves; corners resize; Ctrl+wheel resizes"),
    ("Right drag", "color bias (sideways) and contrast (up, down)"),
    ("Space held", "show the previous frame"),
    ("Arrows, h j k l", "move the crosshair by one pixel"),
)
