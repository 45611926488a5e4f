"""Several images with `ifuview diagnose`: each into a folder of its own, several at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ifuview.app.traces.diagnosis import run
from ifuview.app.traces.diagnosis_request import Request
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError
from ifuview.exit_codes import BAD_INPUT, FOUND, OK
from ifuview.files import check_folder, product_stem


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of one image: exit code and one line, and the numbers unless the input was bad."""

    image: str
    code: int
    line: str
    metrics: dict[str, Any] | None = None


def requests(images: list[str], like: Request) -> tuple[Request, ...]:
    """One request an image, with the folders that they write into."""
    taken: set[str] = set()
    out = []
    for image in images:
        stem = product_stem(image.split("[")[0])
        name, number = stem, 2
        while name in taken:
            name, number = f"{stem}-{number}", number + 1
        taken.add(name)
        out.append(replace(like, image=image, output=str(Path(like.output) / name)))
    return tuple(out)


def run_many(todo: tuple[Request, ...], jobs: int = 1, ctx: JobContext = SILENT) -> tuple[Summary, ...]:
    """Diagnose each image; bad input of one does not stop the others.

    Parameters
    ----------
    todo : tuple of Request
    jobs : int
        Processes; the results do not depend on it.

    Raises
    ------
    UsageError
        The output folder cannot be written.
    """
    for request in todo:
        check_folder(Path(request.output))
    out = []
    for number, summary in enumerate(_each(todo, jobs, ctx), 1):
        ctx.checkpoint(number / len(todo), f"{number} of {len(todo)} images")
        out.append(summary)
    return tuple(out)


def worst(summaries: tuple[Summary, ...]) -> int:
    """Exit code of all: bad input before wrong traces."""
    codes = {s.code for s in summaries}
    return next((code for code in (BAD_INPUT, FOUND) if code in codes), OK)


def _each(todo: tuple[Request, ...], jobs: int, ctx: JobContext) -> Iterator[Summary]:
    """The summaries in the order of the images."""
    if jobs < 2 or len(todo) < 2:
        for number, request in enumerate(todo):
            yield one(request, ctx.part(number / len(todo), (number + 1) / len(todo)))
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(min(jobs, len(todo)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(one, todo)


def one(request: Request, ctx: JobContext = SILENT) -> Summary:
    """Diagnose one image."""
    try:
        outcome = run(request, ctx)
    except IfuviewError as problem:
        where = "" if problem.where else f"{request.image}: "
        return Summary(request.image, BAD_INPUT, f"{where}{problem}")
    found = outcome.diagnosis
    line = f"{request.image}: {found.verdict.value}: {found.sentence} {len(outcome.files)} files in {request.output}"
    return Summary(request.image, outcome.code, line, outcome.metrics)
