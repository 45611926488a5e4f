"""`ifuview wavecal`: laser exposures to a wavelength solution, with numbers and plots."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from typing import Any

from ifuview.commands.said import Said, json_to, pixel
from ifuview.engine.context import JobContext
from ifuview.errors import FitError, UsageError
from ifuview.exit_codes import FOUND, OK
from ifuview.files import keep_inputs, stem
from ifuview.model.checks import plain_value
from ifuview.model.photons.wavelength_solution import WavecalNumbers

EPILOG = """\
The wavelength of a laser is read from the header or the name of its file (laser_808.h5, 808nm.h5); else write
808=FILE. Two lasers give straight lines, three or more parabolas: E = c2 p^2 + c1 p + c0 (eV, degree).
--plots DIR writes energy solutions and phase histograms of some pixels, distributions of resolving powers, centers and
fit parameters, images of the resolving power, resolving power against frequency (with --powersweep), and a summary.
Exit code 3: nearly nothing of what has photons is solved, and why is said. If nothing is, nothing is written (2).
--config F reads the options from a TOML file (table [wavecal], `lasers` a list) or an old .cfg, which is never run.
"""


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.epilog = EPILOG
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


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Fit, save and plot; the numbers, and why they are to be doubted.

    Raises
    ------
    FitError
        Nothing is solved; nothing but the plots is written.
    """
    from ifuview.app.photons.calibration import solve as cal
    from ifuview.io.photons.outputs import keep_photons

    if not chosen.lasers:
        raise UsageError("there are no laser files", "wavecal", "name them, as in laser_808.h5 laser_1310.h5")
    if not chosen.output and not chosen.json:
        raise UsageError("there is nothing to make", "wavecal", "give -o SOL.h5 or --json -")
    lasers = [str(item) for item in chosen.lasers]
    inputs = (*lasers, *(chosen.powersweep or ()), chosen.config)
    if chosen.output:
        cal.check_output(chosen.output)
        keep_inputs(chosen.output, inputs)
        keep_photons(chosen.output)
    keep_inputs(chosen.json, (*inputs, chosen.output))
    given = _given(chosen)
    pixels = [pixel(text) for text in chosen.pixel or ()]
    files = cal.laser_files(lasers)
    name = chosen.name or stem(chosen.output or "wavecal")
    solution = cal.fit_wavecal(files, name=name, ctx=ctx.part(0, 0.9 if chosen.plots else 1), **given)
    why = cal.doubt(solution)
    if chosen.output and solution.solved.any():
        cal.save(solution, chosen.output)
    if chosen.plots:
        from ifuview.app.photons.calibration.plots import plot_wavecal

        plot_wavecal(solution, chosen.plots, pixels=pixels, powersweep=chosen.powersweep or (), ctx=ctx.part(0.9, 1))
    if not solution.solved.any():
        what, _, todo = why.partition("; ")
        raise FitError(what, "wavecal", todo)
    numbers = solution.summary()
    text = json_to(chosen.json, json.dumps(plain_value(numbers))) or sentence(numbers, chosen.output or "")
    return Said(text, (f"ifuview: {why}.",) if why else (), FOUND if why else OK)


def _given(chosen: Namespace) -> dict[str, Any]:
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


def sentence(numbers: WavecalNumbers, output: str) -> str:
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
