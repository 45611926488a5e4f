"""Speckle maps to FITS: the planes Ic, Is, Ip together (SCIENCE, VARIANCE) and each as an image to blink."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from ifuview.files import whole_file
from ifuview.io.photons.products import AXES, flag_names, provenance, sky_cards
from ifuview.model.checks import Array, Header
from ifuview.model.photons.images import PhotonImage
from ifuview.model.photons.speckle import PARTS, Decay, SpeckleMaps

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU, ImageHDU
    from astropy.io.fits import Header as FitsHeader

UNIT = "count s-1"  # as FITS writes it, and as other products of photons have it


def write_speckle(
    path: str | os.PathLike[str], maps: SpeckleMaps, lucky: PhotonImage | None = None, decay: Decay | None = None
) -> None:
    """Write speckle maps.

    Parameters
    ----------
    path : str or path
    maps : SpeckleMaps
        SCIENCE and VARIANCE (3, ny, nx); IC, IS, IP, IC_IP (their sum without IS) and their signal
        to noise IC_SNR ... (ny, nx);
        PHOTONS, LOGLIKE, LIVES (independent intensities that were seen), FLAGS, FLAG_NAMES, CUBE_EDGES. NaN where
        nothing was measured.
    lucky : PhotonImage, optional
        Adds LUCKY.
    decay : Decay, optional
        Adds the table DECAY.

    Raises
    ------
    UsageError
        The file cannot be written.
    """
    from astropy.io import fits

    beammap = maps.info.beammap
    parts = [maps.part(name) for name in PARTS]
    sky = sky_cards(maps.info)
    hdus = [
        fits.PrimaryHDU(header=_primary(maps)),
        _image("SCIENCE", np.stack([value for value, _ in parts]), sky, UNIT),
        _image("VARIANCE", np.stack([error**2 for _, error in parts]), sky, "ct2/s2"),
    ]
    for number, (name, meaning) in enumerate(PARTS.items(), 1):
        for hdu in hdus[1:3]:
            hdu.header[f"PLANE{number}"] = (name.upper(), meaning)
        hdus.append(_image(name.upper(), maps.part(name)[0], sky, UNIT))
        hdus.append(_image(f"{name.upper()}_SNR", maps.snr(name), sky, ""))
    with np.errstate(invalid="ignore", divide="ignore"):
        hdus += [_image("IC_IP", maps.steady, sky, UNIT), _image("IC_IP_SNR", maps.steady / maps.steady_error, sky, "")]
    hdus += [
        _image("PHOTONS", maps.photons, sky, "count"),
        _image("LOGLIKE", maps.loglike, sky, ""),
        _image("LIVES", maps.lives, sky, ""),
        fits.ImageHDU(beammap.flags.astype(np.int64 if len(beammap.flag_names) > 31 else np.int32), name="FLAGS"),
        flag_names(beammap.flag_names, maps.cut.exclude),
        fits.BinTableHDU.from_columns(
            [fits.Column("edges", "D", unit="s", array=np.array([maps.start, maps.stop]))], name="CUBE_EDGES"
        ),
    ]
    if lucky is not None:
        hdus.append(_image("LUCKY", lucky.counts, sky, "count"))
        hdus[-1].header["EXPTIME"] = (lucky.exposure, "[s] of the moments that were kept")
    if decay is not None:
        hdus.append(_decay_table(decay))
    with whole_file(path) as part:
        fits.HDUList(hdus).writeto(part)


def _image(name: str, values: Array, sky: Header, unit: str) -> ImageHDU:
    """One image extension, 32 bits."""
    from astropy.io import fits

    kind = np.int32 if values.dtype.kind in "iu" else np.float32
    hdu = fits.ImageHDU(values.astype(kind), name=name)
    hdu.header.update(sky)
    if unit:
        hdu.header["BUNIT"] = unit
    return hdu


def _primary(maps: SpeckleMaps) -> FitsHeader:
    """How the maps were made."""
    from astropy.io import fits

    header = fits.Header()
    for key, card in provenance(maps.info, maps.cut).items():
        header[key] = card
    header["METHOD"] = (maps.method, "time bins, or photon arrival times")
    header["BINWIDTH"] = (maps.width, "[s] time bin, or longest gap used in full")
    header["TSTART"] = (maps.start, "[s] since UNIXTIME")
    header["TSTOP"] = (maps.stop, "[s] half open")
    header["IPCOMMON"] = (maps.common, "[count/s] incoherent light of all pixels")
    header["NFITTED"] = (int(np.isfinite(maps.is_).sum()), "pixels that were measured")
    for number, name in enumerate(maps.cut.exclude):
        header[f"EXFLAG{number}"] = (name, "left out")
    header["COMMENT"] = AXES
    return header


def _decay_table(decay: Decay) -> BinTableHDU:
    """The autocorrelation, with the life in its header."""
    from astropy.io import fits

    columns = [
        fits.Column("lag", "D", unit="s", array=decay.lag),
        fits.Column("autocorrelation", "D", array=decay.value),
        fits.Column("error", "D", array=decay.error),
    ]
    hdu = fits.BinTableHDU.from_columns(columns, name="DECAY")
    hdu.header["LIFE"] = (decay.life, "[s] in which the autocorrelation falls to 1/e")
    hdu.header["LIFEERR"] = (decay.life_error, "[s]")
    hdu.header["CONTRAST"] = (decay.contrast, "relative variance of the intensity at lag 0")
    hdu.header["CONTRERR"] = (decay.contrast_error, "")
    return hdu
