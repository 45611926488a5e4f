"""The program as a shell sees it: files written, exit codes, one sentence on stderr, never a hang."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data" / "desi"
SECONDS = 60


def ifuview(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the program without any display."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "PYTEST_CURRENT_TEST")
    env = {k: v for k, v in os.environ.items() if k not in hidden}
    env |= {"PYTHONPATH": str(ROOT), "IFUVIEW_CONFIG": str(cwd), "XDG_RUNTIME_DIR": str(cwd)}
    command = [sys.executable, "-m", "ifuview", *map(str, words)]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Path:
    """A plain FITS image, written by hand."""
    path = tmp_path_factory.mktemp("data") / "plain.fits"
    data = np.random.default_rng(1).normal(100, 5, (220, 300)).astype(">f4")
    data[100:110, 140:160] += 200
    cards = ["SIMPLE  =                    T", f"BITPIX  = {-32:20d}", f"NAXIS   = {2:20d}",
             f"NAXIS1  = {300:20d}", f"NAXIS2  = {220:20d}", "OBJECT  = 'test    '", "END"]  # fmt: skip
    body = data.tobytes()
    header = "".join(card.ljust(80) for card in cards).ljust(2880).encode()
    path.write_bytes(header + body + b"\0" * (-len(body) % 2880))
    return path


def png_size(path: Path) -> tuple[int, int]:
    start = path.read_bytes()[:24]
    assert start[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", start[16:24])


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence on stderr."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("ifuview: ")]
    assert "Traceback" not in done.stderr, done.stderr
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_a_picture_is_saved_without_a_display(image, tmp_path):
    done = ifuview("-zscale", image, "-zoom", "to", "fit", "-saveimage", "png", "out.png", "-exit", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    width, height = png_size(tmp_path / "out.png")
    assert width > 400
    assert height > 300
    assert "Traceback" not in done.stderr


def test_options_act_on_the_picture(image, tmp_path):
    words = ["-saveimage", "png", "a.png", "-invert", "-scale", "limits", "0", "1000", "-saveimage", "png", "b.png"]
    done = ifuview(image, *words, "-exit", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()


def test_several_frames_and_habits_of_ds9(image, tmp_path):
    words = f"-xpa no -tile -log {image} -frame new {image} -frame lock image -frame first -bogus -exit".split()
    done = ifuview(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("ifuview: ")]
    assert len(said) == 2
    assert "-xpa" in said[0]
    assert "-bogus" in said[1]


def bad_inputs(folder: Path, image: Path) -> dict[str, Path]:
    whole = image.read_bytes()
    out = {"missing": folder / "none.fits", "empty": folder / "empty.fits", "text": folder / "text.fits"}
    out["empty"].write_bytes(b"")
    out["text"].write_text("SIMPLE minds\n" * 300)
    out["folder"] = folder / "nothing"
    out["folder"].mkdir()
    for name, size in (("cut-header", 1000), ("cut-data", 2880 + 5000)):
        out[name] = folder / f"{name}.fits"
        out[name].write_bytes(whole[:size])
    if hasattr(os, "mkfifo"):
        out["fifo"] = folder / "fifo.fits"
        os.mkfifo(out["fifo"])
    return out


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "folder", "cut-header", "fifo"])
def test_bad_input_is_code_two_and_one_sentence(image, tmp_path, kind):
    files = bad_inputs(tmp_path, image)
    if kind not in files:
        pytest.skip("no such thing on this system")
    done = ifuview(files[kind], "-exit", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert files[kind].name in sentence(done)


def test_a_folder_of_a_few_bad_files_has_a_sentence_for_each(image, tmp_path):
    files = bad_inputs(tmp_path, image)
    done = ifuview(tmp_path, "-exit", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("ifuview: ")]
    for kind in ("empty", "text", "cut-header"):
        assert sum(files[kind].name in line for line in said) == 1


def test_a_bad_file_beside_a_good_one_is_still_said(image, tmp_path):
    done = ifuview(image, "none.fits", "-saveimage", "png", "out.png", "-exit", cwd=tmp_path)
    assert "none.fits" in sentence(done)
    assert png_size(tmp_path / "out.png")


def test_a_picture_that_cannot_be_written(image, tmp_path):
    done = ifuview(image, "-saveimage", "png", "no/such/out.png", "-exit", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "out.png" in sentence(done)


def test_without_a_display_the_window_says_so(image, tmp_path):
    if sys.platform in ("win32", "darwin"):
        pytest.skip("there is always a display")
    done = ifuview(image, cwd=tmp_path)
    assert done.returncode == 2
    assert "no display" in sentence(done)


def test_a_report_of_a_plain_image(image, tmp_path):
    done = ifuview("report", image, "-o", "r.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert png_size(tmp_path / "r.png")[0] == 2000


def test_a_report_that_makes_no_sense(image, tmp_path):
    for words in (["none.fits", "-o", "r.png"], [image, "-o", "no/such/r.png"], [image, "-o", "r.xyz"],
                  [image, "--fiber", "3", "-o", "r.png"], [image, "--traces", "none.fits", "-o", "r.png"]):  # fmt: skip
        done = ifuview("report", *words, cwd=tmp_path)
        assert done.returncode == 2, (words, done.stderr)
        assert sentence(done)
    assert not list(tmp_path.glob("*.png"))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not here")
def test_a_report_of_real_spectra(tmp_path):
    exposure = SHARED / "exposures" / "20211014" / "00104284"
    files = [exposure / f"{kind}-r6-00104284.fits.gz" for kind in ("frame", "sframe", "sky")]
    done = ifuview("report", *files, "--fiber", "250", "-o", "r.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert png_size(tmp_path / "r.png")[0] == 2000
