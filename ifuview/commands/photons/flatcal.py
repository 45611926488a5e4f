"""`ifuview flatcal`: even light to weights by resonator and wavelength, with numbers and plots."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from ifuview.commands.said import Said, pixel
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError
from ifuview.files import keep_inputs, stem

if TYPE_CHECKING:
    from ifuview.model.photons.flat_solution import FlatSolution

FEW = 0.01  # of the resonators; weights of fewer in a bin are chosen by their noise
METHODS = ("interpolation", "polynomial")
EPILOG = """\
One file of white light, with wavelengths or with its --wavecal; or, with --wavecal, two laser files or more (named as
for `ifuview wavecal`) that light the array evenly: one weight a laser.
Weights are used by linear interpolation between the middles of the bins, or (--method polynomial) as a polynomial.
With --white several files of white light add up.
--plots DIR writes weights with errors of some pixels, images of the weights and of the mask in each bin, a summary.
--config F reads the options from a TOML file (table [flatcal]) or an old .cfg, which is never run.
"""


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.epilog = EPILOG
    out.add_argument("files", nargs="*", metavar="FILE", help="photon list of even light; or lasers, NM=FILE")
    out.add_argument("-o", "--output", metavar="SOL.h5", help="flat to write")
    out.add_argument("--wavecal", metavar="S", help="wavelength solution, for files of phases")
    out.add_argument("--edges", metavar="NM,...", help="edges of the bins (default: bins of --width over the range)")
    out.add_argument("--width", type=float, metavar="EV", help="of the bins (default: 0.2)")
    out.add_argument("--range", metavar="NM,NM", help="of the bins (default: that of the list)")
    out.add_argument("--chunk", type=float, metavar="S", help="time chunks (default: 10, or a third of the exposure)")
    out.add_argument("--duration", type=float, metavar="S", help="use no more than this from the beginning")
    out.add_argument("--dead-time", type=float, metavar="US", help="microseconds (default: what the list says)")
    out.add_argument("--max-rate", type=float, metavar="R", help="brighter pixels (photons/s) get no weights")
    out.add_argument("--white", action="store_true", default=None, help="several files are white light, not lasers")
    out.add_argument("--method", choices=METHODS, help="use of the weights (default: interpolation)")
    out.add_argument("--power", type=int, metavar="N", help="of the polynomial (default: 1)")
    out.add_argument("--name", help="name of the flat (default: that of the file)")
    out.add_argument("--plots", metavar="DIR", help="folder for plots, made if it is not there")
    out.add_argument("--pixel", action="append", metavar="X,Y", help="plot this pixel (may be given several times)")
    out.add_argument("--config", metavar="F", help="TOML file, or an old .cfg, with these options")


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Fit, save and plot; a line about what was found."""
    from ifuview.app.photons.calibration import solve as cal
    from ifuview.io.photons.outputs import keep_photons

    if not chosen.files:
        raise UsageError("there is no file of even light", "flatcal", "name it")
    if not chosen.output:
        raise UsageError("there is no name for the flat", "flatcal", "give -o SOL.h5")
    files = [str(item) for item in chosen.files]
    cal.check_output(chosen.output)
    keep_inputs(chosen.output, (*files, chosen.wavecal, chosen.config))
    keep_photons(chosen.output)
    pixels = [pixel(text) for text in chosen.pixel or ()]
    flat = _fit(chosen, files, ctx)
    cal.save(flat, chosen.output)
    if chosen.plots:
        from ifuview.app.photons.calibration.plots import plot_flat

        plot_flat(flat, chosen.plots, pixels=pixels, ctx=ctx)
    usable, number = int(flat.usable.sum()), len(flat.ids)
    whole = usable - (int(((flat.flags & 2) != 0).sum()) - (number - usable))
    text = f"{usable} of {number} resonators have weights, {whole} of them in all {len(flat.waves)} bins"
    return Said(f"{chosen.output}: {text}{thin_bins(flat)}; used by {flat.method}")


def _fit(chosen: Namespace, files: list[str], ctx: JobContext) -> FlatSolution:
    """The flat of one file of white light, or of several lasers."""
    from ifuview.app.photons.calibration import solve as cal

    given: dict[str, Any] = {name: getattr(chosen, name) for name in ("chunk", "method", "power")}
    given = {name: value for name, value in given.items() if value is not None}
    for name in ("chunk", "width", "duration", "dead_time", "max_rate"):
        if (value := getattr(chosen, name)) is not None and not value > 0:
            raise UsageError(f"{value:g} makes no sense", f"--{name.replace('_', '-')}", "give a number above 0")
    if not 0 <= given.get("power", 1) <= 10:
        raise UsageError(f"a polynomial of order {chosen.power} makes no sense", "--power", "give 0 to 10")
    given["name"] = chosen.name or stem(chosen.output)
    solution = cal.read_wavecal(chosen.wavecal, ctx) if chosen.wavecal else None
    if len(files) > 1 and not chosen.white:
        if solution is None:
            raise UsageError("a flat of several lasers needs a wavelength solution", "flatcal", "give --wavecal S")
        return cal.fit_laser_flat(cal.laser_files(files), solution, ctx=ctx, **given)
    if chosen.edges is not None:
        given["edges"] = edges(chosen.edges)
    elif chosen.width is not None:
        given["width"] = chosen.width
    if chosen.range is not None:
        given["wave_range"] = _range(chosen.range)
    given |= {name: getattr(chosen, name) for name in ("duration", "max_rate") if getattr(chosen, name) is not None}
    if chosen.dead_time is not None:
        given["dead_time"] = chosen.dead_time * 1e-6
    return cal.fit_flatcal(files, wavecal=solution, ctx=ctx, **given)


def _range(text: str | list[float]) -> tuple[float, float]:
    """The two wavelengths of a --range."""
    found = edges(text)
    if len(found) != 2 or not 0 < found[0] < found[1]:
        raise UsageError(f"{text!r} is no range of wavelengths", "--range", "give two in nm, as in 700,1500")
    return found[0], found[1]


def thin_bins(flat: FlatSolution) -> str:
    """Bins in which hardly a resonator has a weight, as words after the count."""
    import numpy as np

    found = np.isfinite(flat.weights).sum(axis=0)
    thin = [f"{wave:.0f} nm ({n})" for wave, n in zip(flat.waves, found) if n < FEW * flat.usable.sum()]
    return f" (few at {', '.join(thin)})" if thin else ""


def edges(text: str | list[float]) -> list[float]:
    """Numbers of an --edges."""
    try:
        return [float(part) for part in (text.split(",") if isinstance(text, str) else text)]
    except (ValueError, TypeError) as problem:
        raise UsageError(
            f"{text!r} are no wavelengths", "--edges", "give nm with commas, as in 700,850,1000"
        ) from problem
