"""`ifuview bin2hdf`: raw packets into a photon table, with every photon."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from math import isfinite

from ifuview.commands.said import Said
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import UsageError
from ifuview.files import check_place, check_suffix, keep_inputs
from ifuview.model.photons.lists import PhotonInfo

SUFFIXES = (".h5", ".hdf5", ".hdf")
EPILOG = """\
Photons of S <= t < S + D are written, each at its own time: packets of one second may lie in the file of the next, so
that the files of the seconds before and after are read too, if they are there. Without --start and --duration, all
photons of all files. The third column is the phase: height of the peak plus baseline less the median baseline.
Photons of pixels that the beam map flags are kept, with the flags; those of pixels without a resonator get the id
4294967295.
"""


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.epilog = EPILOG
    out.add_argument("folder", metavar="BIN_DIR", help="folder of <unix second>.bin files, or one of them")
    out.add_argument("--beammap", metavar="F", required=True, help="beam-map text file: resonator flag x y")
    out.add_argument("--start", type=float, metavar="S", help="unix time, s (default: the first file)")
    out.add_argument("--duration", type=float, metavar="D", help="s (default: to the last photon)")
    out.add_argument("--raw-peak", action="store_true", help="store the height of the peak alone, without the baseline")
    out.add_argument("-o", "--output", metavar="OUT.h5", required=True, help="file to write")


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Convert; a line about what was written."""
    info, notes = convert(
        chosen.folder, chosen.beammap, chosen.output, start=chosen.start, duration=chosen.duration,
        raw_peak=chosen.raw_peak, ctx=ctx,
    )  # fmt: skip
    text = f"{chosen.output}: {info.nphoton} photons, {info.duration:g} s from {info.start:.6f}"
    return Said(text.rstrip("0").rstrip("."), notes)


def convert(
    folder: str,
    beammap: str,
    output: str,
    *,
    start: float | None = None,
    duration: float | None = None,
    raw_peak: bool = False,
    ctx: JobContext = SILENT,
) -> tuple[PhotonInfo, tuple[str, ...]]:
    """Write the photons of packet files as a photon table.

    Parameters
    ----------
    folder, beammap, output : str
        Folder of packet files or one file; beam-map text file; file to write.
    start, duration : float, optional
        s; photons of start <= t < start + duration. Default: all.
    raw_peak : bool, optional
        The phase is the height of the peak alone.
    ctx : JobContext, optional

    Returns
    -------
    info : PhotonInfo
        Of what was written.
    notes : tuple of str
        What the user should know.

    Raises
    ------
    IfuviewError
        Input that cannot be read or makes no sense; nothing is written.
    """
    from ifuview.io.photons.lists.write import write_photons
    from ifuview.io.photons.raw.beammap_text import read_beammap
    from ifuview.io.photons.raw.packets import open_packets

    _check(output, start, duration)
    keep_inputs(output, (folder, beammap))
    known = read_beammap(beammap)
    source = open_packets(folder, known, ctx.part(0, 0.3), start=start, duration=duration, raw_peak=raw_peak)
    header = {"E_BMAP": os.path.basename(beammap), "data_path": os.path.basename(os.path.abspath(folder))}
    info = replace(source.info, sorted=True)
    notes = write_photons(output, source.sorted_blocks(ctx.part(0.3, 1)), info, header=header)
    return info, (*info.notes, *notes)


def _check(output: str, start: float | None, duration: float | None) -> None:
    """Refuse wishes that make no sense before anything is read."""
    check_suffix(output, SUFFIXES, "a photon table")
    check_place(output)
    if duration is not None and not (isfinite(duration) and duration > 0):
        raise UsageError(f"a duration of {duration:g} s has no photons", "--duration", "give seconds above 0")
    if start is not None and not (isfinite(start) and start >= 0):
        raise UsageError(f"{start:g} is no unix time", "--start", "give seconds since 1970")
