"""`ifuview reduce virus`: an observation of many fiber heads to spectra, stars, detections and cubes."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ifuview.commands.said import Said, count, names
from ifuview.engine.context import JobContext, threads
from ifuview.errors import UsageError
from ifuview.exit_codes import BAD_INPUT, FOUND, OK

EPILOG = """\
Products: DATE_OBS.h5, and for each head DATE_OBS_SLOT.fits, _cube.fits, _error_cube.fits; pictures of the field, of
its stars and of their brightness. They appear when all are whole.
Stars come from --catalog (fixed width, ECSV, CSV, VOTable, FITS), else from a file Panstarrs_RA_DEC_0.1500.dat around
the position of the header in this folder, that of raw nights, or beside CALS.h5.
"""


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.epilog = EPILOG
    out.add_argument("date", metavar="DATE", help="night, as YYYYMMDD")
    out.add_argument("observation", type=int, metavar="OBS", help="number of the observation")
    out.add_argument("ifuslot", type=names, metavar="IFUSLOT", help="slots, as 047,046; or all")
    out.add_argument("calibrations", metavar="CALS.h5", help="file of calibrations")
    out.add_argument("-r", "--rootdir", metavar="DIR", default="", help="folder of raw nights")
    out.add_argument("-ra", "--ra", type=float, metavar="RA", default=float("nan"),
                     help="right ascension of the field, degrees (default: of the header)")  # fmt: skip
    out.add_argument("-dec", "--dec", type=float, metavar="DEC", default=float("nan"),
                     help="declination of the field, degrees (default: of the header)")  # fmt: skip
    out.add_argument("-fp", "--fplane_file", metavar="FILE", default="", help="table of the focal plane")
    out.add_argument("-nd", "--neighbor_dist", type=int, metavar="N", default=0,
                     help="reduce slots so far away on the focal plane, too (default: 0)")  # fmt: skip
    out.add_argument("-sf", "--source_file", metavar="FILE", default="", help="spectrum of the simulated source")
    out.add_argument("-s", "--simulate", action="store_true", help="put a simulated source into the cube")
    out.add_argument("-sx", "--source_x", type=float, metavar="X", default=0.0, help="its place, arcsec")
    out.add_argument("-sy", "--source_y", type=float, metavar="Y", default=0.0, help="its place, arcsec")
    out.add_argument("-ss", "--source_seeing", type=float, metavar="S", default=float("nan"), help="its FWHM, arcsec")
    out.add_argument("--sky_ifuslot", "--sky-ifuslot", metavar="M", default="", help="take the sky from this slot")
    out.add_argument("--catalog", metavar="FILE", default="", help="catalog of stars")
    out.add_argument("--completeness", type=int, metavar="N", default=0, help="simulated lines looked for in each head")
    out.add_argument("-j", "--jobs", type=count, default=0, metavar="N", help="processes (default: one a core)")
    out.add_argument("--quiet", action="store_true", help="say nothing")
    out.add_argument("-O", "--output", metavar="OUT", default=".", help="folder of the products (default: here)")


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Reduce; exit code 3 where something is wrong or some heads could not be reduced, 2 where none could."""
    from ifuview.app.night.reduction.run import night_number
    from ifuview.app.night.virus.request import ALL, ShotRequest, SourceRequest
    from ifuview.app.night.virus.shot import reduce_shot

    for name in ("neighbor_dist", "completeness", "observation"):
        if getattr(chosen, name) < 0:
            raise UsageError(f"{getattr(chosen, name)} is no such number", f"--{name}", "give 0 or more")
    source = None
    if chosen.simulate:
        source = SourceRequest(chosen.source_x, chosen.source_y, chosen.source_seeing, chosen.source_file)
    done = reduce_shot(
        ShotRequest(
            date=night_number(chosen.date), observation=chosen.observation,
            slots=tuple(slot if slot == ALL else slot.zfill(3) for slot in chosen.ifuslot),
            calibrations=chosen.calibrations, root=chosen.rootdir, output=chosen.output, ra=chosen.ra, dec=chosen.dec,
            plane=chosen.fplane_file, catalog=chosen.catalog, neighbors=chosen.neighbor_dist,
            sky_slot=chosen.sky_ifuslot.zfill(3) if chosen.sky_ifuslot else "", source=source,
            completeness=chosen.completeness, workers=chosen.jobs or threads(),
        ),
        ctx,
    )  # fmt: skip
    good = sum(not head.reason for head in done.heads)
    code = BAD_INPUT if not good else OK if good == len(done.heads) and not done.wrong else FOUND
    notes = (*done.notes, *(f"wrong: {text}" for text in done.wrong))
    return Said("" if chosen.quiet else "\n".join((*done.lines, *done.more)), notes, code)
