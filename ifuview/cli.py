"""The command line: `ifuview [options and files]` shows; the subcommands of COMMANDS do the rest.

Everything is imported where it is needed: the way from here to the first
painted pixel is short.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from ifuview.errors import IfuviewError, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

OK, INTERNAL_ERROR, BAD_INPUT = 0, 1, 2
INTERRUPTED = 130

USAGE = """\
usage: ifuview [options, files and folders of exposures, carried out from left to right]
       ifuview report FILE... [--traces F] [--fiber N] -o report.png
       ifuview diagnose IMAGE... [--traces F] -o DIR       (ifuview diagnose --help)
       ifuview triage PATH... [--after DIR] -o DIR         (ifuview triage --help)
       ifuview batch triage|diagnose NIGHT_DIR -o DIR      (ifuview batch --help)
       ifuview watch DIR [--newest] [-o DIR]               (new files of a night as they land)
       ifuview quicklook FILE [options] -o OUT.fits        (photon lists; ifuview quicklook --help)
       ifuview speckle FILE [--bin MS] [--method binned|arrival] -o MAPS.fits       (Ic, Is and Ip of every pixel)
       ifuview bin2hdf BIN_DIR --beammap F -o OUT.h5       (raw packets as a photon table; --help)
       ifuview wavecal LASER... -o SOL.h5 [--plots DIR]    (wavelength of every resonator; --help)
       ifuview flatcal FILE -o SOL.h5 [--plots DIR]        (weights for an even response; --help)
       ifuview calibrate FILE --wavecal S --flatcal S -o NEW.h5    (and back: --undo; --help)
       ifuview demo [--offscreen DIR]

An option before the first file holds for all files, later for the file before it.
One or two dashes, as you like. A file may bear an extension: f.fits[2], f.fits[SCI], f.fits[1][10:200,5:9].

limits      -zscale [contrast x]  -minmax  -scale 99.5  -scale limits LO HI  -scale match  -scale lock yes
transfer    -linear -log [exp n] -sqrt -squared -asinh -sinh -pow -histequ     (or -scale log ...)
colors      -cmap NAME  -cmap CONTRAST BIAS  -invert  -mask FILE  -mask color C  -mask transparency N
view        -zoom to fit | to N | N | in | out    -pan to X Y    -rotate 90    -orient x|y|xy|none
            -smooth yes|no|function F|radius R    -crosshair X Y    -cube N|play    -block N
frames      -frame next|prev|first|last|N|delete  -single  -tile [row|column|grid]
            -blink  -blink interval SECONDS       -lock WHAT [no]   -match WHAT
            WHAT: frame, scale, scalelimits, colorbar, crosshair, slice
            -multiframe FILE (all extensions)     -mecube FILE (extensions as a cube)
overlays    -regions FILE  -regions save FILE     -colorbar no  -panner no  -magnifier no
fibers      -traces FILE   -fiber N | 50:60,4 | "SPECTYPE=QSO, Z>4"
docks       -dock NAME (sky, spectrum, focal, tables: -saveimage writes that dock)     -header  -pixeltable  -graph open
window      -geometry WxH+X+Y  -width N  -height N  -title T  -theme light|dark  --fresh
files       -saveimage png OUT.png   -exit
other       --version  --help  --log-level debug|info|warning|error
"""


def main(argv: list[str]) -> int:
    """Run one command line.

    Parameters
    ----------
    argv : list of str
        Without the name of the program.

    Returns
    -------
    int
        0; 1 after an internal error; 2 for input that makes no sense or cannot be read.
    """
    one_blas_thread()
    command = COMMANDS.get(argv[0]) if argv else None
    try:
        return command(argv[1:]) if command else _view(argv)
    except IfuviewError as problem:
        _say(str(problem))
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception:
        import traceback

        traceback.print_exc()
        _say("this is an error of ifuview itself; the lines above say where.")
        return INTERNAL_ERROR


def one_blas_thread() -> None:
    """Keep OpenBLAS from starting threads of its own; call before numpy is imported.

    Our matrices are small. And its threads must not run while Qt starts: libdbus then forks, and OpenBLAS joins its
    threads before a fork, which never ends if one of them is at work (seen in one start of ten with a psf file).
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _view(argv: list[str]) -> int:
    """Show files in the window; the default command."""
    from ifuview.app.script.parse import parse

    script = parse(argv)
    if script.wants:
        print(_version() if script.wants == "version" else USAGE, end="")
        return OK
    choose_platform(headless=script.exits, wanted=not script.exits)
    from ifuview.gui.shell.app import run

    code: int = run(script)
    return code


def _demo(argv: list[str]) -> int:
    """Open simulated data with a guided tour."""
    import argparse

    parser = argparse.ArgumentParser(prog="ifuview demo", description="Simulated data with a short guided tour.")
    parser.add_argument("--offscreen", metavar="DIR", help="show nothing; write a picture of each step of the tour")
    parser.add_argument("--fresh", action="store_true", help="ignore the remembered layout; a demo always does")
    chosen = _parsed(parser, argv)
    if isinstance(chosen, int):
        return chosen
    choose_platform(headless=chosen.offscreen is not None or not has_display(), wanted=False)
    from ifuview.gui.shell.app import run_demo

    code: int = run_demo(chosen.offscreen)
    return code


