"""Names of files are bytes to the system: every command works with those that are no UTF-8, and says them in ASCII."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from ifuview import cli
from ifuview.commands import table
from ifuview.errors import IfuviewError, UsageError
from ifuview.files import check_folder, put
from ifuview.io import write_regions
from ifuview.io.photons.lists.write import write_photons
from ifuview.overwriting import forgotten
from ifuview.simulate.photons.array import make_array
from ifuview.simulate.photons.lists import simulate_flat, simulate_lasers, simulate_photons
from tests.app.night.production import write_production
from tests.io.photons import photonfiles
from tests.io.photons.raw import test_packets
from tests.robust.seeds import image

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are Linux's")
DONE, REFUSED, FOUND = 0, 2, 3
SLOW = ("diagnose", "batch")
TAKEN = {"view", "watch", "demo", "man", "completion"}  # windows, tested elsewhere; and what takes no files


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder of odd name with one file of each kind, of odd names, too."""
    top = os.fsdecode(os.fsencode(tmp_path_factory.mktemp("names")) + b"/n\xe9\xff")
    os.mkdir(top)
    root = write_production(Path(top))
    for kind in ("preproc", "psf"):
        shutil.copyfile(next(root.rglob(f"{kind}*.fits")), odd(top, kind, ".fits"))
    photonfiles.write_modern(Path(odd(top, "list", ".h5")))
    packets, second = Path(odd(top, "packets")), test_packets.SECOND
    packets.mkdir()
    photons = [test_packets.photon(n % 3, n % 4, 100 * n, 300, 10) for n in range(60)]
    test_packets.put(packets, second, [test_packets.header(second + 0.0005), *photons])
    lines = "".join(f"{10000 + n} 0 {n % 5} {n // 5}\n" for n in range(25))
    Path(odd(top, "beammap", ".txt")).write_text(lines)
    Path(odd(top, "script", ".py")).write_text("print(frame.dataset.path, args)\n")
    Path(odd(top, "own", ".toml")).write_text("name = 'x'\n")
    counts = np.tile(np.random.default_rng(1).integers(900, 1100, (1, 1064)).astype("i2"), (1032, 1))
    raw = image(counts, BZERO=32768, GAIN=0.8, RDNOISE=3.1, EXPTIME=360.0, CCDPOS="L", CCDHALF="L", IFUSLOT="056")
    amplifiers = Path(top) / "virus0000001" / "exp01" / "virus"
    amplifiers.mkdir(parents=True)
    (amplifiers / "20260101T010203.4_056LL_sci.fits").write_bytes(raw)
    return top


def odd(top: str, name: str, suffix: str = "") -> str:
    return os.path.join(top, os.fsdecode(name.encode() + b"\xe9") + suffix)


def _named(place: str, word: str) -> str:
    """The name of a file for a word of CASES."""
    if word.startswith("@/"):
        return os.path.join(place, word[2:]).rstrip("/")
    stem, dot, suffix = word[1:].partition(".")
    return odd(place, stem, dot + suffix) if word.startswith("@") else word


# command, its words ("@name.suffix" is a file of odd name), code, what is written
CASES = [
    ("report", "@preproc.fits --traces @psf.fits --fiber 3 -o @r.png", DONE, "@r.png"),
    ("diagnose", "@preproc.fits --traces @psf.fits -o @d", FOUND, "@d"),
    ("triage", "@/prod -o @t", FOUND, "@t"),
    ("batch", "triage @/prod -o @b", FOUND, "@b"),
    ("health", "@/virus0000001 -o @h.html --json @h.json", FOUND, "@h.json"),
    ("cutout", "@/prod --tile 70 --fiber 3 --wave 6500 -o @c.png", DONE, "@c.png"),
    ("quicklook", "@list.h5 -o @q.fits", DONE, "@q.fits"),
    ("speckle", "@list.h5 -o @s.fits", DONE, "@s.fits"),
    ("bin2hdf", "@packets --beammap @beammap.txt -o @n.h5", DONE, "@n.h5"),
    ("wavecal", "@list.h5 -o @w.h5", REFUSED, ""),
    ("flatcal", "@list.h5 -o @f.h5", REFUSED, ""),
    ("calibrate", "@list.h5 --wavecal @none.h5 -o @k.h5", REFUSED, ""),
    ("run", "@script.py @preproc.fits --arg @word", DONE, ""),
    ("instruments", "@own.toml", REFUSED, ""),
    ("reduce", "lrs2 -d 20260101 --baseraw @/ -O @o", REFUSED, ""),
    ("combine", "@multi.fits -O @o", REFUSED, ""),
    ("reduce virus", "20260101 1 056 @cals.h5 -r @/ -O @o", REFUSED, ""),
    ("reduce virus-cal", "@cal.h5 -r @/ -i 056 -sd 20260101 -dl 1", REFUSED, ""),
]


def test_every_command_is_tried() -> None:
    assert {name for name, *_ in CASES} == set(table.COMMANDS) - TAKEN


