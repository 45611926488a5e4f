"""Channels of raw exposures reduced without a window: the same recipe as in one, and its products."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ifuview.app.night.reduction.calibrate import (
    ChannelCalibration,
    archives,
    calibrate,
    give_back,
    key_of,
    let_go,
    let_go_of_lit,
    odd,
)
from ifuview.app.night.reduction.channel import Params, ReducedChannel, reduce_channel
from ifuview.app.night.reduction.elsewhere import NOTHING, Elsewhere, lent
from ifuview.app.night.reduction.products import calibration, positions, reduced
from ifuview.app.night.reduction.setup import channel_setup, given, night_around, whole_exposures
from ifuview.app.night.reduction.state import LRS2, SCIENCE
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError, UsageError
from ifuview.instrument import instrument
from ifuview.instrument.tables import Tables, tables_for
from ifuview.io.night.raw_index import index_night
from ifuview.model.night.raw import ExposureKey, RawExposure, RawNight
from ifuview.recipes.cache import ValueCache
from ifuview.recipes.graph import Given, StepResult
from ifuview.recipes.lrs2.judge import judged
from ifuview.recipes.lrs2.values import ChannelSetup

RAW_ROOT = "IFUVIEW_BASERAW"
DATE_DIGITS = 8
MOST_REMARKS = 5
GIVE = "give a night, a tar or an exposure"
SEE_NIGHTS = "see which nights there are: ifuview DIR"


def raw_root(baseraw: str = "") -> str:
    """Where raw nights lie: as given, else by the settings, else by the environment.

    Raises
    ------
    UsageError
        Nowhere.
    """
    from ifuview import settings

    found = baseraw or settings.load()[0].baseraw or os.environ.get(RAW_ROOT, "")
    if not found:
        raise UsageError("it is not known where raw nights lie", "reduce", f"give --baseraw DIR, or set {RAW_ROOT}")
    if not os.path.exists(found):
        raise MissingDataError("there is no such folder of raw nights", found, "give --baseraw DIR")
    return os.path.abspath(found)


def reduce_lrs2(
    date: int | str,
    sides: Sequence[str] = (),
    object: str = "",
    baseraw: str = "",
    output: str = ".",
    config: str = "",
    params: Params | None = None,
    observations: Sequence[int] = (),
    ctx: JobContext = SILENT,
    told: Callable[[ReducedChannel], object] | None = None,
    hold: bool = True,
    elsewhere: Elsewhere = NOTHING,
) -> tuple[ReducedChannel, ...]:
    """Reduce the science exposures of a night and write their products.

    Parameters
    ----------
    date : int or str
        YYYYMMDD.
    sides : sequence of str
        uv, orange, red, farred; default: all.
    object : str
        Only exposures whose OBJECT contains it, in any case.
    baseraw, config : str
        Folder of raw nights; folder of the user's own tables.
    output : str
        Folder that LRS2/... is made in; "": nothing is written.
    params : mapping, optional
        Parameters by step.
    observations : sequence of int, optional
        Only these.
    ctx : JobContext
    told : callable, optional
        Gets each channel as soon as it is done.
    hold : bool
        Hold all values of all channels; else each is given up once its products are written.
    elsewhere : Elsewhere
        What comes from other exposures: a response, the sky.

    Raises
    ------
    IfuviewError
        There is no such night, or nothing of it that could be reduced.
    """
    root = raw_root(baseraw)
    night = night_around(root, LRS2, night_number(date), ctx.part(0.0, 0.05))
    chosen = [
        e for e in night.of_kind(SCIENCE)
        if str(e.date) == str(date) and object.lower() in e.object.lower()
        and (not observations or e.observation in observations)
    ]  # fmt: skip
    if not chosen:
        of = f" of {object}" if object else ""
        raise MissingDataError(f"no science exposure{of} of {date} is there", root, there_is(night, int(date)))
    return tuple(
        reduce_exposures(night, chosen, sides, output, config, params, ctx.part(0.05, 1.0), told, hold, elsewhere)
    )


def remarks(night: RawNight) -> tuple[str, ...]:
    """What was odd about the files of a night, the first few of it."""
    more = len(night.notes) - MOST_REMARKS
    return night.notes[:MOST_REMARKS] + ((f"... and {more} files more",) if more > 0 else ())


def there_is(night: RawNight, date: int) -> str:
    """What is there in place of what was looked for: odd files, other objects, another instrument, other nights."""
    if odd := next((note.rstrip(".") for note in night.notes if f"/{date}" in note), ""):
        return odd
    if objects := dict.fromkeys(e.object for e in night.of_kind(SCIENCE) if e.date == date and e.object):
        return f"it has {', '.join(list(objects)[:MOST_REMARKS])}"
    other = index_night(night.path, night=date)
    own = [e for e in other.exposures if e.date == date]
    if own and other.instrument != night.instrument:
        return f"what is there is of {instrument(other.instrument).title}"
    return nights_near(night.path, date) or SEE_NIGHTS


def nights_near(root: str, date: int) -> str:
    """The nights of a folder nearest to a date, in words; "" without any."""
    names = {name[:DATE_DIGITS] for name in os.listdir(root)} if os.path.isdir(root) else set()
    dates = sorted(int(name) for name in names if name.isdecimal() and len(name) == DATE_DIGITS)
    near = sorted(sorted(dates, key=lambda one: abs(one - date))[:MOST_REMARKS])
    return f"of the nights there the nearest are {', '.join(map(str, near))}" if near else ""


def night_number(date: int | str) -> int:
    """A night as YYYYMMDD.

    Raises
    ------
    UsageError
        It is no such number.
    """
    text = str(date).strip()
    if not (text.isdecimal() and len(text) == DATE_DIGITS):
        raise UsageError(f"{text[:80]!r} is no night", "--date", "give it as 20181201")
    return int(text)


def reduce_files(
    paths: Sequence[str],
    sides: Sequence[str] = (),
    object: str = "",
    output: str = ".",
    config: str = "",
    params: Params | None = None,
    ctx: JobContext = SILENT,
    told: Callable[[ReducedChannel], object] | None = None,
    hold: bool = True,
    elsewhere: Elsewhere = NOTHING,
) -> tuple[ReducedChannel, ...]:
    """Reduce the science exposures that files, folders or archives are of; calibrations come from the nights around.

    Raises
    ------
    IfuviewError
        There are none.
    """
    nights: dict[tuple[str, int], list[RawExposure]] = {}
    for number, path in enumerate(paths):
        own = index_night(path, LRS2, ctx.part(0.05 * number / len(paths), 0.05 * (number + 1) / len(paths)))
        if not own.exposures:
            other = index_night(path).instrument
            todo = f"what is there is of {instrument(other).title}" if other not in ("", LRS2) else GIVE
            raise MissingDataError("no raw science exposure of LRS2 is there", path, todo)
        for exposure in own.of_kind(SCIENCE):  # calibrations are found beside them
            if object.lower() in exposure.object.lower():
                nights.setdefault((root_of(path, own), exposure.date), []).append(exposure)
    if not nights:
        where = ", ".join(paths[:MOST_REMARKS])
        raise MissingDataError(f"no raw science exposure of {object or 'LRS2'} is there", where, GIVE)
    out: list[ReducedChannel] = []
    reduced: set[ExposureKey] = set()
    for number, ((root, date), given_here) in enumerate(nights.items()):
        part = ctx.part(0.05 + 0.95 * number / len(nights), 0.05 + 0.95 * (number + 1) / len(nights))
        night = night_around(root, LRS2, date, part.part(0.0, 0.05))
        found = [e for e in whole_exposures(night, given_here) if e.key not in reduced]
        reduced.update(e.key for e in found)
        if found:
            out += reduce_exposures(
                night, found, sides, output, config, params, part.part(0.05, 1.0), told, hold, elsewhere
            )
    return tuple(out)


def raw_science(
    path: str, ctx: JobContext = SILENT
) -> tuple[str, tuple[tuple[RawExposure, str, tuple[str, ...]], ...]]:
    """The folder of nights of a path, and its science exposures by channel with the files that they are read from."""
    own = index_night(path, LRS2, ctx)
    found = [(e, c, tuple(sorted(archives(own, [(c, e)], ())))) for e in own.of_kind(SCIENCE) for c in e.cameras]
    return root_of(path, own), tuple(found)


def reduce_again(
    root: str, at: tuple[int, int, int], camera: str, output: str, config: str = "",
    kept: list[ChannelCalibration] | None = None, told: Callable[[ReducedChannel], object] | None = None,
) -> ReducedChannel:  # fmt: skip
    """Reduce one channel of one exposure, known by night, observation and number; a worker keeps the calibrations.

    Raises
    ------
    MissingDataError
        It is not there any more.
    """
    night = night_around(root, LRS2, at[0])
    chosen = [e for e in night.of_kind(SCIENCE) if (e.date, e.observation, e.number) == at and camera in e.cameras]
    if not chosen:
        raise MissingDataError(f"the exposure {at} is not there any more", root, "look at the night again")
    found = reduce_exposures(night, chosen[:1], (camera,), output, config, None, SILENT, told, False, NOTHING, kept)
    return next(iter(found))


def root_of(path: str, night: RawNight) -> str:
    """The folder of nights that raw data lie in: above the folder of their date; else where they are."""
    dates = {str(exposure.date) for exposure in night.exposures}
    here = Path(os.path.abspath(path))
    return next((str(folder.parent) for folder in (here, *here.parents) if folder.name[:8] in dates), str(here))


def reduce_exposures(
    night: RawNight,
    exposures: Sequence[RawExposure],
    sides: Sequence[str] = (),
    output: str = ".",
    config: str = "",
    params: Params | None = None,
    ctx: JobContext = SILENT,
    told: Callable[[ReducedChannel], object] | None = None,
    hold: bool = True,
    elsewhere: Elsewhere = NOTHING,
    kept: list[ChannelCalibration] | None = None,
) -> Iterator[ReducedChannel]:
    """Reduce exposures channel by channel, so that the calibrations of a channel are made once, and write products.

    In `kept` the calibrations made last are found and left for another call; archives stay inflated for it.
    """
    tables = tables_for(LRS2, config, night.path, os.path.dirname(night.path))
    todo = [(c, e) for c in (sides or night.cameras) for e in exposures if c in e.cameras]
    there = tuple(dict.fromkeys(c for e in exposures for c in e.cameras))
    if not todo:
        what = ", ".join(e.object or f"{e.date} {e.observation:07d}" for e in exposures[:3])
        raise MissingDataError(f"{what} has no {', '.join(sides)}", night.path, f"it has {', '.join(there)}")
    lacking = tuple(f"no exposure has {side}; it is left out" for side in sides if side not in there)
    held = kept[0] if kept else None
    frees = not hold and kept is None
    cache: ValueCache | None = None
    before, more, said, chosen = "", dict[str, Given](), tuple[str, ...](), params
    for number, (camera, exposure) in enumerate(todo):
        part = ctx.part(number / len(todo), (number + 1) / len(todo))
        if camera != before:
            before = camera
            chosen, more, said = lent(elsewhere, night, camera, tables, params, part)
        setup = channel_setup(tables, exposure, camera)
        inputs, _ = given(night, setup, exposure)
        if held is None or held.key != key_of(inputs, params):
            held = None  # before the next ones are made
            if frees:
                let_go(night, todo[number:])
            cache = ValueCache() if hold else None
            read = partial(let_go_of_lit, night, todo[number:]) if frees else None
            held = calibrate(inputs, setup, params, cache, part.part(0.0, 0.4), read)
            if output and all(one.value is not None for one in held.steps.values()):
                write_calibrations(held.steps, setup, exposure, output, params)
        if not hold:
            held = held.light()
        if kept is not None:
            kept[:] = [held]
        if frees:
            let_go(night, todo[number:], ())
            give_back()
        done = reduce_channel(
            night, exposure, camera, tables, chosen, cache, part.part(0.4, 0.9), known=held.steps,
            more=more,
        )  # fmt: skip
        done = _judged(done, held, setup, (*remarks(night), *lacking, *said), frees)
        if output and done.complete:
            done = write(done, tables, output, chosen, part.part(0.9, 1.0))
        light, done = _lightened(done, hold, told is not None)  # before a page is drawn and the next one is made
        if frees:
            give_back()
        if told is not None:
            told(done)
        yield light


def _lightened(done: ReducedChannel, hold: bool, shown: bool) -> tuple[ReducedChannel, ReducedChannel]:
    """What is held of a channel, and what its page is made of where one is `shown`."""
    light = done if hold else done.light()
    return light, done.for_pages() if shown and not hold else light


def _judged(
    done: ReducedChannel, held: ChannelCalibration, setup: ChannelSetup, notes: tuple[str, ...], frees: bool
) -> ReducedChannel:
    """A channel with what is said of its steps and of its raw frames; free memory is given back if it `frees`."""
    if frees:
        give_back()
    own = judged(done.steps, setup, [name for name in done.steps if name not in held.steps])
    if frees:
        give_back()
    notes = (*notes, *done.notes, *held.notes, *odd(done.steps, ("science",)))
    return replace(done, verdicts=(*held.verdicts, *own), drawn=held.drawn, notes=notes)


def write(
    done: ReducedChannel, tables: Tables, output: str, params: Params | None, ctx: JobContext = SILENT
) -> ReducedChannel:
    """Write the products of a channel."""
    from ifuview.io.products.lrs2.writing import write_exposure

    made = reduced(done.steps, done.setup, done.exposure, tables, params, done.notes)
    lacking = positions(done.setup, done.exposure, done.header, tables)[1]
    files = write_exposure(output, made, tables.standards(), ctx)
    return replace(done, files=(*done.files, *files), notes=(*done.notes, *lacking))


def write_calibrations(
    steps: Mapping[str, StepResult], setup: ChannelSetup, exposure: RawExposure, output: str, params: Params | None
) -> str:
    """Write the calibrations of a channel; the name of the file."""
    from ifuview.io.products.lrs2.writing import write_calibration

    return write_calibration(output, calibration(steps, setup, exposure, params))
