"""Small files in the layouts of many instruments, with their truth, for the tests of the readers of products.

Each maker writes one file and returns it. The layouts are those of the instruments' public documents; the numbers are
random, the same for the same family.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

Array = NDArray[Any]
NFIBER, NWAVE = 12, 40
NY, NX = 6, 5
SKY_WCS = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CUNIT1": "deg",
    "CUNIT2": "deg",
    "CRVAL1": 150.0,
    "CRVAL2": 2.0,
    "CRPIX1": 3.0,
    "CRPIX2": 3.0,
    "CDELT1": -5e-5,
    "CDELT2": 5e-5,
}


def rng(seed: int = 1) -> np.random.Generator:
    """The same numbers for the same seed."""
    return np.random.default_rng(seed)


def rss(seed: int = 1) -> tuple[Array, Array, Array]:
    """Flux, sigma and mask of row-stacked spectra; two pixels say nothing: sigma 0 and NaN."""
    r = rng(seed)
    flux, sigma = r.normal(10, 1, (NFIBER, NWAVE)).astype("f4"), r.uniform(0.5, 2, (NFIBER, NWAVE)).astype("f4")
    sigma[1, 2], sigma[1, 3] = 0, np.nan
    mask = np.zeros((NFIBER, NWAVE), "i4")
    mask[3, 4] = 0b10010
    return flux, sigma, mask


def cube(seed: int = 2) -> tuple[Array, Array, Array]:
    """Flux, sigma and mask of a cube."""
    r = rng(seed)
    flux = r.normal(10, 1, (NWAVE, NY, NX)).astype("f4")
    sigma = r.uniform(0.5, 2, flux.shape).astype("f4")
    sigma[1, 2, 3] = np.nan
    mask = np.zeros(flux.shape, "i4")
    mask[5, 4, 3] = 0b10010
    return flux, sigma, mask


def ivar_of(sigma: Array) -> Array:
    """What the reader has to make of sigmas: 0 where they say nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sigma > 0, sigma.astype("f8") ** -2, 0.0)


def image(data: Array | None, name: str = "", **cards: Any) -> fits.ImageHDU:
    """An extension with cards; "__" in a keyword is a hyphen."""
    head = fits.Header({key.replace("__", "-"): value for key, value in cards.items()})
    return fits.ImageHDU(data, head, name=name or None)


def primary(data: Array | None = None, **cards: Any) -> fits.PrimaryHDU:
    """A primary HDU with cards."""
    return fits.PrimaryHDU(data, fits.Header({key.replace("__", "-"): value for key, value in cards.items()}))


def table(name: str, units: dict[str, str] | None = None, **columns: Any) -> fits.BinTableHDU:
    """A binary table of arrays."""
    codes = {"f4": "E", "f8": "D", "i2": "I", "i4": "J", "i8": "K", "u1": "B"}
    made = []
    for key, values in columns.items():
        array = np.asarray(values)
        repeat = int(np.prod(array.shape[1:])) if array.ndim > 1 else 1
        if array.dtype.kind in "US":
            form = f"{max(len(str(v)) for v in array)}A"
        else:
            form = f"{repeat}{codes[array.dtype.str[1:]]}"
        made.append(fits.Column(key, form, unit=(units or {}).get(key), array=array))
    return fits.BinTableHDU.from_columns(made, name=name)


def write(path: Path, *hdus: Any) -> Path:
    """Write a file."""
    fits.HDUList(list(hdus)).writeto(path)
    return path


def wave_linear(start: float = 4000.0, step: float = 1.25) -> Array:
    """A linear grid."""
    return start + step * np.arange(NWAVE)


# LVM, on the way from the detector to the frames -------------------------------------------------------------------


def coefficients() -> Array:
    """Wavelength polynomials of the fibers, in Angstrom for pixels."""
    fiber = np.arange(NFIBER)
    return np.stack([5700.0 + 0.1 * fiber, np.full(NFIBER, 0.51), np.full(NFIBER, 1e-5)], axis=1).astype("f4")


