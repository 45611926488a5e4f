"""`ifuview wavecal`: laser exposures to a wavelength solution, with numbers and plots."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from ifuview.app.photons.outputs import keep_inputs, keep_photons
from ifuview.commands.photons import OK, Bar, parsed, progress
from ifuview.engine.context import JobContext
from ifuview.errors import FitError, UsageError

DOUBTFUL = 3
EPILOG = """\
The wavelength of a laser is read from the header or the name of its file (laser_808.h5, 808nm.h5); else write
808=FILE. Two lasers give straight lines, three or more parabolas: E = c2 p^2 + c1 p + c0 (eV, degree).
--plots DIR writes energy solutions and phase histograms of some pixels, distributions of resolving powers, centers and
fit parameters, images of the resolving power, resolving power against frequency (with --powersweep), and a summary.
Exit code 3: nearly nothing of what has photons is solved, and why is said. If nothing is, nothing is written (2).
--config F reads the options from a TOML file (table [wavecal], `lasers` a list) or an old .cfg, which is never run.
"""


def main(argv: list[str], bar: Bar | None = None) -> int:
    """Run the command; see `ifuview.commands.photons`."""
    chosen = parsed(parser(), argv, "wavecal")
    if isinstance(chosen, int):
        return chosen
    if not chosen.lasers:
        raise UsageError("there are no laser files", "wavecal", "name them, as in laser_808.h5 laser_1310.h5")
    if not chosen.output and not chosen.json:
        raise UsageError("there is nothing to make", "wavecal", "give -o SOL.h5 or --json -")
    with progress(bar) as ctx:
        numbers, why = run(chosen, ctx)
    if chosen.json:
        _json(chosen.json, numbers)
    if chosen.json != "-":
        print(sentence(numbers, chosen.output or ""))
    if why:
        print(f"ifuview: {why}.", file=sys.stderr)
    return DOUBTFUL if why else OK


def parser() -> argparse.ArgumentParser:
    """The options."""
    out = argparse.ArgumentParser(
        prog="ifuview wavecal",
        description="Fit the wavelength of every resonator from laser exposures.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    out.add_argument("lasers", nargs="*", metavar="LASER", help="photon list of phases, or NM=FILE")
    out.add_argument("-o", "--output", metavar="SOL.h5", help="solution to write")
    out.add_argument("--name", help="name of the solution (default: that of the file)")
    out.add_argument("--least", type=int, metavar="N", help="photons that a histogram must have (default: 200)")
    out.add_argument("--fastest", type=float, metavar="CPS", help="faster resonators are hot (default: 2000)")
    out.add_argument("--bin-width", type=float, metavar="DEG", help="of the finest bins (default: 2)")
    out.add_argument(
        "--gap-us", type=float, metavar="US", help="photons that follow closer do not count (default: 500)"
    )
    out.add_argument("--plots", metavar="DIR", help="folder for plots, made if it is not there")
    out.add_argument("--pixel", action="append", metavar="X,Y", help="plot this pixel (may be given several times)")
    out.add_argument("--powersweep", action="append", metavar="F", help="text of resonator frequencies")
    out.add_argument("--json", metavar="-|F", help="write the numbers as JSON to the screen (-) or a file")
    out.add_argument("--config", metavar="F", help="TOML file, or an old .cfg, with these options")
    return out


def run(chosen: argparse.Namespace, ctx: JobContext) -> tuple[dict[str, Any], str]:
    """Fit, save and plot; the numbers, and why they are to be doubted.

    Raises
    ------
    FitError
        Nothing is solved; nothing but the plots is written.
    """
    from ifuview.app.photons import solve as cal

    inputs = (*(str(item) for item in chosen.lasers), *(chosen.powersweep or ()), chosen.config)
    if chosen.output:
        cal.check_output(chosen.output)
        keep_inputs(chosen.output, inputs)
        keep_photons(chosen.output)
    keep_inputs(chosen.json, (*inputs, chosen.output))
    options = _options(chosen)
    pixels = [_pixel(text) for text in chosen.pixel or ()]
    files = cal.laser_files([str(item) for item in chosen.lasers])
    name = chosen.name or (os.path.splitext(os.path.basename(chosen.output))[0] if chosen.output else "wavecal")
    solution = cal.fit_wavecal(files, name=name, ctx=ctx.part(0, 0.9 if chosen.plots else 1), **options)
    why = cal.doubt(solution)
    if chosen.output and solution.solved.any():
        cal.save(solution, chosen.output)
    if chosen.plots:
        from ifuview.app.photons.calibration_plots import plot_wavecal

        plot_wavecal(solution, chosen.plots, pixels=pixels, powersweep=chosen.powersweep or (), ctx=ctx.part(0.9, 1))
    if not solution.solved.any():
        what, _, todo = why.partition("; ")
        raise FitError(what, "wavecal", todo)
    return solution.summary(), why


def _options(chosen: argparse.Namespace) -> dict[str, Any]:
    """Options of the fit that were given."""
    out: dict[str, Any] = {}
    for name, key, factor in (("least", "least", 1), ("fastest", "fastest", 1), ("bin_width", "width", 1),
                              ("gap_us", "gap", 1e-6)):  # fmt: skip
        value = getattr(chosen, name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
            raise UsageError(f"{value} makes no sense", f"--{name.replace('_', '-')}", "give a number above 0")
        out[key] = value * factor
    if not 0.1 <= out.get("width", 2.0) <= 20:
        raise UsageError(f"bins of {out['width']:g} degrees make no sense", "--bin-width", "give 0.1 to 20")
    return out


def _pixel(text: str) -> tuple[int, int]:
    from ifuview.commands.photons.quicklook import pixel

    return pixel(text)


def _json(path: str, numbers: dict[str, Any]) -> None:
    from ifuview.io.photons.products import moved_into_place

    if path == "-":
        print(json.dumps(numbers))
        return

    def write(part: str) -> None:
        with open(part, "w", encoding="utf-8") as file:
            file.write(json.dumps(numbers) + "\n")

    moved_into_place(path, write)


def sentence(numbers: dict[str, Any], output: str) -> str:
    """What was found, in words."""
    lit = numbers["with_photons"] or 0
    bad = ", ".join(f"{n} {name}" for name, n in numbers["flags"].items() if name.startswith("wavecal.n")
                    or "failed" in name)  # fmt: skip
    power = ", ".join(f"{w:g} nm {r:.2f}" for w, r in zip(numbers["lasers_nm"], numbers["resolution"]) if r is not None)
    enough = numbers["with_two_histograms"] or 0
    text = f"{numbers['solved']} of {enough} resonators with photons enough are solved"
    text += f" ({lit} of {numbers['resonators']} have any{'; ' + bad if bad else ''})"
    text += f"; median resolving power {power}" if power else ""
    return f"{output}: {text}" if output else text
