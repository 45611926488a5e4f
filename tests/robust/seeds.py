"""One small good file of every family that the program reads, and how each is opened, for the fuzzer."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ifuview import resources
from tests.io.fitsbytes import image
from tests.robust import talk
from tests.robust.talk import Open

PACK: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


REGIONS = """# Region file format: DS9
global color=red
image
circle(10,12,5) # text={a}
box(3,4,5,6,30)
fk5;point(10.5,-3)
"""
SHAPES = """# Region file format: DS9 version 4.1
global color=green dashlist=8 3 width=1 font="helvetica 10 normal roman" select=1 highlite=1 dash=0 fixed=0 edit=1
physical
ellipse(30,20,9,4,8,2,33) # color=blue tag={one} tag={two words}
annulus(10,12,3,5,7);polygon(1,2,9,3,5,8.5);line(1,2,30,22) # line=1 0
J2000;ruler(1:02:03.5,-4:05:06,1:02:04,-4:05:07) # ruler=arcsec
-fk5;box(15.5d,-3.2d,4",2',10d)
galactic
# vector(120.5,-60.25,3',45) vector=1
# text(120.5,-60.3) text={a {nested} b}
panda(120.5,-60.25,0,360,4,1",5",2) # panda=(0 90 180 270)(1" 3" 5")
image;# compass(20,20,15) compass=fk5 {N} {E} 1 1
point(7,8) # point=cross 11
composite(20,20,0) || composite=1
"""
INSTRUMENT = """name = "own"
title = "Own"
[match]
header = { INSTRUME = ["own"] }
[geometry]
nfiber = 300
block = "slitlet"
"""


def opened(path: str) -> object:
    """What a window does with a file: all images with their limits, reduced copies and headers."""
    from ifuview.app.frames.opening.opened import new_slot, pyramid
    from ifuview.app.frames.views import header
    from ifuview.app.open_tasks import frames_opened
    from ifuview.app.opening import open_images
    from ifuview.app.session import Session

    found = open_images(path)
    session = frames_opened(Session(), found)
    header.make(session)
    pyramid(new_slot(session, found[0]))
    return found


def every(path: str) -> object:
    """All extensions as frames."""
    from ifuview.app.opening import open_images

    return open_images(path, every=True)


def traces(path: str) -> object:
    from ifuview.io import read_traces

    return read_traces(path)


def regions(path: str) -> object:
    from ifuview.app.frames.opening.regions import read_placed

    return read_placed(path, {})


def limits(path: str) -> object:
    from ifuview.app.traces.diagnosis_request import read_limits

    return read_limits(path)


def settings(path: str) -> object:
    from ifuview import settings as stored
    from ifuview.app.preferences import base_look

    return base_look(stored.load(Path(path))[0])


def configuration(path: str) -> object:
    from ifuview.commands.photons.config import read_config

    return read_config(path)


def positions(path: str) -> object:
    from ifuview.commands.photons.positions import read_positions

    return read_positions(path, 0.0)


def instrument(path: str) -> object:
    from ifuview.instrument.load import load_instrument

    return load_instrument(Path(path))


def beammap(path: str) -> object:
    from ifuview.io.photons.raw.beammap_text import read_beammap

    return read_beammap(path)


def powersweep(path: str) -> object:
    from ifuview.io.photons.raw.powersweep import read_powersweeps

    return read_powersweeps([path])


def arrays(path: str) -> object:
    from ifuview.io.safe.npz import read_npz

    return read_npz(path)


def photons(path: str) -> object:
    """A photon list: its head, and all its photons in blocks."""
    from ifuview.io.photons.opening import open_photons

    source = open_photons(path)
    return [block.time.size for block in source.blocks()]


def folder(path: str) -> object:
    """A night of raw exposures: an archive, or what lies in a folder."""
    from ifuview.app.night.open_night import scan_folder

    return scan_folder(path)


def amplifier(path: str, instrument: str = "virus") -> object:
    """A raw amplifier, as the reductions read it."""
    from ifuview.instrument import instrument as described
    from ifuview.io.night.raw_read import read_frame

    return read_frame(path, described(instrument))


def lrs2_amplifier(path: str) -> object:
    return amplifier(path, "lrs2")


def judged(path: str) -> object:
    """A raw amplifier below a folder or in an archive, found and judged by its read-out as before a reduction."""
    from ifuview.app.night.amplifiers.health import health_below

    return health_below(path)


def calibrations(path: str) -> object:
    from ifuview.io.products.virus.cals import read_calibrations

    return read_calibrations(path)


def packets(path: str) -> object:
    """The packets of one second, in a folder with nothing else."""
    from ifuview.io.photons.raw.packets import open_packets

    source = open_packets(os.path.dirname(path))
    return [block.time.size for block in source.blocks()]


def made(place: Path) -> list[tuple[str, Path, Open]]:
    """Write all seeds below a folder: name, file, how it is opened."""
    out: list[tuple[str, Path, Open]] = []
    rng = np.random.default_rng(11)
    picture = rng.normal(100, 9, (24, 40)).astype("f4")

    def put(name: str, data: bytes | str, read: Open) -> None:
        path = place / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        out.append((name, path, read))

    plain = image(picture, BUNIT="adu", OBJECT="star", CRVAL1=3600.0, CDELT1=1.5, CRPIX1=1.0, CTYPE1="WAVE")
    several = (
        image(None, OBJECT="x")
        + image(picture, False, EXTNAME="SCI")
        + image((picture > 0).astype("u1"), False, EXTNAME="DQ")
    )
    put("plain.fits", plain, opened)
    put("integer.fits", image(picture.astype("i2"), BZERO=32768, BLANK=5), opened)
    put("cube.fits", image(rng.normal(0, 1, (6, 9, 11)).astype("f8"), CTYPE3="WAVE", CRVAL3=4000.0, CDELT3=2.0), opened)
    put("spectrum.fits", image(picture[0], CTYPE1="AWAV", CRVAL1=4000.0, CDELT1=2.0, CUNIT1="Angstrom"), opened)
    put("several.fits", several, every)
    for packing in ("gz", "bz2"):
        put(f"packed.fits.{packing}", PACK[packing](several), opened)
    for packing in ("", *PACK):
        put(f"night.tar{'.' if packing else ''}{packing}", PACK.get(packing, bytes)(_archive(plain)), folder)
    counts = np.tile(rng.integers(900, 1100, (1, 1064)).astype("i2"), (1032, 1))
    raw = image(counts, BZERO=32768, GAIN=0.8, RDNOISE=3.1, EXPTIME=360.0, CCDPOS="L", CCDHALF="L", IFUSLOT="056")
    put("amplifier.fits", raw, amplifier)
    put("amplifier.fits.gz", gzip.compress(raw), amplifier)
    counts = np.tile(rng.integers(900, 1100, (1, 2128)).astype("i2"), (1032, 1))
    cards = {"CCDPOS": "R", "CCDHALF": "U", "IFUSLOT": "056", "OBJECT": "HD_056_E", "INSTRUME": "LRS2", "SPECID": "503"}
    raw = image(counts, BZERO=32768, GAIN=0.9, RDNOISE=2.9, EXPTIME=360.0, **cards)
    put("lrs2.fits", raw, lrs2_amplifier)
    put("lrs2.fits.gz", gzip.compress(raw), lrs2_amplifier)
    put("lrs2.tar.gz", gzip.compress(_archive(raw, "lrs2")), judged)
    put("regions.reg", REGIONS, regions)
    put("shapes.reg", SHAPES, regions)
    for name in ("desi", "lrs2", "virus", "plain", "pfs"):
        put(f"{name}.toml", resources.path(f"instruments/{name}.toml").read_bytes(), instrument)
    put("limits.toml", "[limits]\n" + "".join(f"{name} = 1.5\n" for name in _limit_names()), limits)
    put("settings.toml", 'theme = "dark"\nlimits = "99.5"\nthreads = 2\nrecent = ["a.fits", "b.fits"]\n', settings)
    put("configuration.toml", "[wavecal]\nlasers = ['a.h5']\nbin_width = 2.0\n", configuration)
    put("configuration.cfg", "power = 2\nout = '/tmp/x'\nwavelengths = [1.0, 2.0]\n", configuration)
    put("positions.toml", "start = [0, 30]\nstop = [30, 60]\n", positions)
    put("own.toml", INSTRUMENT, instrument)
    put("beammap.txt", "".join(f"{10000 + n} {n % 3} {n % 5} {n // 5}\n" for n in range(25)), beammap)
    put("sweep.txt", "".join(f"{n} {4.0e9 + 1e6 * n} {50 + n % 3}\n" for n in range(40)), powersweep)
    rows = "".join(f"{f},{x},{5 * f + 0.01 * x:.3f}\n" for f in range(5) for x in range(0, 400, 50))
    put("traces.csv", "fiber_id,x,y\n" + rows, traces)
    put("traces.json", json.dumps({str(f): {"x": [0, 100, 200], "y": [f, f + 0.5, f + 1.0]} for f in range(4)}), traces)
    _with_libraries(place, out, picture)
    return out


def _archive(data: bytes, unit: str = "virus") -> bytes:
    """An observation of a unit, packed as the telescope does, beside a foreign file."""
    inside = io.BytesIO()
    with tarfile.open(fileobj=inside, mode="w") as archive:
        for name in (
            f"exp01/{unit}/20260101T010203.4_056LL_sci.fits",
            f"exp01/{unit}/20260101T010203.4_056RU_sci.fits",
            "note",
        ):
            info = tarfile.TarInfo(f"{unit}0000001/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return inside.getvalue()


def _limit_names() -> list[str]:
    from dataclasses import fields

    from ifuview.model.traces.doctor import DoctorLimits

    return [f.name for f in fields(DoctorLimits)][:5]


def _with_libraries(place: Path, out: list[tuple[str, Path, Open]], picture: Any) -> None:
    """Seeds that astropy, h5py and the writers of the program make."""
    from astropy.io import fits

    from ifuview.io.traces.write import write_traces
    from tests.io.photons import photonfiles
    from tests.io.products import samples

    for kind in ("RICE_1", "GZIP_2", "HCOMPRESS_1", "PLIO_1"):
        data = picture.astype("i4") if kind != "RICE_1" else picture
        path = place / f"{kind.lower()}.fits.fz"
        fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(np.abs(data), compression_type=kind)]).writeto(path)
        out.append((path.name, path, opened))
    products = (
        *("lvm_extracted", "lvm_rectified", "lvm_detector", "hetdex", "muse", "kcwi", "manga_cube", "manga_rss"),
        *("jwst", "califa", "sami", "pypeit", "gmos", "pfs_arm", "pfs_config", "pfs_calexp"),
    )
    for name in products:
        path = getattr(samples, name)(place)
        out.append((name, path, opened))
    given = traces(str(place / "traces.csv"))
    for suffix in ("fits", "ecsv"):
        path = place / f"traces.{suffix}"
        write_traces(str(path), given)  # type: ignore[arg-type]
        out.append((path.name, path, traces))
    for name in ("write_modern", "write_consolidated", "write_pixels"):
        path = place / f"{name[6:]}.h5"
        getattr(photonfiles, name)(path)
        out += [(path.name, path, photons), (f"shown {path.name}", path, opened)]
    from tests.io.photons.raw import test_packets
    from tests.io.products.virus import test_cals

    second = test_packets.SECOND
    (place / "packets").mkdir()
    test_packets.put(place / "packets", second, [test_packets.header(second + 0.0005), *[
        test_packets.photon(n % 3, n % 4, 100 * n, 300, 10) for n in range(60)]])  # fmt: skip
    (path,) = (place / "packets").iterdir()
    out.append(("packets", path, packets))
    path = Path(test_cals.write(place / "cals.h5", [test_cals.row(), test_cals.row(amplifier="RU", seed=1)]))
    out.append((path.name, path, calibrations))
    _reduced(place, out)
    path = place / "arrays.npz"
    with open(path, "wb") as file:
        np.savez_compressed(file, a=np.arange(40.0), b=np.array([{"x": 1}, "y"], dtype=object))
    out.append((path.name, path, arrays))
    out += talk.made(place, place / "several.fits")
    names = {os.path.basename(str(p)) for _, p, _ in out}
    assert len(names) > 50


def _reduced(place: Path, out: list[tuple[str, Path, Open]]) -> None:
    """Products of the reductions: spectra, cubes and calibrations of LRS2, an observation and a head of VIRUS."""
    from ifuview.io.products.lrs2.writing import write_calibration, write_exposure
    from ifuview.io.products.virus.head_files import write_head
    from ifuview.io.products.virus.shot import new_shot_file
    from tests.io.products import test_virus_products as virus
    from tests.io.products.lrs2 import test_products as lrs2

    grid = lrs2.CubeGrid(np.arange(3.0), np.arange(2.0), 1.0)
    shape = (lrs2.NWAVE, 2, 3)
    cube = lrs2.SkyCube(np.ones(shape, "f4"), np.ones(shape, "f4"), np.zeros(shape, "u4"), lrs2.WAVE, grid, lrs2.UNIT)
    files = [*write_exposure(place, lrs2.made(cubes={"skysub": cube}, images=None))]
    files.append(write_calibration(place, lrs2.calibrated()))
    head = virus.head_products()
    with new_shot_file(str(place / "20190822_0000011.h5")) as file:
        file.add(head)
        file.finish(virus.SOLUTION, "FIELD")
    files += [str(place / "20190822_0000011.h5"), *(str(place / name) for name in write_head(place, head)[:2])]
    for path in map(Path, files):
        out.append((path.name, path, opened))
    out.append(("shot as calibrations", place / "20190822_0000011.h5", calibrations))