def polynomial_table(name: str, values: Array) -> fits.BinTableHDU:
    """A row a fiber: FUNC, XMIN, XMAX, COEFF."""
    n = len(values)
    return table(name, FUNC=np.array(["poly"] * n), XMIN=np.zeros(n, "i4"), XMAX=np.full(n, NWAVE - 1, "i4"),
                 COEFF=values)  # fmt: skip


def slitmap() -> fits.BinTableHDU:
    """Fibers of LVM."""
    n = np.arange(NFIBER)
    return table("SLITMAP", fiberid=n + 1, blockid=n // 6, targettype=np.where(n % 6 == 0, "SKY", "science"),
                 xpmm=n * 0.5, ypmm=n * 0.25, fibstatus=np.where(n == 4, 1, np.where(n == 5, 2, 0)).astype("i2"),
                 ra=10.0 + n, dec=-20.0 - n)  # fmt: skip


def lvm_extracted(path: Path) -> Path:
    """Spectra with traces of their wavelengths."""
    flux, sigma, mask = rss()
    lsf = np.stack([np.full(NFIBER, 1.5), np.full(NFIBER, 1e-3)], axis=1).astype("f4")
    return write(
        path / "lvm-xobject-r1-00001234.fits", primary(flux, CCD="r1", EXPOSURE=1234), image(sigma, "ERROR"),
        image((mask > 0).astype("u1"), "BADPIX"), polynomial_table("WAVE_TRACE", coefficients()),
        polynomial_table("LSF_TRACE", lsf), image(flux * 0.1, "SKY"), image(sigma * 0.2, "SKY_ERROR"), slitmap(),
    )  # fmt: skip


def lvm_rectified(path: Path) -> Path:
    """Spectra on one grid."""
    flux, sigma, mask = rss()
    cards = {"CTYPE1": "WAVE", "CUNIT1": "Angstrom", "CRVAL1": 5700.0, "CDELT1": 0.5, "CRPIX1": 1.0}
    return write(path / "lvm-hobject-r-00001234.fits", primary(flux, **cards), image(sigma, "ERROR"),
                 image((mask > 0).astype("u1"), "BADPIX"), image(flux * 0 + 1.2, "LSF"), slitmap())  # fmt: skip


def lvm_detector(path: Path) -> Path:
    """A detector image."""
    r = rng(3)
    flux = r.normal(100, 10, (64, 70)).astype("f4")
    return write(path / "lvm-pobject-r1-00001234.fits", primary(flux, CCD="r1"),
                 image(np.full(flux.shape, 4, "f4"), "ERROR"), image((flux > 120).astype("u1"), "BADPIX"),
                 table("FRAMES", frame=np.arange(3)), slitmap())  # fmt: skip


# cubes -------------------------------------------------------------------------------------------------------------


def hetdex(path: Path) -> Path:
    """Tile-compressed, sigma and 16-bit mask, vacuum."""
    flux, sigma, mask = cube()
    cards = {**SKY_WCS, "CTYPE3": "WAVE", "CUNIT3": "Angstrom", "CRVAL3": 3470.0, "CDELT3": 2.0, "CRPIX3": 1.0}
    hdus = [
        fits.CompImageHDU(data, fits.Header({**cards, **more}), name=name, compression_type="GZIP_1", quantize_level=0)
        for data, name, more in (
            (flux, "DATA", {"BUNIT": "1e-17 erg s^-1 cm^-2", "SHOTID": 20190101012, "RELFLUX1": 1.0}),
            (np.nan_to_num(sigma), "ERROR", {}),
            (mask.astype("u2"), "MASK", {}),
        )
    ]
    return write(path / "dex_cube_20190101012_046.fits", primary(), *hdus)


