"""ds9's options from left to right, as frozen steps."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ifuview.app.frames.look import LimitMode, Look, Smooth, Transfer
from ifuview.app.script.options import IGNORED, OPTIONS
from ifuview.app.script.parse import parse
from ifuview.app.script.words import VERBS, Script, Step
from ifuview.errors import UsageError


def steps(line: str) -> tuple[Step, ...]:
    return parse(line.split()).steps


def look(line: str, n: int = 0) -> dict[str, object]:
    """The look that file `n` is opened with."""
    return dict([s for s in steps(line) if s.verb == "open"][n].args[3])


def test_an_option_before_the_first_file_holds_for_all_files():
    assert look("-zscale a.fits b.fits")["limit_mode"] == "zscale"
    assert look("-zscale a.fits b.fits", 1)["limit_mode"] == "zscale"
    zooms = [s for s in steps("-zoom to fit a.fits b.fits") if s.verb == "zoom"]
    assert zooms == [Step("zoom", ("fit",))] * 2


def test_two_dashes_end_the_options():
    script = parse(["-zscale", "a.fits", "--", "-log.fits", "--help"])
    assert [s.args[0] for s in script.steps if s.verb == "open"] == ["a.fits", "-log.fits", "--help"]
    assert not script.warnings and not script.wants


def test_a_mistyped_option_is_left_out_and_the_one_that_was_meant_named():
    (said,) = parse(["-zscal", "a.fits", "-qqqqq"]).warnings
    assert "-zscal (did you mean -zscale?)" in said and said.endswith("-qqqqq")


def test_an_option_after_a_file_is_for_that_file_alone():
    line = "a.fits -zscale b.fits -log"
    assert look(line) == {"limit_mode": "zscale", "lo": None, "hi": None}
    assert look(line, 1) == {"transfer": "log"}


def test_a_look_after_another_step_of_the_file_is_still_part_of_its_opening():
    assert look("a.fits -zoom to fit -scale limits -5 10") == {"limit_mode": "user", "lo": -5.0, "hi": 10.0}


def test_a_look_after_a_change_of_frame_is_a_step_of_its_own():
    assert steps("a.fits b.fits -frame 1 -log")[-1] == Step("look", (("transfer", "log"),))


@pytest.mark.parametrize(
    "line, fields",
    [
        ("-zscale contrast .1", {"limit_mode": "zscale", "lo": None, "hi": None, "zcontrast": 0.1}),
        ("-minmax", {"limit_mode": "minmax", "lo": None, "hi": None}),
        ("-scale minmax", {"limit_mode": "minmax", "lo": None, "hi": None}),
        ("-scale 99.5", {"limit_mode": "percentile", "percent": 99.5, "lo": None, "hi": None}),
        ("-scale mode 98", {"limit_mode": "percentile", "percent": 98.0, "lo": None, "hi": None}),
        ("-scalemode zscale", {"limit_mode": "zscale", "lo": None, "hi": None}),
        ("-scale limits -10 2e3", {"limit_mode": "user", "lo": -10.0, "hi": 2000.0}),
        ("-scalelims 0 1", {"limit_mode": "user", "lo": 0.0, "hi": 1.0}),
        ("-z1 3 -z2 4", {"limit_mode": "user", "lo": 3.0, "hi": 4.0}),
        ("-scale log exp 100", {"transfer": "log", "exponent": 100.0}),
        ("-log exp 100", {"transfer": "log", "exponent": 100.0}),
        ("-ztrans asinh", {"transfer": "asinh"}),
        ("-histequ", {"transfer": "histequ"}),
        ("--sqrt", {"transfer": "sqrt"}),
        ("-cmap Viridis", {"cmap": "viridis"}),
        ("-cmap gray -cmap invert yes", {"cmap": "grey", "invert": True}),
        ("-cmap 5 .3", {"contrast": 5.0, "bias": 0.3}),
        ("-invert", {"invert": True}),
        ("-smooth yes", {"smooth": "gaussian"}),
        ("-smooth function boxcar -smooth radius 3", {"smooth": "boxcar", "smooth_radius": 3.0}),
        ("-smooth function boxcar -smooth no -smooth yes", {"smooth": "gaussian"}),
        ("-mask color red -mask transparency 25", {"mask_color": "#ff3030", "mask_opacity": 0.75}),
    ],
)
def test_looks(line, fields):
    assert look(f"a.fits {line}") == fields
    assert look(f"{line} a.fits") == fields
    Look(**fields)  # every name is a field


def test_words_of_the_look_are_words_of_the_enumerations():
    for option in ("linear", "log", "pow", "sqrt", "squared", "asinh", "sinh", "histequ"):
        Transfer(look(f"a -{option}")["transfer"])
    for option in ("zscale", "minmax", "scale 90", "z1 0"):
        LimitMode(look(f"a -{option}")["limit_mode"])
    for option in ("gaussian", "boxcar", "tophat"):
        Smooth(look(f"a -smooth function {option}")["smooth"])


@pytest.mark.parametrize(
    "line, step",
    [
        ("-zoom to fit", Step("zoom", ("fit",))),
        ("-zoom 2", Step("zoom", ("by", 2.0))),
        ("-zoom to 4", Step("zoom", ("to", 4.0))),
        ("-zoom in", Step("zoom", ("by", 2.0))),
        ("-pan to 101 201 image", Step("pan", ("to", 100.0, 200.0))),
        ("-pan -5 3", Step("pan", ("by", -5.0, 3.0))),
        ("-rotate 90", Step("rotate", ("by", 90))),
        ("-rotate 22.5", Step("rotate", ("by", 22.5))),
        ("-rotate to 270", Step("rotate", ("to", 270))),
        ("-orient xy", Step("orient", (True, True))),
        ("-block 4", Step("block", (4,))),
        ("-crosshair 1 2 image", Step("crosshair", (0.0, 1.0))),
        ("-cube 12", Step("plane", (12,))),
        ("-cube play", Step("plane", ("play",))),
        ("-frame next", Step("frame", ("next",))),
        ("-frame 2", Step("frame", ("to", 2))),
        ("-frame delete", Step("frame", ("delete",))),
        ("-frame lock image", Step("lock", ("view", True))),
        ("-frame match image", Step("match", ("view",))),
        ("-tile", Step("layout", ("tile", "grid"))),
        ("-tile row", Step("layout", ("tile", "row"))),
        ("-tile mode column", Step("layout", ("tile", "column"))),
        ("-tile no", Step("layout", ("single", ""))),
        ("-single", Step("layout", ("single", ""))),
        ("-blink", Step("layout", ("blink", ""))),
        ("-blink interval .125", Step("blink", (125,))),
        ("-lock frame image", Step("lock", ("view", True))),
        ("-lock frame none", Step("lock", ("view", False))),
        ("-lock scale yes", Step("lock", ("limits", True))),
        ("-lock colorbar no", Step("lock", ("colors", False))),
        ("-scale lock yes", Step("lock", ("limits", True))),
        ("-scale match", Step("match", ("limits",))),
        ("-match colorbar", Step("match", ("colors",))),
        ("-regions f.reg", Step("regions", ("load", "f.reg"))),
        ("-region load all f.reg", Step("regions", ("load", "f.reg"))),
        ("-regions save f.reg", Step("regions", ("save", "f.reg"))),
        ("-header", Step("dock", ("header", True))),
        ("-graph open", Step("dock", ("graphs", True))),
        ("-pixeltable no", Step("dock", ("pixels", False))),
        ("-dock quality", Step("dock", ("quality", True))),
        ("-colorbar no", Step("overlay", ("colorbar", False))),
        ("-nopanner", Step("overlay", ("panner", False))),
        ("-view magnifier no", Step("overlay", ("magnifier", False))),
        ("-mask m.fits", Step("mask", ("m.fits",))),
        ("-mode crosshair", Step("mode", ("crosshair",))),
        ("-traces psf.fits", Step("traces", ("psf.fits",))),
        ("-fiber 17", Step("fiber", ("17",))),
        ("-saveimage png o.png", Step("save-image", ("png", "o.png"))),
        ("-saveimage o.png", Step("save-image", ("png", "o.png"))),
        ("-saveimage jpeg o.jpg 75", Step("save-image", ("jpeg", "o.jpg"))),
        ("-exit", Step("exit")),
    ],
)
def test_one_option_is_one_step(line, step):
    assert steps(f"a.fits {line}")[1:] == (step,)
    assert step.verb in VERBS


def test_the_words_of_an_option_are_not_files():
    for line in ("-tile a.fits", "-blink a.fits", "-invert a.fits", "-header a.fits", "-lock frame a.fits"):
        assert parse(line.split()).files == ("a.fits",)
    assert parse(["-tile", "-frame", "new", "a.fits[SCI,2]", "-frame", "new", "b.fits+2"]).files == (
        "a.fits[SCI,2]",
        "b.fits+2",
    )


def test_all_extensions_and_cubes():
    assert steps("-multiframe f.fits") == (Step("open", ("f.fits", True, False, ())),)
    assert steps("-memf f.fits -mecube g.fits")[1] == Step("open", ("g.fits", False, True, ()))


def test_sessions_are_saved_and_restored_by_the_words_of_ds9():
    script = parse(["a.fits", "-backup", "f.json", "-restore", "g.json"])
    assert [(step.verb, step.args) for step in script.steps[1:]] == [
        ("save-session", ("f.json",)),
        ("restore", ("g.json",)),
    ]


def test_ignored_options_swallow_their_words_and_warn_in_one_line():
    script = parse(["-xpa", "no", "-port", "0", "-prefs", "clear", "-scope", "local", "-unix", "none", "a.fits"])
    assert script.files == ("a.fits",)
    assert len(script.warnings) == 1
    assert all(word in script.warnings[0] for word in ("-xpa", "-port", "-prefs", "-scope", "-unix"))


def test_unknown_options_warn_once_and_the_rest_goes_on():
    script = parse(["-nonsense", "a.fits", "-nonsense", "-log"])
    assert script.files == ("a.fits",)
    assert look("-nonsense a.fits -nonsense -log") == {"transfer": "log"}
    assert script.warnings == ("unknown options are left out: -nonsense",)


def test_window_options():
    script = parse(["--geometry", "1600x1000+10-20", "--title", "X", "--theme", "dark", "--fresh", "--log-level=debug"])
    w = script.window
    assert (w.width, w.height, w.x, w.y) == (1600, 1000, 10, -20)
    assert (w.title, w.theme, w.fresh, w.log_level) == ("X", "dark", True, "debug")


def test_a_headless_script_is_known_as_one():
    assert parse(["a.fits", "-saveimage", "png", "o.png", "-exit"]).exits
    assert not parse(["a.fits"]).exits
    assert parse(["--version"]).wants == "version"


@pytest.mark.parametrize(
    "line",
    [
        "-zoom",
        "-zoom abc",
        "-zoom -1",
        "-scale limits 5",
        "-scale limits 5 1",
        "-scale limits nan 1",
        "-scale wavy",
        "-scale mode 0",
        "-rotate north",
        "-geometry big",
        "-geometry 99999x99999+0+0",
        "-width 99999",
        "-width 0",
        "-theme pink",
        "-lock everything",
        "-saveimage fits o.fits",
        "-blink interval 0",
        "-orient z",
        "-smooth function sinc",
        "-traces",
    ],
)
def test_a_value_that_makes_no_sense_is_one_sentence(line):
    with pytest.raises(UsageError) as caught:
        parse(line.split())
    assert line.split()[0] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_is_both_known_and_ignored():
    assert not set(OPTIONS) & set(IGNORED)


@pytest.mark.parametrize("option", sorted({*OPTIONS, *IGNORED}))
def test_no_option_fails_otherwise_than_by_a_usage_error(option):
    for tail in ([], ["1"], ["yes"], ["a", "b", "c"], ["to"], ["-1", "x"], ["lock"], ["match", "image"], ["open"]):
        try:
            assert isinstance(parse([f"-{option}", *tail]), Script)
        except UsageError:
            continue


def test_parsing_loads_neither_numpy_nor_qt():
    code = (
        "import sys; from ifuview.app.script.parse import parse; parse('-zscale a -zoom to fit -tile'.split());"
        "bad = {'numpy', 'PyQt6', 'argparse', 'logging'} & set(sys.modules); assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_frames_are_locked_and_matched_by_the_sky_where_that_is_asked():
    line = "a.fits -lock frame wcs -match frame wcs -lock frame image -frame lock fk5 -wcs skyformat sexagesimal"
    done = [(step.verb, *step.args) for step in steps(line) if step.verb in ("lock", "match", "overlay")]
    assert done == [
        ("lock", "sky", True), ("match", "sky"), ("lock", "view", True), ("lock", "sky", True),
        ("overlay", "sexagesimal", True),
    ]  # fmt: skip
