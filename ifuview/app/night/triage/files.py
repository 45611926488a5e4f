"""Which files the triage reads: those of each camera and exposure, taken from the index of the folder they lie in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.files import FITS_SUFFIXES
from ifuview.instrument import chains, instrument
from ifuview.model.night.chain import SPECTRA
from ifuview.model.night.exposures import NO_CHAIN

if TYPE_CHECKING:
    from ifuview.io.night.renamed import Renamed
    from ifuview.model.chain_spec import ChainSpec
    from ifuview.model.night.exposures import Exposure, ExposureIndex

ALL_NIGHTS = 10_000
ABOVE = 6  # folders above a product that calibrations are looked for in, outside a production


@dataclass(frozen=True, slots=True)
class CameraFiles:
    """The files of one camera and exposure.

    Parameters
    ----------
    expid : int
    camera : str
    instrument : str
        Whose chain of products it is.
    files : mapping of str to str
        Product -> path; "flat" and "traces" are the calibrations.
    night : str
    bad_amplifiers : str or None
        Letters of the amplifiers that the night log calls bad; None if there is no log.
    """

    expid: int
    camera: str
    instrument: str
    files: Mapping[str, str] = field(default_factory=dict)
    night: str = ""
    bad_amplifiers: str | None = None

    @property
    def label(self) -> str:
        """For people."""
        return f"{self.expid} {self.camera}"


def find_cameras(
    paths: Iterable[str],
    cameras: tuple[str, ...] = (),
    expids: tuple[int, ...] = (),
    ctx: JobContext = SILENT,
    notes: list[str] | None = None,
    indexes: Iterable[ExposureIndex] = (),
) -> list[CameraFiles]:
    """Products under files and folders, by exposure and camera.

    Parameters
    ----------
    paths : iterable of str
        Productions, nights, exposures, tiles, any folders of products, or products.
    cameras, expids : optional
        Only these.
    ctx : JobContext, optional
    notes : list of str, optional
        What was left out is added to it.
    indexes : iterable of ExposureIndex, optional
        Folders that are indexed already.

    Raises
    ------
    MissingDataError
        There is no such path, or nothing in it that a triage could read.
    """
    found: dict[tuple[int, str], CameraFiles] = {}
    paths, known = tuple(paths), {index.folder: index for index in indexes}
    for path in paths:
        if not os.path.exists(path):
            raise MissingDataError("no such file or folder", path)
        for one in _of_path(path, ctx, [] if notes is None else notes, known):
            key = one.expid, one.camera
            asked = (not cameras or one.camera in cameras) and (not expids or one.expid in expids)
            if asked and (key not in found or len(one.files) > len(found[key].files)):  # productions must not mix
                found[key] = one
    if not found:
        wish = f" of camera {', '.join(cameras)}" if cameras else ""
        wish += f" of exposure {', '.join(map(str, expids))}" if expids else ""
        raise MissingDataError(
            f"no {judged()} files{wish} are there", ", ".join(paths),
            "give a production, a night or an exposure folder",
        )  # fmt: skip
    return [found[key] for key in sorted(found)]


def _of_path(path: str, ctx: JobContext, notes: list[str], known: Mapping[str, ExposureIndex]) -> Iterator[CameraFiles]:
    """Cameras of a folder, or the one that a product belongs to."""
    from ifuview.io.night.exposures import scan

    if not os.path.isfile(path):
        index = known.get(os.path.abspath(path)) or scan(path, ctx, nights=ALL_NIGHTS)
        notes += index.notes
        for exposure in index.exposures:
            if exposure.obstype not in index.chain.lamps:
                yield from filter(None, (_camera(index, exposure, c) for c in sorted({c for c, _ in exposure.files})))
        if not any(exposure.files for exposure in index.exposures):
            yield from _of_calibrations(index)
        return
    found = _named(path)
    if found is None:
        todo = "give a folder, or such a file; traces are judged by ifuview diagnose, with an image"
        raise FileFormatError(f"is no {judged(' or ')} file by its name or its header", path, todo)
    chain, own = found
    index = scan(os.path.dirname(os.path.abspath(path)), ctx, depth=0)
    beside = index.find(own.expid) if own.product in chain.judged else None
    one = None if beside is None else _camera(index, beside, own.camera)
    if one is None:
        one = CameraFiles(own.expid, own.camera, chain.instrument)
    yield replace(one, files={**one.files, chain.role(own.product): path})


def _named(path: str) -> tuple[ChainSpec, Renamed] | None:
    """The product that a file is by its name, else by its header, and its chain; None if it is none to judge."""
    from ifuview.io.fits.head import head_cards
    from ifuview.io.fits.head_cache import FACTS
    from ifuview.io.night.names import Names
    from ifuview.io.night.renamed import Renamed, renamed

    for chain in chains():
        if (match := Names(chain).product.fullmatch(os.path.basename(path))) is not None:
            product = chain.calibrations.get(match["product"], chain.same.get(match["product"], match["product"]))
            if chain.role(product) in SPECTRA:
                return chain, Renamed(product, match["camera"], int(match["expid"]), 0)
    head = head_cards(path, FACTS)
    found = ((chain, renamed(path, head, chain)) for chain in chains())
    return next(((chain, own) for chain, own in found if own is not None), None)


def _of_calibrations(index: ExposureIndex) -> Iterator[CameraFiles]:
    """Cameras of a folder that holds calibrations alone: each is what can be judged."""
    chain = index.chain
    for (night, product, camera), path in sorted(index.calibrations.items()):
        if (role := chain.role(product)) in SPECTRA:
            yield CameraFiles(night, camera, chain.instrument, {role: path}, str(night))


def judged(between: str = ", ") -> str:
    """Products of which one makes a camera worth a triage, in words."""
    return between.join(dict.fromkeys(product for chain in chains() for product in chain.judged))


def _camera(index: ExposureIndex, exposure: Exposure, camera: str) -> CameraFiles | None:
    """The files of a camera with its flat and traces; None if a triage has nothing to ask there."""
    chain = index.chain
    asked = {*chain.judged, *chain.roles, *chain.products}
    own = {product: file.path for (c, product), file in exposure.files.items() if c == camera and product in asked}
    if not any(product in own for product in chain.judged):
        return None
    night = str(exposure.night) if exposure.night else ""
    for product, family in ((stands, name) for name, stands in chain.calibrations.items()):
        path = own.get(product) or index.calibrations.get((exposure.night, product, camera), "")
        if not path and night:
            here = os.path.dirname(next(path for name, path in own.items() if name in chain.judged))
            path = _above(here, os.path.join(chain.calibration_tree, night, f"{family}-{camera}-{night}"))
        if path:
            own[product] = path
    letters = exposure.bad_amplifiers.get(camera, "") or (None if not exposure.table else "")
    files = {chain.role(product): path for product, path in own.items()}
    return CameraFiles(exposure.expid, camera, chain.instrument, files, night, letters)


def _above(folder: str, name: str) -> str:
    """The file of that name with any suffix in a folder above, "" if there is none."""

    for _ in range(ABOVE):
        found = next((p for suffix in FITS_SUFFIXES if os.path.isfile(p := os.path.join(folder, name + suffix))), "")
        if found:
            return found
        folder = os.path.dirname(folder)
    return ""


def overlaid(before: CameraFiles, after: CameraFiles) -> CameraFiles:
    """The files of `after`, and those of `before` that `after` lacks and that do not depend on what it changed."""
    chain = instrument(after.instrument).chain or NO_CHAIN
    new = {product for product in chain.judged if product in after.files}
    stale = {late for early in new for late in chain.made_from.get(early, ())} - new
    files = {product: path for product, path in before.files.items() if product not in stale}
    files.update({product: path for product, path in after.files.items() if product in new or product not in files})
    letters = before.bad_amplifiers if after.bad_amplifiers is None else after.bad_amplifiers
    return replace(before, files=files, night=before.night or after.night, bad_amplifiers=letters)
