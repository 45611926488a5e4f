"""Images, cubes, light curves and spectra of photon lists to FITS and ECSV, with where they came from.

Images are stored [y, x] (NAXIS1 is x): x runs along the first axis of the beam map of the file, y along the second.
A file appears whole or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from ifuview import __version__
from ifuview.files import check_suffix, whole_file
from ifuview.model.checks import Array
from ifuview.model.dataset import CardValue
from ifuview.model.photons.images import BinAxis, PhotonCube, PhotonImage, unit_of, value_axis
from ifuview.model.photons.light import BinnedLight
from ifuview.model.photons.lists import PhotonCut, PhotonInfo

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU
    from astropy.io.fits import Header as FitsHeader
    from astropy.table import Table

Cards = dict[str, tuple[CardValue, str]]  # keyword to value and comment

MAS = 1 / 3.6e6  # degree in a milliarcsecond
CARD_ROOM = 63  # characters of a text and its comment on one card
KEPT = ("OBJECT", "TELESCOP", "INSTRUME", "RA", "DEC", "EQUINOX", "UNIXSTR", "UNIXEND", "E_DEVANG", "E_PLTSCL")
AXES = "[y, x]: x (NAXIS1) runs along the first axis of the beam map"
TABLE_SUFFIXES = (".fits", ".ecsv")
LIGHT_UNITS = {
    "counts": "count",
    "variance": "count2",
    "background": "count",
    "background_variance": "count2",
    "net": "count",
    "error": "count",
    "exposure": "s",
    "rate": "count / s",
    "rate_error": "count / s",
}


def write_product(
    path: str | os.PathLike[str], product: PhotonImage | PhotonCube, lights: Mapping[str, BinnedLight] | None = None,
    positions: Mapping[str, PhotonImage] | None = None,
) -> None:  # fmt: skip
    """Write an image or a cube as FITS: SCIENCE, VARIANCE, FLAGS, EXPOSURE, FLAG_NAMES, CUBE_EDGES.

    Parameters
    ----------
    path : str or path
    product : PhotonImage or PhotonCube
        The CUBE_EDGES of an image are its start and stop.
    lights : mapping of str to BinnedLight, optional
        Tables to add, by the name of their extension.
    positions : mapping of str to PhotonImage, optional
        Images of the positions of a dithered exposure by name, added as POSITION1, POSITION2, ...

    Raises
    ------
    UsageError
        The file cannot be written.
    """
    from astropy.io import fits

    image = product.image if isinstance(product, PhotonCube) else product
    info, beammap = image.info, image.info.beammap
    science, variance = _integers(product.counts), _integers(product.variance)
    if np.may_share_memory(product.variance, product.counts):  # the same numbers: unweighted
        variance = science
    elif not image.cut.weighted:
        variance = _integers(product.variance.astype(np.int64))
    hdus = [
        fits.PrimaryHDU(header=_primary(image)),
        fits.ImageHDU(science, _science_header(product, info), name="SCIENCE"),
        fits.ImageHDU(variance, name="VARIANCE"),
        fits.ImageHDU(beammap.flags.astype(np.int64 if len(beammap.flag_names) > 31 else np.int32), name="FLAGS"),
        fits.ImageHDU(image.exposure_map.astype(np.float32), name="EXPOSURE"),
        flag_names(beammap.flag_names, image.cut.exclude),
        _edges(product),
    ]
    hdus[2].header["BUNIT"] = "count2" if image.cut.weighted else "count"
    hdus[4].header["BUNIT"] = "s"
    for number, (name, image) in enumerate((positions or {}).items(), 1):
        hdus.append(fits.ImageHDU(_integers(image.counts), _science_header(image, info), name=f"POSITION{number}"))
        hdus[-1].header["POSITION"] = (_plain(name), "name of the position")
        hdus[-1].header["EXPTIME"] = (image.exposure, "[s] of it not masked")
    for name, light in (lights or {}).items():
        hdus.append(fits.table_to_hdu(light_table(light)))
        hdus[-1].name = name.upper()
    with whole_file(path) as part:
        fits.HDUList(hdus).writeto(part)


def write_light(path: str | os.PathLike[str], light: BinnedLight) -> None:
    """Write a light curve or a spectrum as a table: FITS or ECSV by the suffix.

    Raises
    ------
    UsageError
        Another suffix, or the file cannot be written.
    """
    suffix = check_suffix(path, TABLE_SUFFIXES, "a table")
    table = light_table(light)
    if suffix == ".ecsv":
        with whole_file(path) as part:
            table.write(part, format="ascii.ecsv")
        return
    from astropy.io import fits

    cards = provenance(light.info, light.cut) | _light_cards(light)
    primary = fits.PrimaryHDU(header=fits.Header([(key, *card) for key, card in cards.items()]))
    with whole_file(path) as part:
        fits.HDUList([primary, fits.table_to_hdu(table)]).writeto(part)


def light_table(light: BinnedLight) -> Table:
    """Return a light curve or a spectrum as an astropy Table, one row a bin, with its provenance as meta."""
    from astropy.table import Table

    columns: dict[str, Array] = {"low": light.edges[:-1], "high": light.edges[1:]}
    columns |= {name: np.asarray(getattr(light, name)) for name in LIGHT_UNITS}
    unit = unit_of(light.info, light.axis)
    units = {"low": unit, "high": unit, **LIGHT_UNITS}
    aperture = light.aperture
    meta = {
        "AXIS": str(light.axis),
        "APERTURE": aperture.label,
        "AREA": aperture.area,
        "DROPPED": aperture.dropped,
        "APERX": float(aperture.center[0]),
        "APERY": float(aperture.center[1]),
        "RADIUS": float(aperture.radius),
        "BKGAREA": float(aperture.background_weights.sum()),
        "BKGIN": float(aperture.annulus[0]),
        "BKGOUT": float(aperture.annulus[1]),
        **{key: value for key, (value, _) in (provenance(light.info, light.cut) | _light_cards(light)).items()},
    }
    return Table(columns, units=units, meta=meta)


def _light_cards(light: BinnedLight) -> Cards:
    """The time range of a light curve or a spectrum, and the flags of pixels that it leaves out."""
    edges = light.edges if light.axis is BinAxis.TIME else np.array([0.0, light.info.duration])
    start = max(float(edges[0]), light.cut.start or 0.0)
    return _time_cards(start, float(edges[-1]) if light.cut.stop is None else light.cut.stop) | _flag_cards(light.cut)


def _time_cards(start: float, stop: float) -> Cards:
    """The times that count."""
    return {
        "TSTART": (start, "[s] first time counted, since UNIXTIME"),
        "TSTOP": (stop, "[s] end of the times counted, half open"),
    }


def _flag_cards(cut: PhotonCut) -> Cards:
    """The flags of pixels that are left out."""
    return {f"EXFLAG{number}": (_plain(name), "left out") for number, name in enumerate(cut.exclude)}


def _range_cards(info: PhotonInfo, cut: PhotonCut) -> Cards:
    """The range of the third column, where there is one."""
    ends = (("CUTLOW", cut.low, "from"), ("CUTHIGH", cut.high, "to, half open"))
    axis = value_axis(info)
    return {key: (end, f"[{unit_of(info, axis)}] {axis} counted {word}") for key, end, word in ends if end is not None}


def provenance(info: PhotonInfo, cut: PhotonCut) -> Cards:
    """Return keyword to (value, comment): the file, its calibrations, what was counted, and by which program."""
    cards: Cards = {
        "CREATOR": (f"ifuview {__version__}", "program that made this file"),
        "DATE": (datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "UTC when it was made"),
        "INFILE": (os.path.basename(info.path), "photon list"),
        "ERA": (info.era, "its layout"),
        "UNIXTIME": (info.start, "[s] unix time of time 0"),
        "DURATION": (info.duration, "[s] nominal exposure"),
        "COLUMN": (str(info.column), "third column of the photon list"),
        "MINWAVE": (info.wave_range[0], "[nm] the list is valid from"),
        "MAXWAVE": (info.wave_range[1], "[nm] to; not what was counted"),
        "ERESOL": (info.energy_width, "[eV] default spectral bins"),
        "DEADTIME": (info.dead_time, "[s] of a resonator"),
    }
    for step, name in info.calibrations.items():
        cards[step.upper()[:8]] = (name, "calibration applied in the list")
    cards |= _range_cards(info, cut)
    cards["WEIGHTED"] = (cut.weighted, "sums of weights instead of counts")
    for key in KEPT:
        value = info.header.get(key)
        if isinstance(value, (int, float, str)) and value != "" and not isinstance(value, bool):
            cards.setdefault(key, (value, "of the photon list"))
    return {key: _fitting(_plain(value), comment) for key, (value, comment) in cards.items() if not _nothing(value)}


def _fitting(value: CardValue, comment: str) -> tuple[CardValue, str]:
    """A value with as much of its comment as its card has room for."""
    room = CARD_ROOM - len(value) if isinstance(value, str) else CARD_ROOM
    return value, comment if len(comment) <= room else ""


def _plain(value: CardValue) -> CardValue:
    """What a card can hold: text in one line of printable ASCII."""
    if not isinstance(value, str):
        return value
    return "".join(c if " " <= c <= "~" else "?" for c in " ".join(value.split()))


def _nothing(value: CardValue) -> bool:
    """Whether a number is not finite, which no card can hold."""
    return isinstance(value, float) and not np.isfinite(value)


def _primary(image: PhotonImage) -> FitsHeader:
    """The header that says where everything comes from."""
    from astropy.io import fits

    header = fits.Header()
    for key, card in provenance(image.info, image.cut).items():
        header[key] = card
    header.update(_time_cards(image.start, image.stop))
    header["EXPTIME"] = (image.exposure, "[s] of it not masked")
    header["PHOTONS"] = (image.photons, "photons counted")
    header["NPIXEXCL"] = (image.npixel_excluded, "pixels left out for their flags")
    header.update(_flag_cards(image.cut))
    header["COMMENT"] = AXES
    for note in image.info.notes:
        header["HISTORY"] = _plain(note)
    return header


def _science_header(product: PhotonImage | PhotonCube, info: PhotonInfo) -> FitsHeader:
    """Unit, axes and sky coordinates where known."""
    from astropy.io import fits

    header = fits.Header()
    header["BUNIT"] = ("count", "sums of weights" if _cut(product).weighted else "photons")
    made = product.image if isinstance(product, PhotonCube) else product
    header.update(_time_cards(made.start, made.stop) | _range_cards(info, made.cut))
    header["COMMENT"] = AXES
    cards = sky_cards(info)
    if cards:
        header.update(cards)
        header["COMMENT"] = "the pointing of the telescope is taken to be the center of the array"
    if isinstance(product, PhotonCube):
        header["PLANES"] = (str(product.axis), f"half-open bins in {unit_of(info, product.axis)}, see CUBE_EDGES")
        _linear_axis(header, product)
    return header


def _linear_axis(header: FitsHeader, product: PhotonCube) -> None:
    """The third axis where its bins are even."""
    width = np.diff(product.edges)
    if np.allclose(width, width[0], rtol=1e-6):
        names = {"s": "TIME", "nm": "WAVE", "deg": "PHASE"}
        unit = unit_of(product.image.info, product.axis)
        header["CTYPE3"], header["CUNIT3"] = names[product.axis.unit], unit
        header["CRPIX3"], header["CRVAL3"] = 1.0, float(product.edges[0] + width[0] / 2)
        header["CDELT3"] = float(width[0])


def sky_cards(info: PhotonInfo) -> dict[str, CardValue]:
    """Return TAN coordinates from RA, Dec, plate scale (mas) and device angle (degree); empty if one is not known.

    North is up at a device angle of 0, which turns the array from north over east.
    """
    header = info.header
    scale, angle = _degrees(header.get("E_PLTSCL"), 1), _degrees(header.get("E_DEVANG"), 1)
    ra, dec = _degrees(header.get("RA"), 15), _degrees(header.get("DEC"), 1)
    if ra is None or dec is None or scale is None or scale <= 0 or abs(dec) > 90:
        return {}
    turn = np.deg2rad(angle or 0.0)
    ny, nx = info.beammap.shape
    pixel = scale * MAS
    return {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CUNIT1": "deg", "CUNIT2": "deg", "RADESYS": "ICRS",
        "CRPIX1": (nx + 1) / 2, "CRPIX2": (ny + 1) / 2, "CRVAL1": ra, "CRVAL2": dec,
        "CDELT1": -pixel, "CDELT2": pixel,
        "PC1_1": np.cos(turn), "PC1_2": -np.sin(turn), "PC2_1": np.sin(turn), "PC2_2": np.cos(turn),
    }  # fmt: skip


def _degrees(value: object, unit: float) -> float | None:
    """Degrees of a number (already degrees) or of sexagesimal text in hours (`unit` 15) or degrees (1)."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if np.isfinite(value) else None
    parts = str(value or "").strip().replace(":", " ").split()
    with suppress(ValueError):
        if len(parts) == 3:
            sign = -1.0 if parts[0].startswith("-") else 1.0
            whole, minutes, seconds = (abs(float(p)) for p in parts)
            return sign * unit * (whole + minutes / 60 + seconds / 3600)
        if len(parts) == 1:
            return _degrees(float(parts[0]), unit)
    return None


