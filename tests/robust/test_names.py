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

    def named(word: str) -> str:
        if word.startswith("@/"):
            return os.path.join(place, word[2:]).rstrip("/")
        stem, dot, suffix = word[1:].partition(".")
        return odd(place, stem, dot + suffix) if word.startswith("@") else word

    got = cli.main([*name.split(), *map(named, words.split())])
    said = capsys.readouterr()
    assert "Traceback" not in said.err and "inside ifuview" not in said.err, ascii(said.err[-600:])
    assert got == code, ascii(said.err[-600:])
    if written:
        path = Path(named(written))
        assert path.exists()
        for file in (path, *path.rglob("*")) if path.is_dir() else (path,):
            if file.suffix == ".json":
                json.loads(file.read_bytes())  # UTF-8, whatever is named in it
            elif file.suffix in (".html", ".csv", ".txt"):
                file.read_bytes().decode("utf-8")


def test_texts_with_odd_names_are_utf_8(tmp_path: Path) -> None:
    from ifuview.app.traces.doctor_metrics import as_json
    from ifuview.files import put

    name = os.fsdecode(b"n\xe9.fits")
    put(tmp_path / "metrics.json", as_json({"image": name, "sigma": "\u03c3", "per_fiber_metrics": {name: {"x": 1.0}}}))
    back = json.loads((tmp_path / "metrics.json").read_bytes())
    assert (back["image"], back["sigma"], list(back["per_fiber_metrics"])) == (name, "\u03c3", [name])
