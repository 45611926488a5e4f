"""The file of an observation: HDF5 with the tables of the published pipeline, heads added as they are done.

Rows of Raw, Fibers and Info run over amplifiers, exposures and fibers; a head has 448 rows an exposure. What is masked
is NaN. Columns beyond the published ones say what speaks against a detection and what an amplifier is worth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ifuview.io.hdf5.growing import Column, GrowingTable, describe_root
from ifuview.io.hdf5.writing import Disk, h5_new
from ifuview.model.checks import Array
from ifuview.model.reduction.detection import doubts_text
from ifuview.model.reduction.ifu import IfuExposure
from ifuview.model.reduction.placed import HeadProducts, PlacedDetection, StarImage
from ifuview.model.reduction.shot import AmplifierState, IfuField, IfuSpectra
from ifuview.model.reduction.solution import CatalogSpectrum, ShotSolution
from ifuview.model.reduction.source import SourceSpectrum

if TYPE_CHECKING:
    from h5py import File

NATIVE, GRID, AMPLIFIER = (
    1032,
    1036,
    112,
)  # own pixels, common grid, fibers of an amplifier: stand for those of the data
BANDS = "grizy"  # of a catalog
CHUNKS, SIDE = 11, 21  # pictures of stars
F4, F8, I4 = np.float32, np.float64, np.int32


def _of(names: str, kind: type[np.generic], shape: tuple[int, ...] = ()) -> dict[str, Column]:
    """Columns of one kind."""
    return dict.fromkeys(names.split(), (kind, shape))


LAMPS = {"mscispectrum": "sci", "fltspectrum": "flt", "twispectrum": "twi", "arcspectrum": "arc"}
RAW: dict[str, Column] = _of("spectrum error wave", F4, (NATIVE,)) | _of(" ".join(LAMPS), F4, (NATIVE,))
FIBERS: dict[str, Column] = {
    **_of("spectrum error fiber_to_fiber skyspectrum", F4, (GRID,)),
    "residual": (F4, (NATIVE,)),
}
UNIT: dict[str, Column] = {"specid": ("S3", ()), "ifuslot": ("S3", ()), "ifuid": ("S3", ())}
INFO: dict[str, Column] = {
    **UNIT, **_of("ra dec ifux ifuy", F8), "amp": ("S2", ()), "exp": (I4, ()),
}  # fmt: skip
SURVEY: dict[str, Column] = {
    **_of("ra dec pa rot millum throughput fwhm fwhmv offset raoffset decoffset rastd decstd exptime", F8),
    "name": ("S25", ()), "exp": (I4, ()), "nstarsastrom": (I4, ()), "nstarsphotom": (I4, ()),
}  # fmt: skip
STAR_SPECTRA: dict[str, Column] = _of("spectrum error weight", F4, (GRID,))
CATALOG: dict[str, Column] = {
    **_of("ra dec gmag rmag imag zmag ymag", F8), **STAR_SPECTRA,
}  # fmt: skip
MATCHED: dict[str, Column] = {
    **_of("ra dec fx fy catfx catfy gmag syngmag", F8),
    **STAR_SPECTRA, "image": (F4, (CHUNKS, SIDE, SIDE)), "xgrid": (F4, (SIDE, SIDE)), "ygrid": (F4, (SIDE, SIDE)),
}  # fmt: skip
DETECTIONS: dict[str, Column] = {
    **UNIT,
    **_of("ra dec ifux ifuy fx fy wave flux sn chi2 fwhm wave_error flux_error fwhm_error", F8),
    **_of("spectrum error model", F4, (GRID,)),
    "kind": ("S9", ()), "doubts": (I4, ()), "doubt_text": ("S200", ()),
}  # fmt: skip
IMAGES: dict[str, Column] = {
    "zipcode": ("S21", ()), "exp": (I4, ()), **_of("readnoise factor masked", F8),
    **_of("trace_shift wave_shift scattered", F8), "reason": ("S120", ()),
}  # fmt: skip
CALS: dict[str, Column] = {
    **_of("wavelength trace lampspec scispec maskspec", F4, (AMPLIFIER, NATIVE)), "ifupos": (F4, (AMPLIFIER, 2)),
    "specid": ("S3", ()), "ifuid": ("S3", ()), "contid": ("S8", ()), "amp": ("S2", ()), "ifuslot": (I4, ()),
    "readnoise": (F4, ()),
}  # fmt: skip
LINES: dict[str, Column] = {
    "ifuslot": ("S3", ()),
    **_of("ifux ifuy wave flux sn found flux_found wave_found", F8),
}  # fmt: skip
TABLES: dict[str, tuple[dict[str, Column], str]] = {
    "Images": (IMAGES, "Amplifiers of all exposures"),
    "Raw": (RAW, "Extracted fibers, electrons per Angstrom, and their lamps"),
    "Fibers": (FIBERS, "Fibers without sky, 1e-17 erg/s/cm2/A"),
    "Info": (INFO, "Fibers: place and origin"),
    "Survey": (SURVEY, "Exposures"),
    "CatSpectra": (CATALOG, "Sources of the catalog"),
    "MatSpectra": (MATCHED, "Stars found in the fibers"),
    "Cals": (CALS, "Calibrations as used by the first exposure; master frames are in the file they come from"),
    "Detections": (DETECTIONS, "Lines and continua found blindly; flux in 1e-17 erg/s/cm2"),
}


TARGET = "IFUSLOT"  # attribute of the file: the slot that was asked for


def file_name(date: int, observation: int) -> str:
    """Of an observation."""
    return f"{date:08d}_{observation:07d}.h5"


class ShotFile:
    """The file of an observation while it is written; see `new_shot_file`."""

    def __init__(self, file: File, disk: Disk, slot: str = "") -> None:
        describe_root(file, "VIRUS observation")
        if slot:
            file.attrs[TARGET] = np.bytes_(slot)
        self.file, self.disk = file, disk
        self._tables: dict[str, GrowingTable] = {}

    def _begin(self, native: int, grid: int, fibers: int) -> None:
        """Make the tables, of as many samples as the data have."""
        if self._tables:
            return
        size = {NATIVE: native, GRID: grid, AMPLIFIER: fibers}
        for name, (columns, title) in TABLES.items():
            own = {key: (kind, tuple(size.get(n, n) for n in shape)) for key, (kind, shape) in columns.items()}
            self._tables[name] = GrowingTable(self.file, self.disk, name, own, title)

    def add(self, head: HeadProducts) -> None:
        """Add a fiber head."""
        spectra = head.done.spectra
        first = head.exposures[0]
        self._begin(first.spectra.flux.shape[1], spectra.wave.size, max(a.last - a.first for a in first.amplifiers))
        order = row_order(head.done.spectra)
        for name, rows in (
            ("Images", _amplifiers(head)), ("Raw", _raw(head, order)), ("Fibers", _fibers(head.done.spectra, order)),
            ("Info", _info(head.done.spectra, order)), ("CatSpectra", _catalog(head.done.stars, spectra.wave.size)),
            ("MatSpectra", _matched(head)),
            ("Cals", _calibrations(first, self._tables["Cals"].dtype["trace"].shape[0])),
            ("Detections", _detections(head.detections, head.done.spectra)),
        ):  # fmt: skip
            self._tables[name].add(rows)
        found = head.completeness
        if found is not None:
            if "Completeness" not in self._tables:
                self._tables["Completeness"] = GrowingTable(
                    self.file, self.disk, "Completeness", LINES, "Simulated lines, and whether they were found"
                )
            slot = _text([head.slot] * len(found.lines), 3)
            names = ("ifux", "ifuy", "wave", "flux", "sn", "found", "flux_found", "wave_found")
            self._tables["Completeness"].add({"ifuslot": slot, **dict(zip(names, found.lines.T, strict=True))})

    def finish(self, solution: ShotSolution, name: str) -> None:
        """Add what all heads share, one row an exposure."""
        self._begin(NATIVE, GRID, AMPLIFIER)  # where no head could be added
        self._tables["Survey"].add(_survey(solution, name))


@contextmanager
def new_shot_file(path: str, slot: str = "") -> Iterator[ShotFile]:
    """A new file that heads are added to; `slot` is the one that was asked for first.

    Raises
    ------
    OSError
        The disk did not take all.
    """
    with h5_new(path) as (file, disk):
        yield ShotFile(file, disk, slot)


def row_order(spectra: IfuSpectra) -> list[tuple[int, AmplifierState]]:
    """Exposures (by place) and amplifiers in the order of the rows: each amplifier in all exposures."""
    count = len(spectra.fields[0].amplifiers)
    return [(n, one.amplifiers[k]) for k in range(count) for n, one in enumerate(spectra.fields)]


def _stacked(parts: Sequence[Array], order: list[tuple[int, AmplifierState]]) -> Array:
    """Rows of an array of each exposure in the order of the tables."""
    return np.concatenate([np.asarray(parts[n])[amplifier.fibers] for n, amplifier in order])


def _masked(values: Array, good: Array) -> NDArray[np.float32]:
    return np.where(good, values, np.nan).astype(np.float32)


def _raw(head: HeadProducts, order: list[tuple[int, AmplifierState]]) -> Mapping[str, Array]:
    own = head.exposures
    good = [one.spectra.variance > 0 for one in own]
    out = {
        "spectrum": _stacked([one.spectra.flux for one in own], order),
        "error": _stacked([_masked(np.sqrt(np.maximum(one.spectra.variance, 0)), ok) for one, ok in zip(own, good)],
                          order),
        "wave": _stacked([one.spectra.wave for one in own], order),
    }  # fmt: skip
    for name, lamp in LAMPS.items():
        out[name] = _stacked([_lamp(one, lamp) for one in own], order)
    return out


def _lamp(one: IfuExposure, name: str) -> Array:
    """Spectra of a lamp, zeros where there are none."""
    found = one.lamps.get(name)
    return np.zeros(one.spectra.flux.shape, np.float32) if found is None else found


def _fibers(spectra: IfuSpectra, order: list[tuple[int, AmplifierState]]) -> Mapping[str, Array]:
    own = spectra.fields
    good = [one.spectra.usable() & (one.spectra.variance > 0) for one in own]
    return {
        "spectrum": _stacked([_masked(one.spectra.flux, ok) for one, ok in zip(own, good)], order),
        "error": _stacked([_masked(np.sqrt(np.maximum(one.spectra.variance, 0)), ok) for one, ok in zip(own, good)],
                          order),
        "fiber_to_fiber": _stacked([one.response for one in own], order),
        "skyspectrum": _stacked([one.sky for one in own], order),
        "residual": _stacked([one.residual for one in own], order),
    }  # fmt: skip


def _info(spectra: IfuSpectra, order: list[tuple[int, AmplifierState]]) -> Mapping[str, Array]:
    fields: Sequence[IfuField] = spectra.fields
    sizes = [amplifier.last - amplifier.first for _, amplifier in order]
    count = int(np.sum(sizes))
    return {
        **_unit(spectra, count),
        "amp": np.repeat(_text([amplifier.name for _, amplifier in order], 2), sizes),
        "exp": np.repeat([fields[n].number for n, _ in order], sizes),
        **{key: _stacked([getattr(one, name) for one in fields], order)
           for key, name in (("ra", "ra"), ("dec", "dec"), ("ifux", "x"), ("ifuy", "y"))},
    }  # fmt: skip


def _unit(spectra: IfuSpectra, count: int) -> dict[str, Array]:
    names = {"specid": spectra.specid, "ifuslot": spectra.slot, "ifuid": spectra.ifuid}
    return {name: _text([value] * count, 3) for name, value in names.items()}


def _text(values: Sequence[str], width: int) -> NDArray[np.bytes_]:
    """Texts of a fixed width; what is no ASCII becomes a question mark."""
    return np.array([value.encode("ascii", "replace")[:width] for value in values], f"S{width}")


def _amplifiers(head: HeadProducts) -> Mapping[str, Array]:
    order, spectra = row_order(head.done.spectra), head.done.spectra
    unit = f"{spectra.specid}_{spectra.slot}_{spectra.ifuid}"
    raw = [head.exposures[n].amplifier(state.name) for n, state in order]
    return {
        "zipcode": _text([f"{unit}_{state.name}_exp{spectra.fields[n].number:02d}" for n, state in order], 21),
        "exp": np.array([spectra.fields[n].number for n, _ in order]),
        "readnoise": np.array([state.noise for _, state in order]),
        "factor": np.array([state.factor for _, state in order]),
        "masked": np.array([state.masked for _, state in order]),
        **{name: np.array([getattr(one, name) for one in raw]) for name in ("trace_shift", "wave_shift", "scattered")},
        "reason": _text([state.reason for _, state in order], 120),
    }


def _calibrations(one: IfuExposure, size: int) -> Mapping[str, Array]:
    """Calibrations of the amplifiers of a head, `size` fibers each; fibers that there are not are 0."""
    count, native = len(one.amplifiers), one.spectra.flux.shape[1]
    trace = np.zeros(one.spectra.flux.shape) if one.trace is None else one.trace
    unmasked = np.zeros(one.spectra.flux.shape, np.float32)
    own = {
        "wavelength": np.asarray(one.spectra.wave), "trace": trace, "lampspec": _lamp(one, "arc"),
        "scispec": _lamp(one, "sci"), "maskspec": unmasked,
    }  # fmt: skip
    out: dict[str, Array] = {name: np.zeros((count, size, native), F4) for name in own}
    out["ifupos"] = np.zeros((count, size, 2), F4)
    for n, amplifier in enumerate(one.amplifiers):
        fibers = min(amplifier.last - amplifier.first, size)
        for name, values in own.items():
            out[name][n, :fibers] = values[amplifier.fibers][:fibers]
        out["ifupos"][n, :fibers] = np.stack([one.x, one.y], axis=1)[amplifier.fibers][:fibers]
    noise = [float("nan") if a.read is None else a.read.noise for a in one.amplifiers]
    return out | {
        "specid": _text([one.specid] * count, 3), "ifuid": _text([one.ifuid] * count, 3),
        "contid": _text([one.contid] * count, 8), "amp": _text([a.name for a in one.amplifiers], 2),
        "ifuslot": np.full(count, int(one.slot) if one.slot.isdecimal() else 0), "readnoise": np.array(noise),
    }  # fmt: skip


def _star_rows(spectra: Sequence[SourceSpectrum], size: int) -> dict[str, Array]:
    """Spectrum, error and weight (share of the light that fibers caught) of stars."""
    flux, error, weight = (np.full((len(spectra), size), np.nan, np.float32) for _ in range(3))
    for n, one in enumerate(spectra):
        good = one.variance > 0
        flux[n], error[n] = _masked(one.flux, good), _masked(np.sqrt(np.maximum(one.variance, 0)), good)
        weight[n] = one.fraction
    return {"spectrum": flux, "error": error, "weight": weight}


def _catalog(stars: Sequence[CatalogSpectrum], size: int) -> Mapping[str, Array]:
    magnitude = np.array([star.magnitude for star in stars], F8).reshape(len(stars), len(BANDS))
    out: dict[str, Array] = {name: np.array([getattr(star, name) for star in stars]) for name in ("ra", "dec")}
    out |= {f"{band}mag": magnitude[:, n] for n, band in enumerate(BANDS)}
    return out | _star_rows([star.spectrum for star in stars], size)


def _matched(head: HeadProducts) -> Mapping[str, Array]:
    known = {star.index: star for star in head.done.stars}
    own: list[tuple[CatalogSpectrum, StarImage]] = [(known[one.index], one) for one in head.stars if one.index in known]
    images = np.zeros((len(own), CHUNKS, SIDE, SIDE), np.float32)
    x, y = (np.zeros((len(own), SIDE, SIDE), np.float32) for _ in range(2))
    for n, (_, one) in enumerate(own):
        images[n], x[n], y[n] = one.image, one.x, one.y
    places = (("fx", "focal_x"), ("fy", "focal_y"), ("catfx", "catalog_x"), ("catfy", "catalog_y"))
    return {
        **{name: np.array([getattr(star, name) for star, _ in own]) for name in ("ra", "dec")},
        **{key: np.array([getattr(one, name) for _, one in own]) for key, name in places},
        "gmag": np.array([star.magnitude[0] for star, _ in own]),
        "syngmag": np.array([star.synthetic for star, _ in own]),
        **_star_rows([star.spectrum for star, _ in own], head.done.spectra.wave.size),
        "image": images, "xgrid": x, "ygrid": y,
    }  # fmt: skip


def _detections(found: Sequence[PlacedDetection], spectra: IfuSpectra) -> Mapping[str, Array]:
    own = [one.detection for one in found]
    places = (("ra", "ra"), ("dec", "dec"), ("fx", "focal_x"), ("fy", "focal_y"))
    numbers = (("ifux", "x"), ("ifuy", "y"), *((name, name) for name in (
        "wave", "flux", "sn", "chi2", "fwhm", "wave_error", "flux_error", "fwhm_error")))  # fmt: skip
    return {
        **_unit(spectra, len(own)),
        **{key: np.array([getattr(one, name) for one in found], F8) for key, name in places},
        **{key: np.array([getattr(one, name) for one in own], F8) for key, name in numbers},
        **{name: np.array([getattr(one, name) for one in own], F4).reshape(len(own), spectra.wave.size)
           for name in ("spectrum", "error", "model")},
        "kind": _text([one.kind for one in own], 9),
        "doubts": np.array([int(one.doubts) for one in own], I4),
        "doubt_text": _text([doubts_text(one.doubts) for one in own], 200),
    }  # fmt: skip


def _survey(solution: ShotSolution, name: str) -> Mapping[str, Array]:
    point, optics, own = solution.pointing, solution.optics, solution.surveys
    count = len(own)
    same = {
        "ra": point.ra, "dec": point.dec, "rot": point.turn, "pa": (270.0 - point.turn) % 360.0, "fwhm": optics.fwhm,
        "fwhmv": optics.fwhm, "raoffset": point.ra_offset, "decoffset": point.dec_offset, "rastd": point.ra_scatter,
        "decstd": point.dec_scatter,
    }  # fmt: skip
    zero = np.array([one.zero_point for one in own], F8)
    return {
        **{key: np.full(count, value, F8) for key, value in same.items()},
        "millum": np.array([one.area for one in own], F8),
        "throughput": np.array([one.transparency * one.illumination for one in own], F8),
        "offset": -2.5 * np.log10(np.where(zero > 0, zero, 1.0)),
        "exptime": np.array([one.exptime for one in own], F8),
        "exp": np.array([one.number for one in own], I4),
        "name": _text([name] * count, 25),
        "nstarsastrom": np.full(count, point.nstars, I4),
        "nstarsphotom": np.array([one.nphotometric for one in own], I4),
    }
