"""`ifuview calibrate`: a photon table with wavelengths and weights that keeps what it was; or one as it was."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ifuview.commands.said import Said
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError
from ifuview.files import keep_inputs

METHODS = ("interpolation", "polynomial")
COSMICS = ("poisson", "sigma")
PIXELS = ("threshold", "median", "laplacian")
EPILOG = """\
The new file has the modern layout and keeps the columns, flags and header entries before (/original), so that --undo
restores them bit by bit. Pixels without a wavelength solution keep their phases and are flagged wavecal.*.
A file that another program calibrated keeps nothing: --undo --wavecal S computes its phases back.
--config F reads the options from a TOML file (table [calibrate]) or an old .cfg; those of the command line go first.
"""


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.epilog = EPILOG
    out.add_argument("file", metavar="FILE", help="photon list of any layout")
    out.add_argument("--wavecal", metavar="S", help="wavelength solution of any form")
    out.add_argument("--flatcal", metavar="S", help="flat of any form")
    out.add_argument("--flat-method", choices=METHODS, help="use of the weights (default: as the flat says)")
    out.add_argument("--lincal", action="store_true", default=None, help="weights for the dead time")
    out.add_argument("--dead-time", type=float, metavar="US", help="microseconds (default: 10)")
    out.add_argument("--cosmics", nargs="?", const="poisson", choices=COSMICS, help="leave out cosmic rays")
    out.add_argument("--pixcal", nargs="?", const="threshold", choices=PIXELS, help="flag hot, cold and dead pixels")
    out.add_argument("--beammap", metavar="F", help="beam-map text file, for lists without one")
    out.add_argument("--undo", action="store_true", default=None, help="write the file as it was before")
    out.add_argument("--config", metavar="F", help="TOML file, or an old .cfg, with these options")
    out.add_argument("-o", "--output", metavar="NEW.h5", help="file to write")


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Do what the options ask for; a line about what was written, and notes."""
    from ifuview.app.photons.calibration import files
    from ifuview.app.photons.calibration import solve as cal

    if not chosen.output:
        raise UsageError("there is no name for the new file", "calibrate", "give -o NEW.h5")
    keep_inputs(chosen.output, (chosen.file, chosen.wavecal, chosen.flatcal, chosen.beammap, chosen.config))
    if chosen.undo:
        extra = [name for name in ("flatcal", "lincal", "cosmics", "pixcal") if getattr(chosen, name)]
        if extra:
            raise UsageError(f"--undo and --{extra[0]} do not go together", "calibrate", "leave one out")
        solution = cal.read_wavecal(chosen.wavecal, ctx) if chosen.wavecal else None
        info, notes = files.undo_file(chosen.file, chosen.output, wavecal=solution, ctx=ctx)
        return Said(f"{chosen.output}: {info.nphoton} photons as they were, {info.column}", notes)
    if chosen.dead_time is not None and not chosen.dead_time > 0:
        raise UsageError(f"{chosen.dead_time:g} is no dead time", "--dead-time", "give microseconds above 0")
    if not any((chosen.wavecal, chosen.flatcal, chosen.lincal, chosen.cosmics, chosen.pixcal)):
        raise UsageError(
            "no calibration is asked for", "calibrate", "give --wavecal, --flatcal, --lincal, --cosmics or --pixcal"
        )
    steps = cal.stack(
        wavecal=chosen.wavecal, flatcal=chosen.flatcal, flat_method=chosen.flat_method, lincal=bool(chosen.lincal),
        dead_time=None if chosen.dead_time is None else chosen.dead_time * 1e-6, ctx=ctx,
    )  # fmt: skip
    info, notes = files.calibrate_file(
        chosen.file, chosen.output, steps, cosmics=chosen.cosmics, pixels=chosen.pixcal, beammap=chosen.beammap, ctx=ctx
    )
    done = ", ".join(f"{key} {text}" if text != "applied" else key for key, text in info.calibrations.items())
    bad = int(info.beammap.flagged(["wavecal.bad"]).sum())
    missing = f"; {bad} pixels without a wavelength solution keep their phases" if steps.active("wavecal") else ""
    return Said(f"{chosen.output}: {info.nphoton} photons, {done}{missing}", notes)