@pytest.mark.parametrize(("name", "words", "code", "written"), [
    pytest.param(*case, id=case[0], marks=[pytest.mark.slow] * (case[0] in SLOW)) for case in CASES
])  # fmt: skip
def test_a_command_takes_and_writes_odd_names(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    name: str, words: str, code: int, written: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("IFUVIEW_CONFIG", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    given = [*name.split(), *(_named(place, word) for word in words.split())]
    got = cli.main(given)
    said = capsys.readouterr()
    assert "Traceback" not in said.err and "inside ifuview" not in said.err, ascii(said.err[-600:])
    assert got == code, ascii(said.err[-600:])
    if written:
        path = Path(_named(place, written))
        assert path.exists()
        with forgotten():  # as another process: what a command has written it writes anew
            assert cli.main(given) == code, ascii(capsys.readouterr().err[-600:])
        for file in (path, *path.rglob("*")) if path.is_dir() else (path,):
            if file.suffix == ".json":
                json.loads(file.read_bytes())  # UTF-8, whatever is named in it
            elif file.suffix in (".html", ".csv", ".txt"):
                file.read_bytes().decode("utf-8")


@pytest.mark.parametrize(("name", "words", "written"), [
    pytest.param(name, words, written, id=name) for name, words, _, written in CASES if written and name not in SLOW
])  # fmt: skip
def test_an_output_that_no_disk_can_name_is_refused(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    name: str, words: str, written: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("IFUVIEW_CONFIG", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    suffix = Path(written).suffix
    given = [str(tmp_path / ("x" * 300 + suffix)) if word == written else _named(place, word) for word in words.split()]
    assert cli.main([*name.split(), *given]) == REFUSED
    said = capsys.readouterr().err
    assert "Traceback" not in said and said.startswith("ifuview: "), ascii(said[-600:])


def test_a_name_with_a_zero_byte_is_refused(tmp_path: Path) -> None:
    """No command line has one, sessions and other programs may."""
    for write in (put, write_regions):
        with pytest.raises((OSError, IfuviewError), match="Invalid argument"):
            write(f"{tmp_path}/a\0b.reg", [])
    with pytest.raises(UsageError, match="is no name of a folder"):
        check_folder(f"{tmp_path}/a\0b")
    assert list(tmp_path.iterdir()) == []


def test_calibrations_of_odd_names_are_made_and_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lasers, a flat and a list of photons, from names to names that are no UTF-8 and would begin a formula."""
    from ifuview.io.photons.opening import open_photons

    monkeypatch.setenv("IFUVIEW_CONFIG", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    top = os.fsdecode(os.fsencode(tmp_path) + b"/$\\frac$\xff")
    os.mkdir(top)
    array = make_array((3, 2), dead=0, cold=0, hot=0, unsolved=0)
    lasers = {odd(top, f"laser_{wave:g}_", ".h5"): photons for wave, photons in simulate_lasers(array)[0].items()}
    flat, _ = simulate_flat(array, calibrated=False, photons_per_pixel=800)
    phase, _ = simulate_photons(array=array, calibrated=False, duration=0.5)
    files = {**lasers, odd(top, "flat", ".h5"): flat, odd(top, "phase", ".h5"): phase}
    for path, photons in files.items():
        write_photons(Path(path), photons)
    wave, weights, new = (odd(top, name, ".h5") for name in ("wave", "weights", "new"))
    assert cli.main(["wavecal", *lasers, "-o", wave, "--json", odd(top, "wave", ".json")]) == DONE
    assert cli.main(["flatcal", odd(top, "flat", ".h5"), "--wavecal", wave, "-o", weights]) == DONE
    assert cli.main(["calibrate", odd(top, "phase", ".h5"), "--wavecal", wave, "--flatcal", weights, "-o", new]) == DONE
    json.loads(Path(odd(top, "wave", ".json")).read_bytes())
    assert dict(open_photons(new).info.calibrations).keys() == {"wavecal", "flatcal"}
    assert capsys.readouterr().out.isascii()


def test_figures_write_names_as_their_font_can() -> None:
    from matplotlib.figure import Figure

    from ifuview.report.page import as_png

    figure = Figure(layout="constrained")
    figure.suptitle(os.fsdecode(b"$\\frac$ \xe9"))
    axes = figure.subplots()
    axes.set_xlabel("\u4e2d $x^$")
    axes.loglog([1, 100], [1, 1000])
    assert as_png(figure).startswith(b"\x89PNG")


def test_texts_with_odd_names_are_utf_8(tmp_path: Path) -> None:
    from ifuview.app.traces.doctor_metrics import as_json
    from ifuview.files import put

    name = os.fsdecode(b"n\xe9.fits")
    put(tmp_path / "metrics.json", as_json({"image": name, "sigma": "\u03c3", "per_fiber_metrics": {name: {"x": 1.0}}}))
    back = json.loads((tmp_path / "metrics.json").read_bytes())
    assert (back["image"], back["sigma"], list(back["per_fiber_metrics"])) == (name, "\u03c3", [name])