def _cut(product: PhotonImage | PhotonCube) -> PhotonCut:
    """Which photons count."""
    return product.image.cut if isinstance(product, PhotonCube) else product.cut


def _integers(counts: Array) -> Array:
    """Counts as FITS has them: 32-bit integers where they fit, without a copy of 32-bit ones."""
    if counts.dtype == np.uint32 and (not counts.size or counts.max() < 1 << 31):
        return counts.view(np.int32)
    if counts.dtype.kind in "iu":
        return counts.astype(np.int32 if not counts.size or counts.max() < 1 << 31 else np.int64)
    return counts


def flag_names(names: Sequence[str], exclude: Sequence[str]) -> BinTableHDU:
    """The table FLAG_NAMES: bit, name, whether pixels with it were left out."""
    from astropy.io import fits

    columns = [
        fits.Column("BIT", "J", array=np.arange(len(names), dtype=np.int32)),
        fits.Column("NAME", f"{max([len(n) for n in names], default=1)}A", array=np.array(names, dtype=str)),
        fits.Column("EXCLUDED", "L", array=np.array([n in exclude for n in names], dtype=bool)),
    ]
    return fits.BinTableHDU.from_columns(columns, name="FLAG_NAMES")


def _edges(product: PhotonImage | PhotonCube) -> BinTableHDU:
    """The table CUBE_EDGES."""
    from astropy.io import fits

    cube = isinstance(product, PhotonCube)
    edges = product.edges if isinstance(product, PhotonCube) else np.array([product.start, product.stop])
    unit = unit_of(product.image.info, product.axis) if isinstance(product, PhotonCube) else "s"
    hdu = fits.BinTableHDU.from_columns([fits.Column("edges", "D", unit=unit, array=edges)], name="CUBE_EDGES")
    hdu.header["UNIT"] = (unit, "of the edges; bins are half open")
    hdu.header["AXIS"] = str(product.axis) if cube and isinstance(product, PhotonCube) else "time"
    return hdu
