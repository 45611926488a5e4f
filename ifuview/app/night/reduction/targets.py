"""All channels and exposures of a target as one: its spectrum and its cube on common wavelengths."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ifuview import __version__
from ifuview.app.night.reduction.channel import ReducedChannel
from ifuview.app.night.reduction.products import number
from ifuview.app.night.reduction.state import LRS2, SkyChannel
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError
from ifuview.files import sha256
from ifuview.instrument import instrument
from ifuview.instrument.tables import Tables
from ifuview.io.products.lrs2.combined import CombinedTarget, common_grid, write_combined
from ifuview.io.products.lrs2.folders import target_name
from ifuview.io.products.lrs2.multi import is_multi, read_multi
from ifuview.model.checks import Header
from ifuview.model.reduction.products import ProductName, ReductionRecord
from ifuview.model.reduction.source import SourceSpectrum
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.recipes.lrs2.targets import TargetPart, lenslets_of, one_target, ordered, place_of
from ifuview.recipes.lrs2.values import ChannelSetup, FieldSpectra, aimed, head_of


def of_channel(done: ReducedChannel) -> TargetPart:
    """A channel that was reduced; fibers come from its file where they are held no more."""
    exposure, field = done.exposure, done.value("field") if "field" in done.steps else None
    name = ProductName(exposure.date, exposure.observation, exposure.number, done.setup.camera)
    found = done.value("spectrum") if "spectrum" in done.steps else None
    spectrum = found if isinstance(found, SourceSpectrum) else None
    file = next((path for path in done.files if is_multi(path)), "")
    spectra = None
    if isinstance(field, FieldSpectra):
        own = field.native
        spectra = lambda: own  # noqa: E731
    elif file and spectrum is not None:
        spectra = read_multi(file).spectra
    header = {**done.header, "OBJECT": exposure.object}
    sky = done.value("sky") if "sky" in done.steps else None
    return _part(name, header, spectrum, done.setup, sky, spectra)


def of_field(channel: SkyChannel) -> TargetPart:
    """A channel of the window."""
    made, raw = channel.made, channel.raw
    name = ProductName(raw.date, raw.observation, raw.number, made.camera)
    header = {**channel.header, "OBJECT": raw.object}
    return _part(name, header, made.spectrum, made.setup, made.sky, lambda: made.field.native)


def _part(
    name: ProductName, header: Header, spectrum: SourceSpectrum | None, setup: ChannelSetup, sky: object,
    spectra: Callable[[], FiberSpectra] | None,
) -> TargetPart:  # fmt: skip
    source, center, dar = place_of(sky, setup.refraction)
    return TargetPart(
        name, header, spectrum, setup.lenslets, dar, source, center, number(header, "PARANGLE"), spectra,
        head_of(setup.spec, name.channel), setup.aimed(str(header["OBJECT"])),
    )  # fmt: skip


def of_file(path: str) -> TargetPart:
    """A file with the spectra of all fibers; raises as `read_multi`."""
    found, spec = read_multi(path), instrument(LRS2)
    name, channel = str(found.header.get("OBJECT") or ""), found.name.channel
    return TargetPart(
        found.name, found.header, found.spectrum, lenslets_of(found.x, found.y, spec), found.dar, found.source,
        found.center, number(found.header, "PARANGLE"), found.spectra, head_of(spec, channel),
        aimed(spec, channel, name), path,
    )  # fmt: skip


def combined(parts: Sequence[TargetPart], ctx: JobContext = SILENT) -> Iterator[CombinedTarget]:
    """Each target of some channels; none of those without a source, nor of heads that it is not in.

    The first channel in wavelength keeps its flux, of several exposures the clearest; neighbors are brought to one
    level where they overlap. In the cube the target lies where it does in the first of them. One after the other: each
    is made when it is asked for, as cubes are large.
    """
    targets: dict[str, dict[str, TargetPart]] = {}
    for one in parts:
        if one.there:
            targets.setdefault(target_name(str(one.header.get("OBJECT") or "")).upper(), {}).setdefault(
                one.name.text, one
            )
    for done, own in enumerate(targets.values()):
        yield _target(list(own.values()), ctx.part(done / len(targets), (done + 1) / len(targets)))


def _target(own: list[TargetPart], ctx: JobContext) -> CombinedTarget:
    own = ordered(own)
    found, cube, notes = one_target(own, common_grid(), ctx)
    files = {one.path: sha256(one.path) for one in own if one.path}
    record = ReductionRecord({"combine.match": "True"}, files, notes, __version__)
    return CombinedTarget(
        min(one.name.night for one in own), own[0].header, found.spectrum, found.count, [one.name for one in own],
        found.factor, found.factor_error, record, cube,
    )  # fmt: skip


def combine_targets(parts: Sequence[TargetPart], output: str, config: str = "", ctx: JobContext = SILENT) -> list[str]:
    """Write the combined products of all targets; what was written, one line each.

    Raises
    ------
    UsageError
        They cannot be written.
    """
    standards, lines = Tables(LRS2, config).standards(), []
    for target in combined(parts, ctx):
        paths = write_combined(output, target, standards)
        off = max(abs(factor - 1) for factor in target.factor)
        count = len(target.names)
        what = f"{count} spectra, levels within {100 * off:.1f} %" if count > 1 else f"{target.names[0].text} alone"
        lines.append(f"{what}: {paths[0]}")
        lines += [f"their cube: {path}" for path in paths[1:]]
        lines += target.record.notes
        del target  # before the next one is made
    return lines or ["no channel has a source to combine"]


def multi_files(paths: Sequence[str], object: str = "") -> list[TargetPart]:
    """Channels of files and folders with products, of one target if `object` is given.

    Raises
    ------
    MissingDataError
        There are none.
    FileFormatError
        A file cannot be read.
    """
    found: list[str] = []
    for path in paths:
        if Path(path).is_dir():
            found += sorted(str(one) for one in Path(path).rglob("multi_*.fits*") if is_multi(one))
        else:
            found.append(path)
    parts = [of_file(path) for path in dict.fromkeys(found)]
    parts = [one for one in parts if object.lower() in str(one.header.get("OBJECT") or "").lower()]
    if not parts:
        of = f" of {object}" if object else ""
        raise MissingDataError(
            f"no spectra of all fibers{of} are there", ", ".join(paths[:3]), "give multi_*.fits, or a folder with them"
        )
    return parts
