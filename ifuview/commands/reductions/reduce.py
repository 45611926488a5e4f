"""`ifuview reduce`: raw exposures to spectra, sky, source and cube; one line a channel."""

from __future__ import annotations

from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from typing import TYPE_CHECKING

from ifuview.commands.said import Said, names
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError
from ifuview.exit_codes import BAD_INPUT, FOUND, OK
from ifuview.files import check_folder

if TYPE_CHECKING:
    from ifuview.app.night.reduction.channel import ReducedChannel
    from ifuview.app.night.reduction.pages import ReductionPages

SYSTEMS = ("lrs2",)
EPILOG = """\
ifuview reduce lrs2 -d DATE reduces the science exposures of a night; ifuview reduce FILES those that the files
(amplifiers, exposure folders, tars, nights) are of.
Products go to LRS2/PROGRAM, LRS2/STANDARDS or LRS2/ORPHANS of the output, calibrations to LRS2/CALS.
Without --baseraw raw nights are looked for where the settings say, else in IFUVIEW_BASERAW.
"""


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.epilog = EPILOG
    out.add_argument("what", nargs="+", metavar="lrs2|FILE", help="a system, or raw files")
    out.add_argument("-d", "--date", metavar="DATE", help="night, as YYYYMMDD")
    out.add_argument("-s", "--sides", metavar="C,...", type=names, default=(),
                     help="uv, orange, red, farred (default: all)")  # fmt: skip
    out.add_argument("-o", "--object", metavar="NAME", default="", help="only exposures whose OBJECT has this in it")
    out.add_argument("--baseraw", metavar="DIR", default="", help="folder of raw nights (see below)")
    out.add_argument("--config", dest="tables", metavar="DIR", default="", help="your own instrument tables go first")
    out.add_argument("--use_flat", "--use-flat", action="store_true", help="lamp flat in place of the twilight")
    out.add_argument("--correct_ftf", "--correct-ftf", action=BooleanOptionalAction, default=None,
                     help="correct the response of single fibers by the sky, too (default: yes)")  # fmt: skip
    out.add_argument("--central_wave", "--central-wave", type=float, metavar="W",
                     help="middle of the wavelengths of the picture, Angstrom (default: of the channel)")  # fmt: skip
    out.add_argument("--wavelength_bin", "--wavelength-bin", type=float, metavar="B",
                     help="half of their width, Angstrom (default: of the channel)")  # fmt: skip
    out.add_argument("--source_x", "--source-x", type=float, metavar="X",
                     help="place of the source, arcsec (default: it is looked for)")  # fmt: skip
    out.add_argument("--source_y", "--source-y", type=float, metavar="Y",
                     help="place of the source, arcsec (default: it is looked for)")  # fmt: skip
    out.add_argument("--standard_star_date", "--standard-star-date", metavar="D",
                     help="night of a standard star that gives the response (default: this night)")  # fmt: skip
    out.add_argument("--standard_star_obsid", "--standard-star-obsid", metavar="N",
                     help="its observation; --config DIR has its flux as NAME.dat")  # fmt: skip
    out.add_argument("--sky_date", "--sky-date", metavar="D", help="night of an exposure whose sky is taken")
    out.add_argument("--sky_obsid", "--sky-obsid", metavar="N", help="its observation")
    out.add_argument("--sky_components", "--sky-components", metavar="N", type=int,
                     help="principal components of what the sky leaves, taken off (default: 0)")  # fmt: skip
    out.add_argument("--telluric", action="store_true", help="take absorption of the atmosphere off the spectrum")
    out.add_argument(
        "--combine",
        action="store_true",
        help="one spectrum and cube of all channels and exposures of a target (later: ifuview combine)",
    )
    out.add_argument("--report", action=BooleanOptionalAction, default=True,
                     help="write a page, HTML and PNG, for each channel, and one a night (default: yes)")  # fmt: skip
    out.add_argument("--quiet", action="store_true", help="say nothing")
    out.add_argument("-O", "--output", metavar="OUT", default=".", help="folder of the products (default: here)")


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Reduce; exit code 3 where something is wrong or some channels could not be, 2 where none could."""
    from ifuview.app.night.reduction.choices import elsewhere_of, params_of

    check_folder(chosen.output)  # before anything is reduced
    params, elsewhere = params_of(chosen), elsewhere_of(chosen)
    pages = _pages(chosen)
    told = None if pages is None else pages.add
    done: list[ReducedChannel] = []
    if chosen.what[0] in SYSTEMS:
        if len(chosen.what) > 1 or not chosen.date:
            raise UsageError("the night is not said", "reduce", f"as in ifuview reduce {SYSTEMS[0]} -d 20181201")
        from ifuview.app.night.reduction.run import reduce_lrs2

        done += reduce_lrs2(
            chosen.date, chosen.sides, chosen.object, chosen.baseraw, chosen.output, chosen.tables, params,
            ctx=ctx, told=told, hold=False, elsewhere=elsewhere,
        )  # fmt: skip
    else:
        from ifuview.app.night.reduction.run import reduce_files

        done += reduce_files(
            chosen.what, chosen.sides, chosen.object, chosen.output, chosen.tables, params, ctx, told, False, elsewhere
        )
    lines = [one.line for one in done]
    if chosen.combine:
        from ifuview.app.night.reduction.targets import combine_targets, of_channel

        lines += combine_targets([of_channel(one) for one in done], chosen.output, chosen.tables)
    if pages is not None:
        lines += pages.finish()
    notes = tuple(dict.fromkeys(note for one in done for note in one.notes))
    notes += tuple(f"wrong: {text}" for one in done for text in one.wrong)
    good = sum(one.complete for one in done)
    code = BAD_INPUT if not good else OK if good == len(done) and not any(one.wrong for one in done) else FOUND
    return Said("" if chosen.quiet else "\n".join(lines), notes, code)


def _pages(chosen: Namespace) -> ReductionPages | None:
    """The pages of what is reduced; none where they are not wanted."""
    if not chosen.report:
        return None
    from ifuview.app.night.reduction.pages import ReductionPages

    return ReductionPages(chosen.output)