def _report(argv: list[str]) -> int:
    """Write the report of one fiber without opening a window."""
    import argparse

    parser = argparse.ArgumentParser(prog="ifuview report", description="One PNG: image, fiber, spectrum, verdicts.")
    parser.add_argument("files", nargs="+", metavar="FILE", help="images of the same camera; the first is shown")
    parser.add_argument("--traces", metavar="F", help="trace file; by default the one that lies beside the image")
    parser.add_argument("--fiber", metavar="N", help="number of the fiber; by default the middle one")
    parser.add_argument("-o", "--output", metavar="REPORT", required=True, help="file to write, for example report.png")
    chosen = _parsed(parser, argv)
    if isinstance(chosen, int):
        return chosen
    from ifuview.app.reporting.headless import report
    from ifuview.engine.context import JobContext

    bar = Progress() if sys.stderr.isatty() else None
    try:
        report(chosen.files, chosen.output, traces=chosen.traces, fiber=chosen.fiber, ctx=JobContext(bar))
    finally:
        if bar:
            bar.close()
    return OK


def _diagnose(argv: list[str]) -> int:
    """Say which traces are wrong, how, and how sure; write report, numbers and corrected traces."""
    from ifuview.app.traces.diagnosis import main as diagnose

    code: int = diagnose(argv, Progress)
    return code


def _triage(argv: list[str]) -> int:
    """Name the first bad product of every camera; write numbers, a page and pictures."""
    from ifuview.commands.triage import main as triage

    code: int = triage(argv, Progress)
    return code


def _watch(argv: list[str]) -> int:
    """Show the exposures of a folder, with new files as they land."""
    import argparse

    parser = argparse.ArgumentParser(prog="ifuview watch", description="List exposures; new files appear when whole.")
    parser.add_argument("folder", metavar="DIR", help="a production, a night or an exposure")
    parser.add_argument("--newest", action="store_true", help="show each new file of the camera and product on show")
    parser.add_argument("-o", "--output", metavar="DIR", default="", help="write the triage of each new camera there")
    chosen = _parsed(parser, argv)
    if isinstance(chosen, int):
        return chosen
    if not os.path.isdir(chosen.folder):
        raise UsageError("there is no such folder", chosen.folder, "name the folder of a night")
    choose_platform(headless=False, wanted=True)
    from ifuview.app.script.parse import Script, Step
    from ifuview.gui.shell.app import run

    code: int = run(Script((Step("watch", (chosen.folder, chosen.newest, chosen.output)),)))
    return code


def _batch(argv: list[str]) -> int:
    """Triage, or diagnose the traces of, a whole night with dask."""
    from ifuview.commands.batch import main as batch

    code: int = batch(argv, Progress)
    return code


def _photons(name: str) -> Callable[[list[str]], int]:
    """The command of photon lists that the module `name` of `commands.photons` carries out."""

    def run(argv: list[str]) -> int:
        from importlib import import_module

        code: int = import_module(f"ifuview.commands.photons.{name}").main(argv, Progress)
        return code

    return run


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "view": _view, "demo": _demo, "report": _report, "diagnose": _diagnose,
    "triage": _triage, "watch": _watch, "batch": _batch,
    **{name: _photons(name) for name in ("quicklook", "bin2hdf", "speckle", "wavecal", "flatcal", "calibrate")},
}  # fmt: skip


class Progress:
    """One line of progress on a terminal."""

    WIDTH = 30

    def __init__(self) -> None:
        self._shown = ""

    def __call__(self, fraction: float, text: str) -> None:
        """Show a fraction from 0 to 1 and what is being done."""
        done = round(self.WIDTH * fraction)
        line = f"[{'#' * done}{'.' * (self.WIDTH - done)}] {100 * fraction:3.0f} % {text}"[:79]
        if line != self._shown:
            sys.stderr.write("\r" + line.ljust(len(self._shown)))
            sys.stderr.flush()
            self._shown = line

    def close(self) -> None:
        """End the line."""
        if self._shown:
            sys.stderr.write("\r" + " " * len(self._shown) + "\r")
            sys.stderr.flush()


def choose_platform(*, headless: bool, wanted: bool) -> None:
    """Let Qt draw offscreen where no window is needed or possible.

    Parameters
    ----------
    headless : bool
        The program does its work and ends without a person.
    wanted : bool
        A person wants to see a window; without a display that is an error.

    Raises
    ------
    UsageError
        There is no display for the window.
    """
    if os.environ.get("QT_QPA_PLATFORM"):
        return
    if headless:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    elif wanted and not has_display():
        raise UsageError(
            "there is no display to open a window on",
            todo="log in with ssh -X, or write a picture with -saveimage png OUT.png -exit",
        )


def has_display() -> bool:
    """Whether a window can be shown; always true where there is no X11 or Wayland to ask for."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _parsed(parser: ArgumentParser, argv: list[str]) -> Namespace | int:
    """The parsed arguments, or the exit code if argparse has already said all."""
    try:
        return parser.parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)


def _version() -> str:
    """Name and version."""
    from ifuview import __version__

    return f"ifuview {__version__}\n"


def _say(text: str) -> None:
    """One line on stderr."""
    print(f"ifuview: {text}", file=sys.stderr)
