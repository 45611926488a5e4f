"""Bars of photon lists, on 50 million photons in the modern layout: first pass, indexed, one pixel, live image, memory.

The file is found in, or written to, IFUVIEW_BENCH_DATA. Rates are rows per CPU second of the process, best of a few
passes over a warm file; the peers (the HDF5 library with numpy, and the published reader where IFUVIEW_BENCH_PEER names
a Python that has `mkidpipeline`) are timed in the same run. Chunks, filter and order are those of the published writer.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ifuview.model.photons.lists import PhotonCut, PhotonList
from tests.bench import frames

Row = tuple[str, float, float, str, bool]
NPHOTON, NPHOTON_QUICK = 50_000_000, 5_000_000
DURATION = 300  # s
EDGES = (700.0, 900.0, 1100.0, 1300.0, 1500.0)  # nm
MILLION, MIB = 1e6, 1 << 20
DRAG = 40  # images of a drag
TABLE = "photons/photontable"
BRIGHT = 1000  # photons of a pixel
PUBLISHED_SPECKLE = {"binned": 4.2e-3, "arrival": 12.8e-3}  # CPU s per pixel, measured on another day
PUBLISHED_WAVECAL = 0.6
PUBLISHED = """
import json, sys, time
from mkidpipeline.photontable import Photontable
def spent(**options):
    began = time.process_time()
    Photontable(sys.argv[1]).get_fits(rate=False, **options)
    return time.process_time() - began
wave = dict(cube_type="wave", bin_width=200, bin_type="width", wave_start=700, wave_stop=1500, duration=300)
print(json.dumps([min(spent(), spent()), spent(**wave)]))
"""


def rows(quick: bool) -> list[Row]:
    """Return (name, measured, bar, unit, ok) of every bar; `quick` takes a tenth of the photons and fewer repeats."""
    nphoton, repeats = (NPHOTON_QUICK, 3) if quick else (NPHOTON, 7)
    path = photon_file(nphoton)
    return [
        *_first_pass(path, nphoton, repeats),
        *_indexed(path, nphoton, repeats),
        *_live(path),
        *_dragged(path, quick),
        *_alone(path, repeats),
        *_fits(),
    ]


def photon_file(nphoton: int) -> str:
    """The path of the file, made if it is missing: a simulated exposure, with hot pixels and a bright center."""
    path = frames.folder() / f"photons_{nphoton // 1_000_000}m.h5"
    if not path.exists():
        from ifuview.io.photons.lists.write import write_photons
        from ifuview.simulate.photons.stream import PhotonStream

        stream = PhotonStream(nphoton, duration=DURATION)
        # the published reader makes images only of the instruments whose header keys it knows
        write_photons(path, stream, replace(stream.info, instrument="MEC"))
    return str(path)


def _first_pass(path: str, nphoton: int, repeats: int) -> list[Row]:
    """Image and cube of the file as it was written, and the peers'."""
    from ifuview.io.photons.opening import open_photons

    image = _rate(lambda: _image(open_photons(path)), nphoton, repeats)
    cube = _rate(lambda: _cube(open_photons(path)), nphoton, repeats)
    plain = _rate(lambda: _plain_image(path), nphoton, 3)
    plain_cube = _rate(lambda: _plain_cube(path), nphoton, 3)
    published, published_cube = _published(path, nphoton)
    return [
        _at_least("image, first pass", image, 30, "Mrow/s CPU"),
        _at_least("4-bin cube, first pass", cube, 30, "Mrow/s CPU"),
        _known("  h5py and bincount: image", plain, "Mrow/s CPU"),
        _known("  h5py and bincount: cube", plain_cube, "Mrow/s CPU"),
        _known("  published get_fits: image", published, "Mrow/s CPU"),
        _known("  published get_fits: cube", published_cube, "Mrow/s CPU"),
        _at_least("image, times h5py and bincount", image / plain, 1.5, "x"),
        _at_least("cube, times h5py and bincount", cube / plain_cube, 2, "x"),
    ]


