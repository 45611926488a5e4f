"""HDF5 files of many fiber heads as a Dataset: observations (own, published, HETDEX), and files of calibrations.

Each head is an image of row-stacked spectra with errors, mask, wavelengths and fibers; each amplifier of a file of
calibrations is a picture of its detector. Of a large file the first heads are shown, `[NAME]` behind the path asks for
another: a slot (047), an amplifier (LL or 047_LL), or a table (Raw).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import numpy as np

from ifuview.errors import FileFormatError, MissingDataError
from ifuview.io.fits.spec import FileSpec
from ifuview.io.hdf5.file import Watch, attributes, check_claim, dataset, h5_open, is_h5, reading
from ifuview.io.products.virus.cals import TABLE, check_table, read_calibrations, row_keys
from ifuview.io.products.virus.fiber_rows import LAYOUTS, FiberLayoutOf, heads_of, image_of_head
from ifuview.io.products.virus.shot import TARGET
from ifuview.io.section import cut
from ifuview.model.dataset import Dataset, HduInfo, Table
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels
from ifuview.model.quality import MaskBits
from ifuview.model.reduction.calibration import AmplifierCalibration
from ifuview.model.trace import Provenance, TraceSet

if TYPE_CHECKING:
    from h5py import Dataset as Node
    from h5py import File

MOST_HEADS, MOST_AMPLIFIERS = 12, 8
PICTURES = ("mastertwi", "masterflt", "mastersci", "masterdark")  # of an amplifier, the best first
IMAGES = "Data/Images"
TABLES = ("Survey", "Detections", "CatSpectra", "MatSpectra", "Images", "Shot", "Completeness", "Data/FiberIndex")
TABLE_BYTES = 256 << 20  # of a table that is shown beside the spectra: its rows are long
BAD_PIXEL = MaskBits({0: ("BAD", "not to be used")})
SHOT, CALIBRATION = "observation", "calibration"


def is_fiber_file(path: str) -> bool:
    """Whether a file is HDF5 with tables of fibers or of calibrations."""
    if os.path.isdir(path) or not is_h5(path):
        return False
    try:
        with h5_open(path) as file:
            return _layout(file) is not None or _is_calibration(file)
    except FileFormatError:
        return False


def fiber_dataset(spec: FileSpec) -> Dataset:
    """The Dataset of such a file.

    Raises
    ------
    FileFormatError, MissingDataError
        It is damaged, or has nothing of that name.
    """
    watch = Watch(spec.path)
    with h5_open(spec.path) as file:
        read: Callable[[FileSpec, File], Dataset] = _calibrations if _is_calibration(file) else _observation
        found = read(spec, file)
    watch.check()
    return found


def _layout(file: File) -> FiberLayoutOf | None:
    """Which tables of fibers a file has."""
    for layout in LAYOUTS:
        node = dataset(file, layout.table)
        if node is not None and node.ndim == 1 and layout.flux in (node.dtype.names or ()):
            return layout
    return None


def _is_calibration(file: File) -> bool:
    node = dataset(file, TABLE)
    return node is not None and _layout(file) is None and "trace" in (node.dtype.names or ())


def _observation(spec: FileSpec, file: File) -> Dataset:
    """Heads of an observation."""
    wanted = "" if spec.hdu is None else str(spec.hdu)
    layout = next((one for one in LAYOUTS if one.name.lower() == wanted.lower()), None) or _layout(file)
    if layout is None or dataset(file, layout.table) is None:
        raise MissingDataError(f"the file has no table {wanted}", spec.path)
    known = layout.name.lower() == wanted.lower()
    heads = heads_of(spec.path, file, layout)
    target = _target(file, heads)
    names = sorted(heads, key=lambda name: name != target)
    if wanted and not known:
        slot = wanted.zfill(3)
        if slot not in heads:
            raise MissingDataError(f"the file has no head {slot}", spec.path, f"it has {', '.join(names[:12])}")
        names = [slot]
    notes = []
    if len(names) > MOST_HEADS:
        notes.append(f"the first {MOST_HEADS} of {len(names)} heads are shown; write FILE[{names[-1]}] for another")
        names = names[:MOST_HEADS]
    images = [cut(image_of_head(spec.path, file, layout, name, heads[name]), spec) for name in names]
    images += _pictures(spec, file)
    return Dataset(
        spec.path, spec.text, instrument="virus", kind=SHOT, images=tuple(images), fibermap=images[0].fibermap,
        tables=_tables(spec.path, file, notes), hdus=_nodes(file), notes=tuple(notes),
    )  # fmt: skip


def _target(file: File, heads: Collection[str]) -> str:
    """The slot that the observation is of: that asked for, else the one that its object is named after; "" unknown."""
    names = [str(attributes(file).get(TARGET, ""))]
    survey = dataset(file, "Survey")
    if survey is not None and "name" in (survey.dtype.names or ()) and len(survey):
        names.append(_word(survey.fields("name")[0]).rpartition("_")[2])
    return next((name for name in names if name in heads), "")


def _pictures(spec: FileSpec, file: File) -> list[Image]:
    """Detectors of the first amplifiers, where the file has them."""
    node = dataset(file, IMAGES)
    if node is None or "image" not in (node.dtype.names or ()):
        return []
    check_claim(spec.path, node)
    out = []
    for n in range(min(len(node), MOST_AMPLIFIERS)):
        with reading(spec.path, IMAGES):
            row = node[n]
        names = row.dtype.names or ()
        parts = [_word(row[name]) for name in ("multiframe", "expnum") if name in names]
        ivar = Pixels(row["error"], power=-2) if "error" in names else None
        image = Image(" ".join(parts) or f"image {n}", Kind.DETECTOR, Pixels(row["image"]), ivar=ivar,
                      unit="electron", stage="image", camera=_word(row["amp"]) if "amp" in names else "")  # fmt: skip
        out.append(cut(image, spec))
    return out


def _calibrations(spec: FileSpec, file: File) -> Dataset:
    """Amplifiers of a file of calibrations."""
    node = dataset(file, TABLE)
    assert node is not None
    check_table(spec.path, node)
    keys = row_keys(spec.path, node)
    wanted = "" if spec.hdu is None else str(spec.hdu)
    chosen = [key for key in keys if _fits(key, wanted)]
    if not chosen:
        known = ", ".join("_".join(key) for key in keys[:12])
        raise MissingDataError(f"the file has no amplifier {wanted}", spec.path, f"it has {known}")
    notes = []
    if len(chosen) > MOST_AMPLIFIERS:
        notes.append(f"the first {MOST_AMPLIFIERS} of {len(chosen)} amplifiers are shown; write FILE[SLOT_AMP]")
        chosen = chosen[:MOST_AMPLIFIERS]
    rows = [
        row for row in read_calibrations(spec.path, {slot for slot, _ in chosen}, PICTURES)
        if (row.slot, row.amplifier) in chosen
    ]  # fmt: skip
    images = [cut(image, spec) for row in rows for image in _of_amplifier(row)]
    return Dataset(
        spec.path, spec.text, instrument="virus", kind=CALIBRATION, images=tuple(images),
        traces=_traces(rows[0]) if len(rows) == 1 else None, hdus=_nodes(file), notes=tuple(notes),
    )  # fmt: skip


def _fits(key: tuple[str, str], wanted: str) -> bool:
    slot, amplifier = key
    return wanted in ("", amplifier, f"{slot}_{amplifier}") or wanted.zfill(3) == slot


def _of_amplifier(row: AmplifierCalibration) -> list[Image]:
    """Picture of the detector, and the spectra of a lamp."""
    name, out = f"{row.slot} {row.amplifier}", []
    picture = next((key for key in PICTURES if key in row.images), None)
    noise = row.read_noise if np.isfinite(row.read_noise) else None
    if picture is not None:
        out.append(Image(
            f"{name} {picture}", Kind.DETECTOR, Pixels(row.images[picture]), mask=Pixels(row.bad.astype(np.uint8)),
            mask_bits=BAD_PIXEL, unit="electron", gain=1.0, readnoise=noise, camera=name, stage=picture,
        ))  # fmt: skip
    for key in ("lampspec", "scispec"):
        if key in row.spectra:
            out.append(Image(
                f"{name} {key}", Kind.RSS, Pixels(row.spectra[key]), unit="electron", wave=row.wave, medium="air",
                camera=name, stage=key,
            ))  # fmt: skip
    return out


def _traces(row: AmplifierCalibration) -> TraceSet:
    """Traces of the one amplifier that is shown."""
    return TraceSet(
        np.arange(row.trace.shape[0]), row.trace, wave=row.wave, name=row.text,
        provenance=Provenance((row.source,), "calibration"),
    )  # fmt: skip


def _tables(path: str, file: File, notes: list[str]) -> tuple[Table, ...]:
    """Tables beside the spectra: their columns of one value a row."""
    out = []
    for name in TABLES:
        node = dataset(file, name)
        names = () if node is None else node.dtype.names or ()
        plain = [key for key in names if not node.dtype[key].shape] if node is not None else []
        if node is None or node.ndim != 1 or not plain or not len(node):
            continue
        check_claim(path, node)
        with reading(path, name):
            most = max(TABLE_BYTES // node.dtype.itemsize, 1)
            rows = node.fields(plain)[:most]
        if most < len(node):
            notes.append(f"the first {most} of {len(node)} rows of {name} are shown")
        columns = {key: _decoded(rows[key]) for key in plain}
        out.append(Table(name.rpartition("/")[2], columns))
    return tuple(out)


def _decoded(values: np.ndarray) -> np.ndarray:
    """Texts as text."""
    return np.char.decode(values, "ascii", "replace") if values.dtype.kind == "S" else values


def _word(value: object) -> str:
    return value.decode("ascii", "replace").strip() if isinstance(value, bytes) else str(value).strip()


def _nodes(file: File) -> tuple[HduInfo, ...]:
    """Tables of the file as the chooser lists them."""
    import h5py

    found: list[tuple[str, Node]] = []

    def seen(name: str, node: object) -> None:
        if isinstance(node, h5py.Dataset):
            found.append((name, node))

    file.visititems(seen)
    return tuple(
        HduInfo(n, name, kind="table", shape=tuple(node.shape), dtype=", ".join(node.dtype.names or (str(node.dtype),)),
                cards=tuple((key, str(value)[:200], "") for key, value in attributes(node).items()))
        for n, (name, node) in enumerate(found)
    )  # fmt: skip
