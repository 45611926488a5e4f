"""Every action of the window, one line each: menu, text, key, and the intent or the window's method."""

from __future__ import annotations

from dataclasses import replace

from ifuview.app import intents as want
from ifuview.app.frames.look import LimitMode, Reduction, Smooth, Transfer
from ifuview.app.session import Layout
from ifuview.gui.window import actions as do
from ifuview.gui.window.actions import Action

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
PRODUCT_NAMES = {
    "preproc": "preproc", "frame": "frame", "flatfielded": "frame / fiberflat", "sky": "sky", "sframe": "sframe",
    "fluxcalib": "fluxcalib", "cframe": "cframe",
}  # fmt: skip

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
    Action("fit", "View", "Zoom to fit", do.view(lambda v: replace(v, fit=True)), ("`", "0")),
    Action("zoom-1", "View", "Zoom 1:1", "zoom_one", ("1",)),
    Action("zoom-in", "View", "Zoom in x2", "zoom_in", ("z", "Ctrl++", "Ctrl+=")),
    Action("zoom-out", "View", "Zoom out x2", "zoom_out", ("Shift+Z", "Ctrl+-")),
    Action("stretch", "View", "Fill the window (pixels not square)", "stretch", ("Shift+F",)),
    Action("rotate", "-View", "Rotate by 90 degrees",
           do.view(lambda v: replace(v, rotation=(v.rotation + 90) % 360)), ("Ctrl+Shift+R",)),
    Action("flip-x", "View", "Flip left-right", do.view(lambda v: replace(v, flip_x=not v.flip_x)), ("[",)),
    Action("flip-y", "View", "Flip up-down", do.view(lambda v: replace(v, flip_y=not v.flip_y)), ("]",)),
    Action("swap", "View", "Swap axes", do.view(lambda v: replace(v, rotation=(v.rotation + 90) % 360,
                                                                flip_x=not v.flip_x)), ("\\",)),
    Action("horizontal", "View", "Fibers horizontal / native", do.fibers_horizontal, ("Shift+H",)),
    *(Action(f"overlay-{n}", f"{'-' if n == 'traces' else ''}View", t, do.toggle(n), k, do.overlay_on(n))
      for n, t, k in (
        ("traces", "Traces", ("t",)), ("labels", "Fiber labels", ("Shift+T",)), ("regions", "Regions", ("r",)),
        ("amplifiers", "Amplifier borders", ("a",)),
        ("iso_wave", "Iso-wavelength curves; above spectra: CCD rows", ("w",)),
        ("blocks", "Blocks of fibers", ("o",)), ("sky_fibers", "Sky fibers", ("u",)),
        ("bad_fibers", "Bad fibers", ("v",)),
        ("crosshair", "Crosshair", ("x",)), ("colorbar", "Color bar", ()), ("magnifier", "Magnifier", ()),
        ("panner", "Panner", ()))),
    *(Action(f"draw-{n}", f"{'-' if n == 'box' else ''}View", f"Draw a {n}", do.draw(n), (k,),
             lambda s, n=n: s.drawing == n, f"Draw, select, move and resize regions: {n} ({k}); Esc ends it")
      for n, k in (("box", "Shift+B"), ("circle", "Shift+C"))),
    Action("region-text", "View", "Text of the region...", "region_text_dialog"),
    Action("remove-region", "View", "Remove the selected region", "remove_region", ("Del",)),
    Action("mask", "-View", "Mask", do.toggle_mask, ("m",), lambda s: bool((t := s.slot()) and t.look.mask_shown)),
    Action("mask-bits", "View", "Choose mask bits...", "mask_bits_dialog"),
    Action("freeze", "-View", "Freeze the read-out", "toggle_freeze", ("f",), lambda s: False),
    Action("copy", "View", "Copy the read-out", "copy_readout", ("c",)),
    *(Action(f"limits-{m}", "Scale", t, do.limits(m), k, do.has("limit_mode", m)) for m, t, k in (
        (LimitMode.ZSCALE, "zscale", ("Ctrl+1",)), (LimitMode.MINMAX, "min - max", ("Ctrl+2",)))),
    *(Action(f"percentile-{p}", "Scale", f"{p:g} %", do.limits(LimitMode.PERCENTILE, percent=p), (),
             lambda s, p=p: (t := s.slot()) is not None and t.look.limit_mode is LimitMode.PERCENTILE
             and t.look.percent == p) for p in (99.9, 99.5, 99.0, 98.0, 95.0, 90.0)),
    *(Action(f"transfer-{v}", f"{'-' if v is Transfer.LINEAR else ''}Scale", n, do.look(transfer=v), (),
             do.has("transfer", v)) for v, n in TRANSFER_NAMES.items()),
    *(Action(f"reduction-{v}", "Scale/Zoomed out", n, do.look(reduction=v), (), do.has("reduction", v))
      for v, n in REDUCTION_NAMES.items()),
    *(Action(f"smooth-{v}", "Scale/Smoothing", n, do.look(smooth=v), (), do.has("smooth", v))
      for v, n in SMOOTH_NAMES.items()),
    Action("smooth-wider", "-Scale/Smoothing", "Smooth more (radius x 1.5)", do.radius(1.5)),
    Action("smooth-narrower", "Scale/Smoothing", "Smooth less (radius / 1.5)", do.radius(1 / 1.5)),
    *(Action(f"cmap-{c}", "Color", c, do.look(cmap=c), (), do.has("cmap", c)) for c in CMAPS),
    Action("invert", "-Color", "Invert", do.toggle_invert, ("i",), do.has("invert", True)),
    Action("reset-colors", "Color", "Reset bias and contrast", do.look(bias=0.5, contrast=1.0), ("Shift+R",)),
    Action("next", "Frame", "Next frame", lambda s: want.StepSlot(1), ("Tab",)),
    Action("previous", "Frame", "Previous frame", lambda s: want.StepSlot(-1), ("Shift+Tab",)),
    Action("single", "-Frame", "Single", lambda s: want.SetLayout(Layout.SINGLE), ("s",),
           lambda s: s.layout is Layout.SINGLE),
    Action("tile", "Frame", "Tile", lambda s: want.SetLayout(Layout.SINGLE if s.layout is Layout.TILE else Layout.TILE),
           ("Shift+S",), lambda s: s.layout is Layout.TILE),
    Action("blink", "Frame", "Blink",
           lambda s: want.SetLayout(Layout.SINGLE if s.layout is Layout.BLINK else Layout.BLINK), ("b",),
           lambda s: s.layout is Layout.BLINK),
    Action("difference", "-Frame", "Difference with the previous frame", do.pair("difference"), ("d",)),
    Action("ratio", "Frame", "Ratio to the previous frame", do.pair("ratio"), ("Shift+D",)),
    *(do.lock(w) for w in ("view", "limits", "colors", "crosshair", "plane")),
    *(do.match(w) for w in ("view", "limits", "colors", "plane")),
    Action("plane-next", "-Frame", "Next plane of a cube", "plane_next", ("+", "=")),
    Action("plane-previous", "Frame", "Previous plane of a cube", "plane_previous", ("-",)),
    *(Action(f"product-{p}", f"{'-' if n == 0 else ''}Night", t, do.product(p), (str(n + 2),), do.product_shown(p))
      for n, (p, t) in enumerate(PRODUCT_NAMES.items())),
    Action("product-raw", "Night", "raw", do.product("raw"), (), do.product_shown("raw")),
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
    Action("watch", "-Night", "Watch this folder", do.watch, (), lambda s: s.night is not None and s.night.watched),
    Action("watch-newest", "Night", "Watch, and show the newest",
           lambda s: want.WatchFolder(newest=True, on=not (s.night and s.night.newest)), (),
           lambda s: s.night is not None and s.night.watched and s.night.newest),
    *(Action(f"photons-{w}", "Photons", t, do.photons(w), k, do.photons_shown(w)) for w, t, k in (
        ("flags", "Show the beam flags", ("Alt+1",)), ("counts", "Show counts", ("Alt+2",)),
        ("rate", "Show the rate", ("Alt+3",)))),
    Action("photons-everything", "Photons", "All times and wavelengths", do.everything, ("Alt+0",)),
    Action("photons-play", "-Photons", "Play through time", do.play, ("Ctrl+Space",),
           lambda s: (f := do.photons_of(s)) is not None and f[1].playing),
    Action("photons-next", "Photons", "One step of time on", do.photon_step(1), ("Ctrl+Right",)),
    Action("photons-previous", "Photons", "One step of time back", do.photon_step(-1), ("Ctrl+Left",)),
    Action("photons-copy", "-Photons", "Duplicate this frame, to compare two ranges",
           lambda s: want.CopyPhotons(), ("Ctrl+Shift+D",)),
    Action("photons-blink", "Photons", "Blink the frames",
           lambda s: want.SetLayout(Layout.SINGLE if s.layout is Layout.BLINK else Layout.BLINK)),
    Action("photons-difference", "Photons", "Difference with the previous frame", do.pair("difference")),
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