def muse(path: Path) -> Path:
    """Variance, wavelengths in air."""
    flux, sigma, mask = cube()
    cards = {**SKY_WCS, "CTYPE3": "AWAV", "CUNIT3": "Angstrom", "CRVAL3": 4750.0, "CD3_3": 1.25, "CRPIX3": 1.0}
    return write(path / "DATACUBE_FINAL.fits", primary(INSTRUME="MUSE"), image(flux, "DATA", **cards),
                 image(sigma**2, "STAT", **cards), image(mask, "DQ"))  # fmt: skip


def muse_pixtable(path: Path) -> Path:
    """Not an image: one column each."""
    column = np.arange(50, dtype="f4")[:, None]
    names = ("xpos", "ypos", "lambda", "data", "dq", "stat", "origin")
    return write(path / "PIXTABLE_REDUCED_01.fits", primary(INSTRUME="MUSE"), *(image(column, n) for n in names))


def kcwi(path: Path, utype: str = "StdDevUncertainty") -> Path:
    """The layout of astropy's CCDData."""
    flux, sigma, mask = cube()
    cards = {**SKY_WCS, "CTYPE3": "AWAV", "CUNIT3": "Angstrom", "CRVAL3": 3500.0, "CD3_3": 0.5, "CRPIX3": 1.0}
    uncert = {"Std": sigma, "Var": sigma**2, "Inv": ivar_of(sigma).astype("f4")}[utype[:3]]
    return write(
        path / f"kb_icubed_{utype}.fits", primary(flux, INSTRUME="KCWI", BUNIT="electron", **cards),
        image((mask > 0).astype("u1"), "MASK"), image(uncert, "UNCERT", UTYPE=utype),
        image(mask.astype("u1"), "FLAGS"), image(flux + 1, "NOSKYSUB"),
    )  # fmt: skip


def manga_cube(path: Path) -> Path:
    """Inverse variance, logarithmic grid, instrument named in HDU 1."""
    flux, sigma, mask = cube()
    wave = 10 ** (3.5589 + 1e-4 * np.arange(NWAVE))
    return write(
        path / "manga-7443-12703-LOGCUBE.fits", primary(),
        image(flux, "FLUX", TELESCOP="SDSS 2.5-M", INSTRUME="MaNGA", BUNIT="1E-17 erg/s/cm^2/Ang/spaxel", **SKY_WCS),
        image(ivar_of(sigma).astype("f4"), "IVAR"), image(mask | 1 << 10, "MASK"), image(wave, "WAVE"),
    )  # fmt: skip


def manga_rss(path: Path) -> Path:
    """Positions on the sky by wavelength."""
    flux, sigma, mask = rss()
    x = np.linspace(-8, 8, NFIBER)[:, None] + 0.01 * np.arange(NWAVE)
    wave = 10 ** (3.5589 + 1e-4 * np.arange(NWAVE))
    return write(
        path / "manga-7443-12703-LOGRSS.fits", primary(),
        image(flux, "FLUX", TELESCOP="SDSS 2.5-M", INSTRUME="MaNGA"), image(ivar_of(sigma).astype("f4"), "IVAR"),
        image(mask | 1 << 30, "MASK"), image(np.full(flux.shape, 1.1), "LSFPOST"),
        image(np.full(flux.shape, 1.0), "LSFPRE"), image(wave, "WAVE"), table("OBSINFO", SET=np.arange(3)),
        image(x, "XPOS"), image(-x, "YPOS"),
    )  # fmt: skip


def manga_frame(path: Path) -> tuple[Path, Array]:
    """Positions on the detector; returned with the file."""
    flux, sigma, mask = rss()
    trace = 20.0 + 6.0 * np.arange(NFIBER)[:, None] + 1e-3 * (np.arange(NWAVE) - 20.0) ** 2
    loglam = np.tile(3.5589 + 1e-4 * np.arange(NWAVE), (NFIBER, 1))
    file = write(
        path / "mgCFrame-00177379-b1.fits", primary(INSTRUME="MaNGA"), image(flux, "FLUX"),
        image(ivar_of(sigma).astype("f4"), "IVAR"), image(mask, "MASK"), image(loglam, "LOGLAM"),
        image(trace, "XPOS"), image(flux * 0 + 1, "SUPERFLAT"), image(flux * 0.1, "SKY"),
    )  # fmt: skip
    return file, trace


