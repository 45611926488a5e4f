"""`ifuview diagnose`: which traces are wrong, how, and how sure; into a folder, or nothing."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ifuview.app.traces.diagnosis import run as diagnose
from ifuview.app.traces.diagnosis_many import requests, run_many, worst
from ifuview.app.traces.diagnosis_request import FORMATS, PARTS, Request
from ifuview.app.traces.doctor_metrics import as_json
from ifuview.commands.said import Said, count, json_to, names
from ifuview.engine.context import JobContext
from ifuview.errors import FitError, UsageError
from ifuview.exit_codes import BAD_INPUT


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.add_argument("images", metavar="IMAGE", nargs="+", help="detector image, a flat or another exposure with "
                     "light; several: each has a folder inside DIR")  # fmt: skip
    out.add_argument("--traces", metavar="F", help="trace file; default: the one beside the image, else trace anew")
    out.add_argument("--wavelengths", metavar="F", help="wavelength of every fiber and pixel")
    out.add_argument("--fibers", metavar="F", help="table of fibers, for their blocks")
    out.add_argument("--reference", metavar="TRACES", help="other traces to compare the given ones with")
    out.add_argument("--thresholds", metavar="F.toml", help="limits, by name")
    out.add_argument("--only", metavar="NAME,...", type=names, default=(), help=f"of {', '.join(PARTS)}; default all")
    out.add_argument("--formats", metavar="NAME,...", type=names, default=FORMATS, help=f"of {', '.join(FORMATS)}")
    out.add_argument("--jobs", metavar="N", type=count, default=1, help="images at a time; one image is one job")
    out.add_argument("--swap", action="store_true", help="exchange x and y of the traces")
    out.add_argument("--dispersion", choices=("x", "y"), default="", help="axis of the image along which wavelength "
                     "runs, where the file does not say")  # fmt: skip
    out.add_argument("--json", metavar="FILE", help="write the numbers there too; - is stdout")
    out.add_argument("--quiet", action="store_true", help="say nothing")
    out.add_argument("-o", "--output", metavar="DIR", required=True, help="folder of the results")


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Diagnose one image, or several."""
    request = Request(
        chosen.images[0], chosen.output, chosen.traces, chosen.wavelengths, chosen.fibers, chosen.reference,
        chosen.thresholds, chosen.only, chosen.formats, chosen.swap, chosen.dispersion,
    )  # fmt: skip
    if len(chosen.images) > 1:
        return _several(chosen, request, ctx)
    try:
        outcome = diagnose(request, ctx)
    except (FitError, UsageError) as problem:
        raise type(problem)(problem.what, problem.where or request.image, problem.todo) from problem
    found, written = outcome.diagnosis, f"{len(outcome.files)} files in {request.output}"
    text = f"{found.verdict.value}: {found.sentence}\n{written}"
    numbers = json_to(chosen.json, as_json(outcome.metrics))
    return Said("" if chosen.quiet and not numbers else numbers or text, code=outcome.code)


def _several(chosen: Namespace, request: Request, ctx: JobContext) -> Said:
    """Diagnose several images; one line each, and the numbers of all by image in one JSON object."""
    done = run_many(requests(chosen.images, request), chosen.jobs, ctx)
    bad = tuple(f"ifuview: {one.line}" for one in done if one.code == BAD_INPUT)
    lines = "" if chosen.quiet else "\n".join(one.line for one in done if one.code != BAD_INPUT)
    numbers = json_to(chosen.json, as_json({one.image: one.metrics for one in done}))
    return Said(numbers or lines, bad, worst(done))