def _indexed(path: str, nphoton: int, repeats: int) -> list[Row]:
    """The same from the index; one pixel."""
    from ifuview.io.photons.index.build import build_index
    from ifuview.io.photons.index.index import open_index
    from ifuview.io.photons.opening import open_photons

    build = _seconds(lambda: build_index(open_photons(path)), 2)
    index = open_index(path)
    assert index is not None
    curve = 1e3 * _seconds(lambda: _light_curve(index), 9)
    return [
        _known("make the index", nphoton / build / MILLION, "Mrow/s CPU"),
        _at_least("image, indexed", _rate(lambda: _image(index), nphoton, repeats), 90, "Mrow/s CPU"),
        _at_least(
            "image of a time and wavelength range, indexed",
            _rate(lambda: _cut_image(index), nphoton, repeats),
            90,
            "Mrow/s CPU",
        ),
        _at_least("4-bin cube, indexed", _rate(lambda: _cube(index), nphoton, repeats), 90, "Mrow/s CPU"),
        _at_most("light curve of one pixel, 10 ms bins", curve, 10, "ms CPU"),
    ]


def _live(path: str) -> list[Row]:
    """Images per CPU second while sliders move."""
    from ifuview.engine.photons.counting.cut import Bounds
    from ifuview.engine.photons.counting.live import LiveImage
    from ifuview.io.photons.index.index import open_index

    index = open_index(path)
    assert index is not None
    live = LiveImage(index)
    end = DURATION * 1_000_000
    steps = range(DRAG)
    drags = {
        "one wavelength slider, all times": [Bounds(0, end, 800 + 3.7 * k, 1200.03, True) for k in steps],
        "a wavelength window, all times": [Bounds(0, end, 800 + 3.7 * k, 900.1 + 3.7 * k, True) for k in steps],
        "a wavelength window, half the time": [
            Bounds(end // 4, 3 * end // 4, 800 + 3.7 * k, 900.1 + 3.7 * k, True) for k in steps
        ],
        "one time slider": [Bounds(1_000_000 * k, end, 900.12, 1200.5, True) for k in steps],
        "a window of 10 s": [Bounds(250_000 * k, 250_000 * k + 10_000_000, 900.12, 1200.5, True) for k in steps],
        "play 1 ms steps": [Bounds(1000 * k, 1000 * (k + 1), 900.12, 1200.5, True) for k in steps],
        "play 1 s steps": [Bounds(1_000_000 * k, 1_000_000 * (k + 1), 900.12, 1200.5, True) for k in steps],
    }
    out = []
    for name, bounds in drags.items():
        live.counts(bounds[0])
        spent = min(_elapsed(lambda bounds=bounds: [live.counts(b) for b in bounds]) for _ in range(3))
        out.append(_at_least(f"live: {name}", DRAG / spent, 30, "images/s CPU"))
    return out


def _dragged(path: str, quick: bool) -> list[Row]:
    """Pictures a second while the sliders of the window are dragged."""
    words = [sys.executable, "-m", "tests.bench.photon_drag", path, *(["--quick"] if quick else [])]
    done = subprocess.run(
        words, capture_output=True, text=True, check=True, cwd=Path(__file__).resolve().parents[2], env=dict(os.environ)
    )
    return [tuple(row) for row in json.loads(done.stdout.splitlines()[-1])]


def _alone(path: str, repeats: int) -> list[Row]:
    """What needs a process of its own: the time to open, and the memory."""
    opened = float(np.median([_child("opened", path)["cpu"] for _ in range(repeats)]))
    out = [_at_most("process opens an indexed file to an image", opened, 1.0, "s CPU")]
    for what, name in (("first", "image and cube, first pass"), ("build", "making the index"), ("live", "live image")):
        out.append(_at_most(f"memory: {name}", _child(what, path)["peak"], 600, "MiB"))
    return out


def _fits() -> list[Row]:
    """Fits per pixel: a twentieth of what the published functions took (CPU seconds) is the bar."""
    from ifuview.app.photons.calibration.solve import fit_wavecal
    from ifuview.engine.photons.statistics.speckle import speckle_maps
    from ifuview.simulate.photons.lists import simulate_lasers, simulate_photons

    photons, _ = simulate_photons(duration=30.0)
    counts = np.bincount(photons.resonator, minlength=photons.info.beammap.nresonator)
    bright = counts[photons.resonator] >= BRIGHT
    columns = (photons.resonator, photons.time, photons.value)
    chosen = PhotonList(photons.info, *(column[bright] for column in columns))
    out = []
    for method, published in PUBLISHED_SPECKLE.items():
        maps = speckle_maps(chosen, method=method)
        spent = _seconds(lambda m=method: speckle_maps(chosen, method=m), 3) / int(np.isfinite(maps.is_).sum())
        name = f"speckle fit of a pixel of {BRIGHT} photons or more, {method}"
        out.append(_at_most(name, spent * 1e3, published * 1e3 / 20, "ms"))
    lasers, array = simulate_lasers()
    spent = _seconds(lambda: fit_wavecal(lasers), 3) / array.beammap.nresonator
    out.append(_at_most("energy solution of a pixel from five lasers", spent * 1e3, PUBLISHED_WAVECAL * 1e3 / 20, "ms"))
    return out


def _child(what: str, path: str) -> dict[str, float]:
    """Run one of the functions below in a fresh Python; its CPU seconds and peak memory."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.photons", what, path], capture_output=True, text=True, check=True,
        cwd=Path(__file__).resolve().parents[2], env=dict(os.environ),
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def _run(what: str, path: str) -> None:
    """The process of `_child`."""
    from ifuview.app.photons.lists import image, open_source

    if what == "opened":
        image(open_source(path))
    elif what == "first":
        source = open_source(path, index=False)
        _image(source)
        _cube(source)
    elif what == "build":
        from ifuview.io.photons.index.build import build_index

        build_index(open_source(path, index=False))
    else:
        from ifuview.engine.photons.counting.live import live_image

        live_image(open_source(path, index=True)).image(PhotonCut(10, 250, 800, 1200.1))
    print(json.dumps({"cpu": time.process_time(), "peak": _peak()}))


def _peak() -> float:
    """Highest resident memory of this process, MiB; getrusage would give the parent's before the exec."""
    status = Path("/proc/self/status")
    found = (
        [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        if status.exists()
        else []
    )
    return int(found[0]) / 1024 if found else math.nan


def _image(source: Any) -> Any:
    from ifuview.engine.photons.counting.image import count_image

    return count_image(source)


def _cut_image(source: Any) -> Any:
    from ifuview.engine.photons.counting.image import count_image

    return count_image(source, PhotonCut(10, 250, 800, 1200.1))


def _cube(source: Any) -> Any:
    from ifuview.engine.photons.counting.cube import count_cube
    from ifuview.model.photons.images import value_axis

    return count_cube(source, value_axis(source.info), EDGES)


def _light_curve(source: Any) -> Any:
    from ifuview.app.photons.lists import pixel_light_curve

    return pixel_light_curve(source, 52, 72, width=0.01)


def _plain(path: str) -> Iterator[tuple[Any, Any, Any]]:
    """Blocks as the library reads them, with the place of each resonator."""
    import h5py
    import hdf5plugin  # noqa: F401

    with h5py.File(path) as file:
        ids = np.unique(file["beammap/map"][:])
        place = np.zeros(int(ids[-1]) + 1, np.int64)
        place[ids] = np.arange(len(ids))
        for start in range(0, file[TABLE].shape[0], 2_000_000):
            block = file[TABLE][start : start + 2_000_000]
            yield place[block["resID"]], block["wavelength"], len(ids)


def _plain_image(path: str) -> Any:
    return sum(np.bincount(place, minlength=n) for place, _, n in _plain(path))


def _plain_cube(path: str) -> Any:
    total: Any = 0
    for place, wave, n in _plain(path):
        bins = np.searchsorted(EDGES, wave, side="right")
        total = total + np.bincount(place * (len(EDGES) + 1) + bins, minlength=n * (len(EDGES) + 1))
    return total


def _published(path: str, nphoton: int) -> tuple[float, float]:
    """Rates of the published reader, run by the Python that IFUVIEW_BENCH_PEER names; NaN where there is none."""
    peer = os.environ.get("IFUVIEW_BENCH_PEER")
    if not peer:
        return math.nan, math.nan
    done = subprocess.run([peer, "-W", "ignore", "-c", PUBLISHED, path], capture_output=True, text=True, check=False)
    try:
        image, cube = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return math.nan, math.nan
    return nphoton / image / MILLION, nphoton / cube / MILLION


def _at_least(name: str, measured: float, bar: float, unit: str) -> Row:
    return name, measured, bar, unit, measured >= bar


def _at_most(name: str, measured: float, bar: float, unit: str) -> Row:
    return name, measured, bar, unit, measured <= bar


def _known(name: str, measured: float, unit: str) -> Row:
    return name, measured, 0, unit, True


def _rate(run: Callable[[], Any], nphoton: int, repeats: int) -> float:
    """Million rows per CPU second."""
    run()
    return nphoton / _seconds(run, repeats) / MILLION


def _seconds(run: Callable[[], Any], repeats: int) -> float:
    """Lower quartile of the CPU seconds of a run: the machine may be shared."""
    return float(np.quantile([_elapsed(run) for _ in range(repeats)], 0.25))


def _elapsed(run: Callable[[], Any]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


if __name__ == "__main__":
    _run(*sys.argv[1:])