def jwst(path: Path, tabulated: bool = True) -> Path:
    """Sigma, 32-bit mask, wavelengths of a table or linear, in um."""
    flux, sigma, mask = cube()
    wave = 4.9 + 0.001 * np.arange(NWAVE) + 1e-5 * np.arange(NWAVE) ** 2
    cards = {**SKY_WCS, "CUNIT3": "um", "CRPIX3": 1.0, "BUNIT": "MJy/sr"}
    if tabulated:
        cards |= {"CTYPE3": "WAVE-TAB", "CRVAL3": 1.0, "CDELT3": 1.0, "PS3_0": "WCS-TABLE", "PS3_1": "wavelength"}
        more = [table("WCS-TABLE", {"wavelength": "um"}, nelem=np.array([NWAVE]), wavelength=wave.astype("f4")[None])]
    else:
        cards |= {"CTYPE3": "WAVE", "CRVAL3": 4.9, "CDELT3": 0.001}
        more = []
    name = "table" if tabulated else "linear"
    return write(
        path / f"jw01_ch1-{name}_s3d.fits", primary(TELESCOP="JWST", INSTRUME="MIRI"), image(flux, "SCI", **cards),
        image(sigma, "ERR"), image(mask.astype("u4"), "DQ"), image(flux * 0 + 1, "WMAP"), *more,
    )  # fmt: skip


def califa(path: Path) -> Path:
    """Sigma, bad pixels, coverage."""
    flux, sigma, mask = cube()
    cards = {**SKY_WCS, "CTYPE3": "LAMBDA", "CRVAL3": 3749.0, "CDELT3": 2.0, "CRPIX3": 1.0}
    return write(path / "NGC0001.V500.rscube.fits", primary(flux, INSTRUME="PMAS", **cards), image(sigma, "ERROR"),
                 image((mask > 0).astype("u1"), "BADPIX"), image(flux * 0 + 1, "FIBCOVER"))  # fmt: skip


def sami(path: Path) -> Path:
    """Variance and weights."""
    flux, sigma, _ = cube()
    cards = {**SKY_WCS, "CTYPE3": "Wavelength", "CUNIT3": "Angstroms", "CRVAL3": 4700.0, "CDELT3": 1.04, "CRPIX3": 1.0}
    return write(path / "9403800123_blue.fits", primary(flux, **cards), image(sigma**2, "VARIANCE"),
                 image(flux * 0 + 1, "WEIGHT"), image(np.zeros((NWAVE, 2, NY, NX), "f4"), "COVAR"),
                 table("QC", seeing=np.array([2.1])), image(np.ones(NWAVE, "f4"), "DUST"))  # fmt: skip


def pypeit(path: Path) -> Path:
    """Sigma, bad voxels and wavelengths as images."""
    flux, sigma, mask = cube()
    return write(path / "spec3d_target.fits", primary(), image(flux, "FLUX", **SKY_WCS), image(sigma, "SIG"),
                 image((mask > 0).astype("u1"), "BPM"), image(wave_linear() + 0.01, "WAVE"))  # fmt: skip


def gmos(path: Path) -> Path:
    """SCI, VAR and DQ of three detectors by EXTVER."""
    hdus: list[Any] = [primary(INSTRUME="GMOS-N")]
    for version in (1, 2, 3):
        flux, sigma, mask = rss(version)
        for name, data in (("SCI", flux), ("VAR", sigma**2), ("DQ", mask.astype("u2"))):
            hdus.append(fits.ImageHDU(data, name=name, ver=version))
    return write(path / "N20200101S0001_varAdded.fits", *hdus)


# spectra -----------------------------------------------------------------------------------------------------------


