"""`ifuview instruments`: which instruments and readers are known, and from where; checks a file that one writes."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from ifuview.commands.said import Said
from ifuview.engine.context import JobContext
from ifuview.errors import UnknownInstrumentError
from ifuview.exit_codes import BAD_INPUT
from ifuview.instrument import catalog
from ifuview.instrument.load import load_instrument
from ifuview.io import third_party
from ifuview.model.instrument import InstrumentSpec

BUILT_IN = "ifuview"


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.add_argument("files", metavar="FILE.toml", nargs="*", help="check these instrument files; by default list all")


def run(chosen: Namespace, _ctx: JobContext) -> Said:
    """List what is known, or check files."""
    return _checked(chosen.files) if chosen.files else _listed()


def _checked(files: list[str]) -> Said:
    """Each file with what it describes, or what is wrong with it."""
    lines, notes = [], []
    for file in files:
        try:
            spec = load_instrument(Path(file))
        except UnknownInstrumentError as problem:
            notes.append(str(problem))
        else:
            lines += [f"{file}: {spec.title} is sound", *_cameras(spec), *_products(spec)]
    return Said("\n".join(lines), tuple(notes), BAD_INPUT if notes else 0)


def _listed() -> Said:
    """All instruments, where their files lie, and the readers of other packages."""
    lines = []
    for name, path in catalog.files().items():
        spec = catalog.instrument(name)
        place = str(path) if path in catalog.user_files() else BUILT_IN
        kinds = ", ".join(dict.fromkeys(product.name for product in spec.products))
        lines.append(f"{name:<10} {spec.title:<14} {place:<10} {kinds or 'headers and detector images'}")
    for one in third_party.loaded():
        if one.reader is not None:
            lines.append(f"{'reader':<10} {one.entry.name:<14} {one.entry.package}")
    lines.append(f"Your own files belong in {catalog.user_folder()}")
    return Said("\n".join(lines), (*catalog.problems(), *third_party.problems()))


def _cameras(spec: InstrumentSpec) -> Iterator[str]:
    """Fibers and cameras."""
    if spec.nfiber or spec.fiber_diameter:
        width = f" of {spec.fiber_diameter:g} arcsec" if spec.fiber_diameter else ""
        yield f"  {spec.nfiber or 'fibers'}{' fibers' * bool(spec.nfiber)}{width}"
    for camera in spec.cameras:
        step = f", {camera.dispersion:g} Angstrom/px" if camera.dispersion else ""
        yield f"  camera {camera.name or 'any'}: {camera.wave_min:g} to {camera.wave_max:g} Angstrom{step}"


def _products(spec: InstrumentSpec) -> Iterator[str]:
    """One line for each family of files."""
    for product in spec.products:
        said = [f"main {' or '.join(product.main)}" if product.kind != "traces" else "traces"]
        said += [f"errors {' or '.join(e.hdu for e in product.error)}"] * bool(product.error)
        said += [f"mask {' or '.join(m.hdu for m in product.mask)}"] * bool(product.mask)
        said += ["wavelengths"] * bool(product.wave) + ["fibers"] * bool(product.fibers)
        yield f"  {product.name} ({product.kind}): {', '.join(said)}"