def pfs_arm(path: Path, merged: bool = False) -> Path:
    """nm without a unit, covariance of three planes, names of bits in the header; HDUs in an unusual order."""
    flux, sigma, mask = rss()
    covar = np.zeros((NFIBER, 3, NWAVE), "f4")
    covar[:, 0], covar[:, 1] = sigma**2, 0.1
    wave = 380.0 + 0.07 * np.arange(NWAVE)
    wave = wave if merged else np.tile(wave, (NFIBER, 1))
    bits = fits.CompImageHDU(mask, fits.Header({"MP_BAD": 0, "MP_SAT": 1, "MP_CR": 4}), name="MASK")
    fiber_id = np.arange(NFIBER, dtype="i4") * 3 + 1
    return write(
        path / ("pfsMerged-012345.fits" if merged else "pfsArm-012345-b1.fits"), primary(VISIT=12345), bits,
        image(covar, "COVAR"), image(fiber_id, "FIBERID"), image(wave, "WAVELENGTH"),
        image(flux, "FLUX"), image(flux * 0.1, "SKY"), image(flux * 0 + 1, "NORM"),
        table("CONFIG", pfsDesignId=np.array([1], "i8"), visit=np.array([12345], "i4")),
    )  # fmt: skip


def pfs_config(path: Path) -> Path:
    """What the fibers see, in another order."""
    fiber_id = np.arange(60, 0, -1, dtype="i4")
    kind = np.where(fiber_id == 4, 2, np.where(fiber_id == 7, 3, 1)).astype("i4")
    state = np.where(fiber_id == 10, 2, 1).astype("i4")
    center = np.stack([fiber_id * 1.0, fiber_id * -2.0], axis=1).astype("f4")
    return write(
        path / "pfsConfig-0x0000000000000001-012345.fits", primary(),
        table("CONFIG", fiberId=fiber_id, ra=fiber_id * 0.5, dec=fiber_id * -0.5, targetType=kind, fiberStatus=state,
              pfiNominal=center + 1, pfiCenter=center),
    )  # fmt: skip


def pfs_calexp(path: Path) -> Path:
    """A detector image with variance and names of bits in the header."""
    r = rng(4)
    flux = r.normal(100, 10, (60, 50)).astype("f4")
    mask = np.where(flux > 120, 2, 0).astype("i4")
    return write(
        path / "calexp-012345-b1.fits", primary(), image(flux, "IMAGE"),
        fits.CompImageHDU(mask, fits.Header({"MP_BAD": 0, "MP_SAT": 1}), name="MASK"),
        image(np.full(flux.shape, 16, "f4"), "VARIANCE"),
    )  # fmt: skip


SENSITIVITY = np.linspace(0.5, 2, NWAVE).astype("f4")


def weave(path: Path, cubes: bool = False) -> Path:
    """Data with and without sky, and sensitivity, of one arm."""
    flux, sigma, _ = cube() if cubes else rss()
    axis = 3 if cubes else 1
    cards = {f"CTYPE{axis}": "WAVE", f"CUNIT{axis}": "Angstrom", f"CRVAL{axis}": 5790.0, f"CDELT{axis}": 0.5,
             f"CRPIX{axis}": 1.0}  # fmt: skip
    if cubes:
        cards = {**SKY_WCS, **cards}
    ivar = ivar_of(sigma).astype("f4")
    n = np.arange(NFIBER)
    fibers = table("FIBTABLE", FIBRERA=30 + n * 0.1, FIBREDEC=20 + n * 0.1, XPOSITION=n * 2.0, YPOSITION=n * -2.0,
                   TARGNAME=np.array([f"t{i:02d}" for i in n]))  # fmt: skip
    hdus = [
        image(flux, "RED_DATA", **cards),
        image(ivar, "RED_IVAR", **cards),
        image(flux + 5, "RED_DATA_NOSS", **cards),
        image(ivar / 2, "RED_IVAR_NOSS", **cards),
        image(SENSITIVITY, "RED_SENSFUNC", BUNIT="erg/s/cm2/Angstrom"),
    ]
    collapsed = [image(flux.mean(0), "RED_DATA_COLLAPSE3"), image(ivar.mean(0), "RED_IVAR_COLLAPSE3")] if cubes else []
    name = "stackcube_3000001.fit" if cubes else "stack_3000001.fit"
    return write(path / name, primary(INSTRUME="WEAVE", OBSMODE="LIFU"), *hdus, *collapsed, fibers)


def sdss(path: Path) -> Path:
    """One row a pixel."""
    flux, sigma, mask = (a[1] for a in rss())
    return write(
        path / "spec-0266-51602-0001.fits", primary(PLATEID=266, MJD=51602),
        table("COADD", flux=flux, loglam=(3.5796 + 1e-4 * np.arange(NWAVE)).astype("f4"),
              ivar=ivar_of(sigma).astype("f4"), and_mask=rss()[2][3], or_mask=mask, model=flux * 0 + 9),
        table("SPECOBJ", Z=np.array([0.1], "f4")),
    )  # fmt: skip


def plate(path: Path) -> Path:
    """All spectra of a plate of SDSS."""
    flux, sigma, mask = rss()
    roles = np.where(np.arange(NFIBER) % 4 == 0, "SKY", "GALAXY")
    numbers = np.arange(NFIBER)
    return write(
        path / "spPlate-3586-55181.fits",
        primary(flux, PLATEID=3586, MJD=55181, COEFF0=3.5796, COEFF1=1e-4, BUNIT="1E-17 erg/cm^2/s/Ang"),
        image(ivar_of(sigma).astype("f4"), "IVAR"), image(mask.astype("i4"), "ANDMASK"), image(mask, "ORMASK"),
        image(flux * 0 + 1, "WAVEDISP"),
        table("PLUGMAP", FIBERID=(numbers + 1).astype("i4"), OBJTYPE=roles, RA=numbers + 150.0, DEC=numbers + 2.0,
              XFOCAL=numbers * 6.0, YFOCAL=numbers * 0.0),
        image(flux * 2, "SKY"),
    )  # fmt: skip


def eso(path: Path, name: str = "PHASE3SPECTRUM") -> Path:
    """One row of vectors; 4MOST and ESO."""
    flux, sigma, mask = (a[1][None] for a in rss())
    units = {"WAVE": "Angstrom", "FLUX": "erg s-1 cm-2 Angstrom-1"}
    return write(
        path / f"{name.lower()}.fits", primary(PRODCATG="SCIENCE.SPECTRUM", INSTRUME="QMOST"),
        table(name, units, WAVE=wave_linear(3700)[None], FLUX=flux, ERR_FLUX=sigma, QUAL=mask.astype("i4"),
              FLUX_NOSS=flux + 3, ERR_FLUX_NOSS=sigma * 2),
    )  # fmt: skip


def twodfdr(path: Path) -> Path:
    """SAMI's class of 2dfdr: variance, and a sky spectrum that is not flux."""
    flux, sigma, _ = rss()
    n = np.arange(NFIBER)
    cards = {"CTYPE1": "Wavelength", "CUNIT1": "Angstroms", "CRVAL1": 4724.0, "CDELT1": 1.04, "CRPIX1": 20.5}
    fibers = table(
        "FIBRES_IFU",
        SPEC_ID=n + 1,
        NAME=np.array([f"g{i}" for i in n]),
        TYPE=np.where(n % 4 == 0, "S", "P"),
        PROBENUM=n // 6,
        PROBENAME=np.array(["A"] * NFIBER),
        FIBNUM=n % 6,
        XPOS=n * 0.5,
        YPOS=n * -0.5,
        FIB_MRA=30 + n * 0.1,
        FIB_MDEC=20 + n * 0.1,
    )
    return write(
        path / "20apr10001sci.fits", primary(flux, INSTRUME="AAOMEGA-SAMI", SPECTID="BL", **cards),
        image(sigma**2, "VARIANCE"), fibers, image(flux[0] * 0.1, "SKY"), image(np.ones(NFIBER, "f4"), "THPUT"),
        table("REDUCTION_ARGS", ARG_NAME=np.array(["a", "b"])),
    )  # fmt: skip


def megara(path: Path) -> Path:
    """Fibers by the cards of a header."""
    flux, _, _ = rss()
    cards = {"CTYPE1": "AWAV", "CUNIT1": "Angstrom", "CRVAL1": 4330.0, "CDELT1": 0.2, "CRPIX1": 1.0}
    head: dict[str, Any] = {"NFIBERS": NFIBER, "FUNIT": "arcsec"}
    for fiber in range(1, NFIBER + 1):
        row = {"B": (fiber - 1) // 4, "X": fiber * 0.5, "Y": fiber * -0.5, "R": 10.0 + fiber, "D": 20.0, "A": True}
        head |= {f"FIB{fiber:03d}_{letter}": value for letter, value in row.items()}
    for block, kind in enumerate(("TARGET", "SKY", "TARGET")):
        head |= {f"BUN{block:03d}_P": 1, f"BUN{block:03d}_I": f"obj{block}", f"BUN{block:03d}_T": kind}
    return write(path / "final_rss.fits", primary(flux, INSTRUME="MEGARA", **cards), image(None, "FIBERS", **head),
                 image(np.ones(flux.shape, "i4"), "WLMAP"))  # fmt: skip


# traces ------------------------------------------------------------------------------------------------------------


def muse_traces(path: Path, channels: int = 1) -> tuple[Path, Array]:
    """Polynomials of 48 slices, both axes counted from 1; with the centers (counted from 0)."""
    n, rows = 48, 4112
    y = np.arange(rows) + 1.0
    c0, c1, c2 = 60.0 + 84.0 * np.arange(n), np.full(n, 2e-3), np.full(n, -4e-7)
    hdus = [
        table(f"CHAN{channel:02d}", SliceNo=np.arange(1, n + 1), Width=np.full(n, 76.0, "f4"), tc0_00=c0 + channel - 1,
              tc0_01=c1, tc0_02=c2, MSE0=np.zeros(n), tc1_00=c0 - 38, tc1_01=c1, tc1_02=c2, MSE1=np.zeros(n))
        for channel in range(1, channels + 1)
    ]  # fmt: skip
    file = write(path / "TRACE_TABLE.fits", primary(INSTRUME="MUSE"), *hdus)
    return file, c0[:, None] + c1[:, None] * y + c2[:, None] * y**2 - 1


SLIT = np.stack([0.1 * np.arange(NFIBER), np.linspace(-2, 2, NFIBER), np.zeros(NFIBER)])  # across, along, unused


def pfs_detector_map(path: Path) -> tuple[Path, Array]:
    """A spline of each fiber through knots; with the centers at rows 0 to 4175."""
    knots = np.linspace(0, 4175, 24)
    row = np.arange(4176.0)

    def center(i: int, at: Array) -> Array:
        return 100.0 + 6.4 * i + 1.5e-6 * (at - 2000.0) ** 2

    index = np.repeat(np.arange(NFIBER), len(knots)).astype("i4")
    at = np.tile(knots, NFIBER)
    value = np.concatenate([center(i, knots) for i in range(NFIBER)])
    wave = np.concatenate([380.0 + 0.065 * knots for _ in range(NFIBER)])
    file = write(
        path / "pfsDetectorMap-012345-b1.fits", primary(), image(np.arange(NFIBER, dtype="i4") + 5, "FIBERID"),
        image(SLIT, "SLITOFF"), table("CENTER", index=index, knot=at, value=value),
        table("WAVELENGTH", index=index, knot=at, value=wave),
    )  # fmt: skip
    return file, np.stack([center(i, row - SLIT[1, i]) + SLIT[0, i] for i in range(NFIBER)])
